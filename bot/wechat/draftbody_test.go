package wechat_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/content"
	"newsie/internal/database/databasetest"
)

const (
	original = "点击文末“阅读原文”，可查看网页版。"
	readOn   = "篇幅所限，以上为节选。点击文末“阅读原文”，继续阅读全文。"
)

func TestTheBodyOfADraft(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.mustMass(t, "key", d.write(content.Article{Body: []content.Block{
		{Kind: content.Heading, Level: 2, Text: "Tea & <b>trade</b>"},
		{Kind: content.Paragraph, Text: "Strong and stressed, linked.\nNext line", Marks: []content.Mark{
			{Start: 0, End: 6, Style: "strong"}, {Start: 11, End: 19, Style: "em"}, {Start: 21, End: 27, Style: "link", URL: "https://elsewhere.example/"},
		}},
		{Kind: content.Item, Level: 1, Text: "one"}, {Kind: content.Item, Level: 1, Text: "two"},
		{Kind: content.Item, Level: 2, Text: "first"}, {Kind: content.Picture, URL: "/media/none.png"}, {Kind: content.Item, Level: 2, Text: "second"},
		{Kind: content.Quote, Text: "said"}, {Kind: content.Quote, Text: "again"},
		{Kind: content.Code, Text: "if a < b {\n\treturn\n}"},
		{Kind: content.Paragraph, Text: " \u0001 "},
	}}))
	got := d.sheet(t, 0)
	text := got.Content
	for _, style := range []string{` style="`} {
		if strings.Count(text, style) < 10 || strings.Contains(text, "class=") {
			t.Errorf("styles: %s", text)
		}
	}
	bare := strings.Join(strings.Split(stylesOut(text), "\n"), "\n")
	want := `<section><h2>Tea &amp; &lt;b&gt;trade&lt;/b&gt;</h2>` +
		`<p><strong>Strong</strong> and <em>stressed</em>, linked.<br/>Next line</p>` +
		`<ul><li>one</li><li>two</li></ul><ol><li>first</li><li>second</li></ol>` +
		`<blockquote><p>said</p><p>again</p></blockquote>` +
		"<pre>if a &lt; b {\n\treturn\n}</pre>" +
		`<p>` + original + `</p></section>`
	if bare != want {
		t.Errorf("got  %s\nwant %s", bare, want)
	}
	if len(got.Lost) != 0 {
		t.Errorf("the platform took out %v", got.Lost)
	}
}

// stylesOut takes the styles out of markup.
func stylesOut(text string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, ` style="`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		_, text, _ = strings.Cut(rest, `"`)
	}
}

func TestANumberedListCountsOnAfterAPicture(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.pictures["/media/one.png"] = picture(t, 5, 5)
	d.mustMass(t, "key", d.write(content.Article{Body: []content.Block{
		{Kind: content.Item, Level: 2, Text: "first"}, {Kind: content.Item, Level: 2, Text: "second"},
		{Kind: content.Picture, URL: "/media/one.png"}, {Kind: content.Item, Level: 2, Text: "third"},
	}}))
	if got := stylesOut(d.sheet(t, 0).Content); !strings.Contains(got, `<ol start="3"><li>third</li></ol>`) || !strings.Contains(got, "<ol><li>first</li>") {
		t.Error(got)
	}
}

func TestMarksThatAreWrongAreLeftOut(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	d.mustMass(t, "key", d.write(content.Article{Body: []content.Block{{Kind: content.Paragraph, Text: "茶叶贸易", Marks: []content.Mark{
		{Start: -1, End: 3, Style: "strong"}, {Start: 1, End: 6, Style: "em"}, {Start: 3, End: 9, Style: "strong"}, {Start: 6, End: 12, Style: "em"}, {Start: 9, End: 99, Style: "em"},
	}}}}))
	if got := stylesOut(d.sheet(t, 0).Content); !strings.Contains(got, "<p>茶<strong>叶贸</strong>易</p>") {
		t.Error(got)
	}
}

// What is too long ends at the end of a block, and with the words that say so;
// one character less, and all of it is there.
func TestALongTextIsCutAtABlock(t *testing.T) {
	paragraphs := func(n, size int, unit string) []content.Block {
		var list []content.Block
		for i := range n {
			list = append(list, content.Block{Kind: content.Paragraph, Text: fmt.Sprintf("%03d", i) + strings.Repeat(unit, size)})
		}
		return list
	}
	for name, test := range map[string]struct {
		body  []content.Block
		whole bool
	}{
		"short":             {paragraphs(10, 100, "茶"), true},
		"long Chinese":      {paragraphs(30, 1000, "茶"), false},
		"emoji":             {paragraphs(30, 1000, "🍵"), false},
		"what is escaped":   {paragraphs(10, 1000, "<&>"), false},
		"one endless block": {paragraphs(1, 30_000, "茶"), false},
		"endless, escaped":  {paragraphs(1, 30_000, `"`), false},
		"endless, no space": {paragraphs(1, 30_000, "x"), false},
		"items":             {append([]content.Block{{Kind: content.Item, Level: 1, Text: "000"}}, items(400, 100)...), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, databasetest.SQLite(t))
			d.mustMass(t, "key", d.write(content.Article{Body: test.body}))
			got := d.sheet(t, 0).Content
			end := map[bool]string{true: original, false: readOn}[test.whole]
			if !strings.HasSuffix(stylesOut(got), "<p>"+end+"</p></section>") {
				t.Errorf("it ends with %q", got[max(0, len(got)-200):])
			}
			if n := utf8.RuneCountInString(got); !test.whole && n < 8_000 {
				t.Errorf("only %d characters are used", n)
			}
			if !strings.Contains(got, "000") {
				t.Error("the beginning is missing")
			}
			for i, p := range strings.Split(stylesOut(got), "<p>") {
				if block := strings.TrimSuffix(p, "</p>"); name == "long Chinese" && i > 0 && strings.HasSuffix(block, "茶") && utf8.RuneCountInString(block) != 1003 {
					t.Errorf("a paragraph of %d characters is cut", utf8.RuneCountInString(block))
				}
			}
		})
	}
}

