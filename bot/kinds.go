package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content/index"
	"newsie/internal/locale"
)

// A topic is a saved query: words, phrases, what to leave out, and the operators
// tag:, author:, source:, lang:, after: and before:, in the words of four
// languages. It is kept as typed, and its query in one form, so that all who
// follow the same share a search and an edition.

// longestOperators is how many characters a topic may have that has operators.
const longestOperators = 100

// savedQuery is the one form of a topic's query.
func savedQuery(topic string) string {
	folded := plain(ofAll(withTags(topic)))
	p := index.ParseQuery(folded)
	if !p.Filtered() {
		return folded
	}
	if one := p.String(); index.ParseQuery(one).String() == one {
		return one
	}
	return folded // a quotation mark that does not close
}

// ofAll takes the word for everything out of a topic that narrows it: of
// "everything lang:it" stays "lang:it", of "everything -sport" "* -sport".
func ofAll(topic string) string {
	for _, rule := range []*regexp.Regexp{exceptLatin, exceptZh} {
		if m := rule.FindStringSubmatch(topic); m != nil && isEverything(plain(m[1])) && wordIn(m[2]) {
			return index.Parsed{Not: []string{strings.Trim(m[2], `"“”«»「」 `)}}.String()
		}
	}
	p := index.ParseQuery(topic)
	if !p.Filtered() || len(p.Phrases) > 0 || !isEverything(plain(p.Text)) {
		return topic
	}
	p.Text = ""
	return p.String()
}

// exceptLatin finds what "everything except sport" leaves out.
var exceptLatin = regexp.MustCompile(`(?i)^(\S+) (?:except|but not|but|without|apart from|tranne|eccetto|senza|meno|a parte|fuorché)(?: (?:for|about|the|il|lo|la|i|gli|le)\b)? ?(?:l['’])?([^:]+)$`)

// exceptZh is that in Chinese.
var exceptZh = regexp.MustCompile(`^(全部|所有|一切)(?:[，, ]*(?:除了|除去|除|不含|不要|不包括) ?)([^:：]+?)(?:以外|之外|外)?$`)

