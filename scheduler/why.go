package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"newsie/bot"
	"newsie/content"
	"newsie/scheduler/timetable"
)

// A Verdict is in one word whether a chat got an article.
type Verdict string

// The verdicts.
const (
	Got     Verdict = "got"
	Coming  Verdict = "coming"
	InDoubt Verdict = "in doubt"
	NotGot  Verdict = "not got"
)

// Why tells why a chat got, or did not get, an article unasked.
type Why struct {
	Channel string   `json:"channel"`
	Chat    string   `json:"chat"`
	Article int64    `json:"article"`
	Title   string   `json:"title"`
	Verdict Verdict  `json:"verdict"`
	Reasons []Reason `json:"reasons"` // what explains most comes first
}

// A Reason is one fact that Why goes by.
type Reason struct {
	Code     string     `json:"code"` // for programs; it never changes
	Text     string     `json:"text"` // in plain English
	Follow   int64      `json:"follow,omitempty"`
	Delivery int64      `json:"delivery,omitempty"`
	State    State      `json:"state,omitempty"`
	At       *time.Time `json:"at,omitempty"`
}

// whyFollow is a follow as Why looks at it.
type whyFollow struct {
	followRow
	State       string
	PausedUntil int64
	Waits       int64
	CreatedAt   int64
}

// An asking is one question of Why.
type asking struct {
	*Scheduler
	now     time.Time
	chat    bot.ChatID
	article content.Article
	state   string // the chat's
	coming  bool   // by a follow's next digest
	reasons []Reason
}

func (q *asking) say(r Reason) { q.reasons = append(q.reasons, r) }

// Why explains what became of an article in a chat: of every delivery that held
// it, and of every follow that brought none. It goes by the ledger, which forgets
// what ended long ago, and by the follows as they are now.
func (s *Scheduler) Why(ctx context.Context, chat bot.ChatID, article content.Article) (Why, error) {
	q := &asking{Scheduler: s, now: s.config.Now(), chat: chat, article: article}
	w := Why{Channel: chat.Channel, Chat: chat.ID, Article: article.ID, Title: article.Title, Verdict: NotGot}
	var states []string
	if err := q.Planner.db.Reader().NewRaw("SELECT state FROM chats WHERE channel = ? AND id = ?", chat.Channel, chat.ID).Scan(ctx, &states); err != nil {
		return w, fmt.Errorf("read the chat %s: %w", chat, err)
	}
	if len(states) > 0 {
		q.state = states[0]
	}
	follows, err := q.follows(ctx)
	if err != nil {
		return w, err
	}
	deliveries, err := q.List(ctx, Filter{Channel: chat.Channel, Chat: chat.ID, Article: article.ID}, 100)
	if err != nil {
		return w, err
	}
	brought := map[int64]bool{}
	for _, d := range deliveries {
		brought[d.Follow] = true
		if err := q.delivery(ctx, d, follows); err != nil {
			return w, err
		}
		w.Verdict = better(w.Verdict, verdictOf(d.State))
	}
	top, err := q.pinned(ctx)
	if err != nil {
		return w, err
	}
	w.Verdict = better(w.Verdict, top)
	q.aboutArticle()
	if err := q.aboutChannel(ctx); err != nil {
		return w, err
	}
	q.aboutChat(len(states) > 0, len(follows), len(deliveries))
	for _, f := range follows {
		if !brought[f.ID] {
			if err := q.follow(ctx, f); err != nil {
				return w, err
			}
		}
	}
	if err := q.audiences(ctx); err != nil {
		return w, err
	}
	if q.coming {
		w.Verdict = better(w.Verdict, Coming)
	}
	w.Reasons = q.reasons
	return w, nil
}

func verdictOf(s State) Verdict {
	switch s {
	case Sent:
		return Got
	case Unknown:
		return InDoubt
	case Planned, Claimed, Sending, Accepted, Held:
		return Coming
	}
	return NotGot
}

