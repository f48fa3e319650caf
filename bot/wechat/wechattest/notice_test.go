package wechattest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot/wechat/wechattest"
)

func data(fields ...string) object {
	o := object{}
	for i := 0; i+1 < len(fields); i += 2 {
		o[fields[i]] = object{"value": fields[i+1]}
	}
	return o
}

func TestFieldsOfNotices(t *testing.T) {
	long := strings.Repeat
	for field, test := range map[string]struct{ takes, refuses []string }{
		"thing1":           {[]string{"a", long("微", 20), long("😀", 20)}, []string{"", " ", long("微", 21), "a\nb"}},
		"number2":          {[]string{"12.5", long("1", 32)}, []string{"a", long("1", 33), "１"}},
		"letter1":          {[]string{long("a", 32)}, []string{long("a", 33), "a1", "微"}},
		"symbol1":          {[]string{"!!!!!"}, []string{"!!!!!!", "a"}},
		"character_string": {[]string{long("a", 32), "A-1 #"}, []string{long("a", 33), "微"}},
		"time3":            {[]string{"15:01", "2026年11月23日 15:01", "2026-11-23 15:01:30", "2026年11月23日", "15:01~16:00"}, []string{"tomorrow", "23.11.2026"}},
		"date1":            {[]string{"2026年11月23日", "2026-11-23", "2026年11月23日 15:01"}, []string{"15:01", "soon"}},
		"amount1":          {[]string{"¥10.5", "12元"}, []string{"ten", long("1", 11)}},
		"phone_number1":    {[]string{"+39 0123-456"}, []string{long("1", 18), "a"}},
		"car_number1":      {[]string{"粤A8Z888挂"}, []string{"粤A8Z88888"}},
		"name1":            {[]string{long("张", 10), long("a", 20)}, []string{long("张", 11), long("a", 21), "张a"}},
		"phrase4":          {[]string{"已发布", long("微", 5)}, []string{long("微", 6), "done", "已 发"}},
		"keyword1":         {[]string{long("x", 100)}, []string{""}},
	} {
		a := service(t)
		id := a.AddNotice(wechattest.Template{Title: "T", Content: "x: {{" + field + ".DATA}}"})
		r := a.Reader("r1")
		r.Grant(id)
		send := func(value string) (int, object) {
			r.Grant(id)
			return a.post(wechattest.NoticeSend, object{"touser": "r1", "template_id": id, "data": data(field, value)})
		}
		for _, value := range test.takes {
			code, _ := send(value)
			a.want(fmt.Sprintf("%s: %q", field, value), code, 0)
		}
		for _, value := range test.refuses {
			code, answer := send(value)
			a.want(fmt.Sprintf("%s: %q", field, value), code, 47003)
			if text, _ := answer["errmsg"].(string); !strings.Contains(text, "data."+field+".value") {
				t.Errorf("%s: %s", field, text)
			}
		}
	}
}

func TestNotices(t *testing.T) {
	a := service(t)
	posted := a.recorded("success")
	id := a.AddNotice(wechattest.Template{Title: "新文章", Content: "标题:{{thing1.DATA}}\n时间:{{time2.DATA}}"})
	lasting := a.AddNotice(wechattest.Template{Title: "每日", Content: "{{thing1.DATA}}", Lasting: true})
	r := a.Reader("r1") // who need not follow
	send := func(to, template string, fields ...string) int {
		t.Helper()
		code, _ := a.post(wechattest.NoticeSend, object{"touser": to, "template_id": template, "page": "https://e.org/1", "data": data(fields...)})
		return code
	}
	good := []string{"thing1", "一", "time2", "15:01"}
	a.want("unknown reader", send("x", id, good...), 40003)
	a.want("unknown template", send("r1", "x", good...), 40037)
	a.want("no grant", send("r1", id, good...), 43101)
	r.Refuse(id)
	a.want("refused", send("r1", id, good...), 43101)
	r.Grant(id)
	a.want("a field is missing", send("r1", id, "thing1", "一"), 47003)
	a.want("granted", send("r1", id, good...), 0)
	a.want("again", send("r1", id, good...), 43101)
	r.Grant(id)
	r.Withdraw(id)
	a.want("withdrawn", send("r1", id, good...), 43101)
	r.Grant(id)
	a.want("a field too many", send("r1", id, append(good, "thing9", "x")...), 0)
	a.problem("a field too many", "no field thing9")
	r.Grant(lasting)
	for range 3 {
		a.want("lasting", send("r1", lasting, "thing1", "一"), 0)
	}
	posted()
	a.Flush()
	events := strings.Split(strings.TrimSpace(posted()), "\n")
	if len(events) != 5 || !strings.Contains(events[0], "<SubscribeMsgSentEvent><List><TemplateId><![CDATA["+id+"]]>") || !strings.Contains(events[0], "<ErrorCode>0</ErrorCode><ErrorStatus><![CDATA[success]]>") {
		t.Errorf("%d events: %s", len(events), events)
	}
	if m := parse(t, events[0]); m.GetOpenID() != "r1" || m.Event != "subscribe_msg_sent_event" {
		t.Errorf("%+v", m)
	}
	b := r.Phone()[0]
	if b.Kind != "notice" || b.Title != "新文章" || b.Text != "标题:一\n时间:15:01" || b.URL != "https://e.org/1" || len(b.Fields) != 2 || b.Fields[1] != (wechattest.Field{Name: "time2", Value: "15:01"}) {
		t.Errorf("%+v", b)
	}
	for _, account := range []wechattest.Account{{}, {Service: true}, {Verified: true}} {
		other := start(t, account)
		for path, method := range map[string]string{wechattest.NoticeSend: "POST", wechattest.NoticeList: "GET", wechattest.TemplateSend: "POST", wechattest.TemplateList: "GET"} {
			code, _ := other.do(method, path, object{})
			other.want(fmt.Sprintf("%s of %+v", path, account), code, 48001)
		}
	}
}

