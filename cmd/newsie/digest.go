package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
	"newsie/scheduler"
)

func digestCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "digest", Short: "See what digests would hold, and what became of them", Args: subcommand, RunE: showHelp}
	var lang string
	var asJSON bool
	preview := &cobra.Command{
		Use: "preview FOLLOW|TOPIC", Short: "Print what would go out now",
		Long: "Preview prints the next digest of a follow, given by its number, or of a topic, given by its words.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("say which follow, by its number, or which topic; newsie digest follows lists them")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of := strings.Join(args, " ")
			reply, err := answerAnywhere(cmd.Context(), p, "/preview", url.Values{"of": {of}, "lang": {lang}}, func(in *installation, public string) (bot.Reply, error) {
				return in.preview(cmd.Context(), public, of, lang)
			})
			switch {
			case err != nil:
				return err
			case asJSON:
				return p.printJSON(previewFor(reply))
			}
			_, err = fmt.Fprint(p.stdout, plainText(reply))
			return err
		},
	}
	preview.Flags().StringVar(&lang, "lang", "en", "language of a topic's digest")
	preview.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.AddCommand(preview, digestFollows(p), digestDeliveries(p), digestCancel(p))
	return c
}

// preview is for a process that serves nobody and so has no scheduler.
func (in *installation) preview(ctx context.Context, public, of, lang string) (bot.Reply, error) {
	s, err := in.planner(public)
	if err != nil {
		return bot.Reply{}, err
	}
	return preview(ctx, in, s, of, lang)
}

// planner is a scheduler that sends nothing.
func (in *installation) planner(public string) (*scheduler.Scheduler, error) {
	return scheduler.New(scheduler.Config{
		DB: in.db, Finder: in.library, Articles: in.library, Cards: in.newBot(public, nil).Cards, Catalog: in.catalog, Logger: in.log,
		Channels: in.config.outlets(), Pages: in.config.readOn(), Pinned: in.library.Pinned, Fresh: time.Duration(in.config.CatchUp),
	})
}

// preview says what a follow or a topic would bring.
func preview(ctx context.Context, in *installation, s *scheduler.Scheduler, of, lang string) (reply bot.Reply, err error) {
	if id, parseErr := strconv.ParseInt(of, 10, 64); parseErr == nil {
		if _, ok, err := bot.NewChats(in.db, time.Now).FollowByID(ctx, id); err != nil || !ok {
			return reply, errors.Join(err, fmt.Errorf("there is no follow %d; newsie digest follows --chats lists them", id))
		}
		reply, err = s.PreviewFollow(ctx, id)
	} else {
		topic := strings.TrimSpace(of)
		reply, err = s.Preview(ctx, topic, bot.TopicQuery(topic), lang, 0, 5)
	}
	return reply, err
}

// previewJSON is a digest for programs.
type previewJSON struct {
	Text   string         `json:"text,omitempty"`
	Groups []previewGroup `json:"groups"`
}

type previewGroup struct {
	Heading  string           `json:"heading,omitempty"`
	Articles []previewArticle `json:"articles"`
}

type previewArticle struct {
	ID      int64  `json:"id"`
	Title   string `json:"title"`
	Source  string `json:"source,omitempty"`
	Date    string `json:"date,omitempty"` // as readers see it
	Snippet string `json:"snippet,omitempty"`
	URL     string `json:"url,omitempty"`
}