// better is the verdict that says more of two.
func better(a, b Verdict) Verdict {
	order := []Verdict{NotGot, Coming, InDoubt, Got}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

func (q *asking) follows(ctx context.Context) ([]whyFollow, error) {
	var rows []whyFollow
	err := q.Planner.db.Reader().NewRaw(`SELECT id, channel, chat, topic, query, lang, spec, zone, last_slot, next_due_at, since_seq, state, paused_until, waits, created_at
		FROM follows WHERE channel = ? AND chat = ? ORDER BY id`, q.chat.Channel, q.chat.ID).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the follows of %s: %w", q.chat, err)
	}
	return rows, nil
}

// at writes a time on the follow's clock.
func (f whyFollow) at(t time.Time) string { return clockOf(t, f.Zone) }

func clockOf(t time.Time, zone string) string {
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	return t.In(location).Format("2006-01-02 15:04") + " " + location.String()
}

// name is a follow as the publisher knows it.
func (f whyFollow) name() string {
	topic := "“" + f.Topic + "”"
	if f.Query == "*" {
		topic = "everything"
	}
	return fmt.Sprintf("Follow %d (%s, %s)", f.ID, topic, f.Spec)
}

func (q *asking) aboutArticle() {
	switch q.article.State {
	case content.Published, "":
	case content.Waiting:
		q.say(Reason{Code: "article-waiting", Text: "The article is dated in the future: readers get it when its date comes."})
	default:
		q.say(Reason{Code: "article-hidden", Text: fmt.Sprintf("The article is not published (%s): readers see it nowhere, and digests leave it out.", q.article.State)})
	}
	if q.article.AddedSeq > q.Planner.finder.Seq() {
		q.say(Reason{Code: "index-behind", Text: "The index has not come to this article yet; digests hold it when it has."})
	}
	if q.article.Story != 0 && q.article.Story != q.article.ID {
		q.say(Reason{Code: "copy", Text: fmt.Sprintf("It tells the same story as article %d, which readers could see first; whoever was offered that one is not offered this one.", q.article.Story)})
	}
}

// aboutChannel tells what keeps everything from going out.
func (q *asking) aboutChannel(ctx context.Context) error {
	if _, ok := q.Planner.outlets[q.chat.Channel]; !ok {
		q.say(Reason{Code: "no-channel", Text: fmt.Sprintf("The configuration has no channel %s: nothing goes out there.", q.chat.Channel)})
	}
	halts, err := q.Halts(ctx)
	if err != nil {
		return err
	}
	for _, h := range halts {
		if h.Channel == q.chat.Channel {
			q.say(Reason{Code: "channel-stands-still", At: &h.Since, Text: fmt.Sprintf("The channel %s stands still since %s: %s. What waits goes out when its platform takes messages again.",
				h.Channel, clockOf(h.Since, "UTC"), h.Problem)})
		}
	}
	return nil
}

func (q *asking) aboutChat(known bool, follows, deliveries int) {
	switch {
	case q.state == "stopped":
		q.say(Reason{Code: "stopped", Text: "The reader said “stop”: nothing is sent to this chat unasked."})
	case q.state == "suspended":
		q.say(Reason{Code: "suspended", Text: "The chat could not be reached (newsie was blocked or removed): its follows rest until the reader writes again."})
	case !known && follows == 0 && deliveries == 0:
		q.say(Reason{Code: "no-chat", Text: fmt.Sprintf("newsie knows no chat %s on the channel %s.", q.chat.ID, q.chat.Channel)})
		return
	}
	if follows == 0 {
		q.say(Reason{Code: "no-follow", Text: "This chat follows nothing."})
	}
}

