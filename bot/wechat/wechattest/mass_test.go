package wechattest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/broadcast"
	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot/wechat/wechattest"
)

func toAll(media string, changes ...any) object {
	o := object{"filter": object{"is_to_all": true}, "msgtype": "mpnews", "mpnews": object{"media_id": media}, "send_ignore_reprint": 1}
	for i := 0; i < len(changes); i += 2 {
		o[changes[i].(string)] = changes[i+1]
	}
	return o
}

func (a *api) mass(media string, changes ...any) (int, object) {
	a.t.Helper()
	return a.post(wechattest.MassSendAll, toAll(media, changes...))
}

// count counts the articles on a phone.
func count(r *wechattest.Reader) int {
	n := 0
	for _, b := range r.Phone() {
		n += len(b.News)
	}
	return n
}

func TestMassRequests(t *testing.T) {
	for name, test := range map[string]struct {
		changes []any
		code    int
	}{
		"good":               {nil, 0},
		"unknown draft":      {[]any{"mpnews", object{"media_id": "x"}}, 40007},
		"a picture":          {[]any{"msgtype", "image"}, 40008},
		"to nobody":          {[]any{"filter", nil}, 40035},
		"to no tag":          {[]any{"filter", object{"is_to_all": false}}, 40035},
		"to a tag":           {[]any{"filter", object{"is_to_all": false, "tag_id": 2}}, 0},
		"to an unknown tag":  {[]any{"filter", object{"tag_id": 9}}, 45159},
		"clientmsgid of 64":  {[]any{"clientmsgid", strings.Repeat("x", 64)}, 0},
		"clientmsgid of 65":  {[]any{"clientmsgid", strings.Repeat("x", 65)}, 45067},
		"text":               {[]any{"msgtype", "text", "text", object{"content": "hello"}}, 0},
		"empty text":         {[]any{"msgtype", "text", "text", object{"content": " "}}, 44004},
		"filter of no shape": {[]any{"filter", "all"}, 47001},
	} {
		a := subscription(t)
		code, answer := a.mass(a.drafted(1), test.changes...)
		a.want(name, code, test.code)
		if id, _ := answer["msg_id"].(float64); (id > 0) != (code == 0) || (len(a.Masses()) == 1) != (code == 0) {
			t.Errorf("%s: %v", name, answer)
		}
	}
	a := start(t, wechattest.Account{})
	for _, path := range []string{wechattest.MassSendAll, wechattest.MassSendList, wechattest.MassPreview, wechattest.MassGet, wechattest.MassDelete, wechattest.MassSpeed} {
		code, _ := a.post(path, toAll("x"))
		a.want("not verified: "+path, code, 48001)
	}
}

func TestMassQuotaOfASubscriptionAccount(t *testing.T) {
	a := subscription(t)
	media := a.drafted(1)
	code, first := a.mass(media, "clientmsgid", "c1")
	a.want("the first of the day", code, 0)
	code, again := a.mass(media, "clientmsgid", "c1")
	a.want("the same clientmsgid", code, 45065)
	if again["msg_id"] != first["msg_id"] || again["msg_data_id"] != first["msg_data_id"] {
		t.Errorf("%v, the first was %v", again, first)
	}
	code, _ = a.mass(media, "clientmsgid", "c2")
	a.want("the second of the day", code, 45028)
	a.clock.Advance(15*time.Hour - time.Second)
	code, _ = a.mass(media, "clientmsgid", "c2")
	a.want("a second before midnight", code, 45028)
	a.clock.Advance(time.Second)
	code, _ = a.mass(media, "clientmsgid", "c1")
	a.want("the same clientmsgid the next day", code, 45065)
	code, _ = a.mass(media, "clientmsgid", "c2")
	a.want("the next day", code, 0)
	a.tomorrow()
	code, _ = a.mass(media, "clientmsgid", "c1")
	a.want("a clientmsgid that was forgotten", code, 0)
}

