package telegramtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

func TestWhereTheBotMayNotWrite(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(s *telegramtest.Server) *telegramtest.Chat
		want string
	}{
		{"a channel it administrates", func(s *telegramtest.Server) *telegramtest.Chat { return s.Channel(-9, "news") }, ""},
		{"a channel where it may only delete", func(s *telegramtest.Server) *telegramtest.Chat {
			return s.Channel(-9, "news").Rights(telegramtest.DeleteMessages)
		}, "Bad Request: need administrator rights in the channel chat"},
		{"a channel it is a member of", func(s *telegramtest.Server) *telegramtest.Chat {
			c := s.Channel(-9, "news")
			c.Demote()
			return c
		}, "Bad Request: need administrator rights in the channel chat"},
		{"a channel where it was made an administrator again", func(s *telegramtest.Server) *telegramtest.Chat {
			c := s.Channel(-9, "news").Absent()
			c.Join()
			c.Promote(telegramtest.PostMessages)
			return c
		}, ""},
		{"a channel without it", func(s *telegramtest.Server) *telegramtest.Chat { return s.Channel(-9, "news").Absent() }, "Forbidden: bot is not a member of the channel chat"},
		{"a channel that banned it", func(s *telegramtest.Server) *telegramtest.Chat {
			c := s.Channel(-9, "news")
			c.Block()
			return c
		}, "Forbidden: bot was kicked from the channel chat"},
		{"a group that removed it", func(s *telegramtest.Server) *telegramtest.Chat {
			c := s.Group(-9)
			c.Remove()
			return c
		}, "Forbidden: bot is not a member of the group chat"},
		{"a supergroup that silenced it", func(s *telegramtest.Server) *telegramtest.Chat {
			c := s.Supergroup(-9)
			c.Mute()
			return c
		}, "Bad Request: not enough rights to send text messages to the chat"},
		{"a chat between others", func(s *telegramtest.Server) *telegramtest.Chat { return s.Between(-9) }, "Bad Request: chat not found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			test.make(s)
			a := call(t, s, "sendMessage", "chat_id", "-9", "text", "x")
			if a.Description != test.want || a.OK != (test.want == "") {
				t.Errorf("answer = %q, want %q", a.Description, test.want)
			}
		})
	}
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Channel(-9, "The_News")
	if a := call(t, s, "sendMessage", "chat_id", "@the_news", "text", "x"); !a.OK {
		t.Errorf("by name: %q", a.Description)
	}
	if a := call(t, s, "sendMessage", "chat_id", "@other", "text", "x"); a.Description != "Bad Request: chat not found" {
		t.Errorf("another name: %q", a.Description)
	}
}

func TestTopicsTheServerRefuses(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	forum := s.Supergroup(-100, 7, 8)
	send := func(topic string) string {
		return call(t, s, "sendMessage", "chat_id", "-100", "message_thread_id", topic, "text", "x").Description
	}
	forum.CloseTopic(7)
	if got := send("7"); got != "Bad Request: TOPIC_CLOSED" {
		t.Errorf("a closed topic: %q", got)
	}
	forum.Rights()
	if got := send("7"); got != "" {
		t.Errorf("a closed topic, as an administrator: %q", got)
	}
	forum.DeleteTopic(8)
	if got := send("8"); got != "Bad Request: message thread not found" {
		t.Errorf("a deleted topic: %q", got)
	}
}

