package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mmcdole/gofeed"

	"newsie/content"
	"newsie/internal/browsertest"
)

func TestArticlePage(t *testing.T) {
	library := stock()
	library.pictures["aa.png"] = content.Figure{Name: "aa.png", Type: "image/png", Data: browsertest.Picture()}
	d := page(t, get(t, open(t, library), "/a/3/qr-codes", "Accept-Language", "it"))
	for selector, want := range map[string]string{
		"h1": "QR codes on the shelf", ".author": "Ada Byron", ".byline time": "5 marzo 2026", ".note": "Ada writes about shops.",
		".body h2": "How it began", ".body strong": "strong", ".body ul": "one\ntwo", ".body ol": "first", ".body blockquote": "Said.",
		".body pre code": "if a < b {}\n\treturn", ".turn .back a": "Older news", ".turn .on span.title": "Not in the library", ".related": "",
		"#related": "Articoli correlati",
	} {
		if got := strings.TrimSpace(d.Find(selector).First().Text()); got != want {
			t.Errorf("%s: %q, want %q", selector, got, want)
		}
	}
	for _, test := range []struct{ selector, attr, want string }{
		{"html", "lang", "en"}, {"header.top", "lang", "it"}, {".byline time", "datetime", "2026-03-05"},
		{".body a", "href", "https://example.net/?a=1&b=2"}, {".body a", "rel", "noopener"},
		{".cover", "src", "/media/aa.png"}, {".body img", "src", "/media/bb.png"}, {".body img", "alt", `A "shelf"`},
		{`link[rel=canonical]`, "href", "https://paper.example/a/3/qr-codes"},
		{`meta[property="og:title"]`, "content", "QR codes on the shelf"}, {`meta[property="og:image"]`, "content", "https://paper.example/media/aa.png?cover=1200x630"},
		{`meta[property="og:description"]`, "content", "Shops print codes. Readers scan them."},
		{`meta[property="og:type"]`, "content", "article"}, {`meta[property="og:locale"]`, "content", "en_US"},
		{".turn .back a", "href", "/a/2/older-news"}, {".plainlist a", "href", "/a/4/%e5%be%ae%e5%ba%97%e7%9a%84%e4%ba%8c%e7%bb%b4%e7%a0%81"},
		{".tags li:nth-child(2) a", "href", "/tag/c%2fo%20&%20more"},
	} {
		if got := attr(d, test.selector, test.attr); !strings.EqualFold(got, test.want) {
			t.Errorf("%s %s: %q, want %q", test.selector, test.attr, got, test.want)
		}
	}
	if n := d.Find("script:not([type='application/ld+json'])").Length(); n != 0 {
		t.Errorf("the page has %d scripts", n)
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(d.Find("script").Text()), &data); err != nil {
		t.Fatal(err)
	}
	if data["headline"] != "QR codes on the shelf" || data["datePublished"] != "2026-03-05T08:00:00Z" || data["@type"] != "Article" {
		t.Errorf("linked data: %v", data)
	}
}

func TestCanonicalIsThePublishersOwn(t *testing.T) {
	d := page(t, get(t, open(t, stock()), "/a/2/older-news"))
	if got := attr(d, "link[rel=canonical]", "href"); got != "https://www.example.net/older" {
		t.Errorf("canonical = %q", got)
	}
	if got := d.Find(".original").Text(); !strings.Contains(got, "Read it on example.net") {
		t.Errorf("original = %q", got)
	}
}