// delivery says what became of one that holds the article.
func (q *asking) delivery(ctx context.Context, d Delivery, follows []whyFollow) error {
	zone, of := "UTC", "a digest"
	if i := slices.IndexFunc(follows, func(f whyFollow) bool { return f.ID == d.Follow }); i >= 0 {
		zone, of = cmp.Or(follows[i].Zone, zone), "the digest of f"+follows[i].name()[1:]
	} else if d.Follow != 0 {
		of = "the digest of a follow that has ended (“" + d.Topic + "”)"
	} else if d.Kind != KindFollow {
		of = "a message of the publisher's"
	}
	r := Reason{Code: "delivery-" + string(d.State), Delivery: d.ID, Follow: d.Follow, State: d.State, At: &d.Updated}
	place, beyond, err := q.place(ctx, d)
	if err != nil {
		return err
	}
	if beyond {
		r.Code += "-beyond"
	}
	slot := ""
	if d.Slot != "" {
		slot = " of " + strings.Replace(d.Slot, "T", " ", 1)
	}
	r.Text = fmt.Sprintf("It is in %s%s: delivery %d %s.%s", of, slot, d.ID, q.fate(d, zone), place)
	q.say(r)
	return nil
}

// fate is a delivery's state in words.
func (q *asking) fate(d Delivery, zone string) string {
	when, because := clockOf(d.Updated, zone), ""
	if d.Error != "" {
		because = ": " + strings.TrimRight(d.Error, ".")
	}
	switch d.State {
	case Planned:
		if d.Attempt > 0 {
			return fmt.Sprintf("was tried %d× and is tried again at %s%s", d.Attempt, clockOf(d.Due, zone), because)
		}
		return "is planned for " + clockOf(d.Due, zone) + because
	case Claimed:
		return "is being prepared right now"
	case Sending:
		return "is being sent right now"
	case Accepted:
		return "was taken by the platform at " + when + ", which has not told the result yet"
	case Sent:
		if d.Way == "held" {
			return "was handed over with the reader's next answer, at " + when
		}
		return "was sent at " + when
	case Held:
		return "waits for the reader's next message: the platform takes none before" + because
	case Gone:
		return "could not arrive, because the chat is gone (blocked or deleted), at " + when
	case Failed:
		return "failed at " + when + because
	case Unknown:
		return "is in doubt since " + when + ": nobody can tell whether it arrived, and it is not sent again by itself (newsie deliveries retry " + fmt.Sprint(d.ID) + " does)" + because
	case Cancelled:
		return "was cancelled at " + when + because
	}
	return "is " + string(d.State) + because
}

// audiences tells of messages to everybody on the channel that held the article.
func (q *asking) audiences(ctx context.Context) error {
	if q.chat.Audience() {
		return nil
	}
	var rows []struct {
		ID        int64
		Chat      string
		State     State
		UpdatedAt int64
	}
	f := Filter{Channel: q.chat.Channel, Article: q.article.ID}
	where, args := f.where()
	err := q.Planner.db.Reader().NewRaw("SELECT d.id, d.chat, d.state, d.updated_at FROM deliveries d JOIN editions e ON e.id = d.edition"+where+
		" AND d.chat LIKE ? ORDER BY d.id DESC LIMIT 5", append(args, bot.Everybody+"%")...).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("read what went to everybody: %w", err)
	}
	for _, row := range rows {
		at := time.UnixMilli(row.UpdatedAt)
		q.say(Reason{Code: "audience", Delivery: row.ID, State: row.State, At: &at,
			Text: fmt.Sprintf("Beside this chat, delivery %d took it to %s on %s: it is %s since %s.",
				row.ID, placeOf(bot.ChatID{Channel: q.chat.Channel, ID: row.Chat}), q.chat.Channel, row.State, clockOf(at, "UTC"))})
	}
	return nil
}

// lastSlot is when the slot that a follow was planned for last came.
func (f whyFollow) lastSlot() (time.Time, bool) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		return time.Time{}, false
	}
	at, err := time.ParseInLocation(timetable.WallLayout, f.LastSlot, zone)
	return at, err == nil
}
