package bot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"newsie/content"
	"newsie/internal/locale"
	"newsie/scheduler/timetable"
)

// usual is when a digest comes that nobody gave a time.
const usual = "0 8 * * *"

// longestTopic is how many characters a topic may have.
const longestTopic = 40

// mostFollows is how many follows one chat may have.
const mostFollows = 20

// follow starts to follow a topic: "commerce daily 8:00".
func (b *Bot) follow(ctx context.Context, t *turn, arg string) (Reply, error) {
	words, topic, timed := timetable.ParseWords(arg)
	if reply, is, err := b.comesOnce(t, arg, topic); is || err != nil {
		return reply, err
	}
	if !timed {
		if untimed := strings.TrimSpace(timeRule.FindString(arg)); untimed != "" {
			_, err := timetable.Parse(untimed)
			return Reply{Text: b.badSchedule(t, untimed, err)}, nil
		}
		words, topic = usual, arg
	}
	topic = unquote(topic)
	if topic == "" {
		return b.followWhat(ctx, t)
	}
	if onlyLeavesOut(topic) {
		return b.hint(ctx, t, t.T("bot.only_left_out", "Query", short(topic, 60)))
	}
	if tooLong(topic) {
		return b.hint(ctx, t, t.T("bot.topic_long"))
	}
	if words == timetable.AtOnce { // as often as it may
		words = timetable.Spacing(max(t.channel.MinInterval, time.Hour))
	}
	spec, err := timetable.Parse(words)
	if err != nil {
		return Reply{Text: b.badSchedule(t, words, err)}, nil
	}
	if floor := t.channel.MinInterval; spec.MinInterval() < floor {
		return b.tooOften(t, topic, floor)
	}
	query := savedQuery(topic)
	if isEverything(query) {
		topic, query = "*", "*"
	}
	if reply, is, err := b.unmeetable(ctx, t, topic, words, timed); is || err != nil {
		return reply, err
	}
	if reply, is, err := b.stranger(ctx, t, topic, words, timed); is || err != nil {
		return reply, err
	}
	existing, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if old, ok := withQuery(existing, query); ok && !timed {
		return b.already(t, old)
	}
	if _, ok := withQuery(existing, query); len(existing) >= mostFollows && !ok {
		return Reply{Text: t.T("bot.too_many", "Count", mostFollows), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}, nil
	}
	old, _ := withQuery(existing, query)
	return b.keepFollow(ctx, t, topic, query, spec, old)
}

// tooOften tells how often the channel lets a digest come, and offers that.
func (b *Bot) tooOften(t *turn, topic string, floor time.Duration) (Reply, error) {
	key, count := "bot.too_often", int(floor.Minutes())
	switch {
	case floor == time.Hour:
		key = "bot.too_often_hour"
	case floor%time.Hour == 0:
		key, count = "bot.too_often_hours", int(floor.Hours())
	}
	reply := Reply{Text: t.T(key, "Count", count)}
	for _, words := range []string{timetable.Spacing(max(floor, time.Hour)), usual} {
		spec, err := timetable.Parse(words)
		if err != nil {
			return Reply{}, err
		}
		reply.Actions = appendFitting(reply.Actions, Action{Label: b.sayWhen(t, spec), Text: "/follow " + topic + " " + words})
	}
	return reply, nil
}