func TestWhereElseAStoryIsTold(t *testing.T) {
	s := stock()
	s.articles[1].Also = []content.Copy{
		{ID: 8, Source: "gazette <b>", Title: "Codes in \"shops\"", Slug: "codes"},
		{ID: 9, Source: "courier", URL: "https://courier.example/9"},
		{ID: 10, Source: "mirror", URL: "javascript:alert(1)", Slug: "x"},
	}
	d := page(t, get(t, open(t, s), "/a/3/qr-codes", "Accept-Language", "zh-CN"))
	if got := strings.TrimSpace(d.Find(".also").Text()); got != "另见： gazette <b>、courier、mirror" {
		t.Errorf("also: %q", got)
	}
	for i, want := range []string{"/a/8/codes", "https://courier.example/9", "/a/10/x"} {
		if got, _ := d.Find(".also a").Eq(i).Attr("href"); got != want {
			t.Errorf("link %d: %q, want %q", i, got, want)
		}
	}
	if n := page(t, get(t, open(t, stock()), "/a/3/qr-codes")).Find(".also").Length(); n != 0 {
		t.Errorf("%d lines on a story that is told here alone", n)
	}
}

func TestArticleAddresses(t *testing.T) {
	h := open(t, stock())
	for _, test := range []struct {
		path     string
		status   int
		location string
	}{
		{"/a/3", 301, "/a/3/qr-codes"},
		{"/a/3/", 301, "/a/3/qr-codes"},
		{"/a/3/qr-codes/", 301, "/a/3/qr-codes"},
		{"/a/3/another/slug?from=x", 301, "/a/3/qr-codes?from=x"},
		{"/a/4/x", 301, "/a/4/%E5%BE%AE%E5%BA%97%E7%9A%84%E4%BA%8C%E7%BB%B4%E7%A0%81"},
		{"/a/4/%E5%BE%AE%E5%BA%97%E7%9A%84%E4%BA%8C%E7%BB%B4%E7%A0%81", 200, ""},
		{"/a/7/gone", 410, ""}, {"/a/7", 410, ""}, {"/a/8/tomorrow", 404, ""},
		{"/a/99/x", 404, ""}, {"/a/-1", 404, ""}, {"/a/abc", 404, ""}, {"/a/99999999999999999999", 404, ""}, {"/nowhere", 404, ""},
	} {
		r := get(t, h, test.path)
		if r.StatusCode != test.status || r.Header.Get("Location") != test.location {
			t.Errorf("%s: %d %q, want %d %q", test.path, r.StatusCode, r.Header.Get("Location"), test.status, test.location)
		}
	}
	if got := text(t, get(t, h, "/a/7/gone", "Accept-Language", "zh-TW"), 410); !strings.Contains(got, "這篇文章已撤下") || strings.Contains(got, "Gone") {
		t.Errorf("the withdrawn page: %s", got)
	}
	if got := text(t, get(t, h, "/a/8/tomorrow"), 404); strings.Contains(got, "Tomorrow") {
		t.Error("a waiting article shows")
	}
}

func TestHostileArticle(t *testing.T) {
	evil := `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>` + "\u2028]]>"
	library := &shelf{articles: []content.Article{{
		ID: 1, State: content.Published, Slug: "x", Title: evil, Author: evil, Note: evil, Summary: evil, Lang: `en"><script>`, Tags: []string{evil},
		URL: "javascript:alert(1)", Cover: `javascript:alert(1)`, Previous: evil, Added: day(1), Recommended: []content.Teaser{{Title: evil + "2", Excerpt: evil}},
		Body: []content.Block{
			{Kind: content.Paragraph, Text: evil, Marks: []content.Mark{{Start: 0, End: 5, Style: "link", URL: "javascript:alert(1)"}, {Start: 1, End: 4, Style: `b onclick="x"`}}},
			{Kind: content.Code, Text: evil}, {Kind: content.Picture, URL: `/x" onerror="alert(1)`, Text: evil}, {Kind: content.Picture, URL: "data:text/html,x"},
			{Kind: content.Picture, URL: "//evil.example/x.png"}, {Kind: content.Heading, Level: 99, Text: evil},
		},
	}}}
	h := open(t, library)
	for _, path := range []string{"/a/1/x", "/"} {
		d := page(t, get(t, h, path))
		if got := d.Find("script:not([type='application/ld+json']), [onerror], [onclick], img[src=x], [href^='javascript'], [src^='javascript'], [src^='data'], [src^='//']").Length(); got != 0 {
			t.Errorf("%s: %d dangerous elements", path, got)
		}
	}
	d := page(t, get(t, h, "/a/1/x"))
	if got := d.Find("h1").Text(); got != evil {
		t.Errorf("title = %q", got)
	}
	var data map[string]any
	if err := json.Unmarshal([]byte(d.Find("script").Text()), &data); err != nil || data["headline"] != evil {
		t.Errorf("linked data: %v %v", err, data)
	}
	feed, err := gofeed.NewParser().ParseString(text(t, get(t, h, "/feed.xml"), 200))
	if err != nil || feed.Items[0].Link != "https://paper.example/a/1/x" {
		t.Errorf("feed: %v %+v", err, feed)
	}
}

