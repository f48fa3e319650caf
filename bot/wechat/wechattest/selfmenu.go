package wechattest

import "net/http"

// SelfMenu tells the account's menu however it was made.
const SelfMenu = "/cgi-bin/get_current_selfmenu_info"

// MakeMenu makes a menu in the platform's administration. menu/get does not know
// such a one. Buttons may be of kinds that the API cannot make, such as text.
func (s *Server) MakeMenu(buttons ...Button) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.menu, s.handMade, s.menuHidden = nil, buttons, false
}

// HideMenu switches the menu off in the platform's administration.
func (s *Server) HideMenu() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.menuHidden = true
}

// MakeConditional makes n menus that only some readers get. The API tells of
// them beside a menu that it made.
func (s *Server) MakeConditional(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conditional = n
}

func (s *Server) conditionals() []any {
	list := make([]any, s.conditional)
	for i := range list {
		list[i] = map[string]any{"button": s.menu, "matchrule": map[string]any{"tag_id": "2"}, "menuid": 1000 + i}
	}
	return list
}

func (s *Server) selfMenu(*http.Request) any {
	buttons := s.handMade
	if s.menu != nil {
		buttons = s.menu
	}
	open := 0
	if len(buttons) > 0 && !s.menuHidden {
		open = 1
	}
	return map[string]any{"is_menu_open": open, "selfmenu_info": map[string]any{"button": selfButtons(buttons)}}
}

// selfButtons have what lies below them in a list of its own, and what a click
// does as key or, where it was made by hand, as value.
func selfButtons(buttons []Button) []map[string]any {
	list := []map[string]any{}
	for _, b := range buttons {
		shown := map[string]any{"name": b.Name}
		switch {
		case len(b.SubButtons) > 0:
			shown["sub_button"] = map[string]any{"list": selfButtons(b.SubButtons)}
		case b.Type == "view":
			shown["type"], shown["url"] = b.Type, b.URL
		case b.Type == "click":
			shown["type"], shown["key"] = b.Type, b.Key
		default:
			shown["type"], shown["value"] = b.Type, b.Key
		}
		list = append(list, shown)
	}
	return list
}