func TestNoticesOfTheLibrary(t *testing.T) {
	a := service(t)
	id := a.AddNotice(wechattest.Template{Title: "新文章", Content: "{{thing1.DATA}}"})
	a.AddNotice(wechattest.Template{Title: "每日", Content: "{{thing1.DATA}}", Lasting: true})
	s := library(t, a.Server).GetSubscribe()
	list, err := s.List()
	if err != nil || len(list) != 2 || list[0].PriTmplID != id || list[0].SubType != 2 || list[1].SubType != 3 || list[0].Content != "{{thing1.DATA}}" {
		t.Errorf("%+v %v", list, err)
	}
	m := &message.SubscribeMessage{ToUser: "r1", TemplateID: id, Data: map[string]*message.SubscribeDataItem{"thing1": {Value: "a & b <c>"}}}
	r := a.Reader("r1")
	if err := s.Send(m); err == nil || !strings.Contains(err.Error(), "errcode=43101") {
		t.Errorf("no grant: %v", err)
	}
	r.Grant(id)
	if err := s.Send(m); err != nil || r.Phone()[0].Text != "a & b <c>" {
		t.Errorf("%v %v", err, r)
	}
}

func TestTemplateMessages(t *testing.T) {
	a := service(t)
	posted := a.recorded("success")
	id := a.AddTemplate(wechattest.Template{Title: "提醒", Content: "{{thing1.DATA}}"})
	a.Reader("stranger")
	r := a.Follower("r1")
	send := func(to, template, value, client string) (int, any) {
		t.Helper()
		code, answer := a.post(wechattest.TemplateSend, object{"touser": to, "template_id": template, "url": "https://e.org/1", "client_msg_id": client, "data": data("thing1", value)})
		return code, answer["msgid"]
	}
	want := func(what string, code int, to, template, value, client string) any {
		t.Helper()
		got, id := send(to, template, value, client)
		a.want(what, got, code)
		return id
	}
	want("unknown reader", 40003, "x", id, "a", "")
	want("unknown template", 40037, "r1", "x", "a", "")
	want("not a follower", 43004, "stranger", id, "a", "")
	want("too long", 47003, "r1", id, strings.Repeat("微", 21), "")
	want("client_msg_id of 33", 40035, "r1", id, "a", strings.Repeat("x", 33))
	first := want("good", 0, "r1", id, "a", "c1")
	if again := want("again", 0, "r1", id, "a", "c1"); again != first || len(r.Phone()) != 1 {
		t.Errorf("msgid %v, then %v; %d on the phone", first, again, len(r.Phone()))
	}
	want("another", 0, "r1", id, "a", "c2")
	want("without", 0, "r1", id, "a", "")
	want("without again", 0, "r1", id, "a", "")
	a.clock.Advance(10 * time.Minute)
	want("ten minutes later", 0, "r1", id, "a", "c1")
	if n := len(r.Phone()); n != 5 || r.Phone()[0].Kind != "template" || r.Phone()[0].Title != "提醒" {
		t.Errorf("%d on the phone: %+v", n, r.Phone()[0])
	}
	a.Flush()
	posted()
	r.Mute(true)
	want("muted", 0, "r1", id, "a", "c3")
	r.Mute(false)
	a.FailTemplates(1)
	want("failing", 0, "r1", id, "a", "c4")
	last := want("working", 0, "r1", id, "a", "c5")
	a.Flush()
	events := strings.Split(strings.TrimSpace(posted()), "\n")
	for i, status := range []string{wechattest.TemplateBlocked, wechattest.TemplateFailure, wechattest.TemplateSuccess} {
		m := parse(t, events[i])
		if m.Event != message.EventTemplateSendJobFinish || m.Status != status || m.GetOpenID() != "r1" || i == 2 && float64(m.TemplateMsgID) != last {
			t.Errorf("%+v", m)
		}
	}
	if len(r.Phone()) != 6 {
		t.Errorf("%d on the phone", len(r.Phone()))
	}
	a.Use(wechattest.TemplateSend, 100_000)
	want("after 100,000", 45009, "r1", id, "a", "c6")
	a.tomorrow()
	want("the next day", 0, "r1", id, "a", "c6")
}

