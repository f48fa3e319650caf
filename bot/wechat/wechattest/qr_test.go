package wechattest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/basic"

	"newsie/bot/wechat/wechattest"
)

func TestCodeLimits(t *testing.T) {
	scene := func(id any, text string) object { return object{"scene": object{"scene_id": id, "scene_str": text}} }
	for name, test := range map[string]struct {
		request object
		code    int
	}{
		"temporary":            {object{"action_name": "QR_STR_SCENE", "expire_seconds": 30 * 86400, "action_info": scene(0, "shop")}, 0},
		"30 days and a second": {object{"action_name": "QR_STR_SCENE", "expire_seconds": 30*86400 + 1, "action_info": scene(0, "shop")}, 40052},
		"scene of 64":          {object{"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene(0, strings.Repeat("微", 64))}, 0},
		"scene of 65":          {object{"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene(0, strings.Repeat("微", 65))}, 40053},
		"no scene":             {object{"action_name": "QR_STR_SCENE"}, 40053},
		"permanent, 100,000":   {object{"action_name": "QR_LIMIT_SCENE", "action_info": scene(100_000, "")}, 0},
		"permanent, 100,001":   {object{"action_name": "QR_LIMIT_SCENE", "action_info": scene(100_001, "")}, 40053},
		"temporary of 32 bits": {object{"action_name": "QR_SCENE", "action_info": scene(1<<32-1, "")}, 0},
		"temporary of 33 bits": {object{"action_name": "QR_SCENE", "action_info": scene(1<<32, "")}, 40053},
		"zero":                 {object{"action_name": "QR_SCENE", "action_info": scene(0, "")}, 40053},
		"unknown":              {object{"action_name": "QR"}, 40053},
		"of no shape":          {object{"action_name": 1}, 47001},
	} {
		a := service(t)
		code, answer := a.post(wechattest.QRCreate, test.request)
		a.want(name, code, test.code)
		if ticket, _ := answer["ticket"].(string); (ticket != "") != (test.code == 0) {
			t.Errorf("%s: %v", name, answer)
		}
	}
	s := service(t)
	short := object{"action_name": "QR_STR_SCENE", "action_info": scene(0, "shop")}
	if _, answer := s.post(wechattest.QRCreate, short); answer["expire_seconds"] != 60.0 {
		t.Errorf("how long is not said: %v", answer)
	}
	s.FillCodes(99_999)
	for i, want := range []int{0, 45029} {
		code, _ := s.post(wechattest.QRCreate, object{"action_name": "QR_LIMIT_SCENE", "action_info": scene(i+1, "")})
		s.want("permanent", code, want)
	}
	a := subscription(t)
	code, _ := a.post(wechattest.QRCreate, object{})
	a.want("a subscription account", code, 48001)
}

func TestCodesOfTheLibrary(t *testing.T) {
	a := service(t)
	ticket, err := library(t, a.Server).GetBasic().GetQRTicket(basic.NewTmpQrRequest(time.Hour, "shop"))
	if err != nil || ticket.Ticket == "" || ticket.ExpireSeconds != 3600 {
		t.Errorf("%+v %v", ticket, err)
	}
}

func TestReadersScanWhatAPictureSays(t *testing.T) {
	a := service(t)
	create := func(request object) string {
		_, answer := a.post(wechattest.QRCreate, request)
		address, _ := answer["url"].(string)
		return address
	}
	scene := func(text string) object { return object{"scene": object{"scene_str": text}} }
	lasting := create(object{"action_name": "QR_LIMIT_STR_SCENE", "action_info": scene("shop")})
	brief := create(object{"action_name": "QR_STR_SCENE", "expire_seconds": 100, "action_info": scene("stall")})
	numbered := create(object{"action_name": "QR_LIMIT_SCENE", "action_info": object{"scene": object{"scene_id": 4711}}})

	r := a.Reader("r")
	for _, step := range []struct{ address, event, key string }{
		{lasting, "subscribe", "qrscene_shop"}, {lasting, "SCAN", "shop"}, {brief, "SCAN", "stall"}, {numbered, "SCAN", "4711"},
	} {
		if _, err := r.ScanCode(step.address); err != nil {
			t.Errorf("%s: %v", step.address, err)
		}
		for _, part := range []string{step.event, step.key} {
			if heard := r.Last(); !strings.Contains(heard, "[CDATA["+part+"]]") {
				t.Errorf("%s: the account heard %s, want %s", step.address, heard, part)
			}
		}
	}
	r.Unsubscribe()
	heard := r.Last()
	a.clock.Advance(100 * time.Second)
	for _, address := range []string{brief, "http://weixin.qq.com/q/elsewhere", ""} {
		if _, err := r.ScanCode(address); err == nil || r.Last() != heard {
			t.Errorf("%q works: %v", address, err)
		}
	}
	if _, err := r.ScanCode(lasting); err != nil || !strings.Contains(r.Last(), "qrscene_shop") {
		t.Errorf("who left comes back: %v, %s", err, r.Last())
	}
}
