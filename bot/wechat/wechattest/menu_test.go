package wechattest_test

import (
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"newsie/bot/wechat/wechattest"
)

func click(name, key string) object { return object{"type": "click", "name": name, "key": key} }

func view(name, url string) object { return object{"type": "view", "name": name, "url": url} }

func many(n int, button object) []object {
	list := make([]object, n)
	for i := range list {
		list[i] = button
	}
	return list
}

func below(buttons ...object) []object {
	return []object{{"name": "more", "sub_button": buttons}}
}

func TestMenuLimits(t *testing.T) {
	address := func(n int) string { return "https://e.org/" + strings.Repeat("x", n-len("https://e.org/")) }
	for name, test := range map[string]struct {
		buttons []object
		code    int
	}{
		"three of five":          {[]object{below(many(5, click("a", "k"))...)[0], click("b", "k"), view("c", "https://e.org")}, 0},
		"none":                   {[]object{}, 40016},
		"four":                   {many(4, click("a", "k")), 40016},
		"six below":              {below(many(6, click("a", "k"))...), 40023},
		"three levels":           {below(below(click("a", "k"))[0]), 40022},
		"16 bytes of name":       {many(1, click("微微微微微x", "k")), 0},
		"17 bytes of name":       {many(1, click("微微微微微xx", "k")), 40018},
		"no name":                {many(1, click("", "k")), 40018},
		"60 bytes of name below": {below(click(strings.Repeat("微", 20), "k")), 0},
		"61 bytes of name below": {below(click(strings.Repeat("微", 20)+"x", "k")), 40025},
		"128 bytes of key":       {many(1, click("a", strings.Repeat("k", 128))), 0},
		"129 bytes of key":       {many(1, click("a", strings.Repeat("k", 129))), 40019},
		"129 bytes of key below": {below(click("a", strings.Repeat("k", 129))), 40026},
		"no key":                 {many(1, click("a", "")), 40019},
		"1024 bytes of address":  {many(1, view("a", address(1024))), 0},
		"1025 bytes of address":  {many(1, view("a", address(1025))), 40020},
		"1025 bytes below":       {below(view("a", address(1025))), 40027},
		"strange address":        {many(1, view("a", "weixin://x")), 40055},
		"strange address below":  {below(view("a", "/x")), 40054},
		"no type":                {[]object{{"name": "a"}}, 40015},
		"unknown type":           {[]object{{"name": "a", "type": "poem"}}, 40017},
		"unknown type below":     {below(object{"name": "a", "type": "poem"}), 40024},
	} {
		t.Run(name, func(t *testing.T) {
			a := subscription(t)
			code, _ := a.post(wechattest.MenuCreate, object{"button": test.buttons})
			a.want(name, code, test.code)
			if (a.Menu() != nil) != (test.code == 0) {
				t.Errorf("kept: %+v", a.Menu())
			}
		})
	}
	a := start(t, wechattest.Account{})
	code, _ := a.post(wechattest.MenuCreate, object{"button": many(1, click("a", "k"))})
	a.want("not verified", code, 48001)
	a = subscription(t)
	code, _ = a.post(wechattest.MenuCreate, "x")
	a.want("not a menu", code, 47001)
}

func TestMenuOfTheLibrary(t *testing.T) {
	a := subscription(t)
	m := library(t, a.Server).GetMenu()
	if _, err := m.GetMenu(); err == nil || !strings.Contains(err.Error(), "errcode=46003") {
		t.Errorf("no menu: %v", err)
	}
	err := m.SetMenu([]*menu.Button{
		menu.NewClickButton("最新", "/latest"),
		menu.NewSubButton("更多", []*menu.Button{menu.NewClickButton("话题", "/topics"), menu.NewViewButton("网站", "https://example.org/?a=1&b=<2>")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.GetMenu()
	if err != nil || len(got.Menu.Button) != 2 || got.Menu.Button[1].SubButtons[1].URL != "https://example.org/?a=1&b=<2>" {
		t.Errorf("%+v %v", got, err)
	}
	if err := m.DeleteMenu(); err != nil || a.Menu() != nil {
		t.Errorf("%v %v", err, a.Menu())
	}
}

func TestPressing(t *testing.T) {
	a := subscription(t)
	bodies := a.recorded("success")
	r := a.Reader("r1")
	r.Subscribe()
	a.post(wechattest.MenuCreate, object{"button": []object{click("new", "/latest"), below(view("site", "https://e.org/a"))[0]}})
	if _, err := r.Press("new"); err != nil {
		t.Error(err)
	}
	if got := bodies(); !strings.Contains(got, "<![CDATA[CLICK]]>") || !strings.Contains(got, "<EventKey><![CDATA[/latest]]>") {
		t.Error(got)
	}
	if _, err := r.Press("more", "site"); err != nil {
		t.Error(err)
	}
	if got := bodies(); !strings.Contains(got, "<![CDATA[VIEW]]>") || !strings.Contains(got, "<EventKey><![CDATA[https://e.org/a]]>") {
		t.Error(got)
	}
	if phone := r.Phone(); phone[len(phone)-1].URL != "https://e.org/a" {
		t.Errorf("the phone: %+v", phone)
	}
	for _, way := range [][]string{{"nothing"}, {"more"}, {"new", "x"}, {}} {
		if _, err := r.Press(way...); err == nil {
			t.Errorf("%q was pressed", way)
		}
	}
	answer(a.Server, 200, strings.ReplaceAll(text(a.Server, "x"), "r1", r.OpenID))
	if _, err := r.Press("more", "site"); err == nil || !strings.Contains(err.Error(), "nobody sees") {
		t.Errorf("an answer to a link: %v", err)
	}
	r.Unsubscribe()
	if _, err := r.Press("new"); err == nil {
		t.Error("pressed without following")
	}
}

func TestPressingWhatWasMadeByHand(t *testing.T) {
	a := subscription(t)
	r := a.Follower("r1")
	a.MakeMenu(wechattest.Button{Type: "click", Name: "new", Key: "k"})
	if _, err := r.Press("new"); err != nil {
		t.Error(err)
	}
	a.HideMenu()
	if _, err := r.Press("new"); err == nil {
		t.Error("a hidden button was pressed")
	}
}
