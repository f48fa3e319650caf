package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"newsie/internal/locale"
)

var commandShape = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

type menuEntry struct {
	Command     string `json:"command"`
	Description string `json:"description"`
}

type menu struct {
	Language string      `json:"language"` // two letters; "": everybody else
	Entries  []menuEntry `json:"entries"`
}

// menus are the bot's command lists by language. Telegram knows two letters of
// a language, so both Chinese scripts share one menu, the simplified one.
func (c *Channel) menus() []menu {
	var all []menu
	for _, lang := range append([]string{""}, locale.Languages()...) {
		code, speak := lang, lang
		switch lang {
		case "":
			speak = locale.Languages()[0]
		case "zh-Hans":
			code = "zh"
		case "zh-Hant":
			continue
		}
		m := menu{Language: code}
		for _, command := range c.config.Commands {
			if command.Description == nil || len(m.Entries) == 100 {
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
	return all
}

// offerCommands sets the menus when they are not what was set last.
func (c *Channel) offerCommands(ctx context.Context, me user) {
	menus := c.menus()
	if len(menus) == 0 {
		return
	}
	table, err := json.Marshal(struct {
		Bot   int64
		Menus []menu
	}{me.ID, menus})
	if err != nil {
		return
	}
	sum := sha256.Sum256(table)
	hash, name := hex.EncodeToString(sum[:]), c.bucket()+":commands"
	if kept, _, err := c.config.Settings.Load(ctx, name); err == nil && kept == hash {
		return
	}
	for _, m := range menus {
		params := tgbotapi.Params{}
		params.AddNonEmpty("language_code", m.Language)
		if err := params.AddInterface("commands", m.Entries); err != nil {
			return
		}
		if err := c.client.call(ctx, "setMyCommands", params, sendTimeout, nil); err != nil {
			c.log.Warn("the menu was not set; the next start tries again", "error", err)
			return
		}
	}
	if err := c.config.Settings.Save(ctx, name, hash, 0); err != nil {
		c.log.Warn("the menu will be set again", "error", err)
	}
}
