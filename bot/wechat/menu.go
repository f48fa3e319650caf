package wechat

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"newsie/bot"
	"newsie/internal/locale"
)

// A Button is one entry of the menu below an account's chat. It does one thing:
// it says something in the reader's name, opens an address, or, when it stands in
// the row, unfolds its Items.
type Button struct {
	Name  string   `json:"name"`
	Say   string   `json:"say,omitempty"`
	URL   string   `json:"url,omitempty"`
	Items []Button `json:"items,omitempty"`
	// Other is what a button does that newsie makes none of, in the platform's
	// word: miniprogram, scancode_push, view_limited and so on.
	Other string `json:"other,omitempty"`
}

// A Menu is what an account has on the platform. One without Buttons is none.
type Menu struct {
	Buttons []Button
	Shown   bool // to readers; the platform's own settings can hide it
	// ByAPI tells a menu that was pushed from one made in the platform's
	// administration, of which the API tells less.
	ByAPI bool
	// Conditional counts the menus that only some readers get instead. newsie
	// leaves them alone.
	Conditional int
}

// Limits of the platform's menus; lengths are of UTF-8 in bytes, so that a
// Chinese character counts as three.
const (
	maxRow     = 3
	maxItems   = 5
	maxRowName = 16
	maxName    = 60
	maxSay     = 128
	maxURL     = 1024
)

// A MenuProblem is a reason for which the platform would refuse a menu.
type MenuProblem struct {
	At   []int  // the button, from 0, and its item; empty: the menu as a whole
	Key  string // name, say, url or items; "": the button as a whole
	What string
}

// CheckMenu tells everything that the platform would refuse.
func CheckMenu(row []Button) []MenuProblem {
	var problems []MenuProblem
	wrong := func(at []int, key, format string, args ...any) {
		problems = append(problems, MenuProblem{slices.Clone(at), key, fmt.Sprintf(format, args...)})
	}
	switch {
	case len(row) == 0:
		wrong(nil, "", "has no buttons; menu: off leaves the account's menu as it is")
	case len(row) > maxRow:
		wrong(nil, "", "has %d buttons, and WeChat's row has room for %d", len(row), maxRow)
	}
	for i, b := range row {
		at := []int{i}
		checkName(b.Name, maxRowName, func(what string) { wrong(at, "name", "%s", what) })
		if len(b.Items) == 0 {
			checkAction(b, func(key, what string) { wrong(at, key, "%s", what) })
			continue
		}
		if b.Say != "" || b.URL != "" {
			wrong(at, "", "a button with items cannot have say or url too: touching it unfolds them")
		}
		if len(b.Items) > maxItems {
			wrong(at, "items", "has %d items, and WeChat unfolds %d at most", len(b.Items), maxItems)
		}
		for j, item := range b.Items {
			at := []int{i, j}
			checkName(item.Name, maxName, func(what string) { wrong(at, "name", "%s", what) })
			if len(item.Items) > 0 {
				wrong(at, "items", "an item cannot have items of its own")
				continue
			}
			checkAction(item, func(key, what string) { wrong(at, key, "%s", what) })
		}
	}
	return problems
}

func checkName(name string, limit int, wrong func(what string)) {
	switch {
	case strings.TrimSpace(name) == "":
		wrong("is missing: what the button shows")
	case !printable(name):
		wrong(fmt.Sprintf("%q has characters that cannot be shown", name))
	case len(name) > limit:
		wrong(tooLong(name, limit))
	}
}

func checkAction(b Button, wrong func(key, what string)) {
	switch {
	case b.Say != "" && b.URL != "":
		wrong("", "has say and url: a button does one of the two")
		return
	case b.Say == "" && b.URL == "":
		wrong("", "does nothing: give it say, url or items")
		return
	case b.Say != "":
		switch {
		case forText(b.Say) != b.Say || strings.TrimSpace(b.Say) != b.Say || !printable(b.Say):
			wrong("say", fmt.Sprintf("%q is not what a reader could type: one line, no spaces around it", b.Say))
		case len(b.Say) > maxSay:
			wrong("say", tooLong(b.Say, maxSay))
		}
		return
	}
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !printable(b.URL) || strings.Contains(b.URL, " "):
		wrong("url", fmt.Sprintf("%q is no address such as https://news.example.org", b.URL))
	case len(b.URL) > maxURL:
		wrong("url", tooLong(b.URL, maxURL))
	}
}