func TestWhatTheBotLearnsOfChats(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1)
	s.Channel(-9, "news")
	s.Channel(-8, "open").Absent()
	s.Channel(-7, "").Absent()
	s.Channel(-6, "").Demote()
	s.Group(-5).Administrator(11).SayAs(telegramtest.Said{From: 12}, "hello")
	s.Group(-4).Block()
	s.Supergroup(-3).HideMembers()
	get := func(method string, params ...string) (string, map[string]any) {
		t.Helper()
		a := call(t, s, method, params...)
		var v map[string]any
		_ = json.Unmarshal(a.Result, &v)
		return a.Description, v
	}
	me := fmt.Sprint(telegramtest.BotID)
	for _, test := range []struct {
		method, chat, user, want, status string
	}{
		{"getChat", "1", "", "", ""},
		{"getChat", "-9", "", "", ""},
		{"getChat", "@open", "", "", ""},
		{"getChat", "-7", "", "Forbidden: bot is not a member of the channel chat", ""},
		{"getChat", "-4", "", "Forbidden: bot was kicked from the group chat", ""},
		{"getChat", "99", "", "Bad Request: chat not found", ""},
		{"getChat", "", "", "Bad Request: chat_id is empty", ""},
		{"getChatMember", "-9", me, "", "administrator"},
		{"getChatMember", "-6", me, "", "member"},
		{"getChatMember", "@open", me, "", "left"},
		{"getChatMember", "-6", "11", "Bad Request: member list is inaccessible", ""},
		{"getChatMember", "-5", "11", "", "administrator"},
		{"getChatMember", "-5", "5", "", "creator"},
		{"getChatMember", "-5", "12", "", "member"},
		{"getChatMember", "-5", "13", "", "left"},
		{"getChatMember", "-5", "x", "Bad Request: invalid user_id specified", ""},
		{"getChatMember", "1", "1", "", "member"},
		{"getChatAdministrators", "1", "", "Bad Request: there are no administrators in the private chat", ""},
		{"getChatAdministrators", "-6", "", "Bad Request: member list is inaccessible", ""},
		{"getChatAdministrators", "-5", "", "", ""},
		{"getChatMember", "-3", "12", "Bad Request: member list is inaccessible", ""},
		{"getChatMember", "-3", me, "", "member"},
	} {
		params := []string{"chat_id", test.chat}
		if test.user != "" {
			params = append(params, "user_id", test.user)
		}
		got, value := get(test.method, params...)
		if got != test.want || test.status != "" && value["status"] != test.status {
			t.Errorf("%s %s %s: %q %v, want %q %s", test.method, test.chat, test.user, got, value, test.want, test.status)
		}
	}
	if _, v := get("getChatMember", "chat_id", "-9", "user_id", me); v["can_post_messages"] != true {
		t.Errorf("rights in the channel: %v", v)
	}
	s.Channel(-9, "").Rights()
	if _, v := get("getChatMember", "chat_id", "-9", "user_id", me); v["can_post_messages"] != false {
		t.Errorf("rights in the channel, when it has none: %v", v)
	}
	if _, v := get("getChat", "chat_id", "@news"); v["type"] != "channel" || v["username"] != "news" {
		t.Errorf("the channel: %v", v)
	}
	var list []struct {
		User struct {
			ID int64 `json:"id"`
		} `json:"user"`
	}
	if err := json.Unmarshal(call(t, s, "getChatAdministrators", "chat_id", "-5").Result, &list); err != nil || len(list) != 2 || list[1].User.ID != 11 {
		t.Errorf("administrators = %v, %v", list, err)
	}
}

func TestTheBotIsToldHowItStands(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	group, channel := s.Group(-5), s.Channel(-9, "news").Absent()
	group.Join()
	group.Promote(telegramtest.DeleteMessages)
	group.Remove()
	channel.Join()
	channel.Promote(telegramtest.PostMessages)
	var updates []struct {
		Member struct {
			Old struct {
				Status string `json:"status"`
			} `json:"old_chat_member"`
			New struct {
				Status string `json:"status"`
				Post   *bool  `json:"can_post_messages"`
				Delete bool   `json:"can_delete_messages"`
			} `json:"new_chat_member"`
		} `json:"my_chat_member"`
		Message struct {
			Added []json.RawMessage `json:"new_chat_members"`
			Left  json.RawMessage   `json:"left_chat_member"`
		} `json:"message"`
	}
	if err := json.Unmarshal(call(t, s, "getUpdates").Result, &updates); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range updates {
		switch {
		case len(u.Message.Added) > 0:
			got = append(got, "added")
		case u.Message.Left != nil:
			got = append(got, "left")
		default:
			got = append(got, u.Member.Old.Status+">"+u.Member.New.Status)
		}
	}
	if want := "left>member added member>administrator administrator>left left left>member member>administrator"; strings.Join(got, " ") != want {
		t.Errorf("updates = %v, want %s", got, want)
	}
	if last := updates[len(updates)-1].Member.New; last.Post == nil || !*last.Post {
		t.Errorf("the channel's right to post: %+v", last)
	}
	if !updates[2].Member.New.Delete || updates[2].Member.New.Post != nil {
		t.Errorf("the group's rights: %+v", updates[2].Member.New)
	}
}