func items(n, size int) []content.Block {
	var list []content.Block
	for range n {
		list = append(list, content.Block{Kind: content.Item, Level: 1, Text: strings.Repeat("茶", size)})
	}
	return list
}

func TestTheLastCharacterThatFits(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	whole := func(n int) bool {
		d.articles = nil
		d.clock.Advance(24 * time.Hour)
		d.mustMass(t, fmt.Sprint("key-", n), d.write(content.Article{Body: []content.Block{{Kind: content.Paragraph, Text: "begin"}, {Kind: content.Paragraph, Text: strings.Repeat("茶", n)}}}))
		return strings.Contains(d.sheet(t, 0).Content, strings.Repeat("茶", n))
	}
	low, high := 15_000, 20_000
	for low+1 < high {
		if mid := (low + high) / 2; whole(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	if low < 19_500 {
		t.Errorf("a paragraph of %d characters does not fit", high)
	}
	if !whole(low) || whole(low+1) {
		t.Error("the limit is not where it was found")
	}
	whole(low)
	if n := utf8.RuneCountInString(d.sheet(t, 0).Content); n >= 20_000 || n < 19_900 {
		t.Errorf("%d characters", n)
	}
}

func TestSummariesOnly(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t), func(_ *wechattest.Account, c *wechat.Config) { c.Mass.Summary = true })
	d.pictures["/media/one.png"] = picture(t, 5, 5)
	d.mustMass(t, "key", d.write(
		content.Article{Summary: "What it is about.", Body: []content.Block{{Kind: content.Picture, URL: "/media/one.png"}, {Kind: content.Paragraph, Text: "The text."}}},
		content.Article{Body: []content.Block{{Kind: content.Paragraph, Text: "Without a summary."}}},
	))
	if got := stylesOut(d.sheet(t, 0).Content); got != "<section><p>What it is about.</p><p>"+readOn+"</p></section>" {
		t.Error(got)
	}
	if got := stylesOut(d.sheet(t, 1).Content); !strings.Contains(got, "Without a summary.") {
		t.Error(got)
	}
	if n := d.Calls(wechattest.ImageUpload); n != 0 {
		t.Errorf("%d pictures were uploaded that nobody sees", n)
	}
}

func TestAnArticleWithoutAnAddress(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	r := d.write(content.Article{}, content.Article{}, content.Article{})
	r.Groups[0].Cards[0].URL = ""
	r.Groups[0].Cards[1].URL = "https://news.example/" + strings.Repeat("x", 1024)
	d.mustMass(t, "key", r)
	for i, want := range []string{"", "", "https://news.example/a/3"} {
		a := d.sheet(t, i)
		if a.SourceURL != want || strings.Contains(a.Content, original) != (want != "") {
			t.Errorf("article %d leads to %q: %s", i+1, a.SourceURL, a.Content)
		}
	}
}

// Whatever blocks there are, the platform takes them: the fake reports markup
// that is not well formed, and refuses what is too long.
func TestAnyBlocksMakeABodyThatIsTaken(t *testing.T) {
	d := newDesk(t, databasetest.SQLite(t))
	random := rand.New(rand.NewPCG(1, 2))
	kinds := []content.Kind{content.Heading, content.Paragraph, content.Quote, content.Item, content.Code, content.Picture, "other"}
	units := []string{"a ", "茶", "<", "&", "\"", "\n", "👨‍👩‍👧", "\u0000", "\xff", "é", "</p>", "]]>"}
	for round := range 12 {
		d.articles = nil
		var list []content.Article
		for range 8 {
			a := content.Article{Lang: []string{"zh-Hans", "ar", "en", ""}[random.IntN(4)]}
			for range random.IntN(60) + 1 {
				text := ""
				for range random.IntN(4) {
					text += strings.Repeat(units[random.IntN(len(units))], random.IntN(300))
				}
				b := content.Block{Kind: kinds[random.IntN(len(kinds))], Level: random.IntN(6), Text: text, URL: "/media/none.png"}
				for range random.IntN(3) {
					b.Marks = append(b.Marks, content.Mark{Start: random.IntN(200) - 5, End: random.IntN(400), Style: []string{"strong", "em", "link", "x"}[random.IntN(4)]})
				}
				a.Body = append(a.Body, b)
			}
			list = append(list, a)
		}
		d.clock.Advance(24 * time.Hour)
		d.mustMass(t, fmt.Sprint("key-", round), d.write(list...))
	}
}
