package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/scheduler"
)

const (
	mostSent    = 10  // articles of one send: what one message shows
	longestNote = 600 // characters, which leave room for the articles
)

type sendFlags struct {
	to, at, note        string
	dryRun, yes, asJSON bool
}

func sendCommand(p *program) *cobra.Command {
	var f sendFlags
	c := &cobra.Command{
		Use: "send ARTICLE... --to CHANNEL|TOPIC|EVERYONE", Short: "Send chosen articles to readers, now or at a time",
		Long: `Send brings articles, given by their numbers or addresses, to many chats: through
the same ledger, rates and quotas as digests, without a sound in quiet hours. A
serving newsie does it; send itself only says what is to be done, after it has
shown how many it will reach and when it will be done.

--to EVERYONE is every chat that follows something, each once. A channel's name is
its chats of these, and the places that it posts to; @name or -100… is one of
those places; anything else is a topic: the chats that follow it. channel:NAME and
topic:WORDS say which where a name is both.`,
		Example: `  newsie send 4711 --to EVERYONE --note "We are in the shops today"
  newsie send 4711 4712 --to commerce --at "2026-12-01 09:00 Europe/Rome"
  newsie send list
  newsie send stop 3`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("say which articles, by their numbers or addresses; newsie article list shows them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error { return p.send(cmd.Context(), in, args, f) })
		},
	}
	c.Flags().StringVar(&f.to, "to", "", "EVERYONE, a channel's name, @name of a place it posts to, or a topic")
	c.Flags().StringVar(&f.at, "at", "", `when, such as "2026-12-01 09:00 Europe/Rome", a year ahead at most; now without it`)
	c.Flags().StringVar(&f.note, "note", "", "your words before the articles")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "only show whom it would reach and when")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	c.AddCommand(sendList(p), sendStop(p))
	return c
}

// one demands one argument, in words that say which.
func one(which string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New("say " + which)
		case len(args) > 1:
			return fmt.Errorf("one at a time, not %q", args)
		}
		return nil
	}
}

// A sendPlan is what a send would do; the JSON of newsie send.
type sendPlan struct {
	Send     int64         `json:"send,omitempty"` // its number, when it was kept
	Articles []sentArticle `json:"articles"`
	Note     string        `json:"note,omitempty"`
	To       string        `json:"to"`
	Chats    int64         `json:"chats"`
	Channels []sendChannel `json:"channels"`
	Starts   time.Time     `json:"starts"`
	Done     time.Time     `json:"done"` // at the channels' rates
}

type sentArticle struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
}

type sendChannel struct {
	Channel string  `json:"channel"`
	Kind    string  `json:"kind"`
	Chats   int64   `json:"chats"`
	Rate    float64 `json:"rate,omitempty"` // messages a second; 0: as fast as it goes
	Seconds float64 `json:"seconds"`
}

func (p *program) send(ctx context.Context, in *installation, named []string, f sendFlags) error {
	plan, to, err := in.planSend(ctx, named, f)
	if err != nil {
		return err
	}
	if !f.asJSON {
		_, _ = fmt.Fprint(p.stdout, plan.text())
	}
	if f.dryRun {
		if f.asJSON {
			return p.printJSON(plan)
		}
		_, err = fmt.Fprintln(p.stdout, "\nNothing is sent (--dry-run).")
		return err
	}
	if !f.yes {
		ok, err := p.confirm(ctx, fmt.Sprintf("\nSend it to %s?", number(int(plan.Chats), "chat")))
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing is sent")
		}
	}
	ids := make([]int64, len(plan.Articles))
	for i, a := range plan.Articles {
		ids[i] = a.ID
	}
	if plan.Send, err = scheduler.NewLaunches(in.db, time.Now).Add(ctx, ids, plan.Note, to, plan.Starts); err != nil {
		return err
	}
	in.wakeServing(ctx)
	if f.asJSON {
		return p.printJSON(plan)
	}
	_, err = fmt.Fprintf(p.stdout, "\nIt is send %d. newsie serve sends it; newsie send list tells how far it is, newsie send stop %d stops it.\n", plan.Send, plan.Send)
	return err
}

