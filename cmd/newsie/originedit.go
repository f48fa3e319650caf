package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/bot/origin"
)

// originFlags are what the publisher says of an origin.
type originFlags struct {
	name, parent, code, note, from, to, welcome, article, follow string

	asJSON bool
}

func (f *originFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.parent, "parent", "", "the origin that it stands below")
	flags.StringVar(&f.code, "code", "", "its code, such as one that is printed already: 1 to 32 of A-Z a-z 0-9 -")
	flags.StringVar(&f.note, "note", "", "a note for yourself")
	flags.StringVar(&f.from, "from", "", `the first day, such as 2026-12-01, or a time, "2026-12-01 09:00"`)
	flags.StringVar(&f.to, "to", "", "the last day, or a time")
	flags.StringVar(&f.welcome, "welcome", "", "what who comes by it is told, in place of the usual welcome")
	flags.StringVar(&f.article, "article", "", "an article that they are shown, by its number or address")
	flags.StringVar(&f.follow, "follow", "", "a topic that newcomers follow then, and others are offered")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
}

// apply puts what was said over an origin.
func (f *originFlags) apply(ctx context.Context, cmd *cobra.Command, in *installation, tree origin.Tree, o origin.Origin) (origin.Origin, error) {
	said := cmd.Flags().Changed
	var problems []error
	set := func(flag string, do func() error) {
		if said(flag) {
			if err := do(); err != nil {
				problems = append(problems, err)
			}
		}
	}
	set("name", func() error { o.Name = f.name; return nil })
	set("parent", func() error {
		if o.Parent = origin.None; f.parent == "" {
			return nil
		}
		parent, err := findOrigin(tree, f.parent)
		o.Parent = parent.ID
		return err
	})
	set("code", func() error {
		if o.Code = f.code; f.code == "" {
			return errors.New("--code is empty: leave it out for the code that newsie makes")
		}
		return nil
	})
	set("note", func() error { o.Notes = f.note; return nil })
	set("from", func() (err error) {
		o.Starts, err = originTime("--from", f.from, origin.ParseStart, in.zone())
		return err
	})
	set("to", func() (err error) {
		o.Ends, err = originTime("--to", f.to, origin.ParseEnd, in.zone())
		return err
	})
	set("welcome", func() error { o.Welcome.Text = f.welcome; return nil })
	set("article", func() error {
		if o.Welcome.Article = 0; f.article == "" {
			return nil
		}
		a, err := in.articleOf(ctx, f.article)
		o.Welcome.Article = a.ID
		return err
	})
	set("follow", func() (err error) {
		if o.Welcome.Topic = ""; f.follow != "" {
			o.Welcome.Topic, err = topicOf(f.follow)
		}
		return err
	})
	return o, errors.Join(problems...)
}

// topicOf is a topic that can be followed.
func topicOf(text string) (string, error) {
	topic, ok := bot.Topic(text)
	if !ok {
		return "", fmt.Errorf("%q cannot be followed: it is no topic, or too long for one", text)
	}
	return topic, nil
}

// originTime reads a day or a time; "" is none.
func originTime(flag, text string, parse func(string, *time.Location) (time.Time, bool), zone *time.Location) (time.Time, error) {
	if strings.TrimSpace(text) == "" {
		return time.Time{}, nil
	}
	if at, ok := parse(text, zone); ok {
		return at, nil
	}
	if fields := strings.Fields(text); len(fields) == 3 { // with the name of a clock
		at, err := moment(flag, text)
		return at.UTC(), err
	}
	return time.Time{}, fmt.Errorf(`%s %q is no day such as 2026-12-01, nor a time such as "2026-12-01 09:00"`, flag, text)
}

func originAdd(p *program) *cobra.Command {
	var f originFlags
	c := &cobra.Command{
		Use: "add NAME", Short: "Make an origin, and print its code and links",
		Long: `Add makes an origin, open from now on or from --from until the end of --to, and
prints its code and the links that carry it. The code is made by chance, so that
nobody guesses it, and works on every channel.`,
		Example: `  newsie origin add Chain
  newsie origin add "Shop 12" --parent Chain/North --follow tea
  newsie origin add "Book fair" --from 2026-12-01 --to 2026-12-05 --article 3`,
		Args: one("what it is called"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				tree, err := in.book().Tree(cmd.Context())
				if err != nil {
					return err
				}
				o, err := f.apply(cmd.Context(), cmd, in, tree, origin.Origin{Name: args[0]})
				if err != nil {
					return err
				}
				if o, err = in.book().Add(cmd.Context(), o); err != nil {
					return originErrors(err)
				}
				return p.printOrigin(cmd.Context(), in, o, "Added", f.asJSON)
			})
		},
	}
	f.add(c)
	return c
}