func TestMassWithoutClientID(t *testing.T) {
	a := service(t)
	media := a.drafted(1)
	a.Follower("r1")
	code, _ := a.mass(media)
	a.want("first", code, 0)
	code, _ = a.mass(media)
	a.want("the same to the same", code, 45065)
	code, _ = a.mass(media, "filter", object{"tag_id": 2})
	a.want("the same to others", code, 0)
}

func TestMassQuotaOfAServiceAccount(t *testing.T) {
	a := service(t)
	r1, r2 := a.Follower("r1"), a.Follower("r2")
	id := a.AddTag("one")
	r1.Tag(id)
	send := func(want int, changes ...any) {
		t.Helper()
		code, _ := a.mass(a.drafted(1), changes...)
		a.want("send", code, want)
		a.Flush()
	}
	tagged := []any{"filter", object{"tag_id": id}}
	for range 4 {
		send(0, tagged...)
	}
	if count(r1) != 4 || count(r2) != 0 {
		t.Errorf("%d and %d articles", count(r1), count(r2))
	}
	send(45028, tagged...)
	send(0) // everybody: one reader has something left
	if count(r1) != 4 || count(r2) != 1 {
		t.Errorf("%d and %d articles", count(r1), count(r2))
	}
	a.clock.Advance(9 * 24 * time.Hour) // 1 December in Beijing
	send(0, tagged...)
	if count(r1) != 5 {
		t.Errorf("the next month: %d", count(r1))
	}
}

func TestMassRequestsAMinute(t *testing.T) {
	a := subscription(t)
	for i := range 61 {
		code, _ := a.mass("x")
		a.want(fmt.Sprint("request ", i+1), code, map[bool]int{false: 40007, true: 45011}[i == 60])
	}
	a.clock.Advance(time.Minute)
	code, _ := a.mass("x")
	a.want("a minute later", code, 40007)
}

func TestMassIsTold(t *testing.T) {
	a := service(t)
	posted := a.recorded("success")
	r1, muted, gone := a.Follower("r1"), a.Follower("r2"), a.Follower("r3")
	stranger := a.Reader("r4")
	muted.Mute(true)
	media := a.drafted(2)
	code, answer := a.mass(media)
	a.want("send", code, 0)
	gone.Unsubscribe()
	posted()
	status := func() any {
		_, got := a.post(wechattest.MassGet, object{"msg_id": fmt.Sprintf("%.0f", answer["msg_id"])})
		return got["msg_status"]
	}
	if got := status(); got != "SENDING" || count(r1) != 0 {
		t.Errorf("before the end: %v, %d articles", got, count(r1))
	}
	if err := a.FinishMass(wechattest.MassSuccess); err != nil {
		t.Fatal(err)
	}
	m := parse(t, posted())
	if m.Event != message.EventMassSendJobFinish || m.GetOpenID() != "mphelper" || float64(m.TemplateMsgID) != answer["msg_id"] || m.Status != "send success" ||
		m.TotalCount != 3 || m.FilterCount != 2 || m.SentCount != 1 || m.ErrorCount != 1 {
		t.Errorf("%+v", m)
	}
	if got := status(); got != "SEND_SUCCESS" || count(r1) != 2 || count(muted) != 0 || count(gone) != 0 || count(stranger) != 0 {
		t.Errorf("at the end: %v, %v", got, r1)
	}
	if len(a.Drafts()) != 0 {
		t.Error("the draft stays in the box")
	}
	code, _ = a.mass(media, "clientmsgid", "other")
	a.want("the draft again", code, 40007)
	if err := a.FinishMass(wechattest.MassSuccess); err == nil {
		t.Error("finished twice")
	}

	for _, bad := range []string{wechattest.MassFailure, "err(20008)"} {
		code, _ = a.mass(a.drafted(1), "clientmsgid", bad)
		a.want("send", code, 0)
		if err := a.FinishMass(bad); err != nil {
			t.Fatal(err)
		}
		if m := parse(t, posted()); m.Status != bad || m.SentCount != 0 || count(r1) != 2 || len(a.Drafts()) == 0 {
			t.Errorf("%+v", m)
		}
	}
}