func TestTemplatesOfTheLibrary(t *testing.T) {
	a := service(t)
	var last string
	for range 25 {
		last = a.AddTemplate(wechattest.Template{Title: "提醒", Content: "{{keyword1.DATA}}"})
	}
	if a.AddTemplate(wechattest.Template{}) != "" {
		t.Error("a twenty-sixth template")
	}
	a.problem("templates", "more than 25")
	tpl := library(t, a.Server).GetTemplate()
	list, err := tpl.List()
	if err != nil || len(list) != 25 || list[24].TemplateID != last {
		t.Errorf("%d %v", len(list), err)
	}
	r := a.Follower("r1")
	id, err := tpl.Send(&message.TemplateMessage{ToUser: "r1", TemplateID: last, Data: map[string]*message.TemplateDataItem{"keyword1": {Value: "<a> & b"}}})
	if err != nil || id == 0 || r.Phone()[0].Text != "<a> & b" {
		t.Errorf("%d %v %v", id, err, r)
	}
}

func TestOneTimeSubscriptions(t *testing.T) {
	a := subscription(t)
	r := a.Reader("r1") // who need not follow
	send := func(what string, code int, changes ...any) {
		t.Helper()
		o := object{"touser": "r1", "template_id": a.OneTime, "url": "https://e.org", "scene": "7", "title": "新文章", "data": data("content", "一")}
		for i := 0; i < len(changes); i += 2 {
			o[changes[i].(string)] = changes[i+1]
		}
		got, _ := a.post(wechattest.OnceSend, o)
		a.want(what, got, code)
	}
	link := func(changes ...string) string {
		q := url.Values{"action": {"get_confirm"}, "appid": {a.AppID}, "scene": {"7"}, "template_id": {a.OneTime}, "redirect_url": {"https://e.org/back?x=1"}, "reserved": {"abc1"}}
		for i := 0; i < len(changes); i += 2 {
			q.Set(changes[i], changes[i+1])
		}
		return "https://mp.weixin.qq.com/mp/subscribemsg?" + q.Encode() + "#wechat_redirect"
	}
	send("not confirmed", 43101)
	back, err := r.Confirm(link(), false)
	if u, _ := url.Parse(back); err != nil || u.Query().Get("action") != "cancel" || u.Query().Has("openid") {
		t.Errorf("%s %v", back, err)
	}
	send("cancelled", 43101)
	back, err = r.Confirm(link(), true)
	if u, _ := url.Parse(back); err != nil || u.Host != "e.org" || u.Query().Encode() != "action=confirm&openid=r1&reserved=abc1&scene=7&template_id="+a.OneTime+"&x=1" {
		t.Errorf("%s %v", back, err)
	}
	if _, err := r.Confirm(link(), true); err != nil {
		t.Error(err)
	}
	send("unknown reader", 40003, "touser", "x")
	send("another template", 40037, "template_id", "x")
	send("another scene", 43101, "scene", "8")
	send("scene 10001", 40035, "scene", 10001)
	send("no scene", 40035, "scene", nil)
	send("title of 16", 45003, "title", strings.Repeat("微", 16))
	send("no title", 47003, "title", "")
	send("content of 201", 45002, "data", data("content", strings.Repeat("微", 201)))
	send("no content", 47003, "data", object{})
	send("longest", 0, "scene", 7, "title", strings.Repeat("微", 15), "data", data("content", strings.Repeat("微", 200)))
	send("a scene once, though confirmed twice", 43101)
	if b := r.Phone()[0]; b.Kind != "once" || b.Title != strings.Repeat("微", 15) || b.URL != "https://e.org" {
		t.Errorf("%+v", b)
	}
	for what, bad := range map[string]string{
		"another account": link("appid", "wx"), "another template": link("template_id", "x"), "scene": link("scene", "10001"),
		"no way back": link("redirect_url", ""), "reserved": link("reserved", "a-b"), "long reserved": link("reserved", strings.Repeat("a", 129)),
		"no fragment": strings.TrimSuffix(link(), "#wechat_redirect"), "another page": "https://e.org",
	} {
		if _, err := r.Confirm(bad, true); err == nil {
			t.Errorf("%s: confirmed", what)
		}
	}
	other := start(t, wechattest.Account{})
	code, _ := other.post(wechattest.OnceSend, object{})
	other.want("not verified", code, 48001)
}