// printOrigin prints an origin that was added or edited, with its links.
func (p *program) printOrigin(ctx context.Context, in *installation, o origin.Origin, done string, asJSON bool) error {
	tree, err := in.book().Tree(ctx)
	if err != nil {
		return err
	}
	path, links := tree.Path(o.ID), in.originLinks()(o)
	if asJSON {
		out := originFor(o, path)
		out.Links = links
		return p.printJSON(out)
	}
	_, _ = fmt.Fprintf(p.stdout, "%s %s. Its code is %s\n", done, path, o.Code)
	if state := sayState(o, in.zone()); state != "open" {
		_, _ = fmt.Fprintf(p.stdout, "It is %s (%s).\n", strings.Replace(state, "opens", "closed, and opens", 1), in.zone())
	}
	p.printLinks(links)
	return nil
}

func originEdit(p *program) *cobra.Command {
	var f originFlags
	c := &cobra.Command{
		Use: "edit ORIGIN", Short: "Change an origin: its name, place, days, welcome",
		Long: `Edit changes what its flags say and leaves the rest. A flag with nothing in it
("") takes off what was there: --parent "" puts an origin at the top, --to "" opens
one that is closed. With another --code, what was printed with the one before is
not known any more: who scans it still is welcomed, as of an unknown origin.`,
		Example: `  newsie origin edit "Shop 12" --name "Shop 12, new building" --parent South
  newsie origin edit "Book fair" --to 2026-12-06`,
		Args: one("which origin; newsie origin list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				tree, err := in.book().Tree(cmd.Context())
				if err != nil {
					return err
				}
				before, err := findOrigin(tree, args[0])
				if err != nil {
					return err
				}
				o, err := f.apply(cmd.Context(), cmd, in, tree, before)
				switch {
				case err != nil:
					return err
				case o == before:
					return errors.New("say what is to change: --name, --parent, --code, --note, --from, --to, --welcome, --article or --follow")
				}
				if err := in.book().Edit(cmd.Context(), o); err != nil {
					return originErrors(err)
				}
				return p.printOrigin(cmd.Context(), in, o, "Changed", f.asJSON)
			})
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.name, "name", "", "another name")
	return c
}

func originClose(p *program) *cobra.Command {
	var at string
	var all bool
	c := &cobra.Command{
		Use: "close ORIGIN", Short: "Close an origin: who comes by its code is not counted for it",
		Long: `Close ends an origin, now or at a time. Its figures stay, and so do its readers.
Who comes by its code later is welcomed all the same, and counted as of an unknown
origin. The origins below it stay open, unless --all closes them too. newsie origin
edit --to opens one again.`,
		Args: one("which origin; newsie origin list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				when := time.Now().UTC().Truncate(time.Millisecond)
				if at != "" {
					var err error
					if when, err = originTime("--at", at, origin.ParseEnd, in.zone()); err != nil {
						return err
					}
				}
				return p.closeOrigin(cmd.Context(), in, args[0], when, all)
			})
		},
	}
	c.Flags().StringVar(&at, "at", "", `when: the last day, or a time, "2026-12-24 18:00"; now without it`)
	c.Flags().BoolVar(&all, "all", false, "close those below it too")
	return c
}

func (p *program) closeOrigin(ctx context.Context, in *installation, address string, at time.Time, all bool) error {
	tree, err := in.book().Tree(ctx)
	if err != nil {
		return err
	}
	o, err := findOrigin(tree, address)
	if err != nil {
		return err
	}
	path, closed := tree.Path(o.ID), "is closed"
	if at.After(time.Now()) {
		closed = strings.Replace(sinceEnd("closes", at, in.zone()), "since", "at", 1)
	}
	if all {
		n, err := in.book().CloseAll(ctx, o.ID, at)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%s %s, with all below it: %s changed.\n", path, closed, number(n, "origin"))
		return err
	}
	if !o.Ends.IsZero() && !o.Ends.After(at) {
		return fmt.Errorf("%s is %s already", path, sinceEnd("closed", o.Ends, in.zone()))
	}
	if err := in.book().Close(ctx, o.ID, at); err != nil {
		return err
	}
	open := 0
	for _, below := range tree.Below(o.ID)[1:] {
		if below.Ends.IsZero() || below.Ends.After(at) {
			open++
		}
	}
	if open > 0 {
		closed += fmt.Sprintf("; %s below it stay open (--all closes them too)", number(open, "origin"))
	}
	_, err = fmt.Fprintf(p.stdout, "%s %s.\n", path, closed)
	return err
}