func TestMenusOfScopes(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1).Language("zh-hans")
	group := s.Group(-5).Administrator(7)
	set := func(word, scope, lang string) string {
		t.Helper()
		return call(t, s, "setMyCommands", "commands", fmt.Sprintf(`[{"command":%q,"description":"x"}]`, word), "scope", scope, "language_code", lang).Description
	}
	for _, test := range []struct{ word, scope, lang, want string }{
		{"everybody", "", "", ""},
		{"chinese", `{"type":"default"}`, "zh", ""},
		{"private", `{"type":"all_private_chats"}`, "", ""},
		{"groups", `{"type":"all_group_chats"}`, "", ""},
		{"managers", `{"type":"all_chat_administrators"}`, "", ""},
		{"x", `{"type":"everybody"}`, "", "Bad Request: can't parse BotCommandScope: Unsupported type specified"},
		{"x", `{"type":"chat"}`, "", "Bad Request: can't parse BotCommandScope: Empty chat_id specified"},
		{"x", `{"type":"chat","chat_id":99}`, "", "Bad Request: chat not found"},
		{"x", `{"type":"chat_member","chat_id":-5}`, "", "Bad Request: can't parse BotCommandScope: Invalid user_id specified"},
		{"x", `x`, "", "Bad Request: can't parse BotCommandScope JSON object"},
		{"x", ``, "zh-hant", "Bad Request: LANG_CODE_INVALID"},
	} {
		if got := set(test.word, test.scope, test.lang); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.scope, test.lang, got, test.want)
		}
	}
	menus := func(want ...string) {
		t.Helper()
		got := []string{fmt.Sprint(reader.Menu()), fmt.Sprint(group.MenuOf(6)), fmt.Sprint(group.MenuOf(7)), fmt.Sprint(group.MenuOf(8))}
		if !slices.Equal(got, want) {
			t.Errorf("menus = %v, want %v", got, want)
		}
	}
	menus("[/private x]", "[/groups x]", "[/managers x]", "[/groups x]")
	set("here", `{"type":"chat","chat_id":1}`, "")
	set("us", `{"type":"chat","chat_id":-5}`, "")
	set("us_managers", `{"type":"chat_administrators","chat_id":-5}`, "")
	set("you", `{"type":"chat_member","chat_id":-5,"user_id":8}`, "")
	menus("[/here x]", "[/us x]", "[/us_managers x]", "[/you x]")
	for _, scope := range []string{`{"type":"chat","chat_id":1}`, `{"type":"all_private_chats"}`} {
		call(t, s, "deleteMyCommands", "scope", scope)
	}
	menus("[/chinese x]", "[/us x]", "[/us_managers x]", "[/you x]")
	if got := s.CommandsFor("chat_member:-5:8"); !strings.Contains(got[""], `"you"`) {
		t.Errorf("the menu of one member: %v", got)
	}
	if got := string(call(t, s, "getMyCommands", "language_code", "zh").Result); got != `[{"command":"chinese","description":"x"}]` {
		t.Errorf("getMyCommands = %s", got)
	}
	if got := string(call(t, s, "getMyCommands", "language_code", "it").Result); got != "[]" {
		t.Errorf("getMyCommands of a language without menu = %s", got)
	}
}

