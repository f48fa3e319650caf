package telegramtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"newsie/bot/telegram/telegramtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

type answer struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func call(t *testing.T, s *telegramtest.Server, method string, params ...string) answer {
	t.Helper()
	return post(t, s.URL()+"/bot"+s.Token()+"/"+method, params...)
}

func post(t *testing.T, address string, params ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	resp, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a answer
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	if !a.OK && a.Code != resp.StatusCode {
		t.Errorf("status %d, error_code %d", resp.StatusCode, a.Code)
	}
	return a
}

func keys(button string) string { return `{"inline_keyboard":[[` + button + `]]}` }

func TestMessagesTheServerRefuses(t *testing.T) {
	for _, test := range []struct {
		name   string
		params []string
		want   string // of the description, behind "Bad Request: "; "": accepted
	}{
		{"a text", []string{"text", "x"}, ""},
		{"no text", nil, "message text is empty"},
		{"white space", []string{"text", " \n "}, "text must be non-empty"},
		{"not UTF-8", []string{"text", "\xff"}, "strings must be encoded in UTF-8"},
		{"4,096 units", []string{"text", strings.Repeat("x", 4096)}, ""},
		{"4,097 units", []string{"text", strings.Repeat("x", 4097)}, "message is too long"},
		{"2,049 emoji", []string{"text", strings.Repeat("😀", 2049)}, "message is too long"},
		{"4,096 units after parsing", []string{"text", "<b>" + strings.Repeat("&amp;", 4096) + "</b>", "parse_mode", "HTML"}, ""},
		{"MarkdownV3", []string{"text", "x", "parse_mode", "MarkdownV3"}, "unsupported parse_mode"},
		{"an unknown tag", []string{"text", "é <p>x</p>", "parse_mode", "HTML"}, `can't parse entities: Unsupported start tag "p" at byte offset 3`},
		{"an open tag", []string{"text", "<b>x", "parse_mode", "HTML"}, `can't parse entities: Can't find end tag corresponding to start tag "b"`},
		{"crossing tags", []string{"text", "<b><i>x</b></i>", "parse_mode", "HTML"}, `can't parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`},
		{"an end too many", []string{"text", "x</b>", "parse_mode", "HTML"}, `can't parse entities: Unexpected end tag at byte offset 1`},
		{"half a tag", []string{"text", "a <b", "parse_mode", "HTML"}, `can't parse entities: Unclosed start tag at byte offset 2`},
		{"half an address", []string{"text", `a <a href="x>b</a>`, "parse_mode", "HTML"}, `can't parse entities: Unclosed start tag at byte offset 2`},
		{"an attribute without name", []string{"text", `<a ="x">b</a>`, "parse_mode", "HTML"}, `can't parse entities: Empty attribute name in the tag "a" at byte offset 0`},
		{"a span of another class", []string{"text", `<span class="x">b</span>`, "parse_mode", "HTML"}, `can't parse entities: Tag "span" must have class "tg-spoiler" at byte offset 0`},
		{"data of 64 bytes", []string{"text", "x", "reply_markup", keys(`{"text":"b","callback_data":"` + strings.Repeat("x", 64) + `"}`)}, ""},
		{"data of 65 bytes", []string{"text", "x", "reply_markup", keys(`{"text":"b","callback_data":"` + strings.Repeat("微", 21) + `xx"}`)}, "BUTTON_DATA_INVALID"},
		{"a button without label", []string{"text", "x", "reply_markup", keys(`{"text":" ","callback_data":"x"}`)}, "can't parse inline keyboard button"},
		{"a button that does nothing", []string{"text", "x", "reply_markup", keys(`{"text":"b"}`)}, "can't parse inline keyboard button: Text buttons are unallowed"},
		{"a button of two kinds", []string{"text", "x", "reply_markup", keys(`{"text":"b","callback_data":"x","url":"https://example.org"}`)}, "can't parse inline keyboard button"},
		{"a button with a strange field", []string{"text", "x", "reply_markup", keys(`{"text":"b","callback_dat":"x"}`)}, "can't parse reply keyboard markup"},
		{"a button to this machine", []string{"text", "x", "reply_markup", keys(`{"text":"b","url":"http://localhost:8080/"}`)}, "inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL"},
		{"a row of 9", []string{"text", "x", "reply_markup", keys(strings.Repeat(`{"text":"b","callback_data":"x"},`, 8) + `{"text":"b","callback_data":"x"}`)}, "REPLY_MARKUP_TOO_LONG"},
		{"a keyboard that is null", []string{"text", "x", "reply_markup", `{"keyboard":null}`}, "can't parse reply keyboard markup"},
		{"preview options of another kind", []string{"text", "x", "link_preview_options", `{"disabled":true}`}, "can't parse link preview options"},
		{"an unknown parameter", []string{"text", "x", "disable_web_page_preview", "true"}, `unknown parameter "disable_web_page_preview"`},
		{"General by its number", []string{"text", "x", "message_thread_id", "1"}, "message thread not found"},
		{"another chat", []string{"text", "x", "chat_id", "77"}, "chat not found"},
		{"no chat", []string{"text", "x", "chat_id", ""}, "chat_id is empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{})
			s.Chat(1)
			a := call(t, s, "sendMessage", append([]string{"chat_id", "1"}, test.params...)...)
			if a.OK != (test.want == "") || !strings.HasPrefix(a.Description, "Bad Request: "+test.want) && !a.OK {
				t.Errorf("answer = %d %q, want %q", a.Code, a.Description, test.want)
			}
			if n := len(s.Chat(1).Answers()); (n == 1) != a.OK {
				t.Errorf("%d messages arrived", n)
			}
		})
	}
}

