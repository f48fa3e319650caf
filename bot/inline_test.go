package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// inline is a bot over the eight articles and as many more on tea as are asked for.
type inline struct {
	*bot.Bot
	library *content.Library
	db      *database.DB
	clock   *clock
}

func newInline(t testing.TB, db *database.DB, tea int, channel bot.Channel) inline {
	t.Helper()
	c := newClock()
	l := library(t, db, c.now)
	in := inline{library: l, db: db, clock: c}
	for i := range tea {
		in.put(t, fmt.Sprintf("Tea %d", i+1), 1000+i)
	}
	if _, err := l.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.Bot = in.again(t, channel)
	return in
}

// again is another process's bot on the same library.
func (in inline) again(t testing.TB, channel bot.Channel) *bot.Bot {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	if channel.Lang == "" {
		channel.Lang = "en"
	}
	channel.Zone = "UTC"
	return bot.New(bot.Config{DB: in.db, Library: in.library, Catalog: catalog, Name: "Lantern", PublicURL: "https://lantern.example",
		Channels: map[string]bot.Channel{"tg": channel}, Now: in.clock.now})
}

func (in inline) add(t testing.TB, title string, key int) {
	t.Helper()
	in.put(t, title, key)
	if _, err := in.library.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// put adds an article that the index has not heard of.
func (in inline) put(t testing.TB, title string, key int) {
	t.Helper()
	_, _, err := in.library.Add(t.Context(), content.Article{
		Source: "test", Key: fmt.Sprint(key), Title: title, Lang: "en", Tags: []string{"drinks"}, Hash: fmt.Sprint(key),
		Published: time.Date(2026, 3, 1, 0, key%1000, 0, 0, time.UTC), Summary: title + " is poured.",
		Body: []content.Block{{Kind: content.Paragraph, Text: fmt.Sprintf("Number %d of the leaves is %s, poured into the cup of guest %d.", key, title, key*7)}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}

func ask(t testing.TB, b *bot.Bot, q bot.InlineQuery) bot.InlineAnswer {
	t.Helper()
	q.Channel = "tg"
	if q.From == "" {
		q.From = "7"
	}
	a, err := b.Inline(t.Context(), q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	for _, c := range a.Cards {
		if c.Title == "" || c.Article == 0 || c.Number != 0 || c.Open != "" || !utf8.ValidString(c.Why) {
			t.Errorf("%q: a card is %+v", q.Text, c)
		}
	}
	if len(a.Next) > 64 {
		t.Errorf("%q: the offset %q has %d bytes", q.Text, a.Next, len(a.Next))
	}
	return a
}

func titles(a bot.InlineAnswer) []string {
	list := []string{}
	for _, c := range a.Cards {
		list = append(list, c.Title)
	}
	return list
}

func TestInlineAnswersWhatIsTypedSoFar(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 0, bot.Channel{})
	commerce := []string{"The price of commerce", "Shops inside a chat"}
	for _, test := range []struct {
		text string
		want []string // the first ones
	}{
		{"commerce", commerce}, {"commer", commerce}, {"comme", commerce}, {"com", commerce},
		{"c", []string{"The price of commerce", "Shops inside a chat"}}, // titles that have a word with it
		{"chat comm", []string{"Shops inside a chat"}},
		{"bicicl", []string{"Il rapporto agile"}},
		{"茶", []string{"茶下了锅"}}, {"電", []string{"巷口的團購", "微店里的橘子"}}, {"微店里", []string{"微店里的橘子"}},
		{"weid", []string{"微店里的橘子"}},
		{"sport", []string{"Marathon knees", "Il rapporto agile"}}, {"tag:sport", []string{"Il rapporto agile", "Marathon knees"}},
		{"https://lantern.example/a/5/", []string{"Marathon knees"}},
		{"MARATHON", []string{"Marathon knees"}}, {"  marathon\n ", []string{"Marathon knees"}}, {"maratohn", []string{"Marathon knees"}},
		{"", []string{"The price of commerce", "Marathon knees", "Shops inside a chat"}}, {" \n", []string{"The price of commerce"}},
		{"comme ", []string{"The price of commerce"}}, // a word, by the space, that is nowhere: titles alone
		{"🫖", nil}, {"👩🏽‍🍳🇮🇹", nil}, {"?!…", nil}, {"\xff\xfe", []string{"The price of commerce"}}, {"xqzptlk", nil},
		{strings.Repeat("茶", 256), nil}, {strings.Repeat("a", 256), nil}, {strings.Repeat("🫖", 256), nil},
	} {
		answer := ask(t, in.Bot, bot.InlineQuery{Text: test.text, From: fmt.Sprintf("%q", test.text), Lang: "en"})
		got := titles(answer)
		if len(test.want) == 0 && len(got) > 0 || len(got) < len(test.want) || !slices.Equal(got[:len(test.want)], test.want) {
			t.Errorf("%q finds %q, want %q", test.text, got, test.want)
		}
		if (len(got) == 0) != (answer.Start.Label != "" && answer.Start.Text != "") {
			t.Errorf("%q: %d results and the button %+v", test.text, len(got), answer.Start)
		}
	}
}

// A card speaks as its article does, whoever posts it.
func TestInlineCardsSpeakTheirArticlesLanguage(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 0, bot.Channel{DeepLink: func(payload string) string { return "https://t.me/newsie_bot?start=" + payload }})
	want := map[string][3]string{
		"zh-Hans": {"微店里的橘子", "2026年3月3日", "阅读全文"}, "zh-Hant": {"巷口的團購", "2026年3月4日", "閱讀全文"},
		"it": {"Il rapporto agile", "6 marzo 2026", "Continua a leggere"}, "en": {"Marathon knees", "5 March 2026", "Read on"},
	}
	for _, reader := range []string{"en", "it", "ja"} {
		answer := ask(t, in.Bot, bot.InlineQuery{Lang: reader, From: reader})
		for _, c := range answer.Cards {
			expect := want[c.Lang]
			if c.Title != expect[0] {
				continue
			}
			got := [3]string{c.Title, c.Date, c.Actions[0].Label}
			if got != expect || !strings.HasPrefix(c.Actions[0].URL, "https://lantern.example/a/") ||
				c.Actions[1].URL != fmt.Sprintf("https://t.me/newsie_bot?start=a%d", c.Article) || len(c.Actions) != 2 {
				t.Errorf("to a reader of %s: %q %+v", reader, got, c.Actions)
			}
		}
	}
	answer := ask(t, in.Bot, bot.InlineQuery{Text: "xqzptlk", Lang: "it"})
	if answer.Start != (bot.Action{Label: "Qui non c’è nulla: chiedi al bot", Text: "oinline"}) {
		t.Errorf("the button is %+v", answer.Start)
	}
	if p, ok := bot.ParsePayload(answer.Start.Text); !ok || p.Origin != "inline" {
		t.Errorf("whoever presses it comes from %q", p.Origin)
	}
}

// What the platform may give to everybody must be what everybody would get.
func TestInlineIsPersonalOnlyWhereItIs(t *testing.T) {
	for name, channel := range map[string]bot.Channel{
		"every language": {}, "one language": {Filter: content.Filter{Langs: []string{"en"}}},
		"two scripts": {Filter: content.Filter{Langs: []string{"zh-Hans", "zh-Hant"}}},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInline(t, databasetest.SQLite(t), 3, channel)
			// One reader has chosen a language, against what the app says.
			tell(t, in.Bot, bot.Message{ID: "1", Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "chose"}, Text: "/lang it", Lang: "en"})
			personal := map[string]bool{}
			for _, text := range []string{"", "commerce", "chat", "电商", "團購", "茶", "where is the price of the commerce", "dove è la bottega nel telefono", "にゅーす", "서울", "xqzptlk", "不存在", "com"} {
				var answers []bot.InlineAnswer
				for _, reader := range [][2]string{{"1", "en"}, {"2", "it"}, {"3", "zh-hans"}, {"4", "zh-hant"}, {"5", "ja"}, {"6", ""}, {"chose", "en"}} {
					answers = append(answers, ask(t, in.Bot, bot.InlineQuery{Text: text, From: reader[0], Lang: reader[1]}))
				}
				personal[text] = answers[0].Personal
				for _, a := range answers[1:] {
					if a.Personal != answers[0].Personal {
						t.Fatalf("%q is personal for some", text)
					}
					if diff := cmp.Diff(answers[0], a); diff != "" && !a.Personal {
						t.Errorf("%q is for all, and differs:\n%s", text, diff)
					}
				}
				if (answers[0].Keep < time.Minute || answers[0].Keep > 5*time.Minute) && text != "" {
					t.Errorf("%q may be kept %s", text, answers[0].Keep)
				}
			}
			for text, want := range map[string]bool{"": true, "commerce": true, "xqzptlk": true, "电商": false, "團購": false, "茶": false, "where is the price of the commerce": false} {
				if got := personal[text]; got != (want && name == "every language") {
					t.Errorf("%q: personal %t", text, got)
				}
			}
		})
	}
}

