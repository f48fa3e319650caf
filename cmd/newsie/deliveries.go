package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler"
)

func deliveriesCommand(p *program) *cobra.Command {
	var f listedDeliveries
	c := &cobra.Command{
		Use: "deliveries", Short: "See what became of digests, and why a reader got an article or not", Args: subcommand,
		Long: `Deliveries lists what became of digests and other messages sent unasked, the
newest first. With --chat and --article, or as "newsie deliveries why", it
explains why a reader got an article or did not. What ended is kept for 90 days
(keep.deliveries). With --json, times are RFC 3339 in UTC, and a slot is that of the
follow on the wall clock of "zone": 2026-11-22T08:00.

States: planned, claimed, sending (on their way), accepted (by the platform,
which tells the result later), sent, held (for the reader's next message), gone
(the chat cannot be reached), failed (refused for good), unknown (nobody can tell
whether it arrived: "newsie deliveries retry" sends it again) and cancelled.`,
		Example: `  newsie deliveries --state unknown
  newsie deliveries why news/4711 93
  newsie deliveries retry --unknown --channel news
  newsie deliveries summary`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, p) },
	}
	f.flags(c)
	c.AddCommand(deliveriesWhy(p), deliveriesRetry(p), deliveriesSummary(p))
	return c
}

// listedDeliveries are the flags of a list of deliveries.
type listedDeliveries struct {
	filter             scheduler.Filter
	state, chat, since string
	limit              int
	asJSON             bool
}

func (f *listedDeliveries) flags(c *cobra.Command) {
	flags := c.Flags()
	flags.Int64Var(&f.filter.Edition, "edition", 0, "only this edition: what all who got the same share")
	flags.StringVar(&f.chat, "chat", "", "only this chat: CHANNEL/CHAT")
	flags.StringVar(&f.state, "state", "", "planned, claimed, sending, accepted, sent, held, gone, failed, unknown or cancelled")
	flags.StringVar(&f.filter.Channel, "channel", "", "only this channel")
	flags.Int64Var(&f.filter.Article, "article", 0, "only those that hold this article; with --chat: why that reader got it or not")
	flags.Int64Var(&f.filter.Follow, "follow", 0, "only those of this follow")
	flags.StringVar(&f.since, "since", "", "only what changed since a day (2026-11-23) or for so long (72h, 30d)")
	flags.IntVar(&f.limit, "limit", 100, "how many")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
}

// complete checks the flags.
func (f *listedDeliveries) complete(given func(flag string) bool) error {
	var states []string
	for _, s := range scheduler.States() {
		states = append(states, string(s))
	}
	for flag, number := range map[string]int64{"edition": f.filter.Edition, "article": f.filter.Article, "follow": f.filter.Follow} {
		if number < 0 || number == 0 && given(flag) {
			return fmt.Errorf("--%s %d: numbers begin at 1", flag, number)
		}
	}
	if f.state != "" && !slices.Contains(states, f.state) {
		return fmt.Errorf("--state %q is none of %s", f.state, strings.Join(states, ", "))
	}
	f.filter.State = scheduler.State(f.state)
	if f.chat != "" {
		chat, err := parseChat(f.chat)
		if err != nil {
			return err
		}
		if f.filter.Channel != "" && f.filter.Channel != chat.Channel {
			return fmt.Errorf("--chat is on the channel %s, --channel says %s", chat.Channel, f.filter.Channel)
		}
		f.filter.Channel, f.filter.Chat = chat.Channel, chat.ID
	}
	if f.since != "" {
		since, err := parseSince(f.since, time.Now())
		if err != nil {
			return err
		}
		f.filter.Since = since
	}
	return checkLimit(f.limit)
}

// parseChat reads CHANNEL/CHAT; what comes after the first / is the chat's.
func parseChat(text string) (bot.ChatID, error) {
	channel, id, ok := strings.Cut(text, "/")
	if !ok || channel == "" || id == "" {
		return bot.ChatID{}, fmt.Errorf("%q names no chat: write CHANNEL/CHAT, such as telegram/4711", text)
	}
	return bot.ChatID{Channel: channel, ID: id}, nil
}

func (f *listedDeliveries) run(cmd *cobra.Command, p *program) error {
	if err := f.complete(cmd.Flags().Changed); err != nil {
		return err
	}
	if f.filter.Chat != "" && f.filter.Article != 0 {
		return p.why(cmd.Context(), bot.ChatID{Channel: f.filter.Channel, ID: f.filter.Chat}, f.filter.Article, f.asJSON)
	}
	return p.with(cmd, func(in *installation) error {
		list, err := scheduler.NewLedger(in.db, time.Now).List(cmd.Context(), f.filter, f.limit)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			if err := f.exists(cmd.Context(), in); err != nil {
				return err
			}
		}
		if f.asJSON {
			out := make([]deliveryJSON, len(list))
			for i, d := range list {
				out[i] = forPrograms(d)
			}
			return p.printJSON(out)
		}
		if len(list) == 0 {
			_, err = fmt.Fprintln(p.stdout, "No deliveries match.")
			return err
		}
		t := newTable("delivery", "state", "changed (UTC)", "chat", "edition", "follow", "article", "what", "note").numbers(0, 4, 5)
		for _, d := range list {
			t.row(fmt.Sprint(d.ID), string(d.State), d.Updated.UTC().Format(time.DateTime), d.To.Channel+"/"+shownChat(d.To.ID),
				fmt.Sprint(d.Edition), numberOr(d.Follow, "-"), firstOf(d.Articles), whatOf(d), noteOf(d))
		}
		return t.print(p.stdout)
	})
}

