package index_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

// marked writes a snippet with its marks in brackets.
func marked(s index.Snippet) string {
	var b strings.Builder
	last := 0
	for _, m := range s.Marks {
		b.WriteString(s.Text[last:m.Start] + "[" + s.Text[m.Start:m.End] + "]")
		last = m.End
	}
	return b.String() + s.Text[last:]
}

func TestSnippet(t *testing.T) {
	filler := "Nothing of interest is said here. It goes on and on about the weather. The sky is grey and the streets are wet, as they often are in autumn in this part of the country.\n"
	for _, c := range []struct {
		name, lang, text, query, want string
	}{
		{"whole sentence", "en", filler + "The festival begins on Monday. Shops open at eight.\n" + filler, "festivals", "The [festival] begins on Monday. Shops open at eight."},
		{"stem and accents", "it", "La città è bella. Le economie crescono.", "l'economia della citta", "La [città] è bella. Le [economie] crescono."},
		{"not across paragraphs", "en", "Tea is hot.\nCoffee is hot.", "coffee", "[Coffee] is hot."},
		{"traditional for simplified", "zh-Hant", "臺灣的網路購物平臺越來越多。物流也更快。", "台湾平台", "[臺灣]的網路購物[平臺]越來越多。物流也更快。"},
		{"full width", "zh-Hans", "他们使用ＪＤ．ｃｏｍ购物。", "jd.com", "他们使用[ＪＤ．ｃｏｍ]购物。"},
		{"a name is marked whole or not", "zh-Hans", "林志玲来了。林志颖也来了。", "林志颖", "林志玲来了。[林志颖]也来了。"},
		{"one character", "ko", "물이 맑다.", "물", "[물]이 맑다."},
		{"pinyin", "zh-Hans", "在微店购物。", "weidian", "在[微店]购物。"},
		{"word and character", "zh-Hans", "投资A股的人。", "A股", "投资[A股]的人。"},
		{"compound", "en", "We sell by e-commerce only.", "ecommerce", "We sell by [e-commerce] only."},
		{"function words are not marked", "en", "The shop is in the town.", "where is the shop", "The [shop] is in the town."},
		{"Russian", "ru", "В Московской области растут ёлки.", "елка московская", "В [Московской] области растут [ёлки]."},
	} {
		x := open(t, index.Doc{ID: 1, Lang: c.lang, Title: "微店", Body: c.text})
		s := x.Snippet(search(t, x, index.Query{Text: c.query}), index.Sentences(c.lang, c.text))
		if got := marked(s); got != c.want || !s.Matched {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSnippetWithoutAMatch(t *testing.T) {
	text := "It begins here. It goes on."
	x := open(t, index.Doc{ID: 1, Lang: "en", Title: "Lemons", Body: text})
	s := x.Snippet(search(t, x, index.Query{Text: "lemons"}), index.Sentences("en", text))
	if diff := cmp.Diff(index.Snippet{Text: "It begins here. It goes on."}, s); diff != "" {
		t.Error(diff)
	}
}

// TestSnippetLength has sentences of every kind that are too long.
func TestSnippetLength(t *testing.T) {
	family := "👨‍👩‍👧‍👦"
	for name, c := range map[string]struct{ lang, text, query string }{
		"words":               {"en", strings.Repeat("many words come before ", 20) + "the lemons" + strings.Repeat(" and many come after", 20) + ".", "lemons"},
		"at the beginning":    {"en", "Lemons" + strings.Repeat(" and many come after", 20) + ".", "lemons"},
		"at the end":          {"en", strings.Repeat("many words come before ", 20) + "the lemons.", "lemons"},
		"Chinese":             {"zh-Hans", strings.Repeat("前面有很多很多的字", 30) + "柠檬" + strings.Repeat("后面也有很多字", 30) + "。", "柠檬"},
		"Chinese, 161":        {"zh-Hans", "柠檬" + strings.Repeat("字", 158) + "。", "柠檬"},
		"emoji":               {"en", strings.Repeat(family, 60) + " lemons " + strings.Repeat(family, 60), "lemons"},
		"one endless word":    {"en", "lemons " + strings.Repeat("abcdefghij", 60), "lemons"},
		"combining accents":   {"it", strings.Repeat("e\u0301", 200) + " limoni", "limoni"},
		"nothing to be found": {"en", strings.Repeat("many words ", 60), "lemons"},
	} {
		x := open(t, index.Doc{ID: 1, Lang: c.lang, Title: "x", Body: c.text}, index.Doc{ID: 2, Lang: "en", Title: "lemons"})
		s := x.Snippet(search(t, x, index.Query{Text: c.query}), index.Sentences(c.lang, c.text))
		n := utf8.RuneCountInString(s.Text)
		if n > 160 || n < 40 && name != "one endless word" {
			t.Errorf("%s: %d characters: %q", name, n, s.Text)
		}
		if strings.Contains(c.text, c.query) && len(s.Marks) != 1 {
			t.Errorf("%s: not marked: %q", name, s.Text)
		}
		core := strings.Trim(s.Text, "…")
		at := strings.Index(c.text, core)
		if at < 0 {
			t.Errorf("%s: %q is not in the text", name, core)
			continue
		}
		boundaries := map[int]bool{0: true}
		for g := graphemes.FromString(c.text); g.Next(); {
			boundaries[g.End()] = true
		}
		if !boundaries[at] || !boundaries[at+len(core)] {
			t.Errorf("%s: a grapheme is cut: %q", name, s.Text)
		}
	}
	text := "柠檬" + strings.Repeat("字", 157) + "。"
	x := open(t, index.Doc{ID: 1, Lang: "zh-Hans", Body: text})
	if s := x.Snippet(search(t, x, index.Query{Text: "柠檬"}), index.Sentences("zh-Hans", text)); s.Text != text {
		t.Errorf("a sentence of 160 characters is cut: %q", s.Text)
	}
}
