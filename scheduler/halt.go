package scheduler

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

const (
	haltAfter   = 3                // configuration errors in a row, nothing sent between, that make a channel stand still
	doubtAfter  = 5                // messages in doubt in a row that do
	shortHalt   = time.Minute      // before the first probe; each one that fails doubles it
	longHalt    = 30 * time.Minute // and no longer than this
	probeLease  = time.Minute      // for a probe's result; then another replica may try
	haltSetting = "halt:"          // and the channel's name
)

// A Halt is a channel that stands still, because its platform refuses
// everything (a token, an address, a right), or because its answers are lost and
// each message would end in doubt. All replicas obey it, and it lasts over
// restarts. From time to time one message is tried, by one replica.
type Halt struct {
	Channel string    `json:"channel"`
	Since   time.Time `json:"since"`
	Probe   time.Time `json:"probe"`    // when a message is tried next
	Probes  int       `json:"probes"`   // that failed
	InDoubt bool      `json:"in_doubt"` // no refusal: nobody can tell whether its messages arrive
	Problem string    `json:"problem"`
	Advice  string    `json:"advice,omitempty"`
}

// haltRow is a Halt as a setting.
type haltRow struct {
	Since   int64  `json:"since"`
	Until   int64  `json:"until"`
	Probes  int    `json:"probes,omitempty"`
	InDoubt bool   `json:"in_doubt,omitempty"`
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Config  string `json:"config,omitempty"` // the channel's, when it was refused
}

func (r haltRow) text() string {
	data, _ := json.Marshal(r) // strings and numbers
	return string(data)
}

// next is the halt after one more refusal.
func (r haltRow) next(now time.Time, known bool) (haltRow, time.Duration) {
	if !known {
		r.Since, r.Probes = now.UnixMilli(), 0
	} else {
		r.Probes++
	}
	d := min(shortHalt<<min(r.Probes, 10), longHalt)
	r.Until = now.Add(d).UnixMilli()
	return r, d
}

// A halt is what a process knows of its channel's.
type halt struct {
	mu      sync.Mutex
	refused int       // configuration errors in a row
	doubts  int       // messages in doubt in a row
	until   time.Time // nothing is tried before
	row     string    // as it was last seen; "": none
	probing bool      // one message is on its way, everything else waits
}

func (h *halt) left(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.until.Sub(now))
}

// seen is the row as it was last seen.
func (h *halt) seen() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.row
}

// underWay: a probe has no result yet.
func (h *halt) underWay() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.probing
}

// mayClaim tells how many deliveries may be claimed now: as usual, none, or, of a
// channel that stands still and is due to be tried, a single one.
func (c *courier) mayClaim(ctx context.Context) (n int, err error) {
	h := &c.halt
	before := h.seen()
	text, row, ok, err := c.loadHalt(ctx)
	if err != nil {
		return 0, err
	}
	now := c.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.row != before { // halted, or resumed, by what became of a message meanwhile
		return 0, nil
	}
	if !ok {
		if h.row != "" && text == "" { // resumed by another replica, or by the publisher
			h.refused, h.doubts = 0, 0
		}
		h.row, h.until, h.probing = text, time.Time{}, false
		return claimBatch, nil
	}
	until := time.UnixMilli(row.Until)
	h.row = text
	if until.After(now) && until.Sub(now) <= longHalt { // beyond, the clock was set back
		if !h.probing {
			h.until = until
		}
		return 0, nil
	}
	row.Until = now.Add(probeLease).UnixMilli()
	won, err := c.settings.Swap(ctx, haltSetting+c.channel.Name, text, row.text())
	if err != nil || !won {
		return 0, err
	}
	h.row, h.until, h.probing = row.text(), time.Time{}, true
	return 1, nil
}

// loadHalt reads the channel's halt. One of another configuration says nothing
// about this one.
func (c *courier) loadHalt(ctx context.Context) (text string, row haltRow, ok bool, err error) {
	text, ok, err = c.settings.Load(ctx, haltSetting+c.channel.Name)
	if err != nil || !ok {
		return "", row, false, err
	}
	if json.Unmarshal([]byte(text), &row) != nil || row.Config != c.channel.Config {
		return text, haltRow{}, false, nil
	}
	return text, row, true, nil
}

// A trouble is why a channel may have to stand still.
type trouble struct {
	inDoubt         bool
	problem, advice string
}

// refusedAll counts a configuration error and tells how long its message waits.
// After some of them the channel stands still, and the publisher is told.
func (c *courier) refusedAll(ctx context.Context, attempt int, fault *bot.ConfigError) time.Duration {
	ctx = context.WithoutCancel(ctx)
	wait, first := c.stand(ctx, attempt, trouble{problem: fault.Err.Error(), advice: fault.Advice})
	if first {
		c.logger.Error("a channel is at fault, its digests wait", "channel", c.channel.Name, "error", fault)
		c.notify(ctx, "channel-fault-"+c.channel.Name, fmt.Sprintf(
			"The channel %s does not take messages: %v. %sIts digests wait. newsie tries again by itself, and at once after: newsie channel resume %s",
			c.channel.Name, fault.Err, ended(fault.Advice), c.channel.Name))
	}
	return wait
}

