package source

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/extract"
)

// oneDraft checks a draft that is all there is in a text, and gives it a title
// when it has none.
func oneDraft(d content.Draft, t Text) ([]content.Draft, error) {
	if !finish(&d) {
		return nil, refuse(t.Name, ErrNoArticle, "")
	}
	return []content.Draft{d}, nil
}

// finish tidies a draft and reports whether there is anything in it.
func finish(d *content.Draft) bool {
	for _, s := range []*string{&d.Title, &d.Author, &d.Note, &d.Lang, &d.Summary, &d.Previous, &d.Next} {
		*s = strings.Join(strings.FieldsFunc(*s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	}
	if d.Title == "" {
		d.Title = firstWords(content.BodyText(d.Body))
	}
	return d.Title != ""
}

// firstWords makes a title for a text without one: its first sentence when
// that is short, else its first words.
func firstWords(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	if end := strings.IndexAny(line, "。！？"); end > 0 && utf8.RuneCountInString(line[:end]) <= 40 {
		return line[:end]
	}
	for _, stop := range []string{". ", "! ", "? "} {
		if end := strings.Index(line, stop); end > 20 && end <= 90 {
			return strings.TrimSuffix(line[:end+1], ".")
		}
	}
	const limit = 60
	if weight(line) <= limit {
		return strings.TrimRight(line, ".。")
	}
	cut, used := 0, 0
	for i, r := range line {
		if used += runeWeight(r); used > limit {
			break
		}
		if unicode.IsSpace(r) || runeWeight(r) == 2 {
			cut = i
		}
	}
	if cut == 0 {
		for i := range line {
			if i > limit {
				break
			}
			cut = i
		}
	}
	return strings.TrimRightFunc(line[:cut], func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }) + "…"
}

// weight is the width of a text: characters of the wide scripts say about as
// much as two letters.
func weight(s string) int {
	n := 0
	for _, r := range s {
		n += runeWeight(r)
	}
	return n
}

func runeWeight(r rune) int {
	if wide(r) {
		return 2
	}
	return 1
}

func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff60
}

// sameTitle compares titles by their letters and digits.
func sameTitle(a, b string) bool { return letters(a) == letters(b) && letters(a) != "" }

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// webAddress is s when it is a whole http or https address, else "".
func webAddress(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// parsePage reads an HTML file or page.
func parsePage(text string, t Text) ([]content.Draft, []string, error) {
	front, rest, err := splitFrontMatter(text)
	if err != nil {
		return nil, nil, refuse(t.Name, ErrMalformed, "front matter: "+oneLine(err))
	}
	p, err := extract.Article(rest, t.Base)
	if err != nil {
		return nil, nil, refuse(t.Name, ErrMalformed, oneLine(err))
	}
	d, warnings := draftOf(front, t)
	for _, field := range []struct {
		to   *string
		from string
	}{
		{&d.URL, p.Canonical}, {&d.Title, p.Title}, {&d.Author, p.Author}, {&d.Lang, p.Lang},
		{&d.Summary, p.Description}, {&d.Cover, p.Cover},
	} {
		if *field.to == "" {
			*field.to = field.from
		}
	}
	if d.Published.IsZero() {
		d.Published = p.Published
	}
	if len(d.Tags) == 0 {
		d.Tags = p.Tags
	}
	d.Body = p.Body
	if d.URL == "" && t.Base != nil {
		d.URL = t.Base.String()
	}
	drafts, err := oneDraft(d, t)
	return drafts, warnings, err
}
