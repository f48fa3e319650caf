package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/bot/rules"
	"newsie/content"
	"newsie/content/language"
	"newsie/internal/locale"
	"newsie/internal/problem"
)

func rulesCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "Check your own rules, or try what they answer", Args: subcommand, RunE: showHelp}
	c.AddCommand(rulesCheckCommand(p), rulesTryCommand(p))
	return c
}

func rulesCheckCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE]", Short: "Report everything that is wrong with a file of rules, or with those configured", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			config, broken := p.config()
			options, err := config.ruleOptions()
			if err != nil {
				return err
			}
			unchecked := ""
			switch {
			case len(args) == 0 && broken != nil:
				return broken
			case len(args) == 0:
			case broken != nil:
				unchecked = "the configuration has errors of its own (newsie config check)"
			case !config.namesChannels():
				unchecked = "no channels are configured here"
			}
			if len(args) == 1 {
				config.Rules = RulesConfig{File: args[0]}
			}
			if unchecked != "" {
				options.Channels = nil
				_, _ = fmt.Fprintf(p.stderr, "note: names of channels are not checked: %s\n", unchecked)
			}
			path := cmp.Or(config.Rules.File, config.path)
			set, err := config.readRules(options)
			var wrong problem.Problems
			switch {
			case errors.As(err, &wrong):
				for _, problem := range wrong {
					_, _ = fmt.Fprintf(p.stderr, "%s:%d: %s\n", path, problem.Line, problem.What)
				}
				return errReported
			case err != nil:
				return err
			case set == nil:
				return errors.New("no rules are configured: name a file, or set rules in newsie.yaml")
			}
			for _, w := range set.Warnings() {
				_, _ = fmt.Fprintf(p.stdout, "%s:%d: warning: %s\n", path, w.Line, w.What)
			}
			_, err = fmt.Fprintf(p.stdout, "%s: %s, all good.\n", path, number(set.Rules(), "rule"))
			return err
		},
	}
}

// A tried message is what `newsie rules try --json` prints.
type tried struct {
	Text    string `json:"text"`
	Channel string `json:"channel"`
	bot.Trial
}