func previewFor(r bot.Reply) previewJSON {
	out := previewJSON{Text: r.Text, Groups: []previewGroup{}}
	for _, g := range r.Groups {
		group := previewGroup{Heading: g.Heading, Articles: []previewArticle{}}
		for _, c := range g.Cards {
			group.Articles = append(group.Articles, previewArticle{c.Article, c.Title, c.Source, c.Date, c.Snippet.Text, c.URL})
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

// plainText prints a reply for a terminal.
func plainText(r bot.Reply) string {
	var b strings.Builder
	if r.Text != "" {
		b.WriteString(r.Text + "\n")
	}
	for _, g := range r.Groups {
		if g.Heading != "" {
			b.WriteString("\n" + g.Heading + "\n")
		}
		for i, card := range g.Cards {
			number := card.Number
			if number == 0 {
				number = i + 1
			}
			fmt.Fprintf(&b, "\n%2d. %s\n    %s\n", number, card.Title, strings.Join(nonEmpty(card.Source, card.Date), " · "))
			if card.Snippet.Text != "" {
				b.WriteString("    " + card.Snippet.Text + "\n")
			}
			if card.URL != "" {
				b.WriteString("    " + card.URL + "\n")
			}
			if also := card.Also.Join(func(p bot.Place) string { return p.Name }); also != "" {
				b.WriteString("    " + also + "\n")
			}
		}
	}
	return b.String()
}

func nonEmpty(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if t != "" {
			list = append(list, t)
		}
	}
	return list
}

// noteOf is what the publisher should know of a delivery.
func noteOf(d scheduler.Delivery) string {
	if d.State == scheduler.Accepted && d.To.Audience() && d.Error == "" {
		return "waits for WeChat (an administrator may have to confirm it in WeChat within 30 minutes)"
	}
	if (d.Error == "" || d.State == scheduler.Sent) && d.Way != "" && d.Way != "message" { // the only one that a channel has
		way := "by " + map[string]string{
			"customer": "customer message", "notice": "subscription notice", "once": "one-time message", "template": "template message",
			"mass": "mass send", "held": "the reader's next answer",
		}[d.Way]
		return strings.Join(nonEmpty(way, d.Error), ": ")
	}
	return d.Error
}

// A deliveryJSON is a delivery for programs.
type deliveryJSON struct {
	ID         int64           `json:"id"`
	Edition    int64           `json:"edition"`
	Follow     int64           `json:"follow,omitempty"`
	Send       int64           `json:"send,omitempty"`
	Slot       string          `json:"slot,omitempty"` // of the follow, on the wall clock of zone: 2026-11-22T08:00
	Zone       string          `json:"zone,omitempty"` // none: the follow has ended
	Channel    string          `json:"channel"`
	Chat       string          `json:"chat"`
	State      scheduler.State `json:"state"`
	Due        time.Time       `json:"due"`
	Attempt    int             `json:"attempt"`
	Way        string          `json:"way,omitempty"`
	ProviderID string          `json:"provider_id,omitempty"`
	Error      string          `json:"error,omitempty"` // why it did not arrive, or may not have
	Note       string          `json:"note,omitempty"`  // anything else there is to know
	Updated    time.Time       `json:"updated"`
	Topic      string          `json:"topic,omitempty"`
	Kind       string          `json:"kind"`
	Articles   []int64         `json:"articles"`
}

func forPrograms(d scheduler.Delivery) deliveryJSON {
	out := deliveryJSON{
		ID: d.ID, Edition: d.Edition, Follow: d.Follow, Send: d.Send, Slot: d.Slot, Zone: d.Zone, Channel: d.To.Channel, Chat: d.To.ID, State: d.State, Due: d.Due.UTC(), Attempt: d.Attempt,
		Way: d.Way, ProviderID: d.ProviderID, Updated: d.Updated.UTC(), Topic: d.Topic, Kind: d.Kind, Articles: d.Articles,
	}
	switch d.State {
	case scheduler.Failed, scheduler.Gone, scheduler.Unknown:
		out.Error = d.Error
	default:
		out.Note = noteOf(d)
	}
	return out
}

func digestCancel(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "cancel DELIVERY", Short: "Keep a digest that has not gone out from going out",
		Long: "Cancel ends a delivery, given by its number in newsie deliveries, that is\nplanned or held: a mass send after its preview, a post, or a reader's digest.",
		Args: one("which delivery, by its number; newsie deliveries lists them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of a delivery; newsie deliveries lists them", args[0])
			}
			return p.with(cmd, func(in *installation) error {
				state, ok, err := scheduler.NewLedger(in.db, time.Now).Cancel(cmd.Context(), id)
				switch {
				case errors.Is(err, scheduler.ErrNoDelivery):
					return fmt.Errorf("there is no delivery %d; newsie deliveries lists them", id)
				case err != nil:
					return err
				case ok:
					_, err = fmt.Fprintf(p.stdout, "Delivery %d is cancelled.\n", id)
					return err
				case state == scheduler.Accepted:
					return fmt.Errorf("delivery %d was handed to WeChat already; while it waits for a confirmation there, an administrator can refuse it", id)
				case state == scheduler.Sending:
					return fmt.Errorf("delivery %d is being sent at this moment", id)
				}
				return fmt.Errorf("delivery %d has ended: it is %s", id, state)
			})
		},
	}
}

// digestDeliveries is newsie deliveries by the name that it had before.
func digestDeliveries(p *program) *cobra.Command {
	c := deliveriesCommand(p)
	c.Short += " (newsie deliveries)"
	c.Hidden = true
	return c
}