func wordIn(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// sameQuery tells whether a follow's query is this one, also when it was kept
// before queries had one form.
func sameQuery(kept, query string) bool { return kept == query || savedQuery(kept) == query }

// withTags writes the tags of a topic as operators: #tea, and 茶 in #茶#.
func withTags(topic string) string {
	fields := strings.Fields(topic)
	for i, field := range fields {
		tag := strings.TrimRight(strings.TrimLeft(field, "#＃"), "#＃")
		if first, _ := utf8.DecodeRuneInString(tag); tag != field && strings.IndexAny(field, "#＃") == 0 && unicode.IsLetter(first) {
			fields[i] = "tag:" + tag
		}
	}
	return strings.Join(fields, " ")
}

// tooLong tells of a topic that is none.
func tooLong(topic string) bool {
	if index.ParseQuery(topic).Filtered() {
		return utf8.RuneCountInString(topic) > longestOperators
	}
	return utf8.RuneCountInString(topic) > longestTopic
}

// unquote takes off what our own labels put around a topic: a reader whose app
// has no buttons types the label. A phrase in straight quotes stays one.
func unquote(topic string) string {
	topic = strings.Trim(topic, " ,，、:：")
	for _, pair := range []string{"“”", "«»", "「」", `""`} {
		marks := []rune(pair)
		inner, ok1 := strings.CutPrefix(topic, string(marks[0]))
		inner, ok2 := strings.CutSuffix(inner, string(marks[1]))
		switch {
		case !ok1 || !ok2 || strings.ContainsAny(inner, pair):
		case pair == `""` && strings.Contains(inner, " "):
			return topic
		default:
			return strings.Trim(inner, " ,，、:：")
		}
	}
	if index.ParseQuery(topic).Filtered() {
		return topic
	}
	return strings.Trim(topic, " ,，、:：\"“”«»「」")
}

// TopicName is what a topic is called in the words of p's language: "articles by
// Rossi", and not "author:rossi".
func TopicName(p locale.Printer, topic string) string {
	if topic == "*" || topic == "" {
		return p.T("scheduler.everything")
	}
	parsed := index.ParseQuery(ofAll(withTags(topic)))
	words := parsed.Words()
	for _, phrase := range parsed.Phrases {
		words = strings.TrimSpace(words + ` "` + phrase + `"`)
	}
	if !parsed.Filtered() {
		return topic
	}
	var limits []string
	add := func(key string, values []string) {
		if len(values) > 0 {
			limits = append(limits, p.T(key, "Names", strings.Join(values, p.T("bot.comma"))))
		}
	}
	add("bot.topic_by", parsed.Authors)
	add("bot.topic_from", parsed.Sources)
	add("bot.topic_tagged", parsed.Tags)
	var langs []string
	for _, lang := range parsed.Langs {
		langs = append(langs, sayLanguage(p, lang))
	}
	add("bot.topic_in", langs)
	if !parsed.After.IsZero() {
		add("bot.topic_after", []string{p.Date(parsed.After)})
	}
	if !parsed.Before.IsZero() {
		add("bot.topic_before", []string{p.Date(parsed.Before)})
	}
	add("bot.topic_without", parsed.Not)
	switch {
	case len(limits) == 0:
		return words
	case words == "":
		return p.T("bot.topic_articles", "Limits", strings.Join(limits, p.T("bot.comma")))
	}
	return p.T("bot.topic_words", "Words", words, "Limits", strings.Join(limits, p.T("bot.comma")))
}

// onlyPhrase gives the phrase of a topic that is nothing else.
func onlyPhrase(topic string) (string, bool) {
	parsed := index.ParseQuery(topic)
	if len(parsed.Phrases) != 1 || parsed.Words() != "" || parsed.String() != (index.Parsed{Phrases: parsed.Phrases, Text: parsed.Phrases[0]}).String() {
		return "", false
	}
	return parsed.Phrases[0], true
}

// sayLanguage names a language, by its tag where the catalog has no name.
func sayLanguage(p locale.Printer, tag string) string {
	key := "bot.language." + strings.ReplaceAll(tag, "-", "_")
	if name := p.T(key); name != key {
		return name
	}
	return tag
}

// stranger answers a topic that names an author, a source or a tag that no
// article has, with those that are called nearly so. is: there is one.
func (b *Bot) stranger(ctx context.Context, t *turn, topic, words string, timed bool) (reply Reply, is bool, err error) {
	parsed := index.ParseQuery(withTags(topic))
	tags := func(ctx context.Context) ([]string, error) {
		counts, err := b.library.Tags(ctx, "", 2000)
		names := make([]string, len(counts))
		for i, c := range counts {
			names[i] = c.Tag
		}
		return names, err
	}
	for _, kind := range []struct {
		key, operator string
		asked         []string
		names         func(context.Context) ([]string, error)
		whole         bool
	}{
		{"bot.stranger_author", "author", parsed.Authors, b.library.Authors, false},
		{"bot.stranger_source", "source", parsed.Sources, b.library.Sources, false},
		{"bot.stranger_tag", "tag", parsed.Tags, tags, true},
	} {
		if len(kind.asked) == 0 {
			continue
		}
		known, err := kind.names(ctx)
		if err != nil {
			return Reply{}, false, err
		}
		for _, asked := range kind.asked {
			if slices.ContainsFunc(known, func(name string) bool { return index.SameName(asked, name, kind.whole) }) {
				continue
			}
			reply = Reply{Text: t.T(kind.key, "Name", short(asked, 40))}
			when := ""
			if timed {
				when = " " + words
			}
			for _, name := range nearNames(asked, known) {
				near := index.Parsed{Tags: []string{name}}
				switch kind.operator {
				case "author":
					near = index.Parsed{Authors: []string{name}}
				case "source":
					near = index.Parsed{Sources: []string{name}}
				}
				reply.Actions = appendFitting(reply.Actions, Action{
					Label: t.T("bot.follow_this", "Query", TopicName(t.Printer, near.String())), Text: "/follow " + near.String() + when,
				})
			}
			if len(reply.Actions) > 0 {
				reply.Text += "\n" + t.T("bot.stranger_near")
			} else {
				reply.Text += "\n" + t.T("bot.stranger_word")
			}
			reply.Actions = appendFitting(reply.Actions, Action{Label: t.T("bot.follow_this", "Query", short(asked, 20)), Text: "/follow " + plain(asked) + when})
			return reply, true, nil
		}
	}
	return Reply{}, false, nil
}

// nearNames are up to three names that are nearly the one asked for: that have
// it in them, or a word with a letter or two different.
func nearNames(asked string, known []string) []string {
	asked = plain(asked)
	allowed := 1 + utf8.RuneCountInString(asked)/5
	var near []string
	for _, name := range known {
		folded := plain(name)
		is := strings.Contains(folded, asked) || utf8.RuneCountInString(folded) > 1 && strings.Contains(asked, folded)
		for _, word := range append(strings.Fields(folded), folded) {
			is = is || utf8.RuneCountInString(asked) > 2 && differ([]rune(asked), []rune(word)) <= allowed
		}
		if is {
			near = append(near, name)
		}
		if len(near) == 3 {
			break
		}
	}
	return near
}

// differ counts the letters to be changed, left out or put in.
func differ(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range b {
			cost := diagonal
			if r != s {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
