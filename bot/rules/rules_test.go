package rules_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/bot/rules"
)

// noon is a Monday.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func parse(t testing.TB, text string) *rules.Set {
	t.Helper()
	set, err := rules.Parse([]byte(text), rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// answer is the text of the rule that answers on channel gzh at noon; "" is none.
func answer(set *rules.Set, text string) string {
	return answerTo(set, rules.Message{Channel: "gzh", At: noon, Text: text})
}

func answerTo(set *rules.Set, m rules.Message) string {
	found, ok := set.Match(m)
	if !ok {
		return ""
	}
	return found.Say("en", "").Text
}

func TestKeywordsAreComparedAsTextsAre(t *testing.T) {
	set := parse(t, `
- {keywords: 商务合作, text: cooperation}
- {keywords: [Weidian, "C++"], text: words}
- {keywords: caffè, text: coffee}
- {keywords: "?", text: what}
- {keywords: ❤️, text: heart}
- {keywords: 订 阅, text: space}
- {keywords: "C#", text: sharp}
- {keywords: привет, text: hello}
`)
	for _, c := range []struct{ said, want string }{
		{"商务合作", "cooperation"},
		{"商務合作", "cooperation"},
		{"  「商务合作」！！ ", "cooperation"},
		{"商务 合作", "cooperation"},
		{"商务合作吗", ""},
		{"weidian", "words"},
		{"ＷＥＩＤＩＡＮ？", "words"},
		{"c++", "words"},
		{"c", ""},
		{"c#", "sharp"},
		{"CAFFE", "coffee"},
		{"caffe\u0300.", "coffee"},
		{"？", "what"},
		{"??", ""},
		{"❤", "heart"},
		{"订阅", "space"},
		{"Привет!", "hello"},
		{"", ""},
		{" ", ""},
	} {
		if got := answer(set, c.said); got != c.want {
			t.Errorf("%q gets %q, want %q", c.said, got, c.want)
		}
	}
}

func TestMatches(t *testing.T) {
	set := parse(t, `
- {keywords: 合作, match: contains, text: contains}
- {keywords: ai, match: contains, text: ai}
- {keywords: [dd, 订单], match: prefix, text: order}
- {keywords: "618", match: contains, text: sale}
- {keywords: A股, match: contains, text: shares}
- {keywords: l'arte, match: contains, text: art}
- {keywords: 메뉴, match: contains, text: menu}
- {keywords: 🍵, match: contains, text: tea}
`)
	for _, c := range []struct{ said, want string }{
		{"我们想合作一下", "contains"},
		{"想跟你們合作", "contains"},
		{"mail", ""},
		{"about AI", "ai"},
		{"AI合作伙伴", "contains"}, // longer in letters is not longer: both have two, the first rule wins
		{"用ai写的", "ai"},
		{"l'ai", "ai"},
		{"ai-driven", "ai"},
		{"aì", "ai"},
		{"air", ""},
		{"main", ""},
		{"dd20240101", "order"},
		{"“订单” 7", "order"},
		{"我的订单", ""},
		{"1618", ""},
		{"618 sale", "sale"},
		{"今年618活动", "sale"},
		{"买A股", "shares"},
		{"aa股", ""},
		{"viva l'arte!", "art"},
		{"VIVA L’ARTE", "art"},
		{"메뉴를 보여줘", "menu"},
		{"一杯🍵吗", "tea"},
	} {
		if got := answer(set, c.said); got != c.want {
			t.Errorf("%q gets %q, want %q", c.said, got, c.want)
		}
	}
}

func TestTheBestRuleAnswers(t *testing.T) {
	set := parse(t, `
rules:
  - {keywords: 茶, match: contains, text: short}
  - {keywords: 绿茶, match: contains, text: long}
  - {keywords: [我, 绿茶], match: prefix, text: prefix}
  - {keywords: 绿茶, text: exact}
  - {keywords: 绿茶, text: second}
  - {keywords: 红茶, text: elsewhere, channels: web}
  - {keywords: 红茶, text: night, hours: "22:00-06:00"}
  - {keywords: 红茶, text: here, channels: [web, gzh]}
`)
	for _, c := range []struct{ said, want string }{
		{"绿茶", "exact"},
		{"绿茶好", "prefix"},
		{"我要绿茶", "prefix"}, // one character at the beginning before two anywhere
		{"喝绿茶", "long"},
		{"喝茶", "short"},
		{"红茶", "here"},
	} {
		if got := answer(set, c.said); got != c.want {
			t.Errorf("%q gets %q, want %q", c.said, got, c.want)
		}
	}
	for _, c := range []struct {
		m    rules.Message
		want string
	}{
		{rules.Message{Channel: "web", At: noon, Text: "红茶"}, "elsewhere"},
		{rules.Message{Channel: "gzh", At: noon.Add(11 * time.Hour), Text: "红茶"}, "night"},
		{rules.Message{Channel: "tg", At: noon, Text: "红茶"}, "short"},
		{rules.Message{Channel: "gzh", At: noon, Text: "喝绿茶", Exact: true}, ""},
		{rules.Message{Channel: "gzh", At: noon, Text: "绿茶", Exact: true}, "exact"},
		{rules.Message{Channel: "gzh", At: noon, Text: "follow 茶", Head: len("follow ")}, ""},
		{rules.Message{Channel: "gzh", At: noon, Text: "喝茶 daily", Head: len("喝茶 ")}, "short"},
	} {
		if got := answerTo(set, c.m); got != c.want {
			t.Errorf("%+v gets %q, want %q", c.m, got, c.want)
		}
	}
	found, _ := set.Match(rules.Message{At: noon, Text: "喝綠茶"})
	if found.Line != 4 || found.Keyword != "绿茶" || found.Rule.Match != rules.Contains {
		t.Errorf("found %+v", found)
	}
}

// TestMatchAgreesWithTheNaiveWay compares with trying every keyword in turn.
func TestMatchAgreesWithTheNaiveWay(t *testing.T) {
	var file strings.Builder
	alphabet := []rune("ab茶饮1")
	word := func(n int) string {
		var w []rune
		for ; n > 0; n /= len(alphabet) + 1 {
			w = append(w, alphabet[n%len(alphabet)])
		}
		return string(w)
	}
	type naive struct {
		match   rules.Match
		keyword string
		line    int
	}
	var all []naive
	for i := 1; i < 300; i++ {
		match := []rules.Match{rules.Exact, rules.Prefix, rules.Contains}[i%3]
		fmt.Fprintf(&file, "- {keywords: %q, match: %s, text: x}\n", word(i*7), match)
		all = append(all, naive{match, word(i * 7), i})
	}
	set := parse(t, file.String())
	latin := func(r rune) bool { return r < 0x80 }
	for n := 1; n < 20_000; n += 13 {
		text := word(n)
		var best *naive
		rank := func(r *naive) [3]int {
			return [3]int{map[rules.Match]int{rules.Exact: 0, rules.Prefix: 1, rules.Contains: 2}[r.match], -len([]rune(r.keyword)), r.line}
		}
		for i := range all {
			r := &all[i]
			fits := false
			switch r.match {
			case rules.Exact:
				fits = text == r.keyword
			case rules.Prefix:
				fits = strings.HasPrefix(text, r.keyword)
			case rules.Contains:
				runes, k := []rune(text), []rune(r.keyword)
				for at := 0; at+len(k) <= len(runes); at++ {
					end := at + len(k)
					fits = fits || string(runes[at:end]) == r.keyword &&
						!(at > 0 && latin(k[0]) && latin(runes[at-1])) && !(end < len(runes) && latin(k[len(k)-1]) && latin(runes[end]))
				}
			}
			if a, b := rank(r), [3]int{}; fits {
				if best != nil {
					b = rank(best)
				}
				if best == nil || a[0] < b[0] || a[0] == b[0] && (a[1] < b[1] || a[1] == b[1] && a[2] < b[2]) {
					best = r
				}
			}
		}
		found, ok := set.Match(rules.Message{Text: text})
		if ok != (best != nil) || ok && found.Line != best.line {
			t.Fatalf("%q: found %+v, want %+v", text, found.Rule, best)
		}
	}
}

func TestTextsInTheReadersLanguage(t *testing.T) {
	set := parse(t, `
welcome: {zh-Hans: 你好, en: Hello}
default: "{query}?"
rules:
  - {keywords: all, text: {zh: 中, it: Ciao}}
  - {keywords: one, text: [a, b, c]}
`)
	for _, c := range []struct{ lang, want string }{{"zh-Hans", "你好"}, {"zh-Hant", "你好"}, {"en", "Hello"}, {"it", "Hello"}} {
		a, ok := set.Welcome("gzh", noon)
		if !ok {
			t.Fatal("no welcome")
		}
		if got := a.Say(c.lang, "").Text; got != c.want {
			t.Errorf("in %s: %q, want %q", c.lang, got, c.want)
		}
	}
	found, _ := set.Match(rules.Message{Text: "all"})
	if got := found.Say("zh-Hant", "").Text; got != "中" {
		t.Errorf("zh-Hant gets %q", got)
	}
	if got := found.Say("en", "").Text; got != "中" {
		t.Errorf("a language without a text gets %q, want the first", got)
	}
	one, _ := set.Match(rules.Message{Text: "one"})
	seen := map[string]int{}
	for id := range 300 {
		first := one.Say("en", fmt.Sprint(id)).Text
		again := one.Say("en", fmt.Sprint(id)).Text
		if first != again {
			t.Fatalf("message %d gets %q, then %q", id, first, again)
		}
		seen[first]++
	}
	if len(seen) != 3 || seen["a"] < 60 || seen["b"] < 60 || seen["c"] < 60 {
		t.Errorf("300 messages got %v", seen)
	}
}

func TestLinksInTextsBecomeLinks(t *testing.T) {
	set := parse(t, `
- keywords: shop
  text: "See [our shop](https://shop.example.org/a?b=c), [it](https://w.example.org/A_(b)_(c)), [x](https://w.example.org/(a, [n](https://) and [that]."
  links: [{label: Map, url: "https://maps.example.org"}]
  buttons: [Help, {label: Newest, say: latest}]
`)
	found, _ := set.Match(rules.Message{Text: "shop"})
	said := found.Say("en", "1")
	if want := "See our shop, it, [x](https://w.example.org/(a, [n](https://) and [that]."; said.Text != want {
		t.Errorf("text %q, want %q", said.Text, want)
	}
	if got, want := fmt.Sprint(said.Links), "[{4 12 https://shop.example.org/a?b=c} {14 16 https://w.example.org/A_(b)_(c)}]"; got != want {
		t.Errorf("links in the text %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(found.Links), "[{Map https://maps.example.org}]"; got != want {
		t.Errorf("links %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(found.Buttons), "[{Help Help} {Newest latest}]"; got != want {
		t.Errorf("buttons %s, want %s", got, want)
	}
}

func TestQuietTimes(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	set := parse(t, `
quiet:
  - {from: "23:00", to: "07:00", days: mon-fri, channels: gzh}
  - "sat 12:00-24:00"
  - {from: "01:30", to: "02:30", channels: [dst]}
  - {from: "09:00", to: "10:00", zone: Asia/Shanghai, channels: [zoned]}
`)
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, rome) } // the 23rd is a Monday
	spring := time.Date(2026, 3, 29, 1, 0, 0, 0, rome)                                                        // 2:00 is 3:00
	autumn := time.Date(2026, 10, 25, 1, 0, 0, 0, rome)                                                       // 3:00 is 2:00
	for _, c := range []struct {
		name, channel string
		at            time.Time
		want          bool
	}{
		{"Monday before", "gzh", at(23, 22, 59), false},
		{"Monday at once", "gzh", at(23, 23, 0), true},
		{"after midnight", "gzh", at(24, 0, 0), true},
		{"the last minute", "gzh", at(24, 6, 59), true},
		{"over", "gzh", at(24, 7, 0), false},
		{"Monday morning belongs to Sunday", "gzh", at(23, 6, 0), false},
		{"Saturday morning belongs to Friday", "gzh", at(28, 6, 0), true},
		{"Saturday night", "gzh", at(28, 23, 30), true}, // by the second
		{"Sunday begins", "gzh", at(29, 0, 0), false},
		{"another channel", "web", at(23, 23, 30), false},
		{"every channel", "web", at(28, 12, 0), true},
		{"spring before", "dst", spring.Add(29 * time.Minute), false},
		{"spring at 1:59", "dst", spring.Add(59 * time.Minute), true},
		{"spring at 3:00", "dst", spring.Add(60 * time.Minute), false},
		{"autumn at 1:30", "dst", autumn.Add(30 * time.Minute), true},
		{"autumn at the first 2:29", "dst", autumn.Add(89 * time.Minute), true},
		{"autumn at the first 2:30", "dst", autumn.Add(90 * time.Minute), false},
		{"autumn at the second 2:00", "dst", autumn.Add(120 * time.Minute), true},
		{"autumn at the second 2:30", "dst", autumn.Add(150 * time.Minute), false},
		{"in its own zone", "zoned", time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC), true},
		{"not on the channel's clock", "zoned", time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), false},
	} {
		if got := set.Quiet(c.channel, c.at); got != c.want {
			t.Errorf("%s (%s): quiet %v, want %v", c.name, c.at, got, c.want)
		}
	}
}

func TestDefaultsByChannelAndHour(t *testing.T) {
	set := parse(t, `
default:
  - {text: closed, hours: ["mon-fri 18:00-09:00", "sat-sun 00:00-24:00"], channels: gzh}
  - {text: open}
rules:
  - {on: [picture, sticker], text: seen}
`)
	for _, c := range []struct {
		channel string
		at      time.Time
		want    string
	}{{"gzh", noon, "open"}, {"gzh", noon.Add(7 * time.Hour), "closed"}, {"web", noon.Add(7 * time.Hour), "open"}, {"gzh", noon.AddDate(0, 0, 6), "closed"}} {
		a, ok := set.Default(c.channel, c.at)
		if !ok {
			t.Fatal("no default")
		}
		if got := a.Say("en", "").Text; got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.channel, c.at, got, c.want)
		}
	}
	if _, ok := set.Media("picture", "web", noon); !ok {
		t.Error("a picture gets no rule")
	}
	if _, ok := set.Media("voice", "web", noon); ok {
		t.Error("a voice message gets the rule for pictures")
	}
	if _, ok := set.Welcome("web", noon); ok {
		t.Error("a welcome that nobody wrote")
	}
}

func TestNoRules(t *testing.T) {
	for name, set := range map[string]*rules.Set{"nil": nil, "an empty file": parse(t, ""), "a comment": parse(t, "# nothing\n"), "empty keys": parse(t, "rules:\n")} {
		if _, ok := set.Match(rules.Message{Text: "x"}); ok || set.Rules() != 0 || set.Quiet("gzh", noon) || len(set.Warnings()) > 0 {
			t.Errorf("%s has rules", name)
		}
		if _, ok := set.Default("gzh", noon); ok {
			t.Errorf("%s has a default", name)
		}
		if _, ok := set.Media("voice", "gzh", noon); ok {
			t.Errorf("%s has media", name)
		}
	}
}
