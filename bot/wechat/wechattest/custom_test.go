package wechattest_test

import (
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot/wechat/wechattest"
)

func TestKindsOfCustomerMessages(t *testing.T) {
	card := object{"title": "T", "description": "D", "url": "https://e.org/1", "picurl": "https://e.org/1.jpg"}
	item := func(id, words string) object { return object{"id": id, "content": words} }
	for name, test := range map[string]struct {
		message object
		code    int
		problem string
	}{
		"news":             {object{"msgtype": "news", "news": object{"articles": []object{card}}}, 0, ""},
		"two cards":        {object{"msgtype": "news", "news": object{"articles": []object{card, card}}}, 45008, ""},
		"no card":          {object{"msgtype": "news", "news": object{}}, 44003, ""},
		"a strange link":   {object{"msgtype": "news", "news": object{"articles": []object{{"title": "T", "url": "x"}}}}, 0, "does not open"},
		"no title":         {object{"msgtype": "news", "news": object{"articles": []object{{"url": "https://e.org"}}}}, 0, "without a title"},
		"menu":             {object{"msgtype": "msgmenu", "msgmenu": object{"head_content": "h", "list": []object{item("1", "a"), item("2", "b")}, "tail_content": "t"}}, 0, ""},
		"menu id of words": {object{"msgtype": "msgmenu", "msgmenu": object{"list": []object{item("x", "a")}}}, 40035, ""},
		"empty line":       {object{"msgtype": "msgmenu", "msgmenu": object{"list": []object{item("1", " ")}}}, 40035, ""},
		"no lines":         {object{"msgtype": "msgmenu", "msgmenu": object{"head_content": "h"}}, 44004, ""},
		"long menu":        {object{"msgtype": "msgmenu", "msgmenu": object{"head_content": strings.Repeat("x", 2047), "list": []object{item("1", "a")}}}, 45002, ""},
		"unknown article":  {object{"msgtype": "mpnewsarticle", "mpnewsarticle": object{"article_id": "x"}}, 40007, ""},
		"image":            {object{"msgtype": "image", "image": object{"media_id": "x"}}, 40008, ""},
		"no type":          {object{}, 40008, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := subscription(t)
			r := a.Reader("r1")
			r.Say("hi")
			test.message["touser"] = "r1"
			code, _ := a.post(wechattest.CustomSend, test.message)
			a.want(name, code, test.code)
			a.problem(name, test.problem)
			if got := len(r.Phone()) - 1; (got == 1) != (test.code == 0) {
				t.Errorf("%d messages on the phone", got)
			}
		})
	}
}

func TestCustomerMenuOfTheLibrary(t *testing.T) {
	a := subscription(t)
	posted := a.recorded("success")
	r := a.Reader("r1")
	r.Say("hi")
	err := library(t, a.Server).GetCustomerMessageManager().Send(&message.CustomerMessage{ToUser: "r1", Msgtype: "msgmenu", Msgmenu: &message.MediaMsgmenu{
		HeadContent: "choose <b> & c", List: []message.MsgmenuItem{{ID: "7", Content: "the news"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	posted()
	if _, err := r.Tap("the news"); err != nil {
		t.Fatal(err)
	}
	if m := parse(t, posted()); m.Content != "the news" || m.BizMsgMenuID != 7 {
		t.Errorf("%+v", m)
	}
	if phone := r.String(); !strings.Contains(phone, "choose <b> & c\nthe news") {
		t.Error(phone)
	}
}

func TestNotUTF8IsRefused(t *testing.T) {
	a := subscription(t)
	a.Reader("r1").Say("hi")
	code, _ := a.raw(wechattest.CustomSend, "application/json", "{\"touser\":\"r1\",\"msgtype\":\"text\",\"text\":{\"content\":\"\xff\"}}")
	a.want("not UTF-8", code, 47001)
}

func TestEscapedCharactersAreNoticed(t *testing.T) {
	a := subscription(t)
	a.Reader("r1").Say("hi")
	for body, problem := range map[string]string{
		`{"touser":"r1","msgtype":"text","text":{"content":"a \u003c b"}}`:  "unescaped",
		`{"touser":"r1","msgtype":"text","text":{"content":"\u5fae"}}`:      "unescaped",
		`{"touser":"r1","msgtype":"text","text":{"content":"a \\u003c b"}}`: "",
		`{"touser":"r1","msgtype":"text","text":{"content":"a\u2028 <b>"}}`: "",
	} {
		a.raw(wechattest.CustomSend, "application/json", body)
		a.problem(body, problem)
	}
}