func (b *Bot) keepFollow(ctx context.Context, t *turn, topic, query string, spec timetable.Spec, old Follow) (Reply, error) {
	zone, told := b.zoneOf(t)
	next := old.next(spec, b.now(), zone)
	since, err := b.library.Last(ctx)
	if err != nil {
		return Reply{}, err
	}
	if t.channel.FromArchive {
		since = 0
	}
	f, fresh, err := b.chats.Follow(ctx, Follow{
		Channel: t.Chat.Channel, Chat: t.Chat.ID, Topic: topic, Query: query, Lang: t.Printer.Lang(),
		Spec: spec.String(), Zone: zone.String(), NextDueAt: next.UnixMilli(), SinceSeq: since,
	})
	if err != nil {
		return Reply{}, err
	}
	key := "bot.follow_changed"
	if fresh {
		if err := b.followed(ctx, t, query); err != nil {
			return Reply{}, err
		}
		key = "bot.followed"
		if spec.AsItComes() {
			key = "bot.followed_new"
		}
	}
	reply := Reply{Text: t.T(key, "Topic", t.named(f), "When", b.sayWhen(t, spec))}
	switch {
	case f.paused(b.now()):
		reply.Text += "\n" + t.T("bot.paused_until", "Time", b.sayDay(t, time.UnixMilli(f.PausedUntil), zone))
	case !spec.AsItComes():
		reply.Text += "\n" + t.T("bot.next_time", "Time", b.sayTime(t, next, zone), "Zone", sayZone(t.Printer, zone))
	}
	if found, err := b.library.Search(ctx, content.Query{Text: query, Filter: t.channel.Filter, Limit: 1}); err != nil {
		return Reply{}, err
	} else if found.Total == 0 && query != "*" {
		reply.Text += "\n" + t.T("bot.follow_nothing_yet")
	}
	if !told {
		reply.Text += "\n" + t.T("bot.zone_guessed", "Zone", sayZone(t.Printer, zone))
	}
	reply.Actions = []Action{
		{Label: t.T("bot.unfollow", "Topic", short(t.named(f), 20)), Text: fmt.Sprintf("/unfollow %d", f.ID)},
		{Label: t.T("bot.my_follows"), Text: "/following"},
	}
	if link := b.deepLink(t, Payload{Topic: f.Topic}); link != "" && !t.Public {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.share_topic"), URL: shareAddress(link, t.T("bot.share_topic_words", "Topic", t.named(f), "Name", b.name))})
	}
	return reply, nil
}

// named is what a follow is called: in the reader's words what follows
// everything, as its digests call it. A phrase is without its marks: what names a
// follow puts its own around it.
func (t *turn) named(f Follow) string {
	if f.Query == "*" {
		return TopicName(t.Printer, "*")
	}
	if phrase, ok := onlyPhrase(f.Topic); ok {
		return phrase
	}
	return TopicName(t.Printer, f.Topic)
}

func withQuery(follows []Follow, query string) (Follow, bool) {
	for _, f := range follows {
		if sameQuery(f.Query, query) {
			return f, true
		}
	}
	return Follow{}, false
}

// already answers a reader who follows a topic that is followed: its time stays.
func (b *Bot) already(t *turn, f Follow) (Reply, error) {
	spec, err := timetable.Parse(f.Spec)
	if err != nil {
		return Reply{}, fmt.Errorf("the schedule of follow %d: %w", f.ID, err)
	}
	return Reply{Text: t.T("bot.follow_already", "Topic", t.named(f), "When", b.sayWhen(t, spec)), Actions: []Action{
		{Label: t.T("bot.change_time"), Text: fmt.Sprintf("/when %d", f.ID)},
		{Label: t.T("bot.unfollow", "Topic", short(t.named(f), 20)), Text: fmt.Sprintf("/unfollow %d", f.ID)},
	}}, nil
}

// followEnded answers the button of a follow that is no more, or is not this chat's.
func followEnded(t *turn) Reply {
	return Reply{Text: t.T("bot.follow_ended"), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}
}

// proposed asks whether a topic that a link names shall be followed.
func (b *Bot) proposed(ctx context.Context, t *turn, topic string) (Reply, error) {
	query := savedQuery(topic)
	if isEverything(query) {
		topic, query = "*", "*"
	}
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if f, ok := withQuery(follows, query); ok {
		return b.already(t, f)
	}
	name, look := t.named(Follow{Topic: topic, Query: query}), "/search "+topic
	if query == "*" {
		look = "/latest"
	}
	reply := Reply{Text: t.T("bot.follow_ask", "Topic", name, "Name", b.name)}
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(name, 20)), Text: "/follow " + topic})
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.look_first"), Text: look})
	return reply, nil
}

