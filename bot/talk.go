package bot

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"newsie/bot/origin"
)

func escapePath(s string) string { return url.PathEscape(s) }

// help is made from the table of commands.
func (b *Bot) help(_ context.Context, t *turn, _ string) (Reply, error) {
	lines := []string{t.T("bot.help_intro", "Name", b.name)}
	for _, c := range commands() {
		if c.hidden || c.silent && !t.channel.Silent {
			continue
		}
		usage := t.T("command." + c.name + ".usage")
		lines = append(lines, usage+" — "+t.T("command."+c.name+".help"))
	}
	return Reply{Text: strings.Join(lines, "\n"), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, nil
}

// start greets a reader, or opens what a deep link or a scanned code names.
func (b *Bot) start(ctx context.Context, t *turn, arg string) (Reply, error) {
	p, _ := ParsePayload(arg)
	if p.Topic != "" {
		if reply, is, err := b.denied(ctx, t, false, p.Topic); is || err != nil {
			return reply, err
		}
	}
	if p.Article == 0 && p.Topic == "" {
		return b.join(ctx, t)
	}
	if err := b.chats.Resume(ctx, t.Chat); err != nil { // who opens a link came back too
		return Reply{}, err
	}
	var reply Reply
	var err error
	if p.Article != 0 {
		reply, err = b.open(ctx, t, p.Article)
	} else {
		reply, err = b.proposed(ctx, t, p.Topic)
	}
	if err != nil {
		return Reply{}, err
	}
	return b.greeted(ctx, t, reply)
}

// join welcomes a reader who came, or came back: follows that were suspended go on.
func (b *Bot) join(ctx context.Context, t *turn) (Reply, error) {
	if err := b.chats.Resume(ctx, t.Chat); err != nil {
		return Reply{}, err
	}
	if t.came.Welcome != (origin.Welcome{}) {
		return b.ownWelcome(ctx, t, t.came.Welcome)
	}
	return b.greeting(ctx, t)
}

// greeting is what everybody hears who comes.
func (b *Bot) greeting(ctx context.Context, t *turn) (Reply, error) {
	if reply, said, err := b.welcome(ctx, t); said || err != nil {
		return reply, err
	}
	if t.Public { // it must not fill a screen that others talk on
		key := "bot.welcome_group"
		if t.channel.Manages != nil {
			key = "bot.welcome_group_managed"
		}
		return Reply{Text: t.T(key, "Name", b.name), Actions: []Action{{Label: t.T("bot.newest"), Text: "/latest"}}}, nil
	}
	return b.hint(ctx, t, t.T("bot.welcome", "Name", b.name)+"\n"+t.T("bot.welcome_hints"))
}

// thanks answers politeness.
func (b *Bot) thanks(ctx context.Context, t *turn, _ string) (Reply, error) {
	return b.hint(ctx, t, t.T("bot.welcome_back"))
}

// leave ends what a chat has: forgotten where the platform demands it,
// suspended where the reader may come back. A group or channel that removed us
// wants no more digests; being added again is a new beginning.
func (b *Bot) leave(ctx context.Context, t *turn) error {
	if err := b.left(ctx, t); err != nil {
		return err
	}
	switch {
	case t.channel.ForgetOnLeave:
		return b.forgetChat(ctx, t.Chat)
	case t.Public:
		return b.chats.End(ctx, t.Chat)
	}
	return b.chats.Suspend(ctx, t.Chat)
}

// media answers what is no text: a link, or what Text names the kind of.
func (b *Bot) media(ctx context.Context, t *turn) (Reply, error) {
	if t.Link != "" {
		return b.shared(ctx, t)
	}
	key := "bot.media_other"
	switch t.Text {
	case "picture", "sticker", "voice", "video", "place":
		key = "bot.media_" + t.Text
	}
	return b.hint(ctx, t, t.T(key))
}

// stop ends all messages that the reader did not ask for.
func (b *Bot) stop(ctx context.Context, t *turn, _ string) (Reply, error) {
	n, err := b.chats.Unfollow(ctx, t.Chat, 0, "")
	if err != nil {
		return Reply{}, err
	}
	text := t.T("bot.stopped", "Count", n)
	if n == 0 {
		text = t.T("bot.stopped_already")
	}
	return Reply{Text: text, Actions: []Action{{Label: t.T("bot.forget_me"), Text: "/forget"}}}, nil
}

func (b *Bot) forgetMe(ctx context.Context, t *turn, _ string) (Reply, error) {
	if err := b.forgetChat(ctx, t.Chat); err != nil {
		return Reply{}, err
	}
	return Reply{Text: t.T("bot.forgotten")}, nil
}

func (b *Bot) forgetChat(ctx context.Context, chat ChatID) error {
	for _, f := range b.forget {
		if err := f(ctx, chat); err != nil {
			return err
		}
	}
	if b.origins != nil {
		if err := b.origins.Credits.Forget(ctx, ReaderOf(chat)); err != nil {
			return err
		}
	}
	return b.chats.Forget(ctx, chat)
}

// language shows or sets the language newsie speaks to the reader.
func (b *Bot) language(ctx context.Context, t *turn, arg string) (Reply, error) {
	chosen, ok := meaning(languages(), arg)
	if !ok {
		reply := Reply{Text: t.T("bot.language_which")}
		if arg != "" {
			reply.Text = t.T("bot.language_unknown", "Language", short(arg, 30)) + "\n" + reply.Text
		}
		for _, l := range [][2]string{{"zh-Hans", "简体中文"}, {"zh-Hant", "繁體中文"}, {"en", "English"}, {"it", "Italiano"}} {
			reply.Actions = append(reply.Actions, Action{Label: l[1], Text: "/lang " + l[0]})
		}
		return reply, nil
	}
	t.chat.Lang = chosen
	if err := b.chats.save(ctx, b.db, t.Chat, t.chat); err != nil {
		return Reply{}, err
	}
	if _, err := b.db.ExecContext(ctx, "UPDATE follows SET lang = ? WHERE channel = ? AND chat = ?", chosen, t.Chat.Channel, t.Chat.ID); err != nil {
		return Reply{}, fmt.Errorf("change the language of follows: %w", err)
	}
	t.Printer = b.catalog.Printer(chosen)
	return Reply{Lang: chosen, Text: t.T("bot.language_set")}, nil
}

// zone shows or sets the clock that the reader's digests go by.
func (b *Bot) zone(ctx context.Context, t *turn, arg string) (Reply, error) {
	current, _ := b.zoneOf(t)
	if arg == "" {
		return Reply{Text: t.T("bot.zone_is", "Zone", sayZone(t.Printer, current), "Time", b.now().In(current).Format("15:04"))}, nil
	}
	zone, ok := parseZone(arg)
	if !ok {
		return Reply{Text: t.T("bot.zone_unknown", "Zone", short(arg, 40))}, nil
	}
	t.chat.Zone = zone.String()
	if err := b.chats.save(ctx, b.db, t.Chat, t.chat); err != nil {
		return Reply{}, err
	}
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	for _, f := range follows {
		if err := b.chats.reschedule(ctx, f, zone); err != nil {
			return Reply{}, err
		}
	}
	return Reply{Text: t.T("bot.zone_set", "Zone", sayZone(t.Printer, zone), "Time", b.now().In(zone).Format("15:04"))}, nil
}

// zoneOf is the clock a reader lives by, and whether the reader or the platform told us.
func (b *Bot) zoneOf(t *turn) (zone *time.Location, told bool) {
	for _, name := range []string{t.chat.Zone, t.Zone} {
		if z, err := loadZone(name); err == nil {
			return z, true
		}
	}
	if z, err := loadZone(t.channel.Zone); err == nil {
		return z, false
	}
	return time.UTC, false
}

// loadZone refuses "" and "Local", which mean something else to package time.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("no time zone %q", name)
	}
	return time.LoadLocation(name)
}