// exists is an error about what nothing can match, because there is none.
func (f *listedDeliveries) exists(ctx context.Context, in *installation) error {
	ledger := scheduler.NewLedger(in.db, time.Now)
	if err := in.channelOrLedger(ctx, ledger, f.filter.Channel); err != nil {
		return err
	}
	if id := f.filter.Edition; id != 0 {
		if ok, err := ledger.HasEdition(ctx, id); err != nil || !ok {
			return cmp.Or(err, fmt.Errorf("there is no edition %d; newsie deliveries shows them", id))
		}
	}
	if id := f.filter.Article; id != 0 {
		if _, err := in.store().Article(ctx, id); err != nil {
			return noArticle(id, err)
		}
	}
	if id := f.filter.Follow; id != 0 {
		if _, ok, err := bot.NewChats(in.db, time.Now).FollowByID(ctx, id); err != nil || !ok {
			return cmp.Or(err, fmt.Errorf("there is no follow %d; newsie digest follows --chats lists them", id))
		}
	}
	return nil
}

// channelOrLedger demands a channel that is configured, or was when something was
// sent there; "" is any.
func (in *installation) channelOrLedger(ctx context.Context, ledger *scheduler.Ledger, name string) error {
	if _, ok := in.config.Channels[name]; ok || name == "" {
		return nil
	}
	if ok, err := ledger.HasChannel(ctx, name); err != nil || ok {
		return err
	}
	return fmt.Errorf("there is no channel %q; the configuration has %s", name, strings.Join(in.config.channelNames(), ", "))
}

func noArticle(id int64, err error) error {
	if errors.Is(err, content.ErrNotFound) {
		return fmt.Errorf("there is no article %d; newsie article list shows them", id)
	}
	return err
}

// whatOf is what a delivery brings, in few words.
func whatOf(d scheduler.Delivery) string {
	switch {
	case d.Send != 0:
		return fmt.Sprintf("send %d", d.Send)
	case d.Kind == scheduler.KindLate:
		return "(an answer)"
	}
	return shownTopic(d.Topic)
}

// firstOf is the first of some numbers, and how many there are beside.
func firstOf(ids []int64) string {
	switch len(ids) {
	case 0:
		return "-"
	case 1:
		return fmt.Sprint(ids[0])
	}
	return fmt.Sprintf("%d +%d", ids[0], len(ids)-1)
}

func numberOr(n int64, none string) string {
	if n == 0 {
		return none
	}
	return fmt.Sprint(n)
}