func TestInlinePersonalAnswersGoByTheReader(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 0, bot.Channel{})
	first := func(q bot.InlineQuery) string { return titles(ask(t, in.Bot, q))[0] }
	for lang, want := range map[string]string{"en": "The price of commerce", "it": "Il rapporto agile", "zh-hans": "茶下了锅", "zh-hant": "巷口的團購"} {
		if got := first(bot.InlineQuery{From: lang, Lang: lang}); got != want {
			t.Errorf("the newest to a reader of %s: %q, want %q", lang, got, want)
		}
	}
	tell(t, in.Bot, bot.Message{ID: "1", Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "8"}, Text: "/lang it", Lang: "en"})
	if got := first(bot.InlineQuery{From: "8", Lang: "en"}); got != "Il rapporto agile" {
		t.Errorf("to one who chose Italian: %q", got)
	}
}

// Whoever scrolls sees each article once, whatever comes in meanwhile and
// whichever process answers; the end is an end.
func TestInlinePagesToTheEndWithoutRepetition(t *testing.T) {
	for _, text := range []string{"tea", "te", ""} {
		for _, other := range []bool{false, true} {
			t.Run(fmt.Sprintf("%q another process %t", text, other), func(t *testing.T) {
				in := newInline(t, databasetest.SQLite(t), 34, bot.Channel{})
				second := in.again(t, bot.Channel{})
				seen := map[int64]bool{}
				offset, pages, b := "", 0, in.Bot
				for {
					answer := ask(t, b, bot.InlineQuery{Text: text, Lang: "en", Offset: offset})
					pages++
					for _, c := range answer.Cards {
						if seen[c.Article] || strings.HasPrefix(c.Title, "Tea new") {
							t.Errorf("page %d shows %q again, or new", pages, c.Title)
						}
						seen[c.Article] = true
					}
					if answer.Start.Label != "" {
						t.Errorf("page %d: %+v", pages, answer.Start)
					}
					if offset = answer.Next; offset == "" {
						break
					}
					in.add(t, fmt.Sprintf("Tea new %d", pages), 2900+pages)
					if other {
						b = second
					}
				}
				want := map[string]int{"tea": 34, "te": 35, "": 42}[text] // the telephone; everything
				if len(seen) != want || pages != (want+9)/10 {
					t.Errorf("%d articles on %d pages, want %d on %d", len(seen), pages, want, (want+9)/10)
				}
			})
		}
	}
}

