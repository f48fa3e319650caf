package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"golang.org/x/text/width"

	"newsie/bot"
	"newsie/bot/wechat"
)

func wechatMenu(p *program) *cobra.Command {
	c := &cobra.Command{Use: "menu", Short: "Show the menu below an account's chat, or push the configured one", Args: subcommand, RunE: showHelp}
	c.AddCommand(wechatMenuShow(p), wechatMenuPush(p))
	return c
}

func wechatMenuShow(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "show [CHANNEL]", Short: "Show the account's menu beside the configured one", Args: cobra.MaximumNArgs(1),
		Long: `Show asks WeChat for the account's menu, also one that was made in the
platform's administration, and prints it beside the one in the configuration:

  =  both have it
  -  push would take it away
  +  push would add it`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccount(cmd, args, func(name string, account *wechat.Channel) error {
				m, err := compareMenus(cmd.Context(), name, account)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(m)
				}
				_, err = fmt.Fprint(p.stdout, m.text()+m.next())
				return err
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func wechatMenuPush(p *program) *cobra.Command {
	var asJSON, yes, dryRun bool
	c := &cobra.Command{
		Use: "push [CHANNEL]", Short: "Make the configured menu the account's", Args: cobra.MaximumNArgs(1),
		Long: `Push says what would change, asks, replaces the account's menu, and makes sure
that WeChat has taken it. Without a terminal to ask on it wants --yes.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withAccount(cmd, args, func(name string, account *wechat.Channel) error {
				m, err := compareMenus(cmd.Context(), name, account)
				if err != nil {
					return err
				}
				err = p.pushMenu(cmd.Context(), m, account, pushOptions{quiet: asJSON, yes: yes, dryRun: dryRun})
				if asJSON && err == nil {
					err = p.printJSON(m)
				}
				return err
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, push nothing")
	return c
}

type pushOptions struct{ quiet, yes, dryRun bool }

func (p *program) pushMenu(ctx context.Context, m *menus, account *wechat.Channel, o pushOptions) error {
	out := p.stdout
	if o.quiet {
		out = io.Discard
	}
	if !m.Ours {
		return fmt.Errorf("channels.%s.menu is off: newsie leaves the account's menu alone", m.Channel)
	}
	_, _ = fmt.Fprint(out, m.text())
	switch {
	case m.Same:
		_, _ = fmt.Fprintln(out, "\nNothing to change.")
		return nil
	case o.dryRun:
		_, _ = fmt.Fprintln(out, "\nNothing is pushed (--dry-run).")
		return nil
	case !o.yes:
		if ok, err := p.confirm(ctx, fmt.Sprintf("\nMake this the menu of %s?", m.Channel)); err != nil {
			return err
		} else if !ok {
			return errors.New("nothing is pushed")
		}
	}
	if err := withTimeout(ctx, func(ctx context.Context) error { return account.PushMenu(ctx, m.Configured) }); err != nil {
		return told(err)
	}
	m.Pushed = true
	_, _ = fmt.Fprintln(out, "\nThe menu is pushed. Readers have it when they open the account's chat again, after five minutes at most.")
	return nil
}

// confirm asks on the terminal; anything but y or yes is no.
func (p *program) confirm(ctx context.Context, question string) (bool, error) {
	file, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return false, errors.New("there is no terminal to ask on: --yes does it without asking, --dry-run only shows what would be done")
	}
	_, _ = fmt.Fprint(p.stderr, question+" [y/N] ")
	answers := make(chan string, 1)
	go func() { // reading a terminal cannot be broken off; the program ends soon after
		line, _ := bufio.NewReader(file).ReadString('\n')
		answers <- line
	}()
	select {
	case line := <-answers:
		line = strings.ToLower(strings.TrimSpace(line))
		return line == "y" || line == "yes", nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// menus are an account's menu and the one it should have; the JSON of show and
// push.
type menus struct {
	Channel     string            `json:"channel"`
	Account     []wechat.Button   `json:"account"`     // on WeChat
	Shown       bool              `json:"shown"`       // to readers
	ByAPI       bool              `json:"by_api"`      // false: made in the platform's administration, or none
	Conditional int               `json:"conditional"` // menus that only some readers get
	Ours        bool              `json:"ours"`        // false with menu: off
	Configured  []wechat.Button   `json:"configured"`
	Same        bool              `json:"same"`
	Lines       []wechat.MenuLine `json:"lines"`
	Pushed      bool              `json:"pushed"`
}

func compareMenus(ctx context.Context, name string, account *wechat.Channel) (*menus, error) {
	var now wechat.Menu
	err := withTimeout(ctx, func(ctx context.Context) (err error) {
		now, err = account.Menu(ctx)
		return err
	})
	if err != nil {
		return nil, told(err)
	}
	m := &menus{Channel: name, Account: now.Buttons, Shown: now.Shown, ByAPI: now.ByAPI, Conditional: now.Conditional}
	m.Configured, m.Ours = account.WantedMenu()
	wanted := m.Configured
	if !m.Ours {
		wanted = m.Account
	}
	m.Lines = wechat.CompareMenus(m.Account, wanted)
	m.Same = wechat.SameMenu(m.Account, wanted) && (m.Shown || !m.Ours)
	for _, list := range []*[]wechat.Button{&m.Account, &m.Configured} {
		if *list == nil {
			*list = []wechat.Button{}
		}
	}
	if m.Lines == nil {
		m.Lines = []wechat.MenuLine{}
	}
	return m, nil
}

func withTimeout(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return do(ctx)
}

// told is an error of the platform with its advice on a line of its own.
func told(err error) error {
	var wrong *bot.ConfigError
	if errors.As(err, &wrong) {
		return fmt.Errorf("channel %s: %w\n  → %s", wrong.Channel, wrong.Err, wrong.Advice)
	}
	var wait *bot.RetryError
	if errors.As(err, &wait) {
		return fmt.Errorf("%w\n  → look at the network between this machine and WeChat's API, and try again", wait.Err)
	}
	return err
}

// text lays the two menus side by side.
func (m *menus) text() string {
	left := []string{"on WeChat"}
	right := []string{"configured"}
	marks := []string{" "}
	for _, line := range m.Lines {
		cell := describe(line)
		l, r := cell, cell
		switch {
		case line.Mark == "-":
			r = ""
		case line.Mark == "+":
			l = ""
		case !m.Ours:
			r = ""
		}
		left, right, marks = append(left, l), append(right, r), append(marks, line.Mark)
	}
	if !m.Ours {
		right[0] = "configured: menu is off"
	}
	if len(m.Account) == 0 {
		left[0] = "on WeChat: none"
	}
	column := 0
	for _, text := range left {
		column = max(column, min(columns(text), widest))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n\n", m.Channel, m.notes())
	for i := range left {
		pad := strings.Repeat(" ", max(0, column-columns(left[i])))
		b.WriteString(strings.TrimRight(marks[i]+"  "+left[i]+pad+"   "+right[i], " ") + "\n")
	}
	return b.String()
}

// widest is how far the right menu stands from the left edge; longer addresses
// on the left push it out on their line.
const widest = 46

// notes tell what the tree does not show.
func (m *menus) notes() string {
	notes := ""
	if len(m.Account) > 0 && !m.ByAPI {
		notes += "; the menu was made in the platform's administration"
	}
	if len(m.Account) > 0 && !m.Shown {
		notes += "; the platform does not show it to readers"
	}
	if m.Conditional > 0 {
		notes += "; " + number(m.Conditional, "other menu") + " for certain readers, which newsie leaves alone"
	}
	return notes
}

// next says what to do about the difference.
func (m *menus) next() string {
	switch {
	case !m.Ours:
		return ""
	case m.Same:
		return "\nThe account has the configured menu.\n"
	}
	return "\nnewsie wechat menu push " + m.Channel + " makes the configured menu the account's.\n"
}

func describe(line wechat.MenuLine) string {
	b := line.Button
	text := b.Name
	if line.Item {
		text = "  · " + text
	}
	switch {
	case b.Say != "":
		text += "  says " + b.Say
	case b.URL != "":
		text += "  opens " + b.URL
	case b.Other != "":
		text += "  (" + b.Other + ")"
	}
	return text
}

// columns is how many columns of a terminal text takes.
func columns(text string) int {
	n := 0
	for _, r := range text {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n++
		}
		n++
	}
	return n
}
