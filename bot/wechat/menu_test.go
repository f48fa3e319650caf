package wechat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/locale"
)

func say(name, words string) wechat.Button    { return wechat.Button{Name: name, Say: words} }
func open(name, address string) wechat.Button { return wechat.Button{Name: name, URL: address} }
func unfold(name string, items ...wechat.Button) wechat.Button {
	return wechat.Button{Name: name, Items: items}
}

func repeat(b wechat.Button, n int) []wechat.Button {
	list := make([]wechat.Button, n)
	for i := range list {
		list[i] = b
	}
	return list
}

func TestMenuLimits(t *testing.T) {
	const address = "https://news.example.org/"
	x := say("x", "/help")
	for _, test := range []struct {
		name string
		row  []wechat.Button
		want []string // "where key: part of what"
	}{
		{"three by five", []wechat.Button{unfold("a", repeat(x, 5)...), unfold("b", repeat(x, 5)...), unfold("c", repeat(x, 5)...)}, nil},
		{"none", []wechat.Button{}, []string{"[] : has no buttons"}},
		{"four", repeat(x, 4), []string{"[] : has 4 buttons"}},
		{"six items", []wechat.Button{x, unfold("a", repeat(x, 6)...)}, []string{"[1] items: has 6 items"}},
		{"items of items", []wechat.Button{unfold("a", unfold("b", x))}, []string{"[0 0] items: cannot have items"}},
		{"16 bytes", []wechat.Button{say(strings.Repeat("x", 16), "a")}, nil},
		{"17 bytes", []wechat.Button{say(strings.Repeat("x", 17), "a")}, []string{"[0] name: has 17 bytes, and WeChat takes 16"}},
		{"five Chinese characters", []wechat.Button{say("电商与零售", "a")}, nil},
		{"six Chinese characters", []wechat.Button{say("电商与零售业", "a")}, []string{"[0] name: 18 bytes, and WeChat takes 16 (a Chinese character has 3)"}},
		{"twenty Chinese characters in an item", []wechat.Button{unfold("a", say(strings.Repeat("电", 20), "a"))}, nil},
		{"twenty-one", []wechat.Button{unfold("a", x, say(strings.Repeat("电", 21), "a"))}, []string{"[0 1] name: 63 bytes, and WeChat takes 60"}},
		{"an emoji too many", []wechat.Button{say("订阅📰📰x", "a"), say("订阅📰📰xxx", "a")}, []string{"[1] name: 17 bytes"}},
		{"no name", []wechat.Button{say(" ", "a")}, []string{"[0] name: is missing"}},
		{"a name of two lines", []wechat.Button{say("a\nb", "a")}, []string{"[0] name: cannot be shown"}},
		{"no UTF-8", []wechat.Button{say("a\xff", "a")}, []string{"[0] name: cannot be shown"}},
		{"128 bytes to say", []wechat.Button{say("a", strings.Repeat("关", 42)+"ab")}, nil},
		{"129", []wechat.Button{say("a", strings.Repeat("关", 43))}, []string{"[0] say: 129 bytes, and WeChat takes 128"}},
		{"nobody types that", []wechat.Button{say("a", " follow"), say("b", "a\nb")}, []string{"[0] say: could type", "[1] say: could type"}},
		{"1024 bytes of address", []wechat.Button{open("a", address+strings.Repeat("x", 1024-len(address)))}, nil},
		{"1025", []wechat.Button{open("a", address+strings.Repeat("x", 1025-len(address)))}, []string{"[0] url: 1025 bytes"}},
		{"no address", []wechat.Button{open("a", "/about"), open("b", "ftp://example.org"), open("c", "https://exa mple.org/")},
			[]string{"[0] url: is no address", "[1] url: is no address", "[2] url: is no address"}},
		{"nothing to do", []wechat.Button{{Name: "a"}}, []string{"[0] : does nothing"}},
		{"two things to do", []wechat.Button{{Name: "a", Say: "x", URL: address}}, []string{"[0] : say and url"}},
		{"unfolds and says", []wechat.Button{{Name: "a", Say: "x", Items: []wechat.Button{x}}}, []string{"[0] : unfolds them"}},
		{"everything at once", []wechat.Button{{Name: "", Say: strings.Repeat("x", 129)}, unfold("a", wechat.Button{})},
			[]string{"[0] name: missing", "[0] say: 129", "[1 0] name: missing", "[1 0] : does nothing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := wechat.CheckMenu(test.row)
			if len(got) != len(test.want) {
				t.Fatalf("problems %+v, want %q", got, test.want)
			}
			for i, want := range test.want {
				where, what, _ := strings.Cut(want, ": ")
				if where != fmt.Sprint(got[i].At, " ", got[i].Key) || !strings.Contains(got[i].What, what) {
					t.Errorf("problem %+v, want %q", got[i], want)
				}
			}
		})
	}
}

