package wechattest_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/domain/openapi"

	"newsie/bot/wechat/wechattest"
)

func TestAbilitiesOfAccounts(t *testing.T) {
	unverified := start(t, wechattest.Account{Service: true})
	for path, method := range map[string]string{
		wechattest.CustomSend: "POST", wechattest.CustomStaff: "GET", wechattest.TagList: "GET", wechattest.FollowerList: "GET",
		wechattest.MenuCreate: "POST", wechattest.MenuGet: "GET", wechattest.MenuDelete: "GET",
	} {
		code, _ := unverified.do(method, path, object{})
		unverified.want(path+" unverified", code, 48001)
		s := subscription(t)
		if code, _ := s.do(method, path, object{}); code == 48001 {
			t.Errorf("%s is refused to a verified account", path)
		}
	}
}

func TestQuotas(t *testing.T) {
	a := subscription(t)
	quota := func(path string) (int, object) {
		code, answer := a.post(wechattest.QuotaOf, object{"cgi_path": path})
		q, _ := answer["quota"].(object)
		return code, q
	}
	a.Use(wechattest.CustomSend, 499_999)
	if code, q := quota(wechattest.CustomSend); code != 0 || q["daily_limit"] != 500e3 || q["used"] != 499_999.0 || q["remain"] != 1.0 {
		t.Errorf("%d %v", code, q)
	}
	send := func() int {
		code, _ := a.post(wechattest.CustomSend, object{"touser": "r1", "msgtype": "text", "text": object{"content": "a"}})
		return code
	}
	a.Reader("r1").Say("hi")
	a.want("the last message of the day", send(), 0)
	a.want("one more", send(), 45009)
	if _, q := quota(wechattest.CustomSend); q["remain"] != 0.0 || q["used"] != 500e3 {
		t.Errorf("used up: %v", q)
	}
	for _, path := range []string{"/cgi-bin/nothing", "", "cgi-bin/message/custom/send", wechattest.CallbackIP} {
		code, _ := quota(path)
		a.want("quota of "+path, code, 76003)
	}
	code, _ := a.post(wechattest.ClearQuota, object{"appid": "wx"})
	a.want("clear another's", code, 40013)
	for i := range 11 {
		code, _ := a.post(wechattest.ClearQuota, object{"appid": a.AppID})
		a.want(fmt.Sprint("clear ", i+1), code, map[bool]int{true: 48006}[i == 10])
	}
	a.want("after clearing", send(), 0)
	a.Use(wechattest.CustomSend, 500_000)
	a.want("used up by others", send(), 45009)
	a.clock.Advance(15 * time.Hour) // midnight in Beijing
	a.want("the next day", send(), 0)

	answer, err := library(t, a.Server).GetOpenAPI().GetAPIQuota(openapi.GetAPIQuotaParams{CgiPath: wechattest.CustomSend})
	if err != nil || answer.Quota.Used != 1 || answer.Quota.Remain != 499_999 {
		t.Errorf("the library: %+v %v", answer, err)
	}
	a = start(t, wechattest.Account{})
	code, _ = quota(wechattest.CustomSend)
	a.want("quota of what the account may not do", code, 48001)
}

func TestFollowersAndTags(t *testing.T) {
	a := service(t)
	for i := range 10_001 {
		a.Follower(fmt.Sprintf("r%05d", i))
	}
	gone := a.Reader("r00001")
	gone.Unsubscribe()
	a.Reader("stranger")
	people := library(t, a.Server).GetUser()
	page, err := people.ListUserOpenIDs()
	if err != nil || page.Total != 10_000 || page.Count != 10_000 {
		t.Errorf("%d of %d, %v", page.Count, page.Total, err)
	}
	a.Follower("r00001")
	page, err = people.ListUserOpenIDs()
	if err != nil || page.Total != 10_001 || page.Count != 10_000 || page.NextOpenID != "r09999" {
		t.Errorf("%d of %d, next %q, %v", page.Count, page.Total, page.NextOpenID, err)
	}
	all, err := people.ListAllUserOpenIDs()
	if err != nil || len(all) != 10_001 || slices.Contains(all, "stranger") {
		t.Errorf("%d followers, %v", len(all), err)
	}
	id := a.AddTag("editors")
	a.Reader("r00002").Tag(id, id)
	tags, err := people.GetTag()
	if err != nil || len(tags) != 2 || tags[0].ID != 2 || int(tags[1].ID) != id || tags[1].Name != "editors" || tags[1].Count != 1 {
		t.Errorf("%+v %v", tags, err)
	}
}
