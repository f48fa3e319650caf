package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/internal/locale"
)

var commandShape = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// maxCommands is how many a menu may have.
const maxCommands = 100

type menuEntry struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

// A menuPlace is where a menu is shown and to whom.
type menuPlace struct {
	Scope    string `json:"scope"`
	Language string `json:"language"` // two letters; "": everybody who has no menu of their own
}

func (p menuPlace) params() (tgbotapi.Params, error) {
	params := tgbotapi.Params{}
	params.AddNonEmpty("language_code", p.Language)
	return params, params.AddInterface("scope", map[string]string{"type": p.Scope})
}

type menu struct {
	menuPlace
	Entries []menuEntry `json:"entries"`
}

// menus are the bot's command lists by scope and language. An app asks for the
// narrowest scope first, so that menus set for the default scope by hand, or by
// another program, do not show through. Telegram knows two letters of a
// language: both Chinese scripts share one menu, in the script of the channel's
// own language, else the simplified one.
func (c *Channel) menus() []menu {
	chinese := "zh-Hans"
	if c.config.Language == "zh-Hant" {
		chinese = "zh-Hant"
	}
	var all []menu
	for _, scope := range []string{"all_private_chats", "all_group_chats", "all_chat_administrators"} {
		for _, lang := range append([]string{""}, locale.Languages()...) {
			m := menu{menuPlace: menuPlace{scope, lang}}
			speak := lang
			switch lang {
			case "":
				speak = c.config.Catalog.Match(c.config.Language)
			case chinese:
				m.Language = "zh"
			case "zh-Hans", "zh-Hant":
				continue
			}
			for _, command := range c.config.Commands {
				if command.Description == nil || len(m.Entries) == maxCommands || !command.in(scope) {
					continue
				}
				if text := shorten(clean(command.Description(speak), false), 256); text != "" {
					m.Entries = append(m.Entries, menuEntry{command.Name, text})
				}
			}
			if len(m.Entries) > 0 {
				all = append(all, m)
			}
		}
	}
	return all
}

// in reports whether a command stands in the menus of a scope.
func (c Command) in(scope string) bool {
	switch scope {
	case "all_private_chats":
		return true
	case "all_group_chats":
		return c.Groups && !c.Managers
	}
	return c.Groups
}

// offered is what is known of the menus that were set last.
type offered struct {
	Bot    int64       `json:"bot"`
	Hash   string      `json:"hash"`
	Places []menuPlace `json:"places"`
}

// offerCommands sets the menus when they are not what was set last, and removes
// those that are no longer offered. It tries until the server takes them or
// refuses them for good.
func (c *Channel) offerCommands(ctx context.Context, me user) {
	menus := c.menus()
	table, err := json.Marshal(menus)
	if err != nil {
		return
	}
	sum := sha256.Sum256(table)
	now := offered{Bot: me.ID, Hash: hex.EncodeToString(sum[:])}
	for _, m := range menus {
		now.Places = append(now.Places, m.menuPlace)
	}
	_ = c.insist(ctx, "setMyCommands", func(ctx context.Context) error {
		kept, _, err := c.config.Settings.Load(ctx, c.bucket()+":menus")
		if err != nil {
			return err
		}
		var before offered
		if kept != "" && json.Unmarshal([]byte(kept), &before) != nil || before.Bot != me.ID {
			before = offered{} // another bot's menus are no business of this one
		}
		if before.Hash == now.Hash {
			return nil
		}
		err = c.setMenus(ctx, menus, before.Places)
		if status(err) == http.StatusBadRequest {
			c.log.Error("the menu of commands was refused", "error", err)
			return nil
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(now)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout) // they are set
		defer cancel()
		return c.config.Settings.Save(ctx, c.bucket()+":menus", string(text), 0)
	})
}

func (c *Channel) setMenus(ctx context.Context, menus []menu, before []menuPlace) error {
	for _, m := range menus {
		params, err := m.params()
		if err != nil {
			return err
		}
		if err := params.AddInterface("commands", m.Entries); err != nil {
			return err
		}
		if err := c.client.call(ctx, "setMyCommands", params, sendTimeout, nil); err != nil {
			return err
		}
	}
	for _, place := range before {
		if slices.ContainsFunc(menus, func(m menu) bool { return m.menuPlace == place }) {
			continue
		}
		params, err := place.params()
		if err != nil {
			return err
		}
		if err := c.client.call(ctx, "deleteMyCommands", params, sendTimeout, nil); err != nil {
			return err
		}
	}
	return nil
}