// planSend works out what a send would do. Its errors are the publisher's to read.
func (in *installation) planSend(ctx context.Context, named []string, f sendFlags) (plan sendPlan, to scheduler.Audience, err error) {
	plan.Note, plan.Starts = strings.TrimSpace(f.note), time.Now()
	if n := utf8.RuneCountInString(plan.Note); n > longestNote {
		return plan, to, fmt.Errorf("--note has %d characters: %d at most", n, longestNote)
	}
	if f.at != "" {
		if plan.Starts, err = moment("--at", f.at); err != nil {
			return plan, to, err
		}
		if plan.Starts.Before(time.Now()) {
			return plan, to, fmt.Errorf("--at %q is past", f.at)
		}
		if plan.Starts.After(time.Now().AddDate(1, 0, 0)) {
			return plan, to, fmt.Errorf("--at %q is more than a year ahead", f.at)
		}
	}
	for _, name := range named {
		a, err := in.articleOf(ctx, name)
		if err != nil {
			return plan, to, err
		}
		if !slices.ContainsFunc(plan.Articles, func(other sentArticle) bool { return other.ID == a.ID }) {
			plan.Articles = append(plan.Articles, sentArticle{a.ID, a.Title})
		}
	}
	if len(plan.Articles) > mostSent {
		return plan, to, fmt.Errorf("these are %d articles: %d at most, which one message shows", len(plan.Articles), mostSent)
	}
	launches := scheduler.NewLaunches(in.db, time.Now)
	to, reach, err := in.audience(ctx, launches, f.to)
	if err != nil {
		return plan, to, err
	}
	plan.To = sayAudience(to)
	longest := 0.0
	for _, name := range in.config.channelNames() {
		if reach[name] == 0 {
			continue
		}
		ch := sendChannel{Channel: name, Kind: in.config.Channels[name].Kind, Chats: reach[name], Rate: in.config.Channels[name].perSecond()}
		if ch.Rate > 0 {
			ch.Seconds = math.Ceil(float64(ch.Chats) / ch.Rate * scheduler.SendPace)
		}
		plan.Channels, plan.Chats, longest = append(plan.Channels, ch), plan.Chats+ch.Chats, max(longest, ch.Seconds)
	}
	plan.Done = plan.Starts.Add(time.Duration(longest) * time.Second)
	return plan, to, nil
}

// perSecond is how many messages a second a channel lets go; 0: any number.
func (ch ChannelConfig) perSecond() float64 {
	switch ch.Kind {
	case "telegram":
		rate, err := ch.rate()
		switch {
		case err != nil || math.IsInf(rate, 1):
			return 0
		case rate == 0:
			return usualRate
		}
		return rate
	case "wechat":
		return wechatRate
	}
	return 0
}

// The rates that the adapters keep when nothing else is said.
const (
	usualRate  = 27.5
	wechatRate = 50
)

// audience reads --to: whom it names, and how many they are.
func (in *installation) audience(ctx context.Context, launches *scheduler.Launches, text string) (to scheduler.Audience, reach map[string]int64, err error) {
	text = strings.TrimSpace(text)
	kind, name, explicit := strings.Cut(text, ":")
	channels := in.config.channelNames()
	known := "the channels are " + strings.Join(channels, ", ")
	switch {
	case text == "":
		return to, nil, errors.New("say to whom: --to EVERYONE, a channel's name or a topic")
	case strings.EqualFold(text, scheduler.ToEveryone):
		to = scheduler.Audience{Kind: scheduler.ToEveryone}
	case explicit && kind == scheduler.ToChannel:
		to = scheduler.Audience{Kind: scheduler.ToChannel, Name: strings.TrimSpace(name)}
	case explicit && kind == scheduler.ToTopic:
		to = scheduler.Audience{Kind: scheduler.ToTopic, Name: bot.TopicQuery(name)}
	case slices.Contains(channels, text):
		to = scheduler.Audience{Kind: scheduler.ToChannel, Name: text}
	case placeRule.MatchString(text):
		to = scheduler.Audience{Kind: scheduler.ToPlace, Name: text}
	default:
		to = scheduler.Audience{Kind: scheduler.ToTopic, Name: bot.TopicQuery(text)}
	}
	if to.Kind == scheduler.ToChannel && !slices.Contains(channels, to.Name) {
		return to, nil, fmt.Errorf("there is no channel %q; %s", to.Name, known)
	}
	if reach, err = launches.Reach(ctx, to, channels); err != nil || len(reach) > 0 {
		return to, reach, err
	}
	switch to.Kind {
	case scheduler.ToEveryone:
		return to, nil, errors.New("nobody follows anything yet: there is nobody to send it to")
	case scheduler.ToChannel:
		return to, nil, fmt.Errorf("channel %s has no chat that follows anything, and posts to no place", to.Name)
	case scheduler.ToPlace:
		return to, nil, fmt.Errorf("no channel posts to %s: the posts of a telegram channel name its places", to.Name)
	}
	return to, nil, fmt.Errorf("%q is no channel, and nobody follows it as a topic; %s, and newsie digest follows lists the topics", text, known)
}

func sayAudience(to scheduler.Audience) string {
	switch to.Kind {
	case scheduler.ToEveryone:
		return "everyone who follows something"
	case scheduler.ToTopic:
		if to.Name == "*" {
			return "those who follow everything"
		}
		return "those who follow “" + to.Name + "”"
	case scheduler.ToPlace:
		return to.Name
	}
	return "channel " + to.Name
}

