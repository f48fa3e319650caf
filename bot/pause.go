package bot

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"newsie/content"
	"newsie/content/index"
	"newsie/scheduler/timetable"
)

func (f Follow) paused(now time.Time) bool { return f.PausedUntil > now.UnixMilli() }

// next is when a follow comes after now that has this schedule on the clock of
// zone: when it is paused, at the first slot from its end on. What comes as it
// happens is due, but no sooner after the last look than its schedule says, and
// then waits.
func (f Follow) next(spec timetable.Spec, now time.Time, zone *time.Location) time.Time {
	from := now
	if f.paused(now) {
		from = time.UnixMilli(f.PausedUntil)
	}
	switch {
	case spec.AsItComes():
		last, err := time.Parse(timetable.WallLayout+"Z", f.LastSlot) // a slot of such a schedule is on UTC's clock
		if again := last.Add(spec.MinInterval()); err == nil && !f.Waits && again.After(from) {
			return again
		}
		return from
	case f.paused(now):
		from = from.Add(-time.Second) // a slot at the end itself is not paused
	}
	return spec.Next(from, zone).At
}

// rest pauses follows until a time, or ends their pause when it has passed.
// What joins meanwhile waits for the first digest after.
func (c *Chats) rest(ctx context.Context, follows []Follow, until time.Time) error {
	return c.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for i, f := range follows {
			spec, err := timetable.Parse(f.Spec)
			if err != nil {
				return fmt.Errorf("the schedule of follow %d: %w", f.ID, err)
			}
			zone, err := time.LoadLocation(f.Zone)
			if err != nil {
				return fmt.Errorf("the zone of follow %d: %w", f.ID, err)
			}
			f.PausedUntil = max(0, until.UnixMilli())
			f.NextDueAt = f.next(spec, c.now(), zone).UnixMilli()
			_, err = tx.ExecContext(ctx, "UPDATE follows SET paused_until = ?, next_due_at = ?, waits = 0 WHERE id = ?", f.PausedUntil, f.NextDueAt, f.ID)
			if err != nil {
				return fmt.Errorf("pause follow %d: %w", f.ID, err)
			}
			follows[i] = f
		}
		return nil
	})
}

// pause lets follows rest: "pause for a week", "pause commerce until Monday".
func (b *Bot) pause(ctx context.Context, t *turn, arg string) (Reply, error) {
	zone, _ := b.zoneOf(t)
	until, rest, timed := timetable.UntilInWords(arg, b.now(), zone)
	strange := ""
	if m := untilStrange(arg); m >= 0 && !timed { // not understood, past, or far away
		if found, err := b.foundAsTyped(ctx, t); err != nil {
			return Reply{}, err
		} else if found && !strings.HasPrefix(t.Text, "/") && !farRule.MatchString(arg) {
			return b.question(ctx, t)
		}
		rest, strange = strings.TrimSpace(arg[:m]), strings.TrimSpace(arg[m:])
	}
	follows, otherwise, err := b.chosenFollows(ctx, t, rest)
	if err != nil || len(follows) == 0 {
		return otherwise, err
	}
	if !timed {
		reply := b.pauseHowLong(t, follows, rest)
		if strange != "" {
			reply.Text = t.T("bot.pause_strange", "When", short(strange, 40)) + "\n" + reply.Text
		}
		return reply, nil
	}
	if err := b.chats.rest(ctx, follows, until); err != nil {
		return Reply{}, err
	}
	key := "bot.paused_all"
	if len(follows) == 1 {
		key = "bot.paused_one"
	}
	first := slices.MinFunc(follows, func(a, b Follow) int { return int(min(1, max(-1, a.NextDueAt-b.NextDueAt))) })
	reply := Reply{Text: t.T(key, "Topic", t.named(follows[0]), "Time", b.sayDay(t, until, zone))}
	reply.Text += "\n" + t.T("bot.paused_then", "Time", b.sayTime(t, time.UnixMilli(first.NextDueAt), zone))
	reply.Actions = []Action{{Label: t.T("bot.resume"), Text: resuming(follows)}, {Label: t.T("bot.my_follows"), Text: "/following"}}
	return reply, nil
}

