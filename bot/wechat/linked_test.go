package wechat_test

import (
	"strings"
	"testing"

	"newsie/bot"
)

func TestLinksStandInTheText(t *testing.T) {
	text := "请填表：合作表单。"
	link := bot.Link{Start: len("请填表："), End: len("请填表：合作表单"), URL: "https://lantern.example/biz"}
	b := shows(t, bot.Reply{Lang: "zh-Hans", Text: text, Links: []bot.Link{link}})
	if want := `请填表：<a href="https://lantern.example/biz">合作表单</a>。`; b.Raw != want {
		t.Errorf("shown %q, want %q", b.Raw, want)
	}
	link.URL = "https://lantern.example/" + strings.Repeat("x", 1000) // no app opens it
	if b := shows(t, bot.Reply{Lang: "zh-Hans", Text: text, Links: []bot.Link{link}}); b.Raw != text {
		t.Errorf("shown %q, want %q", b.Raw, text)
	}
}

// A text that is cut keeps whole links, whatever the cut goes through.
func TestACutTextHasWholeLinks(t *testing.T) {
	for _, before := range []int{0, 100, 840, 870, 880, 885, 890, 895, 900, 1000} {
		var b strings.Builder
		var links []bot.Link
		b.WriteString(strings.Repeat("茶x", before/2))
		for range 10 {
			start := b.Len()
			b.WriteString("链接 words")
			links = append(links, bot.Link{Start: start, End: b.Len(), URL: "https://lantern.example/" + strings.Repeat("p", 600)})
			b.WriteString(" 然后")
		}
		b.WriteString(strings.Repeat("完", 300))
		got := shows(t, bot.Reply{Lang: "zh-Hans", Text: b.String(), Links: links}).Raw // which checks its size
		whole := strings.Count(got, ">链接 words</a>")
		if strings.Count(got, "<a ") != whole || before == 0 && whole == 0 {
			t.Errorf("after %d: %d of %d links are whole", before, whole, strings.Count(got, "<a "))
		}
	}
}

func TestTheMarkOfACutIsNoLink(t *testing.T) {
	text := strings.Repeat("茶", 700)
	for at := 540; at < 600; at++ {
		link := bot.Link{Start: 3 * at, End: 3*at + 3, URL: "https://lantern.example/"}
		got := shows(t, bot.Reply{Lang: "zh-Hans", Text: text, Links: []bot.Link{link}}).Raw
		if !strings.HasSuffix(got, "…") || strings.Contains(got, "…</a>") {
			t.Errorf("character %d leads away: …%q", at, got[len(got)-60:])
		}
	}
}