// when offers other times for a follow: "/when ID"; "/when" asks for which.
func (b *Bot) when(ctx context.Context, t *turn, arg string) (Reply, error) {
	if arg == "" {
		return b.whenOfWhich(ctx, t)
	}
	number, spec, chosen := strings.Cut(arg, " ")
	id, _ := strconv.ParseInt(number, 10, 64)
	f, ok, err := b.chats.FollowByID(ctx, id)
	if err != nil {
		return Reply{}, err
	}
	if !ok || f.Channel != t.Chat.Channel || f.Chat != t.Chat.ID {
		return followEnded(t), nil
	}
	if chosen {
		return b.follow(ctx, t, f.Topic+" "+spec)
	}
	reply := Reply{Text: t.T("bot.when_which", "Topic", t.named(f))}
	for _, fields := range []string{"0 8 * * *", "0 20 * * *", "0 8 * * 1-5", "0 9 * * 1", timetable.Spacing(max(t.channel.MinInterval, time.Hour))} {
		spec, err := timetable.Parse(fields)
		if err != nil {
			return Reply{}, err
		}
		reply.Actions = append(reply.Actions, Action{Label: b.sayWhen(t, spec), Text: fmt.Sprintf("/when %d %s", f.ID, fields)})
	}
	return reply, nil
}

func (b *Bot) whenOfWhich(ctx context.Context, t *turn) (Reply, error) {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if len(follows) == 0 {
		return b.following(ctx, t, "")
	}
	reply := Reply{Text: t.T("bot.when_of_which")}
	for _, f := range follows {
		reply.Actions = append(reply.Actions, Action{Label: short(t.named(f), 20), Text: fmt.Sprintf("/when %d", f.ID)})
	}
	return reply, nil
}

// timeRule finds what looks like a time, so that a time which is not understood
// is not taken for a part of the topic: "at 25:99", "every 1 second", "每秒".
var timeRule = regexp.MustCompile(`(?i)(\b(at|alle|ore)\s+\d{1,2}\b|\d{1,2}[:：]\d{2}|\b(twice|three times|daily|weekly|every (day|week|hour|morning|evening|night)|(due|tre) volte|ogni (giorno|ora|settimana|mattina|sera))\b|每([天日周週晚]|小[时時])).*$` +
	`|(?i)\b((every|each)\s+(\d+|((one|two|three|five|ten|few|other|single|half( an?)?)\s+)?(second|sec|minute|min|hour|day|week|month|year)s?\b)|ogni\s+(\d+|((un|due|tre|cinque|dieci|pochi|mezz[oa])\s+)?(second[oi]|minut[oi]|or[ae]|giorn[oi]|settiman[ae]|mes[ei]|ann[oi])\b)).*$` +
	`|每隔?[\s\d０-９一二两兩三四五六七八九十百半几幾]*[个個]?([秒分][钟鐘]?|小[时時]|[钟鐘][头頭]|[刻月年])[一1]?次?[\s.。!！]*$|每隔?\s*[\d０-９]+.*$`)

// countRule finds how many times a day, which does not tell when.
var countRule = regexp.MustCompile(`(?i)\btwice\b|\btimes\b|\bvolte\b|[二两兩三四五\d]次`)

