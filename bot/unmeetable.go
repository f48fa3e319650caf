package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"newsie/content/index"
	"newsie/content/language"
)

// unmeetable answers a topic that nothing new can ever meet: a language that no
// article has, words that it leaves out itself, a date before today. is: it is one.
func (b *Bot) unmeetable(ctx context.Context, t *turn, topic, words string, timed bool) (reply Reply, is bool, err error) {
	parsed := index.ParseQuery(withTags(topic))
	when := ""
	if timed {
		when = " " + words
	}
	follow := func(p index.Parsed) Action {
		return Action{Label: t.T("bot.follow_this", "Query", short(t.named(Follow{Topic: p.String()}), 30)), Text: "/follow " + p.String() + when}
	}
	if reply, is, err := b.strangeLanguage(ctx, t, parsed, follow); is || err != nil {
		return reply, is, err
	}
	if m := noDate.FindStringSubmatch(parsed.Words()); m != nil {
		return Reply{Text: t.T("bot.topic_no_date", "Name", short(m[1], 40))}, true, nil
	}
	if contradicts(parsed) {
		reply.Text = t.T("bot.topic_contradicts", "Topic", short(topic, 60))
		rest := parsed
		rest.Not = nil
		if rest.Before.IsZero() {
			reply.Actions = appendFitting(reply.Actions, follow(rest))
		}
		return reply, true, nil
	}
	if !parsed.Before.IsZero() && !parsed.Before.After(b.now()) {
		reply.Text = t.T("bot.topic_past", "Date", t.Date(parsed.Before))
		reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.look_first"), Text: "/search " + topic})
		return reply, true, nil
	}
	return Reply{}, false, nil
}

var (
	// noLanguage finds the operator with what is no language, which ParseQuery
	// leaves among the words.
	noLanguage = regexp.MustCompile(`(?i)(?:^|\s)(?:lang|language|lingua|语言|語言)[:：](\S+)`)
	noDate     = regexp.MustCompile(`(?i)(?:^|\s)((?:before|after|prima|dopo|之前|之后|之後|早于|早於|晚于|晚於)[:：]\S+)`)
)

// strangeLanguage answers a topic in a language that no article has, with those
// that articles have.
func (b *Bot) strangeLanguage(ctx context.Context, t *turn, parsed index.Parsed, follow func(index.Parsed) Action) (reply Reply, is bool, err error) {
	unknown := noLanguage.FindStringSubmatch(parsed.Text)
	if len(parsed.Langs) == 0 && unknown == nil {
		return Reply{}, false, nil
	}
	known, err := b.library.Languages(ctx)
	if err != nil {
		return Reply{}, false, err
	}
	asked := ""
	if unknown != nil {
		asked = unknown[1]
		parsed.Text = strings.TrimSpace(strings.Replace(parsed.Text, strings.TrimSpace(unknown[0]), "", 1))
	}
	for _, lang := range parsed.Langs {
		if !slices.ContainsFunc(known, func(have string) bool { return language.Matches(lang, have) }) {
			asked = sayLanguage(t.Printer, lang)
		}
	}
	if asked == "" {
		return Reply{}, false, nil
	}
	reply.Text = t.T("bot.stranger_lang", "Name", short(asked, 40))
	own := slices.IndexFunc(known, func(have string) bool { return language.Matches(t.wants, have) })
	if own > 0 { // the reader's own first
		known = slices.Insert(slices.Delete(slices.Clone(known), own, own+1), 0, known[own])
	}
	for _, lang := range known[:min(3, len(known))] {
		parsed.Langs = []string{lang}
		reply.Actions = appendFitting(reply.Actions, follow(parsed))
	}
	if len(reply.Actions) > 0 {
		reply.Text += "\n" + t.T("bot.stranger_near")
	}
	return reply, true, nil
}

// contradicts tells of a topic that leaves out what it asks for.
func contradicts(p index.Parsed) bool {
	if !p.After.IsZero() && !p.Before.IsZero() && !p.After.Before(p.Before) {
		return true
	}
	out := map[string]bool{}
	for _, word := range p.Not {
		out[plain(word)] = true
	}
	if slices.ContainsFunc(p.Phrases, func(phrase string) bool {
		return out[plain(phrase)] || slices.ContainsFunc(strings.Fields(plain(phrase)), func(word string) bool { return out[word] })
	}) {
		return true
	}
	words := strings.Fields(plain(p.Words()))
	return len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return !out[word] })
}