func TestInlineOffsetsOfNobodyEnd(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 34, bot.Channel{})
	good := ask(t, in.Bot, bot.InlineQuery{Text: "tea"}).Next
	for _, offset := range []string{"x", "10", "-10.1.1", "0.0.0", "10.1", "10.1.2.3", "99999999999999999999.1.1", "51.1.1", strings.Repeat("9", 64)} {
		if a := ask(t, in.Bot, bot.InlineQuery{Text: "tea", Offset: offset}); len(a.Cards) != 0 || a.Next != "" || a.Start.Label != "" {
			t.Errorf("%q: %d cards, next %q, %+v", offset, len(a.Cards), a.Next, a.Start)
		}
	}
	// The list of other words is not handed out for them.
	for _, c := range ask(t, in.Bot, bot.InlineQuery{Text: "marathon", Offset: good}).Cards {
		if strings.HasPrefix(c.Title, "Tea") {
			t.Errorf("another list's %q", c.Title)
		}
	}
}

func TestInlineShowsNothingWithdrawn(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 25, bot.Channel{})
	first := ask(t, in.Bot, bot.InlineQuery{Text: "tea"})
	// One of this page, and all of the next.
	gone := map[int64]bool{first.Cards[0].Article: true}
	second := ask(t, in.Bot, bot.InlineQuery{Text: "tea", Offset: first.Next})
	for _, c := range second.Cards {
		gone[c.Article] = true
	}
	for id := range gone {
		if err := in.library.Withdraw(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []bot.InlineQuery{{Text: "tea"}, {Text: "te"}, {Text: ""}, {Text: "tea", Offset: first.Next}} {
		answer := ask(t, in.Bot, q) // the index has not heard of it yet
		if len(answer.Cards) == 0 {
			t.Errorf("%+v: nothing", q)
		}
		for _, c := range answer.Cards {
			if gone[c.Article] {
				t.Errorf("%+v offers the withdrawn %q", q, c.Title)
			}
		}
	}
	if last := ask(t, in.Bot, bot.InlineQuery{Text: "tea", Offset: first.Next}); len(last.Cards) != 5 || last.Next != "" {
		t.Errorf("a page that was withdrawn is not skipped: %d cards, next %q", len(last.Cards), last.Next)
	}
}

func TestInlineKeepsNothing(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		in := newInline(t, db, 20, bot.Channel{})
		rows := func() (n int) {
			for _, table := range []string{"chats", "lists", "questions", "inbox", "settings", "follows", "saved"} {
				n += count(t, db, "SELECT count(*) FROM "+table)
			}
			return n
		}
		before := rows()
		for _, text := range []string{"", "t", "te", "tea", "xqzptlk"} {
			a := ask(t, in.Bot, bot.InlineQuery{Text: text, Lang: "en"})
			ask(t, in.Bot, bot.InlineQuery{Text: text, Lang: "en", Offset: a.Next})
		}
		if got := rows(); got != before {
			t.Errorf("%d rows, before %d", got, before)
		}
	})
}

