package wechattest_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/officialaccount/message"
)

// parse reads what was posted as the library does.
func parse(t *testing.T, body string) message.MixMessage {
	t.Helper()
	var m message.MixMessage
	if err := xml.Unmarshal([]byte(body), &m); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return m
}

func TestGrants(t *testing.T) {
	a := service(t)
	posted := a.recorded("success")
	r := a.Reader("r1")
	r.Grant("t1")
	m := parse(t, posted())
	events := m.GetSubscribeMsgPopupEvents()
	if m.Event != message.EventSubscribeMsgPopupEvent || m.GetOpenID() != "r1" || len(events) != 1 ||
		events[0] != (message.SubscribeMsgPopupEvent{TemplateID: "t1", SubscribeStatusString: "accept", PopupScene: 2}) {
		t.Errorf("%v %+v", m.Event, events)
	}
	r.Grant("t1", "t2")
	if got := posted(); strings.Count(got, "<List>") != 2 || strings.Count(got, "accept") != 2 {
		t.Error(got)
	}
	r.Refuse("t1")
	if got := posted(); !strings.Contains(got, "<SubscribeStatusString><![CDATA[reject]]>") || !strings.Contains(got, "subscribe_msg_popup_event") {
		t.Error(got)
	}
	if r.Grants("t1") != 2 || r.Grants("t2") != 1 {
		t.Errorf("grants: %d, %d", r.Grants("t1"), r.Grants("t2"))
	}
	r.Withdraw("t1")
	if got := posted(); !strings.Contains(got, "<SubscribeMsgChangeEvent><List><TemplateId><![CDATA[t1]]></TemplateId><SubscribeStatusString><![CDATA[reject]]>") {
		t.Error(got)
	}
	if r.Grants("t1") != 0 || r.Grants("t2") != 1 {
		t.Errorf("grants afterwards: %d, %d", r.Grants("t1"), r.Grants("t2"))
	}
}

func TestSharing(t *testing.T) {
	a := subscription(t)
	posted := a.recorded("success")
	a.Reader("r1").Share("T & U", "about", "https://example.org/a?b=1&c=2")
	m := parse(t, posted())
	if m.MsgType != message.MsgTypeLink || m.Title != "T & U" || m.Description != "about" || m.URL != "https://example.org/a?b=1&c=2" || m.MsgID == 0 {
		t.Errorf("%+v", m)
	}
}