func rulesTryCommand(p *program) *cobra.Command {
	var m bot.Message
	var at, kind string
	var asJSON bool
	c := &cobra.Command{
		Use:   "try TEXT",
		Short: "Show which rule answers a message, and what it says",
		Long: `Try shows which rule answers a message, and what it says; nothing is sent, kept
or done. It reads the rules as they are now.`,
		Example: `  newsie rules try 合作 --channel gzh
  newsie rules try tea --at "2026-12-24 23:30"
  newsie rules try --on voice`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (kind != "") {
				return errors.New("say one of: a text, or --on and a kind of message")
			}
			m.Kind, m.Text = bot.Text, strings.Join(args, "")
			if kind != "" {
				if !slices.Contains(rules.MediaKinds(), kind) {
					return fmt.Errorf("--on %q is none of %s", kind, strings.Join(rules.MediaKinds(), ", "))
				}
				m.Kind, m.Text = bot.Media, kind
			}
			if m.Lang != "" && !spoken(m.Lang) {
				return fmt.Errorf("--lang %q is none of %s, nor a form of one such as zh-CN or it-IT", m.Lang, strings.Join(locale.Languages(), ", "))
			}
			var trial bot.Trial
			err := p.withAny(cmd, func(in *installation) error {
				var err error
				trial, err = in.tryRule(cmd.Context(), &m, at)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(tried{m.Text, m.Chat.Channel, trial})
			}
			return printTrial(p.stdout, m.Chat.Channel, trial)
		},
	}
	c.Flags().StringVar(&m.Chat.Channel, "channel", "", "the channel it comes in by (default the first)")
	c.Flags().StringVar(&m.Lang, "lang", "", "the reader's language, as the platform tells it")
	c.Flags().StringVar(&at, "at", "", "when, on the channel's clock: 2026-12-24 23:30 (default now)")
	c.Flags().StringVar(&kind, "on", "", "a kind of message instead of a text: "+strings.Join(rules.MediaKinds(), ", "))
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// spoken tells whether a tag is of a language that newsie speaks.
func spoken(tag string) bool {
	tag = strings.ReplaceAll(tag, "_", "-") // as WeChat writes it
	if !readerTag.MatchString(tag) {
		return false
	}
	return slices.ContainsFunc(locale.Languages(), func(l string) bool { return language.Base(l) == language.Base(tag) })
}

var readerTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`)

func (in *installation) tryRule(ctx context.Context, m *bot.Message, at string) (bot.Trial, error) {
	names := in.config.channelNames()
	if m.Chat.Channel == "" {
		m.Chat.Channel = names[0]
	}
	if !slices.Contains(names, m.Chat.Channel) {
		return bot.Trial{}, fmt.Errorf("there is no channel %q; there are %s", m.Chat.Channel, strings.Join(names, ", "))
	}
	zone, err := time.LoadLocation(in.config.Channels[m.Chat.Channel].Zone)
	if err != nil {
		return bot.Trial{}, err
	}
	when := time.Now().In(zone)
	if at != "" {
		if when, err = time.ParseInLocation("2006-01-02 15:04", at, zone); err != nil {
			return bot.Trial{}, fmt.Errorf("--at %q is no time such as 2026-12-24 23:30", at)
		}
	}
	options, err := in.config.ruleOptions()
	if err != nil {
		return bot.Trial{}, err
	}
	set, err := in.config.readRules(options)
	if err != nil {
		return bot.Trial{}, in.config.fileProblemsOf(err, "rules", cmp.Or(in.config.Rules.File, in.config.path))
	}
	in.library = content.Store(in.db, in.libraryOptions())
	defer func() { in.library = nil }()
	b := in.newBot("", nil)
	b.SetRules(set)
	return b.TryRule(ctx, *m, when)
}

func printTrial(w io.Writer, channel string, t bot.Trial) error {
	var b strings.Builder
	switch t.By {
	case bot.ByRule:
		fmt.Fprintf(&b, "The rule at line %d answers on %s", t.Line, channel)
		if t.Keyword != "" {
			fmt.Fprintf(&b, ": %s %q", t.Match, t.Keyword)
		}
		b.WriteString(".\n")
	case bot.ByFirst:
		fmt.Fprintf(&b, "No rule is asked: this is the command %s, which comes before all rules.\n", t.Command)
	case bot.BySilence:
		fmt.Fprintf(&b, "It is quiet time on %s: newsie says nothing.\n", channel)
	case bot.ByCommand:
		fmt.Fprintf(&b, "No rule answers on %s; it is the command %s.\n", channel, t.Command)
	default:
		fmt.Fprintf(&b, "No rule answers on %s; newsie does as it does without rules", channel)
		if t.Default > 0 {
			fmt.Fprintf(&b, ", unless nothing is found: then it says the default of line %d", t.Default)
		}
		b.WriteString(".\n")
	}
	if t.Answer != "" {
		b.WriteString("\n  " + strings.ReplaceAll(t.Answer, "\n", "\n  ") + "\n")
	}
	for _, a := range t.Articles {
		if a.ID == 0 {
			fmt.Fprintf(&b, "  article %s: MISSING, no published article has this id, address, title or key\n", a.Name)
		} else {
			fmt.Fprintf(&b, "  article %d: %s\n", a.ID, a.Title)
		}
	}
	if t.By == bot.ByRule && t.Command != "" {
		fmt.Fprintf(&b, "  command %s\n", t.Command)
	}
	for _, l := range t.Links {
		fmt.Fprintf(&b, "  link %s: %s\n", l.Label, l.URL)
	}
	for _, button := range t.Buttons {
		fmt.Fprintf(&b, "  button %s: says %s\n", button.Label, button.Say)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
