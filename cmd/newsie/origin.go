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
	"newsie/bot/telegram"
	"newsie/bot/webchat"
)

func originCommand(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "origin", Short: "Say where readers come from, and see what each place brought",
		Long: `An origin is a place that readers come from: a shop, an event, a newsletter, a
partner's site. It has a code, which its QR codes and links carry, and may stand
below another: chain, region, shop. Whoever comes by a code is counted for its
origin and all above it, and so is what they do later.

Commands take an origin by its path (Chain/North/Shop 12), its code, or its name
where only one has it. Days and times are those of the zone in newsie.yaml.`,
		Example: `  newsie origin add "Shop 12" --parent North --welcome "Welcome! Tea is on us."
  newsie origin import shops.csv
  newsie origin report --by week`,
		Args: subcommand, RunE: showHelp,
	}
	c.AddCommand(originAdd(p), originList(p), originEdit(p), originClose(p), originImport(p), originExport(p), originQR(p), originReport(p))
	return c
}

func (in *installation) book() *origin.Book { return origin.NewBook(in.db, time.Now) }

// zone is the publisher's.
func (in *installation) zone() *time.Location {
	zone, err := time.LoadLocation(in.config.Zone)
	if err != nil { // which was checked
		return time.UTC
	}
	return zone
}

// findOrigin is the origin that the publisher names.
func findOrigin(tree origin.Tree, address string) (origin.Origin, error) {
	o, err := tree.Find(address)
	if errors.Is(err, origin.ErrNoOrigin) {
		return o, fmt.Errorf("there is no origin %q; newsie origin list shows them", address)
	}
	return o, err
}