func TestMassIsProtected(t *testing.T) {
	a := service(t)
	posted := a.recorded("success")
	r := a.Follower("r1")
	r.Tag(2)
	a.Protect(true)
	send := func(changes ...any) {
		t.Helper()
		code, _ := a.mass(a.drafted(1), changes...)
		a.want("send", code, 0)
	}
	send()
	a.Flush()
	if count(r) != 0 || posted() != "" || a.Masses()[0].Status != "SENDING" || !a.Masses()[0].Waiting {
		t.Errorf("not confirmed: %+v", a.Masses())
	}
	if err := a.ConfirmMass(true); err != nil {
		t.Fatal(err)
	}
	a.Flush()
	if m := parse(t, posted()); m.Status != "send success" || count(r) != 1 {
		t.Errorf("confirmed: %+v", m)
	}
	send()
	if err := a.ConfirmMass(false); err != nil {
		t.Fatal(err)
	}
	if m := parse(t, posted()); m.Status != "err(40001)" || count(r) != 1 {
		t.Errorf("refused: %+v", m)
	}
	send()
	a.clock.Advance(30*time.Minute - time.Second)
	if got := posted(); got != "" {
		t.Errorf("too early: %s", got)
	}
	a.clock.Advance(time.Second)
	if m := parse(t, posted()); m.Status != "err(40002)" || count(r) != 1 {
		t.Errorf("unanswered: %+v", m)
	}
	if err := a.ConfirmMass(true); err == nil {
		t.Error("confirmed too late")
	}
	send("filter", object{"tag_id": 2})
	a.Flush()
	if m := parse(t, posted()); m.Status != "send success" || count(r) != 2 {
		t.Errorf("tags are not protected: %+v", m)
	}
}

func TestMassPreview(t *testing.T) {
	a := subscription(t)
	a.Reader("stranger")
	r := a.Follower("r1").Named("publisher")
	media := a.drafted(1)
	for name, test := range map[string]struct {
		field, to string
		media     string
		code      int
	}{
		"by openid": {"touser", "r1", media, 0}, "by name": {"towxname", "publisher", media, 0},
		"unknown openid": {"touser", "x", media, 40003}, "unknown name": {"towxname", "x", media, 40132},
		"not a follower": {"touser", "stranger", media, 43004}, "unknown draft": {"touser", "r1", "x", 40007},
	} {
		code, _ := a.post(wechattest.MassPreview, object{test.field: test.to, "msgtype": "mpnews", "mpnews": object{"media_id": test.media}})
		a.want(name, code, test.code)
	}
	if count(r) != 2 || r.Phone()[0].Kind != "preview" || len(a.Drafts()) != 1 {
		t.Errorf("%+v", r.Phone())
	}
	a.Use(wechattest.MassPreview, 94)
	code, _ := a.post(wechattest.MassPreview, object{"touser": "r1", "msgtype": "mpnews", "mpnews": object{"media_id": media}})
	a.want("the hundred and first", code, 45009)
}

