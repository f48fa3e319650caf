package wechattest_test

import (
	"strings"
	"testing"
)

func TestCardsAreChecked(t *testing.T) {
	const good = "<Title>T</Title><PicUrl>https://example.org/p.jpg</PicUrl><Url>https://example.org/?a=1&amp;b=2</Url>"
	for name, test := range map[string]struct{ item, problem string }{
		"good":                 {good, ""},
		"without a picture":    {"<Title>T</Title><Url>https://example.org</Url>", ""},
		"without a title":      {"<Title> </Title><Url>https://example.org</Url>", "without a title"},
		"without an address":   {"<Title>T</Title>", "leads nowhere"},
		"an address in words":  {"<Title>T</Title><Url>/a/1</Url>", "does not open: /a/1"},
		"an address unescaped": {"<Title>T</Title><Url>https://example.org/a b</Url>", "does not open"},
		"a picture of its own": {"<Title>T</Title><Url>https://example.org</Url><PicUrl>data:image/png,x</PicUrl>", "does not open: data"},
		"control characters":   {"<Title>T&#x7f;</Title><Url>https://example.org</Url>", "control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			s := plain(t)
			answer(s, 200, strings.Replace(news(s, 1), "<Title>T</Title><Url>https://example.org</Url>", test.item, 1))
			s.Reader("r1").Say("hi")
			problems := strings.Join(s.Problems(), "\n")
			if (problems == "") != (test.problem == "") || !strings.Contains(problems, test.problem) {
				t.Errorf("problems %q, want %q", problems, test.problem)
			}
		})
	}
}