func TestRightToLeft(t *testing.T) {
	library := &shelf{articles: []content.Article{{ID: 1, State: content.Published, Slug: "x", Title: "שלום", Lang: "he"}}}
	if got := attr(page(t, get(t, open(t, library), "/a/1/x")), "html", "dir"); got != "rtl" {
		t.Errorf("dir = %q", got)
	}
}

func TestMarks(t *testing.T) {
	for _, test := range []struct {
		name, text string
		marks      []content.Mark
		want       string
	}{
		{"nested", "abcdef", []content.Mark{{Start: 0, End: 6, Style: "strong"}, {Start: 2, End: 4, Style: "em"}}, "<strong>ab<em>cd</em>ef</strong>"},
		{"ending together", "abcd", []content.Mark{{Start: 2, End: 4, Style: "em"}, {Start: 0, End: 4, Style: "strong"}}, "<strong>ab<em>cd</em></strong>"},
		{"side by side", "abcd", []content.Mark{{Start: 0, End: 2, Style: "em"}, {Start: 2, End: 4, Style: "code"}}, "<em>ab</em><code>cd</code>"},
		{"crossing: the second is dropped", "abcdef", []content.Mark{{Start: 0, End: 4, Style: "strong"}, {Start: 2, End: 6, Style: "em"}}, "<strong>abcd</strong>ef"},
		{"out of range", "ab", []content.Mark{{Start: -1, End: 1, Style: "em"}, {Start: 0, End: 9, Style: "em"}, {Start: 1, End: 1, Style: "em"}}, "ab"},
		{"inside a character", "微店", []content.Mark{{Start: 1, End: 3, Style: "em"}}, "微店"},
		{"a whole character", "微店", []content.Mark{{Start: 3, End: 6, Style: "strong"}}, "微<strong>店</strong>"},
		{"unknown style", "ab", []content.Mark{{Start: 0, End: 1, Style: "blink"}}, "ab"},
		{"mail", "ab", []content.Mark{{Start: 0, End: 2, Style: "link", URL: "mailto:a@b.c"}}, `<a href="mailto:a@b.c" rel="noopener">ab</a>`},
		{"link in a link", "abcd", []content.Mark{{Start: 0, End: 4, Style: "link", URL: "https://a.b/"}, {Start: 1, End: 2, Style: "link", URL: "https://c.d/"}}, `<a href="https://a.b/" rel="noopener">abcd</a>`},
		{"escaped", "<&>", []content.Mark{{Start: 1, End: 2, Style: "em"}}, "&lt;<em>&amp;</em>&gt;"},
		{"a line", "a\nb", nil, "a<br/>\nb"},
	} {
		t.Run(test.name, func(t *testing.T) {
			library := &shelf{articles: []content.Article{{ID: 1, State: content.Published, Slug: "x", Title: "T", Body: []content.Block{{Kind: content.Paragraph, Text: test.text, Marks: test.marks}}}}}
			got, err := page(t, get(t, open(t, library), "/a/1/x")).Find(".body p").Html()
			if err != nil || got != test.want {
				t.Errorf("got %s, want %s (%v)", got, test.want, err)
			}
		})
	}
}