func TestTextsAsReadersSeeThem(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1)
	text := "\n 😀 <b>a &lt;<i>b</i></b> &amp;amp; &copy; <a href=\"https://e.org/?a=1&amp;b=2\">l</a> <a href='http://localhost/'>dead</a> <u></u>c\u202e\x01 \n"
	if a := call(t, s, "sendMessage", "chat_id", "1", "text", text, "parse_mode", "HTML", "disable_notification", "true"); !a.OK {
		t.Fatal(a.Description)
	}
	m := reader.Answers()[0]
	if want := "😀 a <b &amp; &copy; l dead c"; m.Text != want {
		t.Errorf("text = %q, want %q", m.Text, want)
	}
	want := []telegramtest.Entity{
		{Type: "bold", Offset: 3, Length: 4}, {Type: "italic", Offset: 6, Length: 1},
		{Type: "text_link", Offset: 21, Length: 1, URL: "https://e.org/?a=1&b=2"},
	}
	if fmt.Sprint(m.Entities) != fmt.Sprint(want) || !m.Silent {
		t.Errorf("entities = %+v, silent %v", m.Entities, m.Silent)
	}
	many := strings.Repeat("<b>x</b> ", 150)
	call(t, s, "sendMessage", "chat_id", "1", "text", many, "parse_mode", "HTML")
	if n := len(reader.Answers()[1].Entities); n != 100 {
		t.Errorf("%d entities are kept, want 100", n)
	}
}

func TestTokensAndMethods(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	for _, test := range []struct {
		path string
		code int
		want string
	}{
		{"/bot" + s.Token() + "/getMe", 0, ""},
		{"/bot1:x/getMe", 401, "Unauthorized"},
		{"/botx/getMe", 404, "Not Found"},
		{"/getMe", 404, "Not Found"},
		{"/bot" + s.Token() + "/getYou", 404, "Not Found"},
	} {
		if a := post(t, s.URL()+test.path); a.Code != test.code || a.Description != test.want {
			t.Errorf("%s: %d %q", test.path, a.Code, a.Description)
		}
	}
}

func TestEdits(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1)
	own := reader.Say("mine")
	call(t, s, "sendMessage", "chat_id", "1", "text", "one")
	id := fmt.Sprint(reader.Answers()[0].ID)
	for _, test := range []struct{ id, text, want string }{
		{id, "two", ""},
		{id, "two", "Bad Request: message is not modified"},
		{id, strings.Repeat("x", 4097), "Bad Request: message is too long"},
		{fmt.Sprint(own), "x", "Bad Request: message can't be edited"},
		{"999", "x", "Bad Request: message to edit not found"},
	} {
		a := call(t, s, "editMessageText", "chat_id", "1", "message_id", test.id, "text", test.text)
		if !strings.HasPrefix(a.Description, test.want) || a.OK != (test.want == "") {
			t.Errorf("%s %.10q: %q, want %q", test.id, test.text, a.Description, test.want)
		}
	}
	if m := reader.Answers()[0]; m.Text != "two" || m.Edits != 1 {
		t.Errorf("message = %+v", m)
	}
}

func TestReadersWhoCannotBeReached(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Chat(1).Block()
	s.Chat(2).Deactivate()
	s.Stranger(3)
	s.Group(-4).Block()
	s.Group(-5).Migrate(-100500, true)
	for id, want := range map[string]string{
		"1": "Forbidden: bot was blocked by the user", "2": "Forbidden: user is deactivated", "3": "Bad Request: chat not found",
		"-4": "Forbidden: bot was kicked from the group chat", "-5": "Bad Request: group chat was upgraded to a supergroup chat",
	} {
		a := call(t, s, "sendMessage", "chat_id", id, "text", "x")
		if a.Description != want || id == "-5" && a.Parameters.MigrateTo != -100500 {
			t.Errorf("%s: %q %+v, want %q", id, a.Description, a.Parameters, want)
		}
	}
	s.Chat(1).Unblock()
	s.Stranger(3).Say("hello")
	for _, id := range []string{"1", "3", "-100500"} {
		if a := call(t, s, "sendMessage", "chat_id", id, "text", "x"); !a.OK {
			t.Errorf("%s: %q", id, a.Description)
		}
	}
}