func tooLong(text string, limit int) string {
	what := fmt.Sprintf("%q has %d bytes, and WeChat takes %d", text, len(text), limit)
	if utf8.RuneCountInString(text) < len(text) {
		what += " (a Chinese character has 3)"
	}
	return what
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// DefaultMenu is the menu of a channel that configures none, in a language.
func DefaultMenu(catalog *locale.Catalog, lang string) []Button {
	p := catalog.Printer(lang)
	return []Button{
		{Name: p.T("wechat.menu_latest"), Say: "/latest"},
		{Name: p.T("wechat.menu_topics"), Say: "/topics"},
		{Name: p.T("wechat.menu_digest"), Say: "/digest"},
	}
}

// WantedMenu is the menu the account should have. It reports false when newsie
// leaves the account's menu alone.
func (c *Channel) WantedMenu() ([]Button, bool) {
	switch {
	case c.cfg.MenuOff:
		return nil, false
	case len(c.cfg.Menu) > 0:
		return c.cfg.Menu, true
	}
	return DefaultMenu(c.cfg.Catalog, c.cfg.Language), true
}

// Menu asks the platform for the account's menu. Errors are classified as those
// of Send are.
func (c *Channel) Menu(ctx context.Context) (Menu, error) {
	if c.cfg.Secret == "" {
		return Menu{}, &bot.ConfigError{Channel: c.cfg.Name, Err: errors.New("no app_secret is configured, so WeChat's API cannot be asked"),
			Advice: "put the AppSecret of the platform's basic settings into app_secret; an unverified account makes its menu on the platform"}
	}
	var pushed menu.ResMenu
	none := false
	err := c.call(ctx, true, func(string) (err error) {
		pushed, err = c.menus.GetMenu()
		if n, _ := code(err); n == noMenu {
			none, err = true, nil
		}
		return err
	})
	if err != nil {
		return Menu{}, c.menuError(err)
	}
	// This one also knows menus that were made by hand, and whether they are shown.
	var made menu.ResSelfMenuInfo
	err = c.call(ctx, true, func(string) (err error) {
		made, err = c.menus.GetCurrentSelfMenuInfo()
		if n, _ := code(err); n == noMenu {
			err = nil
		}
		return err
	})
	if err != nil {
		return Menu{}, c.menuError(err)
	}
	m := Menu{Shown: made.IsMenuOpen != 0, ByAPI: !none, Conditional: len(pushed.Conditionalmenu)}
	if none {
		m.Buttons = fromSelf(made.SelfMenuInfo.Button)
	} else {
		m.Buttons = fromPushed(pushed.Menu.Button)
	}
	return m, nil
}

const noMenu = 46003

// PushMenu replaces the account's menu, and makes sure that the platform has
// taken it as it is.
func (c *Channel) PushMenu(ctx context.Context, row []Button) error {
	if problems := CheckMenu(row); len(problems) > 0 {
		return fmt.Errorf("the menu %s", problems[0].What)
	}
	// Doing it twice does what doing it once does.
	err := c.call(ctx, true, func(string) error { return c.menus.SetMenu(toPush(row)) })
	if err != nil {
		return c.menuError(err)
	}
	now, err := c.Menu(ctx)
	if err != nil {
		return fmt.Errorf("the menu was pushed, but reading it back: %w", err)
	}
	if !now.ByAPI || !SameMenu(now.Buttons, row) {
		return errors.New("the menu was pushed, but the platform shows another one: newsie wechat menu show")
	}
	return nil
}

// menuError says of a refusal what it means for menus.
func (c *Channel) menuError(err error) error {
	if n, _ := code(err); n != 48001 {
		return err
	}
	cause := err
	if wrong := (*bot.ConfigError)(nil); errors.As(err, &wrong) {
		cause = wrong.Err
	}
	return &bot.ConfigError{Channel: c.cfg.Name, Err: cause,
		Advice: "this account may not have a menu beside a server of its own: WeChat lets verified accounts and service accounts; readers type the words instead, and menu: off keeps newsie from asking"}
}

func toPush(row []Button) []*menu.Button {
	list := make([]*menu.Button, len(row))
	for i, b := range row {
		switch {
		case len(b.Items) > 0:
			list[i] = menu.NewSubButton(b.Name, toPush(b.Items))
		case b.Say != "":
			list[i] = menu.NewClickButton(b.Name, b.Say)
		default:
			list[i] = menu.NewViewButton(b.Name, b.URL)
		}
	}
	return list
}

func fromPushed(row []menu.Button) []Button {
	var list []Button
	for _, b := range row {
		made := button(b.Type, b.Name, b.Key, b.URL)
		for _, item := range b.SubButtons {
			made.Items = append(made.Items, button(item.Type, item.Name, item.Key, item.URL))
		}
		list = append(list, made)
	}
	return list
}

func fromSelf(row []menu.SelfMenuButton) []Button {
	var list []Button
	for _, b := range row {
		made := button(b.Type, b.Name, b.Key, b.URL)
		for _, item := range b.SubButton.List {
			made.Items = append(made.Items, button(item.Type, item.Name, item.Key, item.URL))
		}
		list = append(list, made)
	}
	return list
}

func button(kind, name, key, address string) Button {
	switch kind {
	case "", "sub_button":
		return Button{Name: name}
	case "click":
		return Button{Name: name, Say: key}
	case "view":
		return Button{Name: name, URL: address}
	}
	return Button{Name: name, Other: kind}
}

// SameMenu reports whether readers would find no difference.
func SameMenu(a, b []Button) bool { return slices.EqualFunc(a, b, sameButton) }

func sameButton(a, b Button) bool {
	return a.Name == b.Name && a.Say == b.Say && a.URL == b.URL && a.Other == b.Other && slices.EqualFunc(a.Items, b.Items, sameButton)
}

// A MenuLine is a button as a comparison lists it: an item stands below the
// button that unfolds it.
type MenuLine struct {
	Mark   string `json:"mark"` // = in both menus; - only in the first; + only in the second
	Item   bool   `json:"item"`
	Button Button `json:"button"` // without its items
}

// CompareMenus lays two menus side by side. A button that does something else
// now is listed twice, as leaving and as coming.
func CompareMenus(now, wanted []Button) []MenuLine {
	var lines []MenuLine
	compare(now, wanted, false, &lines)
	return lines
}

func compare(now, wanted []Button, items bool, lines *[]MenuLine) {
	add := func(mark string, b Button) {
		inside := b.Items
		b.Items = nil
		*lines = append(*lines, MenuLine{mark, items, b})
		for _, item := range inside {
			*lines = append(*lines, MenuLine{mark, true, item})
		}
	}
	// How many buttons of now[i:] and wanted[j:] can stay, in their order.
	stay := make([][]int, len(now)+1)
	for i := range stay {
		stay[i] = make([]int, len(wanted)+1)
	}
	for i := len(now) - 1; i >= 0; i-- {
		for j := len(wanted) - 1; j >= 0; j-- {
			stay[i][j] = max(stay[i+1][j], stay[i][j+1])
			if stays(now[i], wanted[j]) {
				stay[i][j] = max(stay[i][j], 1+stay[i+1][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(now) || j < len(wanted); {
		switch {
		case i < len(now) && j < len(wanted) && stays(now[i], wanted[j]) && stay[i][j] == 1+stay[i+1][j+1]:
			head := now[i]
			head.Items = nil
			*lines = append(*lines, MenuLine{"=", items, head})
			compare(now[i].Items, wanted[j].Items, true, lines)
			i, j = i+1, j+1
		case j == len(wanted) || i < len(now) && stay[i+1][j] >= stay[i][j+1]:
			add("-", now[i])
			i++
		default:
			add("+", wanted[j])
			j++
		}
	}
}

// stays reports whether a button is still there, whatever became of its items.
func stays(a, b Button) bool {
	if len(a.Items) > 0 && len(b.Items) > 0 {
		return a.Name == b.Name
	}
	return sameButton(a, b)
}
