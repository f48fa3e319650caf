package bot

import (
	"context"
	"slices"
	"strings"
)

// upcoming tells what a reader will get, and when: of each follow how many
// articles wait for its next digest now, and the first of them.
func (b *Bot) upcoming(ctx context.Context, t *turn, _ string) (Reply, error) {
	follows, err := b.chats.Follows(ctx, t.Chat)
	if err != nil {
		return Reply{}, err
	}
	if len(follows) == 0 {
		return b.following(ctx, t, "")
	}
	slices.SortStableFunc(follows, func(a, b Follow) int { return int(min(1, max(-1, a.NextDueAt-b.NextDueAt))) })
	zone, _ := b.zoneOf(t)
	lines := []string{t.T("bot.upcoming", "Zone", sayZone(t.Printer, zone))}
	titles := 2
	if len(follows) > 4 {
		titles = 1 // what is long is cut short by the platforms
	}
	for _, f := range follows {
		line, err := b.followLine(t, f)
		if err != nil {
			return Reply{}, err
		}
		lines = append(lines, line)
		waiting, err := b.waiting(ctx, t, f, titles)
		if err != nil {
			return Reply{}, err
		}
		lines = append(lines, waiting...)
	}
	reply := Reply{Text: strings.Join(lines, "\n")}
	reply.Actions = append([]Action{{Label: t.T("bot.digest_now"), Text: "/digest"}}, b.pausing(t, follows)...)
	reply.Actions = append(reply.Actions, Action{Label: t.T("bot.change_time"), Text: "/when"})
	return reply, nil
}

// waiting are the lines on what a follow's next digest holds by now.
func (b *Bot) waiting(ctx context.Context, t *turn, f Follow, titles int) ([]string, error) {
	ids, more, err := b.library.Matches(ctx, f.Query, f.Lang, t.channel.Filter, f.SinceSeq, b.library.Seq(), 50)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return []string{"  " + t.T("bot.waiting_none")}, nil
	}
	lines := []string{"  " + t.T("bot.waiting", "Count", len(ids)+more)}
	articles, err := b.library.Articles(ctx, ids[:min(titles, len(ids))])
	if err != nil {
		return nil, err
	}
	for _, a := range articles {
		lines = append(lines, "  – "+short(a.Title, 60))
	}
	return lines, nil
}
