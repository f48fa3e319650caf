package wechattest

import (
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"
)

const (
	menuButtons    = 3
	menuSubButtons = 5
	topName        = 16 // bytes
	subName        = 60
	menuKey        = 128
	menuURL        = 1024
)

// A Button of the account's menu, as the platform keeps it.
type Button struct {
	Type       string   `json:"type,omitempty"`
	Name       string   `json:"name"`
	Key        string   `json:"key,omitempty"`
	URL        string   `json:"url,omitempty"`
	SubButtons []Button `json:"sub_button"`
}

// Menu is the account's menu; nil when there is none.
func (s *Server) Menu() []Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.menu
}

func (s *Server) menuCreate(r *http.Request) any {
	var in struct {
		Buttons []Button `json:"button"`
	}
	if !s.decode(r, &in) {
		return 47001
	}
	if n := len(in.Buttons); n == 0 || n > menuButtons {
		return 40016
	}
	for i, b := range in.Buttons {
		if code := checkButton(b, false); code != 0 {
			return code
		}
		if b.SubButtons == nil {
			in.Buttons[i].SubButtons = []Button{} // as menu/get shows it
		}
		for j := range b.SubButtons {
			b.SubButtons[j].SubButtons = []Button{}
		}
	}
	s.menu, s.handMade, s.menuHidden = in.Buttons, nil, false
	return 0
}

// checkButton returns the code with which a button is refused. Each code of a
// button has a twin for sub-buttons.
func checkButton(b Button, sub bool) int {
	name, code := topName, func(top, twin int) int {
		if sub {
			return twin
		}
		return top
	}
	if sub {
		name = subName
	}
	switch {
	case b.Name == "" || len(b.Name) > name || !utf8.ValidString(b.Name):
		return code(40018, 40025)
	case len(b.SubButtons) > 0 && sub:
		return 40022
	case len(b.SubButtons) > menuSubButtons:
		return 40023
	case len(b.SubButtons) > 0:
		for _, below := range b.SubButtons {
			if refused := checkButton(below, true); refused != 0 {
				return refused
			}
		}
		return 0
	}
	switch b.Type {
	case "click":
		if b.Key == "" || len(b.Key) > menuKey {
			return code(40019, 40026)
		}
	case "view":
		if b.URL == "" || len(b.URL) > menuURL {
			return code(40020, 40027)
		}
		if !webAddress(b.URL) {
			return code(40055, 40054)
		}
	case "":
		return 40015 // (m): a button with neither a type nor buttons below it
	default:
		return code(40017, 40024)
	}
	return 0
}

func webAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (s *Server) menuGet(*http.Request) any {
	if s.menu == nil {
		return 46003
	}
	answer := map[string]any{"menu": map[string]any{"button": s.menu}}
	if s.conditional > 0 {
		answer["conditionalmenu"] = s.conditionals()
	}
	return answer
}

func (s *Server) menuDelete(*http.Request) any {
	s.menu, s.handMade, s.conditional = nil, nil, 0
	return 0
}

// Press touches a button of the account's menu, named by its way: Press("More",
// "About us"). A link also opens: it is put on the phone.
func (r *Reader) Press(names ...string) (Bubble, error) {
	r.server.mu.Lock()
	buttons, follows := r.server.menu, r.follows
	switch {
	case r.server.menuHidden:
		buttons = nil
	case buttons == nil:
		buttons = r.server.handMade
	}
	r.server.mu.Unlock()
	if !follows {
		return Bubble{}, fmt.Errorf("%s does not follow the account and sees no menu", r.OpenID)
	}
	var pressed Button
	for _, name := range names {
		found := false
		for _, b := range buttons {
			if b.Name == name {
				pressed, buttons, found = b, b.SubButtons, true
				break
			}
		}
		if !found {
			return Bubble{}, fmt.Errorf("no button %q in the menu", name)
		}
	}
	switch pressed.Type {
	case "click":
		return r.Click(pressed.Key), nil
	case "view":
		r.server.mu.Lock()
		r.see(Bubble{Who: Reading, Kind: "opened", URL: pressed.URL})
		r.server.mu.Unlock()
		// It opens no window, and the app shows no answer to it.
		return Bubble{}, r.tell("VIEW", element("EventKey", pressed.URL)+element("MenuId", "1"))
	}
	return Bubble{}, fmt.Errorf("%q only opens the buttons below it", pressed.Name)
}