// comesOnce answers a time that comes once, "codes tomorrow", also with an hour
// that ParseWords took off: a follow comes again and again.
func (b *Bot) comesOnce(t *turn, arg, topic string) (Reply, bool, error) {
	day, rest, never, ok := timetable.OnceInWords(topic)
	if !ok {
		return Reply{}, false, nil
	}
	key := "bot.schedule_once"
	if never {
		key = "bot.schedule_never"
	}
	spec, err := timetable.Parse(usual)
	if err != nil {
		return Reply{}, true, err
	}
	reply := Reply{Text: t.T(key, "Spec", day)}
	rest = unquote(rest)
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(rest, 20)) + t.T("bot.comma") + b.sayWhen(t, spec), Text: "/follow " + rest + " " + usual})
	if !strings.ContainsAny(topic, `"“”«»`) && topic == arg { // it may belong to the topic
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(topic, 30)), Text: `/follow "` + topic + `"`})
	}
	return reply, true, nil
}

func (b *Bot) followWhat(ctx context.Context, t *turn) (Reply, error) {
	reply := Reply{Text: t.T("bot.follow_what")}
	tags, err := b.tags(ctx, t, 3)
	if err != nil {
		return Reply{}, err
	}
	for _, tag := range tags {
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", tag), Text: "/follow " + tag})
	}
	return reply, nil
}

// isEverything reports whether a topic means the whole library.
func isEverything(query string) bool {
	return slices.Contains(everything(), query)
}

func (b *Bot) badSchedule(t *turn, words string, err error) string {
	key := "bot.schedule_syntax"
	for sentinel, k := range map[error]string{
		timetable.ErrZone: "bot.schedule_zone", timetable.ErrNew: "bot.schedule_new", timetable.ErrEvery: "bot.schedule_every", timetable.ErrReboot: "bot.schedule_every",
		timetable.ErrNever: "bot.schedule_never", timetable.ErrSunday: "bot.schedule_sunday", timetable.ErrTimes: "bot.schedule_times",
	} {
		if errors.Is(err, sentinel) {
			key = k
		}
	}
	if key == "bot.schedule_syntax" && countRule.MatchString(words) {
		key = "bot.schedule_times"
	}
	return t.T(key, "Spec", short(words, 40))
}

// following lists a chat's follows with their next times.
func (b *Bot) following(ctx context.Context, t *turn, _ string) (Reply, error) {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if len(follows) == 0 {
		reply, err := b.followWhat(ctx, t)
		reply.Text = t.T("bot.no_follows") + "\n" + reply.Text
		return reply, err
	}
	lines := []string{t.T("bot.your_follows")}
	var actions []Action
	for _, f := range follows {
		line, err := b.followLine(t, f)
		if err != nil {
			return Reply{}, err
		}
		lines = append(lines, line)
		actions = append(actions, Action{Label: t.T("bot.unfollow", "Topic", short(t.named(f), 20)), Text: fmt.Sprintf("/unfollow %d", f.ID)})
	}
	actions = append(actions, b.pausing(t, follows)...)
	actions = append(actions, Action{Label: t.T("bot.digest_now"), Text: "/digest"})
	return Reply{Text: strings.Join(lines, "\n"), Actions: actions}, nil
}

// unfollow ends follows: by topic, "all", or "/unfollow ID" of a button.
func (b *Bot) unfollow(ctx context.Context, t *turn, arg string) (Reply, error) {
	var id int64
	query := savedQuery(unquote(arg))
	switch {
	case query == "":
		return b.following(ctx, t, "")
	case strings.HasPrefix(t.Text, "/"):
		id, _ = strconv.ParseInt(query, 10, 64)
	}
	if isEverything(query) && id == 0 {
		if follows, err := b.chats.Follows(ctx, t.Chat); err != nil {
			return Reply{}, err
		} else if _, ok := withQuery(follows, "*"); ok {
			query = "*"
		} else {
			query = ""
		}
	}
	if id == 0 && query != "" {
		follows, err := b.chats.Follows(ctx, t.Chat)
		if err != nil {
			return Reply{}, err
		}
		for _, f := range follows { // kept in another form, or called by its name
			if f.Query != "*" && (sameQuery(f.Query, query) || plain(t.named(f)) == plain(unquote(arg))) {
				query = f.Query
			}
		}
	}
	n, err := b.chats.Unfollow(ctx, t.Chat, id, query)
	if n == 0 && err == nil && id != 0 { // a topic may be a number
		if n, err = b.chats.Unfollow(ctx, t.Chat, 0, query); n == 0 && err == nil {
			return followEnded(t), nil
		}
	}
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}
	if n == 0 {
		if isEverything(plain(unquote(arg))) {
			arg = t.named(Follow{Query: "*"})
		}
		reply.Text = t.T("bot.unfollow_unknown", "Topic", short(arg, 40))
	} else {
		reply.Text = t.T("bot.unfollowed", "Count", n)
	}
	return reply, nil
}