func TestDefaultMenuFitsInEveryLanguage(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, lang := range locale.Languages() {
		row := wechat.DefaultMenu(catalog, lang)
		if problems := wechat.CheckMenu(row); len(problems) > 0 {
			t.Errorf("%s: %+v", lang, problems)
		}
		var says, names []string
		for _, b := range row {
			says, names = append(says, b.Say), append(names, b.Name)
		}
		if got := strings.Join(says, " "); got != "/latest /topics /digest" {
			t.Errorf("%s says %s", lang, got)
		}
		seen[strings.Join(names, "|")] = true
	}
	if len(seen) != len(locale.Languages()) {
		t.Errorf("menus %v", seen)
	}
}

func TestCompareMenus(t *testing.T) {
	a, b, c, d := say("A", "a"), say("B", "b"), say("C", "c"), say("D", "d")
	for _, test := range []struct {
		name        string
		now, wanted []wechat.Button
		want        string
	}{
		{"the same", []wechat.Button{a, unfold("M", b, c)}, []wechat.Button{a, unfold("M", b, c)}, "=A =M = B = C"},
		{"none yet", nil, []wechat.Button{a, unfold("M", b)}, "+A +M + B"},
		{"none any more", []wechat.Button{unfold("M", b), a}, nil, "-M - B -A"},
		{"another at the end", []wechat.Button{a, b}, []wechat.Button{a, b, c}, "=A =B +C"},
		{"another in front", []wechat.Button{b, c}, []wechat.Button{a, b, c}, "+A =B =C"},
		{"says something else", []wechat.Button{a, b, c}, []wechat.Button{a, say("B", "x"), c}, "=A -B +B =C"},
		{"items inside", []wechat.Button{unfold("M", a, b, c)}, []wechat.Button{unfold("M", a, d, c)}, "=M = A - B + D = C"},
		{"unfolds now", []wechat.Button{a}, []wechat.Button{unfold("A", b)}, "-A +A + B"},
		{"another name above", []wechat.Button{unfold("M", a)}, []wechat.Button{unfold("N", a)}, "-M - A +N + A"},
		{"two changed places", []wechat.Button{a, b}, []wechat.Button{b, a}, "-A =B +A"},
		{"of the platform's own", []wechat.Button{{Name: "A", Other: "miniprogram"}}, []wechat.Button{a}, "-A +A"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			changed := false
			for _, line := range wechat.CompareMenus(test.now, test.wanted) {
				mark := line.Mark
				if line.Item {
					mark += " "
				}
				got = append(got, mark+line.Button.Name)
				changed = changed || line.Mark != "="
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if changed == wechat.SameMenu(test.now, test.wanted) {
				t.Errorf("SameMenu %v, changed %v", !changed, changed)
			}
		})
	}
}

func TestPushMenu(t *testing.T) {
	wanted := []wechat.Button{
		say("最新文章", "/latest"),
		unfold("读者 & 作者", say("<我的> 摘要", "关注 电商 每天 8:00"), open("网站", "https://news.example.org/?a=1&b=<2>")),
		say("Help", "help"),
	}
	asked := make(chan string, 1)
	s := start(t, func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		asked <- string(m.Kind) + ": " + m.Text
		return echo(ctx, m)
	}, verified)
	now, err := s.channel.Menu(t.Context())
	if err != nil || len(now.Buttons) != 0 || now.Shown || now.ByAPI {
		t.Errorf("a new account has %+v, %v", now, err)
	}
	for range 2 {
		if err := s.channel.PushMenu(t.Context(), wanted); err != nil {
			t.Fatal(err)
		}
		now, err = s.channel.Menu(t.Context())
		want := wechat.Menu{Buttons: wanted, Shown: true, ByAPI: true}
		if diff := cmp.Diff(want, now); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	reader := s.Reader("r1")
	reader.Subscribe()
	<-asked
	if _, err := reader.Press("读者 & 作者", "<我的> 摘要"); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != "tap: 关注 电商 每天 8:00" {
		t.Errorf("the button came as %q", got)
	}
}