func deliveriesWhy(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "why CHANNEL/CHAT ARTICLE", Short: "Explain why a reader got an article, or did not",
		Long: `Why goes through everything that brings an article to a chat unasked, and says
what became of it: which of the reader's follows match and which do not, and by
what; whether the article joined before a follow began; in which digest it was,
and what became of that; whether it was among those "and 12 more"; which digest
began with it because it is pinned; whether the chat, the follow or the channel
rests; and when it will come.`,
		Example: "  newsie deliveries why telegram/4711 93",
		Args:    chatAndArticle,
		RunE: func(cmd *cobra.Command, args []string) error {
			chat, err := parseChat(args[0])
			if err != nil {
				return err
			}
			var id int64
			err = p.with(cmd, func(in *installation) (err error) {
				id, err = in.articleNumber(cmd.Context(), args[1])
				return err
			})
			if err != nil {
				return err
			}
			return p.why(cmd.Context(), chat, id, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func chatAndArticle(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errors.New("say which chat, as CHANNEL/CHAT, and which article, by its number or address")
	case 1:
		return errors.New("say which article too, by its number or address; newsie article list shows them")
	case 2:
		return nil
	}
	return fmt.Errorf("one chat and one article, not %q", args)
}

func (p *program) why(ctx context.Context, chat bot.ChatID, article int64, asJSON bool) error {
	query := url.Values{"channel": {chat.Channel}, "chat": {chat.ID}, "article": {fmt.Sprint(article)}}
	w, err := answerAnywhere(ctx, p, "/why", query, func(in *installation, public string) (scheduler.Why, error) {
		s, err := in.planner(public)
		if err != nil {
			return scheduler.Why{}, err
		}
		return in.why(ctx, s, chat, article)
	})
	if err != nil {
		return err
	}
	stranger := slices.ContainsFunc(w.Reasons, func(r scheduler.Reason) bool { return r.Code == "no-chat" })
	switch {
	case asJSON:
		if err := p.printJSON(w); err != nil || !stranger {
			return err
		}
		fallthrough
	case stranger:
		return fmt.Errorf("newsie knows no chat %s on the channel %s", w.Chat, w.Channel)
	}
	heading := map[scheduler.Verdict]string{
		scheduler.Got: "got article %d, “%s”.", scheduler.Coming: "has not got article %d, “%s”, yet.",
		scheduler.InDoubt: "may have got article %d, “%s”.", scheduler.NotGot: "did not get article %d, “%s”.",
	}[w.Verdict]
	_, _ = fmt.Fprintf(p.stdout, "%s on %s "+heading+"\n", w.Chat, w.Channel, w.Article, w.Title)
	for _, r := range w.Reasons {
		_, _ = fmt.Fprintf(p.stdout, "- %s\n", r.Text)
	}
	return nil
}

// why explains, with a scheduler that has the library's index.
func (in *installation) why(ctx context.Context, s *scheduler.Scheduler, chat bot.ChatID, article int64) (scheduler.Why, error) {
	a, err := in.store().Article(ctx, article)
	if err != nil {
		return scheduler.Why{}, noArticle(article, err)
	}
	return s.Why(ctx, chat, a)
}

// A deliverySummary counts the ledger.
type deliverySummary struct {
	Channels   []channelSummary `json:"channels"`
	StandStill []scheduler.Halt `json:"stand_still"` // channels that nothing is sent on now
}

type channelSummary struct {
	Channel string                    `json:"channel"`
	States  map[scheduler.State]int64 `json:"states"`
	Total   int64                     `json:"total"`
}

func deliveriesSummary(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "summary", Short: "Count the deliveries by channel and state", Args: cobra.NoArgs,
		Long: "Summary counts the deliveries that are kept, by channel and state, and names the\nchannels that stand still because their platforms refuse everything or lose their\nanswers.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(in *installation) error {
				s, err := summarize(cmd.Context(), scheduler.NewLedger(in.db, time.Now))
				if err != nil {
					return err
				}
				if asJSON {
					return p.printJSON(s)
				}
				return p.printSummary(s)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func summarize(ctx context.Context, ledger *scheduler.Ledger) (deliverySummary, error) {
	s := deliverySummary{Channels: []channelSummary{}}
	counts, err := ledger.Counts(ctx)
	if err != nil {
		return s, err
	}
	for _, n := range counts { // sorted by channel
		if last := len(s.Channels) - 1; last < 0 || s.Channels[last].Channel != n.Channel {
			s.Channels = append(s.Channels, channelSummary{Channel: n.Channel, States: map[scheduler.State]int64{}})
		}
		of := &s.Channels[len(s.Channels)-1]
		of.States[n.State] += n.Count
		of.Total += n.Count
	}
	s.StandStill, err = ledger.Halts(ctx)
	return s, err
}

func (p *program) printSummary(s deliverySummary) error {
	if len(s.Channels) == 0 && len(s.StandStill) == 0 {
		_, err := fmt.Fprintln(p.stdout, "Nothing has been sent unasked yet.")
		return err
	}
	var columns []scheduler.State
	for _, state := range scheduler.States() {
		if slices.ContainsFunc(s.Channels, func(c channelSummary) bool { return c.States[state] > 0 }) {
			columns = append(columns, state)
		}
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cell func(scheduler.State) string, total string) {
		_, _ = fmt.Fprint(table, name)
		for _, state := range columns {
			_, _ = fmt.Fprint(table, "\t", cell(state))
		}
		_, _ = fmt.Fprintf(table, "\t%s\t\n", total)
	}
	row("channel", func(s scheduler.State) string { return string(s) }, "total")
	for _, c := range s.Channels {
		row(c.Channel, func(s scheduler.State) string { return fmt.Sprint(c.States[s]) }, fmt.Sprint(c.Total))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, h := range s.StandStill {
		_, _ = fmt.Fprintf(p.stdout, "\n%s\n  → %s\n", standsStill(h), standAdvice(h))
	}
	return nil
}

// standsStill is a halt in a line.
func standsStill(h scheduler.Halt) string {
	text := fmt.Sprintf("channel %s: stands still since %s: %s", h.Channel, h.Since.UTC().Format("2006-01-02 15:04 MST"), h.Problem)
	return text + "; one message is tried at " + h.Probe.UTC().Format("15:04 MST")
}

func standAdvice(h scheduler.Halt) string {
	return strings.Join(nonEmpty(strings.TrimRight(h.Advice, "."), "newsie channel resume "+h.Channel+" tries at once"), "; then ")
}