func TestRates(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1000, 0)
	s := telegramtest.Start(t, telegramtest.Options{Rates: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	send := func(id int64) int {
		return call(t, s, "sendMessage", "chat_id", fmt.Sprint(id), "text", "x").Parameters.RetryAfter
	}
	burst := func(id int64, n int) {
		t.Helper()
		for range n {
			if after := send(id); after != 0 {
				t.Fatalf("chat %d: refused, retry_after %d", id, after)
			}
		}
	}
	s.Chat(1)
	s.Group(-2)
	burst(1, 3)
	if after := send(1); after != 1 {
		t.Errorf("the 4th in a second: retry_after %d, want 1", after)
	}
	pass(time.Second)
	burst(1, 1)
	for range 20 {
		pass(time.Second)
		burst(-2, 1)
	}
	if after := send(-2); after != 41 {
		t.Errorf("the 21st in a group's minute: retry_after %d, want 41", after)
	}
	pass(time.Minute)
	for id := range int64(30) {
		s.Chat(100 + id)
		burst(100+id, 1)
	}
	s.Chat(200)
	if after := send(200); after != 1 {
		t.Errorf("the 31st in a second: retry_after %d, want 1", after)
	}
}

func TestLongPolling(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	ids := func(a answer) (list []int64) {
		var updates []struct {
			ID int64 `json:"update_id"`
		}
		if err := json.Unmarshal(a.Result, &updates); err != nil {
			t.Fatal(err)
		}
		for _, u := range updates {
			list = append(list, u.ID)
		}
		return list
	}
	first := s.NextUpdate()
	waiting := make(chan answer, 1)
	go func() { waiting <- call(t, s, "getUpdates", "timeout", "50") }()
	s.Chat(1).Say("one")
	if got := ids(<-waiting); len(got) != 1 || got[0] != first {
		t.Errorf("a poll that waited got %v", got)
	}
	s.Chat(1).Say("two")
	if got := ids(call(t, s, "getUpdates", "timeout", "0")); len(got) != 2 {
		t.Errorf("what is not confirmed comes again: %v", got)
	}
	if got := ids(call(t, s, "getUpdates", "offset", fmt.Sprint(first+1), "limit", "5")); len(got) != 1 || got[0] != first+1 {
		t.Errorf("after the offset: %v", got)
	}
	if got := ids(call(t, s, "getUpdates", "offset", fmt.Sprint(first+2), "allowed_updates", `["message"]`)); len(got) != 0 || s.Pending() != 0 {
		t.Errorf("all confirmed: %v, %d pending", got, s.Pending())
	}
	s.Chat(1).Block() // my_chat_member is not asked for any more, nor by polls that do not say
	if got := ids(call(t, s, "getUpdates")); len(got) != 0 {
		t.Errorf("a kind not asked for: %v", got)
	}
}

func TestConflicts(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	ended := make(chan answer, 1)
	go func() { ended <- call(t, s, "getUpdates", "timeout", "50") }()
	if err := s.Until(patient(t), s.Polling); err != nil {
		t.Fatal(err)
	}
	call(t, s, "getUpdates", "timeout", "0")
	if a := <-ended; a.Code != 409 || !strings.HasPrefix(a.Description, "Conflict: terminated by other getUpdates request") {
		t.Errorf("the first poll: %d %q", a.Code, a.Description)
	}
	call(t, s, "setWebhook", "url", "https://news.example.invalid/")
	if a := call(t, s, "getUpdates"); a.Code != 409 || !strings.HasPrefix(a.Description, "Conflict: can't use getUpdates method while webhook is active") {
		t.Errorf("with a webhook: %d %q", a.Code, a.Description)
	}
	call(t, s, "deleteWebhook")
	if a := call(t, s, "getUpdates"); !a.OK {
		t.Errorf("without it: %q", a.Description)
	}
}

func TestWebhookSettings(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	for _, test := range []struct{ url, secret, want string }{
		{"https://news.example.invalid/", "ok_-9", ""},
		{"https://news.example.invalid:8443/", "", ""},
		{"http://news.example.invalid/", "", "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{"https://news.example.invalid:444/", "", "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		{"https://news.example.invalid/", "é", "Bad Request: secret token contains unallowed characters"},
		{"https://news.example.invalid/", strings.Repeat("x", 257), "Bad Request: secret token contains unallowed characters"},
		{"", "", "Bad Request: bad webhook: invalid webhook URL specified"},
	} {
		if a := call(t, s, "setWebhook", "url", test.url, "secret_token", test.secret); a.Description != test.want {
			t.Errorf("%s %.10s: %q, want %q", test.url, test.secret, a.Description, test.want)
		}
	}
}

func TestWebhookRepeatsUntilItIsTakenAndKeepsTheOrder(t *testing.T) {
	var mu sync.Mutex
	var got []string
	refusals := 3
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != "sesame" {
			t.Error("no secret")
		}
		if refusals--; refusals >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var u struct {
			Message struct {
				Text string `json:"text"`
			} `json:"message"`
		}
		if err := json.Unmarshal(body, &u); err != nil {
			t.Error(err)
		}
		got = append(got, u.Message.Text)
	}))
	s := telegramtest.Start(t, telegramtest.Options{Local: true, RetryWebhook: time.Millisecond})
	t.Cleanup(hook.Close)
	call(t, s, "setWebhook", "url", hook.URL, "secret_token", "sesame")
	for i := range 5 {
		s.Chat(1).Say(fmt.Sprint(i))
	}
	if err := s.Until(patient(t), func() bool { return s.Pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(got) != "[0 1 2 3 4]" || !s.Failing() {
		t.Errorf("got %v, failing %v", got, s.Failing())
	}
}

func TestCallbacks(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1)
	if _, err := reader.Tap("x"); err == nil {
		t.Error("a button that is not there was tapped")
	}
	call(t, s, "sendMessage", "chat_id", "1", "text", "x", "reply_markup", keys(`{"text":"one","callback_data":"/one"},{"text":"site","url":"https://example.org/"}`))
	if link, err := reader.Tap("site"); link != "https://example.org/" || err != nil {
		t.Errorf("a link led to %q, %v", link, err)
	}
	if _, err := reader.Tap("one"); err != nil || reader.Spinning() != 1 {
		t.Errorf("tap: %v, %d spinning", err, reader.Spinning())
	}
	var updates []struct {
		Callback struct {
			ID   string `json:"id"`
			Data string `json:"data"`
		} `json:"callback_query"`
	}
	if err := json.Unmarshal(call(t, s, "getUpdates").Result, &updates); err != nil || len(updates) != 1 || updates[0].Callback.Data != "/one" {
		t.Fatalf("updates = %+v, %v", updates, err)
	}
	id := updates[0].Callback.ID
	if a := call(t, s, "answerCallbackQuery", "callback_query_id", id, "text", strings.Repeat("x", 201)); a.Description != "Bad Request: MESSAGE_TOO_LONG" {
		t.Errorf("201 characters: %q", a.Description)
	}
	if a := call(t, s, "answerCallbackQuery", "callback_query_id", id); !a.OK || reader.Spinning() != 0 {
		t.Errorf("answer: %q, %d spinning", a.Description, reader.Spinning())
	}
	if a := call(t, s, "answerCallbackQuery", "callback_query_id", id); !strings.HasPrefix(a.Description, "Bad Request: query is too old") {
		t.Errorf("a second answer: %q", a.Description)
	}
}

