package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func TestAnArticleListsWhatWasFoundBesideIt(t *testing.T) {
	library := stock()
	h := open(t, library)
	d := page(t, get(t, h, "/a/3/qr-codes?with=4.8.7.99.3.2", "Accept-Language", "it"))
	var titles, hrefs []string
	d.Find("[aria-labelledby=with] h3 a").Each(func(_ int, a *goquery.Selection) {
		titles, hrefs = append(titles, a.Text()), append(hrefs, a.AttrOr("href", ""))
	})
	// Waiting, withdrawn and unknown ones, and the page's own, are left out.
	if diff := cmp.Diff([]string{"微店的二维码", "Older news"}, titles); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(hrefs) != 2 || !strings.HasPrefix(hrefs[0], "/a/4/") || strings.Contains(hrefs[0], "with") {
		t.Errorf("they lead to %q", hrefs)
	}
	if got := d.Find("#with").Text(); got != "Altri articoli trovati" {
		t.Errorf("headed %q", got)
	}
	if got := d.Find(".beside a[href='#with']").Text(); got != "Trovati altri 2 articoli ↓" {
		t.Errorf("told at the top: %q", got)
	}
	if got := attr(d, "link[rel=canonical]", "href"); got != "https://paper.example/a/3/qr-codes" {
		t.Errorf("canonical %q", got)
	}
	if got := attr(d, "meta[name=robots]", "content"); got != "noindex" {
		t.Errorf("robots %q", got)
	}
	// What is listed there is not listed again.
	if n := strings.Count(d.Find("main").Text(), "Older news"); n != 2 { // and as the previous one
		t.Errorf("it is named %d times", n)
	}
	if d := page(t, get(t, h, "/a/3/qr-codes")); d.Find("#with, .beside, meta[name=robots]").Length() != 0 {
		t.Error("a plain page has traces of it")
	}
	moved := get(t, h, "/a/3?with=4.2")
	if to := moved.Header.Get("Location"); moved.StatusCode != http.StatusMovedPermanently || to != "/a/3/qr-codes?with=4.2" {
		t.Errorf("%d to %q", moved.StatusCode, to)
	}
}

func TestOnlyAnExactListOfArticlesIsTaken(t *testing.T) {
	h := open(t, stock())
	for _, with := range []string{
		"with=", "with=x", "with=4.", "with=4..2", "with=+4", "with=04", "with=-4", "with=4,2", "with=4.4", "with=4&with=2", "with=0",
		"with=99999999999999999999", "with=" + strings.Repeat("4.", 4000) + "4", "with=1.2.4.5.6.7.8.9.10", "with=<script>",
	} {
		if d := page(t, get(t, h, "/a/3/qr-codes?"+with)); d.Find("#with").Length() != 0 || d.Find("h1").Text() != "QR codes on the shelf" {
			t.Errorf("%.30q was taken", with)
		}
	}
	if d := page(t, get(t, h, "/a/3/qr-codes?with=1.2.4.5.6.7.8.9")); d.Find("#with").Length() != 1 {
		t.Error("eight are too many")
	}
}

func TestListedArticlesFailWithTheLibrary(t *testing.T) {
	library := stock()
	h := open(t, &onlyFirst{shelf: library, whole: 3})
	if r := get(t, h, "/a/3/qr-codes?with=4"); r.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d", r.StatusCode)
	}
}
