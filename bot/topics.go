package bot

import (
	"context"

	"newsie/content/language"
)

// mostTopics is how many topics the command offers.
const mostTopics = 8

// topicsCommand offers the topics with most articles.
func (b *Bot) topicsCommand(ctx context.Context, t *turn, _ string) (Reply, error) {
	reply := Reply{Text: t.T("bot.topics")}
	tags, err := b.tags(ctx, t, mostTopics)
	if err != nil {
		return Reply{}, err
	}
	if len(tags) == 0 {
		return b.latest(ctx, t, "")
	}
	for _, tag := range tags {
		reply.Actions = appendFitting(reply.Actions, Action{Label: tag, Text: "/search " + tag})
	}
	return reply, nil
}

// topics adds the three topics with most articles as things to say next.
func (b *Bot) topics(ctx context.Context, t *turn, reply *Reply) error {
	tags, err := b.tags(ctx, t, 3)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		reply.Actions = appendFitting(reply.Actions, Action{Label: tag, Text: "/search " + tag})
	}
	reply.Actions = append(reply.Actions, Action{Label: t.T("bot.newest"), Text: "/latest"}, Action{Label: t.T("bot.help"), Text: "/help"})
	return nil
}

// tags are the topics with most articles in the reader's language, or where
// there are none, in the other Chinese script, or in any.
func (b *Bot) tags(ctx context.Context, t *turn, n int) ([]string, error) {
	langs := []string{t.wants}
	switch {
	case language.Base(t.wants) != "zh":
	case t.wants == "zh-Hant":
		langs = append(langs, "zh-Hans")
	default:
		langs = append(langs, "zh-Hant")
	}
	for _, lang := range append(langs, "") {
		counts, err := b.library.Tags(ctx, lang, n)
		if err != nil {
			return nil, err
		}
		var tags []string
		for _, c := range counts {
			tags = append(tags, c.Tag)
		}
		if len(tags) > 0 {
			return tags, nil
		}
	}
	return nil, nil
}