func TestCommandsTheServerRefuses(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	one := func(name, text string) string { return fmt.Sprintf(`[{"command":%q,"description":%q}]`, name, text) }
	for _, test := range []struct{ commands, lang, want string }{
		{one("search_2", "x"), "zh", ""},
		{one("Search", "x"), "", "Bad Request: BOT_COMMAND_INVALID"},
		{one(strings.Repeat("x", 33), "x"), "", "Bad Request: BOT_COMMAND_INVALID"},
		{one("x", strings.Repeat("微", 257)), "", "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"},
		{one("x", ""), "", "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID"},
		{one("x", "x"), "zh-hans", "Bad Request: LANG_CODE_INVALID"},
		{"[" + strings.Repeat(`{"command":"x","description":"x"},`, 100) + `{"command":"x","description":"x"}]`, "", "Bad Request: BOT_COMMANDS_TOO_MUCH"},
	} {
		if a := call(t, s, "setMyCommands", "commands", test.commands, "language_code", test.lang); a.Description != test.want {
			t.Errorf("%.40s: %q, want %q", test.commands, a.Description, test.want)
		}
	}
}

func TestPrint(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1)
	reader.Say("tea")
	call(t, s, "sendMessage", "chat_id", "1", "text", `<a href="https://example.org/">Tea</a>`, "parse_mode", "HTML", "reply_markup", keys(`{"text":"More","callback_data":"/more 1 2"}`))
	var got bytes.Buffer
	reader.Print(&got)
	if want := "── 1 #1\ntea\n── bot #2\nTea\n  → https://example.org/\n [More]\n"; got.String() != want {
		t.Errorf("got:\n%s", got.String())
	}
}