func TestMassOfTheLibrary(t *testing.T) {
	a := service(t)
	ctx := library(t, a.Server).GetContext()
	r1, r2 := a.Follower("r1"), a.Follower("r2")
	media := a.drafted(1)
	if _, err := broadcast.NewBroadcast(ctx).Preview().SendNews(&broadcast.User{OpenID: []string{"r1"}}, media, true); err != nil {
		t.Error(err)
	}
	if _, err := broadcast.NewBroadcast(ctx).SendNews(&broadcast.User{OpenID: []string{"r1"}}, media, true); err == nil || !strings.Contains(err.Error(), "errcode=40031") {
		t.Errorf("a list of one: %v", err)
	}
	if _, err := broadcast.NewBroadcast(ctx).SendNews(&broadcast.User{OpenID: []string{"r1", "r9"}}, media, true); err == nil || !strings.Contains(err.Error(), "errcode=40003") {
		t.Errorf("an unknown reader: %v", err)
	}
	sent, err := broadcast.NewBroadcast(ctx).SendNews(&broadcast.User{OpenID: []string{"r1", "r2"}}, media, true)
	if err != nil {
		t.Fatal(err)
	}
	a.Flush()
	if count(r1) != 2 || count(r2) != 1 {
		t.Errorf("%v %v", r1, r2)
	}
	id := fmt.Sprint(sent.MsgID)
	if got, err := broadcast.NewBroadcast(ctx).GetMassStatus(id); err != nil || got.MsgStatus != "SEND_SUCCESS" || got.MsgID != sent.MsgID {
		t.Errorf("%+v %v", got, err)
	}
	if speed, err := broadcast.NewBroadcast(ctx).GetSpeed(); err != nil || speed.RealSpeed == 0 {
		t.Errorf("%+v %v", speed, err)
	}
	if err := broadcast.NewBroadcast(ctx).Delete(sent.MsgID, 2); err == nil || !strings.Contains(err.Error(), "errcode=40035") {
		t.Errorf("an article that is not in it: %v", err)
	}
	if err := broadcast.NewBroadcast(ctx).Delete(sent.MsgID, 0); err != nil {
		t.Error(err)
	}
	if got, _ := broadcast.NewBroadcast(ctx).GetMassStatus(id); got.MsgStatus != "DELETE" || r2.Phone()[0].Kind != "deleted" {
		t.Errorf("%+v %+v", got, r2.Phone())
	}
	if err := broadcast.NewBroadcast(ctx).Delete(sent.MsgID, 0); err == nil || !strings.Contains(err.Error(), "errcode=40059") {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := broadcast.NewBroadcast(ctx).GetMassStatus("7"); err == nil || !strings.Contains(err.Error(), "errcode=40059") {
		t.Errorf("unknown: %v", err)
	}
}

func TestMassToAList(t *testing.T) {
	a := service(t)
	list := make([]string, 10_001)
	for i := range list {
		list[i] = a.Follower(fmt.Sprint("r", i)).OpenID
	}
	send := func(openids []string) int {
		code, _ := a.post(wechattest.MassSendList, object{"touser": openids, "msgtype": "text", "text": object{"content": "hello"}})
		return code
	}
	a.want("10,001", send(list), 40031)
	a.want("10,000", send(list[1:]), 0)
	a.want("one", send(list[:1]), 40031)
	a.want("one, twice", send([]string{"r0", "r0"}), 40031)
	code, _ := a.post(wechattest.MassSendList, object{"touser": "r0"})
	a.want("no list", code, 47001)
	a.Flush()
	if a.Masses()[0].Readers != 10_000 || len(a.Reader("r0").Phone()) != 0 || len(a.Reader("r1").Phone()) != 1 {
		t.Errorf("%d readers", a.Masses()[0].Readers)
	}
	other := subscription(t)
	code, _ = other.post(wechattest.MassSendList, object{})
	other.want("a subscription account", code, 48001)
}

func TestMassByItself(t *testing.T) {
	a := subscription(t)
	posted := a.recorded("success")
	r := a.Follower("r1")
	a.Auto()
	code, _ := a.mass(a.drafted(1))
	a.want("send", code, 0)
	a.Wait()
	if m := parse(t, posted()); m.Status != "send success" || count(r) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestAnswersToReportsAreProblems(t *testing.T) {
	a := subscription(t)
	answer(a.Server, 200, strings.ReplaceAll(text(a.Server, "x"), "r1", "mphelper"))
	a.Follower("r1")
	a.mass(a.drafted(1))
	a.Flush()
	a.problem("an answer", "nobody sees")
	answer(a.Server, 500, "")
	a.tomorrow()
	a.mass(a.drafted(1))
	a.Flush()
	a.problem("a failure", "status 500")
}
