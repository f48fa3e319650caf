package bot

import (
	"context"
	"fmt"
	"strings"
	"time"

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
		marks, args := make([]string, len(some)), make([]any, 0, 2*len(some))
		for i, id := range some {
			marks[i], args = "(?, ?)", append(args, id.Channel, id.ID)
		}
		var rows []struct{ Channel, ID, Zone, Quiet string }
		err := c.db.Reader().NewRaw("SELECT channel, id, zone, quiet FROM chats WHERE (channel, id) IN (VALUES "+strings.Join(marks, ", ")+")", args...).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("look up quiet hours: %w", err)
		}
		for _, r := range rows {
			known[ChatID{r.Channel, r.ID}] = Chat{Zone: r.Zone, Quiet: r.Quiet}
		}
	}
	return known, nil
}