func (plan sendPlan) text() string {
	var b strings.Builder
	for _, a := range plan.Articles {
		fmt.Fprintf(&b, "Article %d: %s\n", a.ID, a.Title)
	}
	if plan.Note != "" {
		fmt.Fprintf(&b, "Note: %s\n", plan.Note)
	}
	fmt.Fprintf(&b, "To %s: %s\n", plan.To, number(int(plan.Chats), "chat"))
	for _, ch := range plan.Channels {
		pace := "at once"
		switch {
		case ch.Kind == "wechat":
			pace = "each by the first way that its reader has open, or with the reader's next answer"
		case ch.Rate > 0:
			pace = strconv.FormatFloat(ch.Rate, 'f', -1, 64) + " a second"
		}
		fmt.Fprintf(&b, "  %-12s %s, %s\n", ch.Channel, number(int(ch.Chats), "chat"), pace)
	}
	fmt.Fprintf(&b, "Starts %s, done by %s\n", said(plan.Starts), said(plan.Done))
	return b.String()
}

// sendJSON is a send for programs.
type sendJSON struct {
	ID        int64     `json:"id"`
	State     string    `json:"state"`
	To        string    `json:"to"`
	Articles  []int64   `json:"articles"`
	Note      string    `json:"note,omitempty"`
	Starts    time.Time `json:"starts"`
	Created   time.Time `json:"created"`
	Planned   int64     `json:"planned"`
	Sent      int64     `json:"sent"`
	Left      int64     `json:"left"`
	Failed    int64     `json:"failed"`
	Unknown   int64     `json:"unknown"`
	Cancelled int64     `json:"cancelled"`
}

func sendList(p *program) *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{Use: "list", Short: "List sends and how far they are, the newest first", Args: cobra.NoArgs,
		Long: `List shows each send: waiting (its time has not come), sending, done (nothing is
left to go out) or stopped; and of its messages how many are planned so far, were
sent, are left to go out, were refused, are in doubt (newsie deliveries --state
unknown) or were cancelled.`, RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(limit); err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error {
				list, err := scheduler.NewLaunches(in.db, time.Now).List(cmd.Context(), limit)
				if err != nil {
					return err
				}
				if asJSON {
					out := make([]sendJSON, len(list))
					for i, l := range list {
						out[i] = sendJSON{l.ID, l.Standing(time.Now()), l.To.String(), l.Articles, l.Note, l.Starts.UTC(), l.Created.UTC(), l.Chats, l.Sent, l.Left, l.Failed, l.Unknown, l.Cancelled}
					}
					return p.printJSON(out)
				}
				if len(list) == 0 {
					_, err = fmt.Fprintln(p.stdout, "Nothing was sent by hand yet.")
					return err
				}
				_, _ = fmt.Fprintf(p.stdout, "%6s  %-8s  %-16s  %7s  %7s  %7s  %7s  %7s  %9s  %s\n", "send", "state", "starts (UTC)", "planned", "sent", "left", "failed", "unknown", "cancelled", "to")
				for _, l := range list {
					_, _ = fmt.Fprintf(p.stdout, "%6d  %-8s  %-16s  %7d  %7d  %7d  %7d  %7d  %9d  %s\n", l.ID, l.Standing(time.Now()), l.Starts.UTC().Format(minuteLayout),
						l.Chats, l.Sent, l.Left, l.Failed, l.Unknown, l.Cancelled, sayAudience(l.To))
				}
				return nil
			})
		}}
	c.Flags().IntVar(&limit, "limit", 20, "how many")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func sendStop(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "stop SEND", Short: "Stop a send: what has not gone out stays here",
		Long: "Stop ends a send, given by its number in newsie send list, wherever newsie\nserves: nothing more of it is planned, and what is planned is cancelled.",
		Args: one("which send, by its number; newsie send list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of a send; newsie send list shows them", args[0])
			}
			return p.with(cmd, func(in *installation) error {
				launch, cancelled, err := scheduler.NewLaunches(in.db, time.Now).Stop(cmd.Context(), id)
				switch {
				case errors.Is(err, scheduler.ErrNoSend):
					return fmt.Errorf("there is no send %d; newsie send list shows them", id)
				case err != nil:
					return err
				case launch.State != scheduler.SendStopped:
					return fmt.Errorf("send %d is over: %s", id, number(int(launch.Sent), "chat")+" got it")
				}
				said := fmt.Sprintf("Send %d is stopped. %s got it, %s cancelled", id, number(int(launch.Sent), "chat"), wereOf(cancelled))
				if launch.Left > 0 {
					said += fmt.Sprintf("; %d on the way at this moment cannot be called back", launch.Left)
				}
				_, err = fmt.Fprintln(p.stdout, said+".")
				return err
			})
		},
	}
}

func wereOf(n int64) string {
	if n == 1 {
		return "1 message was"
	}
	return strconv.FormatInt(n, 10) + " messages were"
}