// resuming is the command that ends the pause of follows.
func resuming(follows []Follow) string {
	if len(follows) == 1 {
		return fmt.Sprintf("/resume %d", follows[0].ID)
	}
	return "/resume"
}

// untilRule finds what looks like a time to pause until.
var untilRule = regexp.MustCompile(`(?i)(^|\s)(until|till|til|up to|for|fino (a|al|alla|all'|allo)|per) ?.+$|(一?直?到|至).+$`)

// farRule finds what can be nothing but a time, if one that no pause has: "-3
// days", "500 years", "yesterday", "500年".
var farRule = regexp.MustCompile(`(?i)(^|\s)(until |till |til |for |per |fino (a|al|alla|all'|allo) ?)?([-−–]? ?\d+([.,]\d+)? ?(h|hours?|ore|ora|d|days?|giorn[oi]|w|weeks?|settiman[ae]|months?|mes[ei]|years?|ann[oi]|decades?|decenni[oi]?|centur(y|ies)|secol[oi])|yesterday|today|now|ieri|oggi|adesso|last (week|month|year|night)|forever|per sempre|sempre)[\s.!]*$` +
	`|(一?直?[到至] ?)?(负|負|[-−–－])? ?[\d零〇一二两兩三四五六七八九十百千万萬]+[个個]?(小时|小時|天|日|周|週|星期|礼拜|禮拜|月|年|世纪|世紀)[\s。！]*$|(一?直?[到至] ?)?(昨天|昨日|前天|今天|今日|现在|現在|上[个個]?(周|週|星期|礼拜|禮拜|月)|去年|永远|永遠)[\s。！]*$`)

// untilStrange tells where in words a time begins that is not understood, -1 when
// there is none.
func untilStrange(arg string) int {
	if m := farRule.FindStringIndex(arg); m != nil {
		return m[0]
	}
	if m := untilRule.FindStringIndex(arg); m != nil {
		return m[0]
	}
	return -1
}

func (b *Bot) pauseHowLong(t *turn, follows []Follow, rest string) Reply {
	who, key := "", "bot.pause_how_long"
	if rest != "" && len(follows) == 1 {
		who, key = fmt.Sprint(follows[0].ID, " "), "bot.pause_one_how_long"
	}
	reply := Reply{Text: t.T(key, "Topic", t.named(follows[0]), "Usage", t.T("command.pause.usage"))}
	for _, span := range []string{"1d", "7d", "30d"} {
		reply.Actions = append(reply.Actions, Action{Label: t.T("bot.pause_" + span), Text: "/pause " + who + span})
	}
	return reply
}

// resume ends the pause of follows.
func (b *Bot) resume(ctx context.Context, t *turn, arg string) (Reply, error) {
	follows, otherwise, err := b.chosenFollows(ctx, t, arg)
	if err != nil || len(follows) == 0 {
		return otherwise, err
	}
	follows = slices.DeleteFunc(follows, func(f Follow) bool { return !f.paused(b.now()) })
	if len(follows) == 0 {
		return Reply{Text: t.T("bot.none_paused"), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}, nil
	}
	if err := b.chats.rest(ctx, follows, time.UnixMilli(0)); err != nil {
		return Reply{}, err
	}
	lines := []string{t.T("bot.resumed")}
	for _, f := range follows {
		line, err := b.followLine(t, f)
		if err != nil {
			return Reply{}, err
		}
		lines = append(lines, line)
	}
	return Reply{Text: strings.Join(lines, "\n"), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}, nil
}