// unanswered counts a message in doubt. A platform that takes messages and loses
// its answers would leave a whole digest in doubt, and one that is down as well: after
// some in a row the channel stands still, and the publisher is told.
func (c *courier) unanswered(ctx context.Context, err error) {
	ctx = context.WithoutCancel(ctx)
	listed := "newsie deliveries --state unknown --channel " + c.channel.Name
	_, first := c.stand(ctx, 1, trouble{
		inDoubt: true, problem: "messages go out and no answer says whether they arrived: " + err.Error(),
		advice: "see whether its platform is well and reached from here; " + listed + " shows what is in doubt",
	})
	if !first {
		return
	}
	c.logger.Error("a channel's messages are in doubt, the others wait", "channel", c.channel.Name, "error", err)
	c.notify(ctx, "channel-doubt-"+c.channel.Name, fmt.Sprintf(
		"Nobody can tell whether messages on the channel %s arrive: %d in a row got no clear answer (%v). What has not gone out waits. newsie tries one message now and then, and at once after: newsie channel resume %s. What is in doubt: %s",
		c.channel.Name, doubtAfter, err, c.channel.Name, listed))
}

// stand counts a trouble, and tells how long its message waits; first: the channel
// stands still now, or for another reason than it did.
func (c *courier) stand(ctx context.Context, attempt int, why trouble) (wait time.Duration, first bool) {
	h := &c.halt
	h.mu.Lock()
	defer h.mu.Unlock()
	now := c.now()
	if left := h.until.Sub(now); left > 0 { // it was under way when the channel was halted
		return left, false
	}
	n, most := &h.refused, haltAfter
	if why.inDoubt {
		n, most = &h.doubts, doubtAfter
	}
	if *n++; *n < most && !h.probing {
		return wiggle(max(backoff(attempt), shortHalt)), false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, old, known, err := c.loadHalt(ctx)
	if err == nil && known && !h.probing && time.UnixMilli(old.Until).After(now) {
		h.until = time.UnixMilli(old.Until) // another replica was first
		return h.until.Sub(now), false
	}
	row, d := old.next(now, known)
	row.InDoubt, row.Problem, row.Advice, row.Config = why.inDoubt, clean(why.problem), clean(why.advice), c.channel.Config
	h.row, h.until, h.probing = row.text(), time.UnixMilli(row.Until), false
	if err == nil {
		err = c.settings.Save(ctx, haltSetting+c.channel.Name, h.row, 0)
	}
	if err != nil {
		c.logger.Error("the other replicas could not be told that a channel stands still", "channel", c.channel.Name, "error", err)
	}
	return d, !known || old.InDoubt != why.inDoubt
}

// ended gives a sentence that another one follows its full stop.
func ended(s string) string {
	if s == "" {
		return s
	}
	return strings.TrimRight(s, ".") + ". "
}

// works: the platform took something from this channel, or said why not as it
// does to those it knows. It ends a halt.
func (c *courier) works(ctx context.Context) {
	h := &c.halt
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused, h.doubts = 0, 0
	if h.row == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := c.settings.Delete(ctx, haltSetting+c.channel.Name); err != nil {
		c.logger.Error("the end of a channel's halt could not be written; it is tried again", "channel", c.channel.Name, "error", err)
		return
	}
	h.row, h.until, h.probing = "", time.Time{}, false
	c.logger.Info("a channel takes messages again", "channel", c.channel.Name)
	c.rouse()
	c.db.Announce(database.Signal{Name: SignalName, What: c.channel.Name})
}

// Halts lists the channels that stand still.
func (l *Ledger) Halts(ctx context.Context) ([]Halt, error) {
	rows, err := bot.NewSettings(l.db, l.now).List(ctx, haltSetting)
	if err != nil {
		return nil, err
	}
	list := []Halt{}
	for name, text := range rows {
		var row haltRow
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			return nil, fmt.Errorf("read the setting %s: %w", name, err)
		}
		list = append(list, Halt{
			Channel: strings.TrimPrefix(name, haltSetting), Since: time.UnixMilli(row.Since), Probe: time.UnixMilli(row.Until),
			Probes: row.Probes, InDoubt: row.InDoubt, Problem: row.Problem, Advice: row.Advice,
		})
	}
	slices.SortFunc(list, func(a, b Halt) int { return cmp.Compare(a.Channel, b.Channel) })
	return list, nil
}

// ResumeChannel ends a channel's halt; what waits is due at once. ok is false
// when the channel does not stand still.
func (l *Ledger) ResumeChannel(ctx context.Context, channel string) (ok bool, err error) {
	err = l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.ExecContext(ctx, "DELETE FROM settings WHERE name = ?", haltSetting+channel)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if ok = n > 0; err != nil || !ok {
			return err
		}
		now := l.now().UnixMilli()
		// Answers were due an hour before they were planned, and stay first.
		_, err = tx.ExecContext(ctx, "UPDATE deliveries SET due_at = ?, updated_at = ? WHERE channel = ? AND state = ? AND attempt > 0 AND due_at > ?",
			now, now, channel, Planned, now)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("resume the channel %s: %w", channel, err)
	}
	l.wake()
	l.db.Announce(database.Signal{Name: SignalName, What: channel})
	return ok, nil
}