// originErrors are what is wrong with an origin, in one line.
func originErrors(err error) error {
	var invalid *origin.InvalidError
	if errors.As(err, &invalid) {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return err
}

// An originLink is an address by which readers come.
type originLink struct {
	Channel string `json:"channel,omitempty"` // none: the page that leads to all
	URL     string `json:"url"`
}

// originLinks tells the addresses of origins, as far as they are known without
// asking a platform.
func (in *installation) originLinks() func(o origin.Origin) []originLink {
	public := strings.TrimSuffix(in.config.PublicURL, "/")
	var before []originLink // what stands before a payload
	cs, done := in.offline()
	defer done()
	if err := cs.connect(); err != nil { // which doctor explains
		cs.adapters = nil
	}
	for _, name := range in.config.channelNames() {
		switch a := cs.adapters[name].(type) {
		case *telegram.Channel:
			if link, ok := strings.CutSuffix(a.DeepLink("x"), "x"); ok {
				before = append(before, originLink{name, link})
			}
		case *webchat.Channel:
			if public != "" {
				before = append(before, originLink{name, public + escaped(a.Path()) + "?start="})
			}
		}
	}
	return func(o origin.Origin) []originLink {
		payload, ok := bot.Payload{Origin: o.Code}.Encode()
		if !ok {
			return nil
		}
		var links []originLink
		if public != "" {
			links = append(links, originLink{URL: public + "/o/" + o.Code})
		}
		for _, link := range before {
			links = append(links, originLink{link.Channel, link.URL + payload})
		}
		return links
	}
}

func (p *program) printLinks(links []originLink) {
	if len(links) == 0 {
		_, _ = fmt.Fprintln(p.stdout, "No link is known yet: set public_url (for a try NEWSIE_PUBLIC_URL=http://localhost:8080, here and where newsie serves), or let newsie serve run once with a Telegram bot.")
		return
	}
	for _, link := range links {
		what := link.Channel
		if what == "" {
			what = "any app"
		}
		_, _ = fmt.Fprintf(p.stdout, "  %-12s %s\n", what, link.URL)
	}
}

// originJSON is an origin for programs.
type originJSON struct {
	Path    string         `json:"path"`
	Code    string         `json:"code"`
	State   string         `json:"state"` // open, closed, early
	Notes   string         `json:"notes,omitempty"`
	Starts  *time.Time     `json:"starts,omitempty"`
	Ends    *time.Time     `json:"ends,omitempty"` // from then on it is closed
	Welcome string         `json:"welcome,omitempty"`
	Article int64          `json:"article,omitempty"`
	Topic   string         `json:"topic,omitempty"`
	Came    *origin.Figure `json:"came,omitempty"` // with those below it
	Links   []originLink   `json:"links,omitempty"`
}

func originFor(o origin.Origin, path string) originJSON {
	out := originJSON{
		Path: path, Code: o.Code, State: stateOf(o, time.Now()), Notes: o.Notes, Welcome: o.Welcome.Text, Article: o.Welcome.Article, Topic: o.Welcome.Topic,
	}
	if !o.Starts.IsZero() {
		out.Starts = &o.Starts
	}
	if !o.Ends.IsZero() {
		out.Ends = &o.Ends
	}
	return out
}

func stateOf(o origin.Origin, now time.Time) string {
	switch {
	case o.Open(now):
		return "open"
	case now.Before(o.Starts) && (o.Ends.IsZero() || now.Before(o.Ends)):
		return "early"
	}
	return "closed"
}

func originList(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list [ORIGIN]", Short: "List origins with their codes, and how many readers came by each",
		Long: `List shows the origins, or one and those below it, as they stand below each other:
code, whether it is open, and how many readers came by it and those below it, in
the last ten years. Fewer than five are shown as <5.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one at a time, not %q", args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				tree, err := in.book().Tree(cmd.Context())
				if err != nil {
					return err
				}
				list := treeBelow(tree, 0)
				if len(args) == 1 {
					o, err := findOrigin(tree, args[0])
					if err != nil {
						return err
					}
					list = treeBelow(tree, o.ID)
				}
				came, err := in.cameBy(cmd.Context())
				if err != nil {
					return err
				}
				return p.printOrigins(in, tree, list, came, asJSON)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// A placed origin is one with how deep it stands in a list.
type placed struct {
	origin.Origin
	depth int
}

// treeBelow lists an origin and those below it, or all of them.
func treeBelow(tree origin.Tree, top int64) []placed {
	var list []placed
	in := map[int64]int{}
	for _, o := range tree.All() {
		depth, below := in[o.Parent]
		switch {
		case o.ID == top || top == 0 && !below:
			depth = 0
		case below:
			depth++
		default:
			continue
		}
		in[o.ID] = depth
		list = append(list, placed{o, depth})
	}
	return list
}

// cameBy is how many readers came by each origin and those below it.
func (in *installation) cameBy(ctx context.Context) (map[int64]origin.Figure, error) {
	zone := in.zone()
	from := time.Now().In(zone).AddDate(-10, 0, 0).Format(time.DateOnly)
	r, err := origin.NewReports(in.db, zone, time.Now).Report(ctx, origin.Query{From: from, By: origin.ByOrigin})
	if err != nil {
		return nil, err
	}
	came := map[int64]origin.Figure{}
	for _, row := range r.Rows {
		came[row.Origin] = row.Came
	}
	return came, nil
}

func (p *program) printOrigins(in *installation, tree origin.Tree, list []placed, came map[int64]origin.Figure, asJSON bool) error {
	if asJSON {
		out, links := make([]originJSON, len(list)), in.originLinks()
		for i, o := range list {
			out[i] = originFor(o.Origin, tree.Path(o.ID))
			figure := came[o.ID]
			out[i].Came, out[i].Links = &figure, links(o.Origin)
		}
		return p.printJSON(out)
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "There are no origins yet: newsie origin add NAME makes one, newsie origin import FILE.csv many.")
		return err
	}
	t := newTable("origin", "code", "came", "state").numbers(2)
	for _, o := range list {
		t.row(strings.Repeat("  ", o.depth)+o.Name, o.Code, came[o.ID].String(), sayState(o.Origin, in.zone()))
	}
	return t.print(p.stdout)
}

// sayState is whether an origin is open, and until when.
func sayState(o origin.Origin, zone *time.Location) string {
	switch state := stateOf(o, time.Now()); {
	case state == "early":
		return "opens " + origin.SayStart(o.Starts.Truncate(time.Minute), zone)
	case state == "closed":
		return sinceEnd("closed", o.Ends, zone)
	case !o.Ends.IsZero():
		return "open until " + origin.SayEnd(o.Ends.Truncate(time.Minute), zone)
	}
	return "open"
}

// sinceEnd is "closed after 2026-12-24", a day, or "closed since 2026-12-24 18:00".
func sinceEnd(what string, end time.Time, zone *time.Location) string {
	text := origin.SayEnd(end.Truncate(time.Minute), zone)
	if len(text) == len(time.DateOnly) {
		return what + " after " + text
	}
	return what + " since " + text
}