// parseZone understands an IANA name, a city, or an offset such as +8 or UTC+2.
func parseZone(arg string) (*time.Location, bool) {
	folded := plain(arg)
	if name, ok := meaning(cities(), arg); ok {
		z, err := loadZone(name)
		return z, err == nil
	}
	offset := strings.TrimPrefix(strings.TrimPrefix(folded, "utc"), "gmt")
	if hours, err := strconv.Atoi(offset); err == nil && (strings.HasPrefix(offset, "+") || strings.HasPrefix(offset, "-")) && hours >= -12 && hours <= 14 {
		// The Etc zones count westwards.
		z, err := loadZone(fmt.Sprintf("Etc/GMT%+d", -hours))
		return z, err == nil
	}
	for _, name := range zoneNames(folded) {
		if z, err := loadZone(name); err == nil {
			return z, true
		}
	}
	return nil, false
}

// zoneNames are the IANA names a reader may mean by "rome" or "europe/rome".
func zoneNames(folded string) []string {
	parts := strings.FieldsFunc(folded, func(r rune) bool { return r == ' ' || r == '_' })
	for i, part := range parts {
		pieces := strings.Split(part, "/")
		for j, piece := range pieces {
			if piece != "" {
				pieces[j] = strings.ToUpper(piece[:1]) + piece[1:]
			}
		}
		parts[i] = strings.Join(pieces, "/")
	}
	name := strings.Join(parts, "_")
	if name == "" || strings.Contains(name, "..") {
		return nil
	}
	names := []string{name}
	if name == "Utc" || name == "Gmt" {
		names = []string{strings.ToUpper(name)}
	}
	if !strings.Contains(name, "/") {
		for _, region := range []string{"Europe", "Asia", "America", "Africa", "Australia", "Pacific", "Atlantic", "Indian"} {
			names = append(names, region+"/"+name)
		}
	}
	return names
}