func TestMenuOfThePlatform(t *testing.T) {
	s := start(t, echo, verified)
	s.MakeMenu(
		wechattest.Button{Name: "关于", Type: "text", Key: "我们是…"},
		wechattest.Button{Name: "更多", SubButtons: []wechattest.Button{{Name: "网站", Type: "view", URL: "https://example.org/"}, {Name: "小程序", Type: "miniprogram"}}},
	)
	want := wechat.Menu{Shown: true, Buttons: []wechat.Button{
		{Name: "关于", Other: "text"},
		unfold("更多", open("网站", "https://example.org/"), wechat.Button{Name: "小程序", Other: "miniprogram"}),
	}}
	now, err := s.channel.Menu(t.Context())
	if diff := cmp.Diff(want, now); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	s.HideMenu()
	if now, err := s.channel.Menu(t.Context()); err != nil || now.Shown {
		t.Errorf("hidden: %+v, %v", now, err)
	}
	// Pushing replaces and shows it, and leaves those for certain readers.
	if err := s.channel.PushMenu(t.Context(), []wechat.Button{say("A", "a")}); err != nil {
		t.Fatal(err)
	}
	s.MakeConditional(2)
	now, err = s.channel.Menu(t.Context())
	if diff := cmp.Diff(wechat.Menu{Shown: true, ByAPI: true, Conditional: 2, Buttons: []wechat.Button{say("A", "a")}}, now); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestMenuTrouble(t *testing.T) {
	row := []wechat.Button{say("A", "a")}
	for _, test := range []struct {
		name    string
		options []option
		break_  func(*stage)
		want    string // kind of the error
		words   string
	}{
		{"not allowed", nil, func(*stage) {}, "config", "menu: off"},
		{"not whitelisted", []option{verified}, func(s *stage) { s.Block("203.0.113.9") }, "config", "add 203.0.113.9"},
		{"a dead token", []option{verified}, func(s *stage) { s.Fail(wechattest.MenuCreate, 42001) }, "", ""},
		{"a dead token while reading", []option{verified}, func(s *stage) {
			s.Fail(wechattest.MenuGet, 40001)
			s.Fail(wechattest.SelfMenu, 40014)
		}, "", ""},
		{"refused", []option{verified}, func(s *stage) { s.Fail(wechattest.MenuCreate, 40018) }, "given up", "errcode=40018"},
		{"used up", []option{verified}, func(s *stage) { s.Use(wechattest.MenuCreate, 1000) }, "until tomorrow", ""},
		{"broken off", []option{verified}, func(s *stage) { s.Cut(wechattest.MenuCreate) }, "wait, all", ""},
		{"not read back", []option{verified}, func(s *stage) { s.FailStatus(wechattest.MenuGet, 502) }, "wait, all", "was pushed, but reading it back"},
		{"not taken", []option{verified}, func(s *stage) { s.Fail(wechattest.MenuGet, 46003) }, "given up", "shows another one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo, test.options...)
			test.break_(s)
			err := s.channel.PushMenu(t.Context(), row)
			if got := kind(err); got != test.want || err != nil && !strings.Contains(err.Error(), test.words) {
				t.Errorf("%v is %q, want %q with %q", err, got, test.want, test.words)
			}
		})
	}
	s := start(t, echo, verified)
	if err := s.channel.PushMenu(t.Context(), []wechat.Button{say("电商与零售业", "a")}); err == nil || s.Calls(wechattest.MenuCreate) != 0 {
		t.Errorf("%v, %d calls: a menu that cannot be is pushed", err, s.Calls(wechattest.MenuCreate))
	}
}

func TestWantedMenu(t *testing.T) {
	own := []wechat.Button{say("A", "a")}
	for _, test := range []struct {
		name string
		set  func(*wechat.Config)
		want string
		ours bool
	}{
		{"default", func(*wechat.Config) {}, "最新文章", true},
		{"default in the channel's language", func(c *wechat.Config) { c.Language = "it" }, "Novità", true},
		{"configured", func(c *wechat.Config) { c.Menu = own }, "A", true},
		{"off", func(c *wechat.Config) { c.MenuOff = true }, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, echo)
			row, ours := s.replica(t, test.set).WantedMenu()
			first := ""
			if len(row) > 0 {
				first = row[0].Name
			}
			if first != test.want || ours != test.ours {
				t.Errorf("%+v, %v", row, ours)
			}
		})
	}
}
