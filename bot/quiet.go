package bot

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/scheduler/timetable"
)

// Silent tells which of many chats are in their quiet hours at a moment, each
// on its own clock; those that are not are left out. channels give the hours
// and zones of chats that chose none.
func (c *Chats) Silent(ctx context.Context, channels map[string]Channel, chats []ChatID, at time.Time) (map[ChatID]bool, error) {
	known, err := c.loadMany(ctx, chats)
	if err != nil {
		return nil, err
	}
	silent := map[ChatID]bool{}
	for _, id := range chats {
		if quietAt(known[id], channels[id.Channel], at) {
			silent[id] = true
		}
	}
	return silent, nil
}

// Silent tells which of many chats are in their quiet hours at a moment; those
// that are not are left out.
func (b *Bot) Silent(ctx context.Context, chats []ChatID, at time.Time) (map[ChatID]bool, error) {
	return b.chats.Silent(ctx, b.channels, chats, at)
}

// quietOff is the Quiet of a chat that wants no quiet hours.
const quietOff = "off"

// quietSpan are the hours without a sound of a chat; ok is false when it has none.
func quietSpan(chat Chat, channel Channel) (span timetable.Span, ok bool) {
	text := chat.Quiet
	if text == "" {
		text = channel.Quiet
	}
	span, err := timetable.ParseSpan(text) // "" and "off" are none
	return span, err == nil
}

func quietAt(chat Chat, channel Channel, at time.Time) bool {
	span, ok := quietSpan(chat, channel)
	if !ok {
		return false
	}
	zone := time.UTC
	for _, name := range []string{channel.Zone, chat.Zone} {
		if z, err := loadZone(name); err == nil {
			zone = z
		}
	}
	return span.Has(at.In(zone))
}

// manyAtOnce is how many chats one query asks for.
const manyAtOnce = 1000

// loadMany gives what is known of the quiet hours of many chats.
func (c *Chats) loadMany(ctx context.Context, chats []ChatID) (map[ChatID]Chat, error) {
	known := map[ChatID]Chat{}
	for len(chats) > 0 {
		some := chats[:min(manyAtOnce, len(chats))]
		chats = chats[len(some):]
		var where []string
		var args []any
		for channel, ids := range byChannel(some) { // in this form both databases use the key
			where, args = append(where, "channel = ? AND id IN (?)"), append(args, channel, bun.List(ids))
		}
		var rows []struct{ Channel, ID, Zone, Quiet string }
		err := c.db.Reader().NewRaw("SELECT channel, id, zone, quiet FROM chats WHERE "+strings.Join(where, " OR "), args...).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("look up quiet hours: %w", err)
		}
		for _, r := range rows {
			known[ChatID{r.Channel, r.ID}] = Chat{Zone: r.Zone, Quiet: r.Quiet}
		}
	}
	return known, nil
}

func byChannel(chats []ChatID) map[string][]string {
	ids := map[string][]string{}
	for _, chat := range chats {
		ids[chat.Channel] = append(ids[chat.Channel], chat.ID)
	}
	return ids
}

// offered are the hours that buttons offer.
func offered() []string { return []string{"22:00-08:00", "23:00-07:00", "00:00-06:00"} }

// quiet shows or sets the hours in which digests come without a sound.
func (b *Bot) quiet(ctx context.Context, t *turn, arg string) (Reply, error) {
	if !t.channel.Silent {
		return Reply{Text: t.T("bot.quiet_cannot"), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}, nil
	}
	before := t.chat.Quiet
	switch choice, _ := meaning(switches(), arg); {
	case arg == "":
	case choice == quietOff:
		t.chat.Quiet = quietOff
	case choice == "on":
		if t.chat.Quiet = ""; t.channel.Quiet == "" {
			t.chat.Quiet = offered()[0]
		}
	default:
		span, ok := timetable.SpanInWords(arg)
		if !ok {
			reply := Reply{Text: t.T("bot.quiet_syntax", "Hours", short(arg, 40), "Usage", t.T("command.quiet.usage"))}
			reply.Actions = quietActions(t)
			return reply, nil
		}
		t.chat.Quiet = span.String()
	}
	if t.chat.Quiet != before {
		if err := b.chats.save(ctx, b.db, t.Chat, t.chat); err != nil {
			return Reply{}, err
		}
	}
	return b.sayQuiet(t, arg != ""), nil
}

// sayQuiet tells the hours; chosen: the reader has just chosen them.
func (b *Bot) sayQuiet(t *turn, chosen bool) Reply {
	span, on := quietSpan(t.chat, t.channel)
	key := "bot.quiet_none"
	switch {
	case on && chosen:
		key = "bot.quiet_set"
	case on:
		key = "bot.quiet_is"
	case chosen:
		key = "bot.quiet_ended"
	}
	zone, told := b.zoneOf(t)
	reply := Reply{Text: t.T(key, "From", sayClock(span.From), "To", sayClock(span.To), "Zone", sayZone(t.Printer, zone))}
	if on && chosen && !told {
		reply.Text += "\n" + t.T("bot.zone_guessed", "Zone", sayZone(t.Printer, zone))
	}
	if !chosen {
		reply.Text += "\n" + t.T("bot.quiet_how", "Usage", t.T("command.quiet.usage"))
	}
	reply.Actions = quietActions(t)
	return reply
}

// quietActions offer other hours than the chat has, and none.
func quietActions(t *turn) []Action {
	span, on := quietSpan(t.chat, t.channel)
	var actions []Action
	for _, hours := range offered() {
		if s, err := timetable.ParseSpan(hours); err == nil && (!on || s != span) {
			actions = append(actions, Action{Label: sayClock(s.From) + "–" + sayClock(s.To), Text: "/quiet " + hours})
		}
	}
	if on {
		actions = append(actions, Action{Label: t.T("bot.quiet_off"), Text: "/quiet " + quietOff})
	}
	return actions
}

// sayClock is a time of day, from minutes after midnight.
func sayClock(minutes int) string { return fmt.Sprintf("%d:%02d", minutes/60, minutes%60) }

// hoursRule finds what looks like hours, so that hours which are not understood
// are not searched for.
var hoursRule = regexp.MustCompile(`^\d{1,2}(\D|$)`)

// isHours tells whether what follows a command's word is hours, or looks like some.
func isHours(arg string) bool {
	if _, ok := meaning(switches(), arg); ok {
		return true
	}
	_, ok := timetable.SpanInWords(arg)
	return ok || hoursRule.MatchString(arg)
}