// chosenFollows are the follows that words mean: all, the one with this topic,
// or of a button with this id. When there are none it gives the answer: words
// that were typed and are no topic of the reader's may be a question.
func (b *Bot) chosenFollows(ctx context.Context, t *turn, arg string) (chosen []Follow, otherwise Reply, err error) {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return nil, Reply{}, err
	}
	topic := unquote(arg)
	query := savedQuery(topic)
	id := int64(0)
	if strings.HasPrefix(t.Text, "/") {
		id, _ = strconv.ParseInt(query, 10, 64)
	}
	for _, f := range follows {
		if sameQuery(f.Query, query) || topic != "" && plain(t.named(f)) == plain(topic) || id != 0 && f.ID == id {
			return []Follow{f}, Reply{}, nil
		}
	}
	switch {
	case len(follows) == 0 && (topic == "" || isEverything(query)):
		otherwise, err = b.following(ctx, t, "")
	case topic == "" || isEverything(query):
		return follows, Reply{}, nil
	case id != 0:
		otherwise = followEnded(t)
	case strings.HasPrefix(t.Text, "/"):
		otherwise = Reply{Text: t.T("bot.unfollow_unknown", "Topic", short(arg, 40)), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}
	default:
		otherwise, err = b.notFollowed(ctx, t, arg)
	}
	return nil, otherwise, err
}

// notFollowed answers words that begin as a command and go on with no topic of
// the reader's: a question, where an article has them or they are many, as in
// "pause button"; else that it is not followed, with a way to search for them.
func (b *Bot) notFollowed(ctx context.Context, t *turn, arg string) (Reply, error) {
	found, err := b.foundAsTyped(ctx, t)
	if err != nil {
		return Reply{}, err
	}
	if found || len(strings.Fields(arg)) > 3 {
		return b.question(ctx, t)
	}
	reply := Reply{Text: t.T("bot.unfollow_unknown", "Topic", short(arg, 40)), Actions: []Action{{Label: t.T("bot.my_follows"), Text: "/following"}}}
	reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.search_instead", "Query", short(t.Text, 30)), Text: "/search " + t.Text})
	return reply, nil
}

// foundAsTyped tells whether an article has the message's words one after the other.
func (b *Bot) foundAsTyped(ctx context.Context, t *turn) (bool, error) {
	phrase := index.Parsed{Phrases: []string{strings.TrimRight(plain(t.Text), " .!?。！？")}}.String()
	found, err := b.library.Search(ctx, content.Query{Text: phrase, Filter: t.channel.Filter, Limit: 1, Exact: true})
	return found.Total > 0, err
}

// pausing are the actions that pause a chat's follows, or end their pause.
func (b *Bot) pausing(t *turn, follows []Follow) []Action {
	if slices.ContainsFunc(follows, func(f Follow) bool { return f.paused(b.now()) }) {
		return []Action{{Label: t.T("bot.resume"), Text: "/resume"}}
	}
	return []Action{{Label: t.T("bot.pause"), Text: "/pause"}}
}

// followLine is a follow in the list of those a chat has.
func (b *Bot) followLine(t *turn, f Follow) (string, error) {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		return "", fmt.Errorf("the zone of follow %d: %w", f.ID, err)
	}
	spec, err := timetable.Parse(f.Spec)
	if err != nil {
		return "", fmt.Errorf("the schedule of follow %d: %w", f.ID, err)
	}
	next := time.UnixMilli(f.NextDueAt)
	key := "bot.follow_line"
	switch {
	case f.paused(b.now()):
		if key = "bot.follow_line_paused"; spec.AsItComes() {
			key = "bot.follow_line_paused_new"
		}
		return t.T(key, "Topic", t.named(f), "When", b.sayWhen(t, spec), "Until", b.sayDay(t, time.UnixMilli(f.PausedUntil), zone), "Time", b.sayTime(t, next, zone)), nil
	case spec.AsItComes() && (f.Waits || !next.After(b.now())):
		key = "bot.follow_line_new"
	case spec.AsItComes():
		key = "bot.follow_line_not_before"
	}
	return t.T(key, "Topic", t.named(f), "When", b.sayWhen(t, spec), "Time", b.sayTime(t, next, zone)), nil
}

// sayDay is a moment on the reader's clock, as a day where it is the beginning of one.
func (b *Bot) sayDay(t *turn, at time.Time, zone *time.Location) string {
	local := at.In(zone)
	day := t.T("bot.day", "Weekday", strings.Split(t.T("bot.weekdays"), "|")[local.Weekday()], "Date", t.Date(local))
	if local.Hour() == 0 && local.Minute() == 0 {
		return day
	}
	return day + " " + local.Format("15:04")
}
