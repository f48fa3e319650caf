package bot

import (
	"context"

	"newsie/scheduler/timetable"
)

// changing says when a command changes what concerns a whole chat.
type changing int

const (
	neither changing = iota // it reads, or is its reader's own
	given                   // when it is given something: bare, it only tells
	anyway
)

// Manages sets who may change what a group follows and how newsie speaks there;
// see Channel.Manages. Call it before the first message.
func (b *Bot) Manages(channel string, who func(ctx context.Context, chat ChatID, from string) (bool, error)) {
	c := b.channels[channel]
	c.Manages = who
	b.channels[channel] = c
}

// do runs a command, unless it would change what is a whole group's and who
// sent it has no say there.
func (b *Bot) do(ctx context.Context, t *turn, c command, arg string) (Reply, error) {
	if c.changes == anyway || c.changes == given && arg != "" {
		topic := ""
		if c.name == "follow" {
			topic = topicOf(arg)
		}
		if denied, is, err := b.denied(ctx, t, c.always, topic); is || err != nil {
			return denied, err
		}
	}
	return c.run(b, ctx, t, arg)
}

// denied answers who may not change what concerns a group; is: they may not.
// What fails on the way is no leave: a stranger must not silence a group while
// the platform is slow. topic is what they wanted to follow, which they may
// alone. free: their message has not been counted by the flood limits yet.
func (b *Bot) denied(ctx context.Context, t *turn, free bool, topic string) (reply Reply, is bool, err error) {
	if !t.Public || t.channel.Manages == nil {
		return Reply{}, false, nil
	}
	may, err := t.channel.Manages(ctx, t.Chat, t.From)
	if may && err == nil {
		return Reply{}, false, nil
	}
	if ctx.Err() != nil { // the program stops: the message comes again
		return Reply{}, true, ctx.Err()
	}
	t.outcome = "denied"
	if free {
		if warning, is := b.tooMuch(t); is {
			return warning, true, nil
		}
	}
	if err != nil {
		b.log.Warn("a reader's standing in a group is unknown", "channel", t.Chat.Channel, "error", err)
		return Reply{Text: t.T("bot.managers_unknown")}, true, nil
	}
	reply.Text = t.T("bot.managers_only")
	if link := b.deepLink(t, Payload{Topic: topic}); topic != "" && link != "" {
		reply.Actions = []Action{{Label: t.T("bot.follow_alone"), URL: link}}
	}
	return reply, true, nil
}

// topicOf is the topic of "commerce daily 8:00".
func topicOf(arg string) string {
	if _, topic, timed := timetable.ParseWords(arg); timed {
		arg = topic
	}
	return unquote(arg)
}
