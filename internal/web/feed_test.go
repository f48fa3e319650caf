package web_test

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mmcdole/gofeed"

	"newsie/content"
)

func TestFeed(t *testing.T) {
	h := open(t, stock())
	raw := text(t, get(t, h, "/feed.xml"), 200)
	feed, err := gofeed.NewParser().ParseString(raw)
	if err != nil {
		t.Fatal(err)
	}
	if feed.Title != "The Paper" || feed.FeedLink != "https://paper.example/feed.xml" || feed.Link != "https://paper.example/" || feed.UpdatedParsed == nil || !feed.UpdatedParsed.Equal(day(9)) {
		t.Errorf("feed: %+v", feed)
	}
	if len(feed.Items) != 3 {
		t.Fatalf("%d entries", len(feed.Items))
	}
	item := feed.Items[1]
	if item.GUID != "https://paper.example/a/3" || item.Link != "https://paper.example/a/3/qr-codes" || item.Author.Name != "Ada Byron" ||
		item.Description != "Shops print codes. Readers scan them." || !item.PublishedParsed.Equal(day(5)) || !item.UpdatedParsed.Equal(day(6)) ||
		!cmp.Equal(item.Categories, []string{"commerce", "c/o & more"}) {
		t.Errorf("entry: %+v", item)
	}
	if !strings.Contains(item.Content, `src="https://paper.example/media/bb.png"`) || !strings.Contains(item.Content, "<strong>strong</strong>") {
		t.Errorf("content: %s", item.Content)
	}
	if feed.Items[2].Link != "https://www.example.net/older" {
		t.Errorf("link = %q", feed.Items[2].Link)
	}
	if !strings.Contains(raw, `<entry xml:lang="zh-Hans">`) || strings.Count(raw, "xmlns=") != 1 {
		t.Errorf("raw: %s", raw)
	}
	raw = text(t, get(t, h, "/feed.xml?lang=zh-Hans&tag=%E7%94%B5%E5%95%86"), 200)
	if !strings.Contains(raw, `<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-Hans">`) || strings.Count(raw, "<entry") != 1 {
		t.Errorf("filtered: %s", raw)
	}
	if got := text(t, get(t, open(t, &shelf{}), "/feed.xml"), 200); !strings.Contains(got, "<updated>1970-01-01T00:00:00Z</updated>") {
		t.Errorf("empty: %s", got)
	}
}

func TestSitemap(t *testing.T) {
	type set struct {
		XMLName xml.Name
		Locs    []string `xml:"url>loc"`
		Maps    []string `xml:"sitemap>loc"`
	}
	read := func(h http.Handler, path string) (s set) {
		if err := xml.Unmarshal([]byte(text(t, get(t, h, path), 200)), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	got := read(open(t, stock()), "/sitemap.xml")
	want := []string{"https://paper.example/", "https://paper.example/a/4/%E5%BE%AE%E5%BA%97%E7%9A%84%E4%BA%8C%E7%BB%B4%E7%A0%81", "https://paper.example/a/3/qr-codes"}
	if diff := cmp.Diff(want, got.Locs); diff != "" {
		t.Error(diff)
	}
	big := &shelf{}
	for i := range 50_001 {
		big.articles = append(big.articles, content.Article{ID: int64(i + 1), State: content.Published, Title: "T", Slug: "t"})
	}
	h := open(t, big)
	if got := read(h, "/sitemap.xml"); got.XMLName.Local != "sitemapindex" || !cmp.Equal(got.Maps, []string{"https://paper.example/sitemap.xml?part=1", "https://paper.example/sitemap.xml?part=2"}) {
		t.Errorf("index: %+v", got)
	}
	first, second := read(h, "/sitemap.xml?part=1"), read(h, "/sitemap.xml?part=2")
	all := map[string]bool{}
	for _, loc := range append(first.Locs, second.Locs...) {
		all[loc] = true
	}
	if len(first.Locs) > 50_000 || len(all) != 50_002 {
		t.Errorf("%d and %d addresses, %d different", len(first.Locs), len(second.Locs), len(all))
	}
	for _, part := range []string{"0", "3", "x"} {
		if r := get(t, h, "/sitemap.xml?part="+part); r.StatusCode != 404 {
			t.Errorf("part %s: %s", part, r.Status)
		}
	}
}