func (b *Bot) digest(ctx context.Context, t *turn, _ string) (Reply, error) {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if len(follows) == 0 || b.digests == nil {
		return b.following(ctx, t, "")
	}
	return b.digests.Now(ctx, t.Chat, t.Printer.Lang())
}

// sayWhen says a schedule in the reader's words.
func (b *Bot) sayWhen(t *turn, spec timetable.Spec) string {
	d := spec.Describe()
	var times []string
	for _, hour := range append([]int{d.Hour}, d.More...) {
		times = append(times, fmt.Sprintf("%d:%02d", hour, d.Minute))
	}
	at := sayList(t, times)
	switch d.Shape {
	case timetable.Minutes:
		if d.Every == 1 {
			return t.T("bot.when_minute")
		}
		return t.T("bot.when_minutes", "Count", d.Every)
	case timetable.Hours:
		if d.Every == 1 {
			return t.T("bot.when_hour")
		}
		return t.T("bot.when_hours", "Count", d.Every)
	case timetable.New:
		switch {
		case d.Every%60 != 0:
			return t.T("bot.when_new_minutes", "Count", d.Every)
		case d.Every == 60:
			return t.T("bot.when_new_hour")
		}
		return t.T("bot.when_new", "Count", d.Every/60)
	case timetable.Daily:
		return t.T("bot.when_daily", "At", at)
	case timetable.Weekdays:
		return t.T("bot.when_weekdays", "At", at)
	case timetable.Weekly:
		names := strings.Split(t.T("bot.weekdays"), "|")
		var days []string
		for _, day := range d.Days {
			days = append(days, names[day])
		}
		return t.T("bot.when_weekly", "Days", sayList(t, days), "At", at)
	case timetable.Monthly:
		return t.T("bot.when_monthly", "Day", d.Day, "At", at)
	}
	return t.T("bot.when_other", "Spec", d.Spec)
}

// sayList joins words: "Monday, Tuesday and Friday".
func sayList(t *turn, words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], t.T("bot.comma")) + t.T("bot.and") + words[last]
}

// sayZone names a clock by the place that the reader's language knows it by; the
// Etc zones, which count westwards, by their offset.
func sayZone(p locale.Printer, zone *time.Location) string {
	if hours, err := strconv.Atoi(strings.TrimPrefix(zone.String(), "Etc/GMT")); err == nil {
		return fmt.Sprintf("UTC%+d", -hours)
	}
	key := "bot.place." + strings.ReplaceAll(zone.String(), "/", "_")
	if place := p.T(key); place != key {
		return place
	}
	return zone.String()
}

// sayTime is a moment on the reader's clock.
func (b *Bot) sayTime(t *turn, at time.Time, zone *time.Location) string {
	local, today := at.In(zone), b.now().In(zone)
	clock := local.Format("15:04")
	switch {
	case local.YearDay() == today.YearDay() && local.Year() == today.Year():
		return t.T("bot.today", "At", clock)
	case local.AddDate(0, 0, -1).Format(time.DateOnly) == today.Format(time.DateOnly):
		return t.T("bot.tomorrow", "At", clock)
	}
	return t.Date(local) + " " + clock
}