func TestInlineFloodIsWarnedOnceThenSilent(t *testing.T) {
	in := newInline(t, databasetest.SQLite(t), 0, bot.Channel{})
	var answered, warned, silent int
	for range bot.DefaultLimits.InlineBurst + 10 {
		switch a := ask(t, in.Bot, bot.InlineQuery{Text: "电商", From: "flooder", Lang: "en"}); {
		case a.Silent:
			silent++
		case len(a.Cards) == 0 && a.Keep == 0 && a.Personal:
			warned++
			if want := "问得太快啦，请过 1 秒再试。"; a.Start.Label != want {
				t.Errorf("the warning is %q, want %q", a.Start.Label, want)
			}
		default:
			answered++
		}
	}
	if answered != bot.DefaultLimits.InlineBurst || warned != 1 || silent != 9 {
		t.Errorf("%d answers, %d warnings, %d silences", answered, warned, silent)
	}
	if a := ask(t, in.Bot, bot.InlineQuery{Text: "电商", From: "other"}); len(a.Cards) == 0 {
		t.Error("another reader suffers")
	}
	if r := tell(t, in.Bot, bot.Message{ID: "1", Kind: bot.Text, Chat: bot.ChatID{Channel: "tg", ID: "flooder"}, Text: "commerce", Lang: "en"}); len(r.Groups) == 0 {
		t.Error("what was typed elsewhere counts against the reader's own chat")
	}
	in.clock.advance(2 * bot.DefaultLimits.InlineEvery)
	if a := ask(t, in.Bot, bot.InlineQuery{Text: "电商", From: "flooder"}); len(a.Cards) == 0 {
		t.Error("nothing after a pause")
	}
}
