package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"newsie/content"
)

func pinCommand(p *program) *cobra.Command {
	var until string
	var asJSON bool
	c := &cobra.Command{
		Use: "pin ARTICLE --until DATE", Short: "Keep an article at the top of the newest and of digests",
		Long: `Pin keeps an article, given by its number or address, before all others until a
time: in "latest", on the first of the reader pages, and as the first entry of
every digest that goes out until then. A digest that has nothing new does not go
out for its sake; a channel that does not serve the article does not show it.

--until is a day, whose end counts (in UTC, or "2026-12-24 Europe/Rome"), or
a time: "2026-12-24 18:00 Europe/Rome".`,
		Args: one("which article, by its number or address; newsie article list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if until == "" {
				return errors.New("say until when: --until 2026-12-24")
			}
			end, err := endOf("--until", until)
			if err != nil {
				return err
			}
			if !end.After(time.Now()) {
				return fmt.Errorf("--until %q is over already", until)
			}
			return p.with(cmd, func(in *installation) error {
				a, err := in.articleOf(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				switch _, err = in.store().Pin(cmd.Context(), a.ID, end); {
				case errors.Is(err, content.ErrTooManyPins):
					return fmt.Errorf("%d articles are pinned already, and what is new needs room: newsie unpin lets one go, newsie pin list shows them", content.MostPins)
				case err != nil:
					return err
				}
				if asJSON {
					return p.printPin(cmd.Context(), in, a.ID)
				}
				_, err = fmt.Fprintf(p.stdout, "Article %d stays at the top until %s: %s\n", a.ID, said(end), a.Title)
				return err
			})
		},
	}
	c.Flags().StringVar(&until, "until", "", "a day, or a time with its zone")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(pinList(p))
	return c
}

// pinJSON is a pin for programs.
type pinJSON struct {
	Article int64         `json:"article"`
	Title   string        `json:"title"`
	State   content.State `json:"state"`
	Until   time.Time     `json:"until"`
	Since   time.Time     `json:"since"`
}

// printPin prints one of the pins for programs.
func (p *program) printPin(ctx context.Context, in *installation, article int64) error {
	pins, err := in.store().Pins(ctx)
	if err != nil {
		return err
	}
	for _, pin := range pins {
		if pin.Article.ID == article {
			return p.printJSON(pinFor(pin))
		}
	}
	return fmt.Errorf("article %d is not pinned any more", article)
}

func pinFor(pin content.Pin) pinJSON {
	return pinJSON{pin.Article.ID, pin.Article.Title, pin.Article.State, pin.Until.UTC(), pin.Since.UTC()}
}

func pinList(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List the pinned articles, the topmost first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return p.with(cmd, func(in *installation) error {
			pins, err := in.store().Pins(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				out := make([]pinJSON, len(pins))
				for i, pin := range pins {
					out[i] = pinFor(pin)
				}
				return p.printJSON(out)
			}
			if len(pins) == 0 {
				_, err = fmt.Fprintln(p.stdout, "No article is pinned.")
				return err
			}
			for _, pin := range pins {
				note := ""
				if pin.Article.State != content.Published {
					note = "  (not shown: it is " + string(pin.Article.State) + ")"
				}
				_, _ = fmt.Fprintf(p.stdout, "%6d  until %s  %s%s\n", pin.Article.ID, said(pin.Until.UTC()), pin.Article.Title, note)
			}
			return nil
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func unpinCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "unpin ARTICLE", Short: "Let a pinned article take its place among the others again", Args: one("which article, by its number or address; newsie pin list shows those that are pinned"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				id, err := in.articleNumber(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				ok, err := in.store().Unpin(cmd.Context(), id)
				if err != nil {
					return err
				}
				if !ok {
					return fmt.Errorf("article %d is not pinned; newsie pin list shows those that are", id)
				}
				_, err = fmt.Fprintf(p.stdout, "Article %d is not pinned any more.\n", id)
				return err
			})
		},
	}
}