func TestButtonsThatAskNobody(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{Inline: true})
	reader := s.Chat(1)
	send := func(button string) string {
		return call(t, s, "sendMessage", "chat_id", "1", "text", "x", "reply_markup", keys(button)).Description
	}
	for _, test := range []struct{ button, want, does string }{
		{`{"text":"b","copy_text":{"text":"` + strings.Repeat("茶", 256) + `"}}`, "", strings.Repeat("茶", 256)},
		{`{"text":"b","copy_text":{"text":"` + strings.Repeat("茶", 257) + `"}}`, "BUTTON_COPY_TEXT_INVALID", ""},
		{`{"text":"b","copy_text":{"text":""}}`, "BUTTON_COPY_TEXT_INVALID", ""},
		{`{"text":"b","copy_text":"x"}`, "can't parse reply keyboard markup JSON object", ""},
		{`{"text":"b","copy_text":{"text":"x"},"callback_data":"x"}`, "can't parse inline keyboard button: more than one kind", ""},
		{`{"text":"b","switch_inline_query":""}`, "", "@newsie_bot "},
		{`{"text":"b","switch_inline_query_current_chat":"tea"}`, "", "@newsie_bot tea"},
		{`{"text":"b","switch_inline_query_chosen_chat":{"query":"tea","allow_group_chats":true}}`, "", "@newsie_bot tea"},
		{`{"text":"b","switch_inline_query_chosen_chat":{"query":"tea"}}`, "can't parse inline keyboard button: At least one chat type", ""},
		{`{"text":"b","callback_data":"x","style":"danger"}`, "", ""},
		{`{"text":"b","callback_data":"x","style":"pink"}`, "can't parse inline keyboard button: invalid button style", ""},
	} {
		got := send(test.button)
		if test.want == "" && got != "" || !strings.HasPrefix(strings.TrimPrefix(got, "Bad Request: "), test.want) {
			t.Errorf("%.60s: %q, want %q", test.button, got, test.want)
			continue
		}
		if test.want != "" {
			continue
		}
		if does, err := reader.Tap("b"); err != nil || does != test.does {
			t.Errorf("%.60s: the tap gives %q, %v", test.button, does, err)
		}
	}
	s.SetBot(telegramtest.Bot{Username: "newsie_bot"})
	if got := send(`{"text":"b","switch_inline_query":"x"}`); got != "Bad Request: BUTTON_TYPE_INVALID" {
		t.Errorf("inline mode switched off: %q", got)
	}
}

func TestRepliesAndProtection(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	forum := s.Supergroup(-100, 7)
	asked := forum.SayAs(telegramtest.Said{From: 8, Thread: 7}, "/help")
	reply := fmt.Sprintf(`{"message_id":%d}`, asked)
	for _, test := range []struct{ reply, want string }{
		{reply, ""},
		{`{"message_id":99}`, "Bad Request: message to be replied not found"},
		{`{"message_id":99,"allow_sending_without_reply":true}`, ""},
		{`{"message":1}`, "Bad Request: can't parse reply parameters JSON object"},
	} {
		a := call(t, s, "sendMessage", "chat_id", "-100", "text", "x", "reply_parameters", test.reply, "protect_content", "true", "allow_paid_broadcast", "false")
		if !strings.HasPrefix(a.Description, test.want) || a.OK != (test.want == "") {
			t.Errorf("%s: %q, want %q", test.reply, a.Description, test.want)
		}
	}
	m := forum.Answers()
	if len(m) != 2 || m[0].ReplyTo != asked || m[0].Thread != 7 || m[1].ReplyTo != 0 || m[1].Thread != 0 || !m[0].Protected {
		t.Fatalf("messages = %+v", m)
	}
	var printed bytes.Buffer
	forum.Print(&printed)
	if want := "── bot #2 in topic 7 (answers #1) (protected)\nx\n"; !strings.Contains(printed.String(), want) {
		t.Errorf("printed:\n%s", printed.String())
	}
	if a := call(t, s, "sendChatAction", "chat_id", "-100", "action", "thinking"); a.Description != "Bad Request: wrong parameter action in request" {
		t.Errorf("an unknown action: %q", a.Description)
	}
}
