package telegramtest

import (
	"encoding/json"
	"fmt"
	"strings"
)

// menuKey is for whom a menu of commands is.
type menuKey struct {
	scope string // the type, with ":chat" and ":user" where it has them
	lang  string // two letters; "": all who have no menu of their own
}

type botCommand struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

const maxCommands = 100

// Commands are the bot's menus for everybody, as JSON, by language code.
func (s *Server) Commands() map[string]string { return s.CommandsFor("default") }

// CommandsFor are the menus of a scope: "all_private_chats", "chat:-5",
// "chat_member:-5:7".
func (s *Server) CommandsFor(scope string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for key, list := range s.commands {
		if key.scope == scope {
			all[key.lang] = list
		}
	}
	return all
}

// Menu is what the app offers to the reader of a private chat: lines of
// "/command description".
func (c *Chat) Menu() []string { return c.MenuOf(0) }

// MenuOf is what it offers to a member of a group.
func (c *Chat) MenuOf(user int64) []string {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	user = c.from(user)
	lang := c.appLanguage(c.from(0))
	if len(lang) > 2 {
		lang = lang[:2]
	}
	for _, scope := range c.scopes(user) {
		for _, l := range []string{lang, ""} {
			var list []botCommand
			if text := s.commands[menuKey{scope, l}]; text != "" && json.Unmarshal([]byte(text), &list) == nil {
				lines := []string{}
				for _, command := range list {
					lines = append(lines, "/"+command.Command+" "+command.Description)
				}
				return lines
			}
		}
	}
	return nil
}

// scopes lists what is asked for a menu, narrowest first.
func (c *Chat) scopes(user int64) []string {
	chat := fmt.Sprintf("chat:%d", c.ID)
	if c.Type == "private" {
		return []string{chat, "all_private_chats", "default"}
	}
	list := []string{fmt.Sprintf("chat_member:%d:%d", c.ID, user)}
	manages := c.administrators[user] || user == c.from(0)
	if manages {
		list = append(list, fmt.Sprintf("chat_administrators:%d", c.ID))
	}
	list = append(list, chat)
	if manages {
		list = append(list, "all_chat_administrators")
	}
	return append(list, "all_group_chats", "default")
}

// menu reads scope and language of a call.
func (s *Server) menu(p params) (menuKey, *refusal) {
	key := menuKey{scope: "default", lang: p["language_code"]}
	if text := p["scope"]; text != "" {
		var scope struct {
			Type string          `json:"type"`
			Chat json.RawMessage `json:"chat_id"`
			User int64           `json:"user_id"`
		}
		if err := strict(text, &scope); err != nil {
			return key, bad("can't parse BotCommandScope JSON object")
		}
		key.scope = scope.Type
		chat := strings.Trim(string(scope.Chat), `"`)
		switch scope.Type {
		case "default", "all_private_chats", "all_group_chats", "all_chat_administrators":
			chat = ""
		case "chat", "chat_administrators", "chat_member":
			if chat == "" {
				return key, bad("can't parse BotCommandScope: Empty chat_id specified")
			}
			c, refused := s.readable(params{"chat_id": chat})
			if refused != nil {
				return key, refused
			}
			if c.Type == "channel" || c.Type == "private" && scope.Type != "chat" {
				return key, bad("can't change commands in this chat")
			}
			key.scope += fmt.Sprintf(":%d", c.ID)
		default:
			return key, bad("can't parse BotCommandScope: Unsupported type specified")
		}
		if scope.Type == "chat_member" {
			if scope.User <= 0 {
				return key, bad("can't parse BotCommandScope: Invalid user_id specified")
			}
			key.scope += fmt.Sprintf(":%d", scope.User)
		}
	}
	if lang := key.lang; lang != "" && (len(lang) != 2 || strings.Trim(lang, "abcdefghijklmnopqrstuvwxyz") != "") {
		return key, bad("LANG_CODE_INVALID")
	}
	return key, nil
}

func (s *Server) setMyCommands(p params) (any, *refusal) {
	var list []botCommand
	if err := strict(p["commands"], &list); err != nil {
		return nil, bad("can't parse commands: %v", err)
	}
	key, refused := s.menu(p)
	if refused != nil {
		return nil, refused
	}
	if len(list) > maxCommands {
		return nil, bad("BOT_COMMANDS_TOO_MUCH")
	}
	for _, c := range list {
		if len(c.Command) < 1 || len(c.Command) > 32 || strings.Trim(c.Command, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return nil, bad("BOT_COMMAND_INVALID")
		}
		if n := units(c.Description); n < 1 || n > 256 {
			return nil, bad("BOT_COMMAND_DESCRIPTION_INVALID")
		}
	}
	s.commands[key] = p["commands"]
	return true, nil
}

func (s *Server) getMyCommands(p params) (any, *refusal) {
	key, refused := s.menu(p)
	if refused != nil {
		return nil, refused
	}
	if text := s.commands[key]; text != "" {
		return json.RawMessage(text), nil
	}
	return []botCommand{}, nil
}

func (s *Server) deleteMyCommands(p params) (any, *refusal) {
	key, refused := s.menu(p)
	if refused != nil {
		return nil, refused
	}
	delete(s.commands, key)
	return true, nil
}
