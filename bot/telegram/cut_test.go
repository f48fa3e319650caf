package telegram_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"newsie/bot/bottest"
	"newsie/bot/telegram/telegramtest"
)

// A snippet fills two lines of a phone, 84 columns, with the words that were
// asked for in sight.
func TestSnippetsFillTwoLines(t *testing.T) {
	for _, test := range []struct{ name, text, word, want string }{
		{"it fits", "Tea belongs in the pan.", "Tea", "Tea belongs in the pan."},
		{"84 columns", strings.Repeat("x", 84), "", strings.Repeat("x", 84)},
		{"85 columns", strings.Repeat("x", 85), "", strings.Repeat("x", 83) + "…"},
		{"42 wide letters", strings.Repeat("茶", 42), "", strings.Repeat("茶", 42)},
		{"43 wide letters", strings.Repeat("茶", 43), "", strings.Repeat("茶", 41) + "…"},
		{"a cut at a word", "Tea belongs in the pan and the prawns have both the leaf and the liquor of it, which is a lot to say.", "Tea",
			"Tea belongs in the pan and the prawns have both the leaf and the liquor of it…"},
		{"an end with its sentence needs no mark", "Tea belongs in the pan and the prawns have both the leaf and the liquor. And more to come of it.", "Tea",
			"Tea belongs in the pan and the prawns have both the leaf and the liquor."},
		{"a beginning with its sentence neither", strings.Repeat("Nothing of it is here. ", 5) + "The leaf of tea forgives.", "tea",
			"Nothing of it is here. Nothing of it is here. The leaf of tea forgives."},
		{"the word far inside one sentence", strings.Repeat("and on it goes ", 12) + "until the tea is poured away.", "tea",
			"…it goes and on it goes and on it goes and on it goes until the tea is poured away."},
		{"a Chinese sentence", strings.Repeat("这里没有。", 12) + "龙井虾仁里的茶，先泡一分钟。", "茶",
			"这里没有。这里没有。这里没有。这里没有。这里没有。龙井虾仁里的茶，先泡一分钟。"},
		{"a Chinese clause", strings.Repeat("没有停顿", 12) + "，所以这里的茶，先泡一分钟" + strings.Repeat("再连汤下锅", 8), "茶",
			"…所以这里的茶，先泡一分钟再连汤下锅再连汤下锅再连汤下锅再连汤下锅再连汤下锅再连汤下…"},
		{"families are not torn", strings.Repeat("👨‍👩‍👧‍👦", 20), "", strings.Repeat("👨‍👩‍👧‍👦", 7) + "…"},
		{"nor letters from their marks", strings.Repeat("e\u0301", 50), "", strings.Repeat("e\u0301", 41) + "…"},
	} {
		r := bottest.List(2, "Title", "")
		r.Groups[0].Cards[0].Snippet = span(test.text, test.word)
		if test.word == "" {
			r.Groups[0].Cards[0].Snippet.Marks = nil
		}
		m, _, _, _ := sent(t, r)
		_, got, _ := strings.Cut(m.Text, "1 March 2026\n")
		got, _, _ = strings.Cut(got, "\n\n2. ")
		if got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
		if marked := markedIn(m); test.word != "" && marked != test.word {
			t.Errorf("%s: %q is marked", test.name, marked)
		}
	}
}

// markedIn is the first bold part of a message that is not a title.
func markedIn(m telegramtest.Message) string {
	units := utf16.Encode([]rune(m.Text))
	for _, e := range m.Entities {
		if e.Type == "bold" && !strings.HasPrefix(string(utf16.Decode(units[e.Offset:])), "Title") {
			return string(utf16.Decode(units[e.Offset : e.Offset+e.Length]))
		}
	}
	return ""
}
