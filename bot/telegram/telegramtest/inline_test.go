package telegramtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// article is one result, with further fields of its own.
func article(id, title, more string) string {
	return fmt.Sprintf(`{"type":"article","id":%q,"title":%q,"input_message_content":{"message_text":"<b>%s</b>","parse_mode":"HTML"}%s}`, id, title, title, more)
}

func articles(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = article(fmt.Sprint(i), fmt.Sprint("title ", i), "")
	}
	return "[" + strings.Join(list, ",") + "]"
}

func TestInlineAnswersTheServerRefuses(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, test := range []struct {
		name, results, key, value, want string
	}{
		{"none", "[]", "", "", ""},
		{"50", articles(50), "", "", ""},
		{"51", articles(51), "", "", "too many inline query results specified"},
		{"an id of 64 bytes", "[" + article(long, "x", "") + "]", "", "", ""},
		{"an id of 65 bytes", "[" + article(long+"x", "x", "") + "]", "", "", "RESULT_ID_INVALID"},
		{"no id", "[" + article("", "x", "") + "]", "", "", "RESULT_ID_EMPTY"},
		{"an id twice", "[" + article("1", "x", "") + "," + article("1", "y", "") + "]", "", "", "RESULT_ID_DUPLICATE"},
		{"no title", "[" + article("1", "", "") + "]", "", "", "can't parse inline query result: Text must be non-empty"},
		{"a blank title", `[{"type":"article","id":"1","title":" ","input_message_content":{"message_text":"x"}}]`, "", "", "ARTICLE_TITLE_EMPTY"},
		{"no type", `[{"id":"1","title":"x","input_message_content":{"message_text":"x"}}]`, "", "", `can't parse inline query result: type "" is unsupported for the inline query result`},
		{"no content", `[{"type":"article","id":"1","title":"x"}]`, "", "", "can't parse inline query result: Can't find field"},
		{"an unknown field", "[" + article("1", "x", `,"hide_url":true`) + "]", "", "", "can't parse inline query result"},
		{"bad HTML", "[" + article("1", "<i>", "") + "]", "", "", `can't parse inline query result: Can't parse entities: Unmatched end tag`},
		{"4,097 units", `[{"type":"article","id":"1","title":"x","input_message_content":{"message_text":"` + strings.Repeat("x", 4097) + `"}}]`, "", "", "can't parse inline query result: Message is too long"},
		{"a thumbnail", "[" + article("1", "x", `,"thumbnail_url":"https://example.org/x.png","thumbnail_width":80,"thumbnail_height":80,"url":"https://example.org/","description":"d"`) + "]", "", "", ""},
		{"a thumbnail of another scheme", "[" + article("1", "x", `,"thumbnail_url":"data:image/png,x"`) + "]", "", "", "WEBDOCUMENT_URL_INVALID"},
		{"a thumbnail of this machine", "[" + article("1", "x", `,"thumbnail_url":"http://localhost/x.png"`) + "]", "", "", "WEBDOCUMENT_URL_INVALID"},
		{"buttons", "[" + article("1", "x", `,"reply_markup":{"inline_keyboard":[[{"text":"b","url":"https://example.org/"}]]}`) + "]", "", "", ""},
		{"a button's data of 65 bytes", "[" + article("1", "x", `,"reply_markup":{"inline_keyboard":[[{"text":"b","callback_data":"`+long+`x"}]]}`) + "]", "", "", "BUTTON_DATA_INVALID"},
		{"an offset of 64 bytes", "[]", "next_offset", long, ""},
		{"an offset of 65 bytes", "[]", "next_offset", long + "x", "NEXT_OFFSET_INVALID"},
		{"a cache time below nought", "[]", "cache_time", "-1", "invalid cache_time specified"},
		{"a button above", "[]", "button", `{"text":"Open","start_parameter":"` + long + `"}`, ""},
		{"a button of 65 characters", "[]", "button", `{"text":"Open","start_parameter":"` + long + `x"}`, "START_PARAM_INVALID"},
		{"a button in Chinese", "[]", "button", `{"text":"Open","start_parameter":"茶"}`, "START_PARAM_INVALID"},
		{"a button that leads nowhere", "[]", "button", `{"text":"Open"}`, "START_PARAM_EMPTY"},
		{"a button without label", "[]", "button", `{"start_parameter":"x"}`, "SWITCH_PM_TEXT_EMPTY"},
		{"the old button", "[]", "switch_pm_text", "Open", `unknown parameter "switch_pm_text"`},
		{"another query", "[]", "inline_query_id", "1", "query is too old and response timeout expired or query ID is invalid"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := telegramtest.Start(t, telegramtest.Options{Inline: true})
			asked := s.Chat(1).Ask("tea")
			params := []string{"inline_query_id", asked.ID, "results", test.results}
			if test.key != "" {
				params = append(params, test.key, test.value)
			}
			a := call(t, s, "answerInlineQuery", params...)
			if a.OK != (test.want == "") || !strings.HasPrefix(a.Description, "Bad Request: "+test.want) && !a.OK {
				t.Errorf("answer = %q, want %q", a.Description, test.want)
			}
		})
	}
}

func TestInlineQueriesGrowOld(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1000, 0)
	s := telegramtest.Start(t, telegramtest.Options{Inline: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	const tooOld = "Bad Request: query is too old and response timeout expired or query ID is invalid"
	first := s.Chat(1).Ask("tea")
	if a := call(t, s, "answerInlineQuery", "inline_query_id", first.ID, "results", "[]"); !a.OK {
		t.Fatal(a.Description)
	}
	if a := call(t, s, "answerInlineQuery", "inline_query_id", first.ID, "results", "[]"); a.Description != tooOld {
		t.Errorf("a second answer: %q", a.Description)
	}
	second := s.Chat(1).Ask("coffee")
	mu.Lock()
	now = now.Add(30 * time.Second)
	mu.Unlock()
	if a := call(t, s, "answerInlineQuery", "inline_query_id", second.ID, "results", "[]"); a.Description != tooOld {
		t.Errorf("after 30 seconds: %q", a.Description)
	}
	if a := call(t, s, "getUpdates"); string(a.Result) != "[]" {
		t.Errorf("old queries are still told of: %s", a.Result)
	}
}

type inlineQuery struct {
	Inline struct {
		ID       string `json:"id"`
		Query    string `json:"query"`
		Offset   string `json:"offset"`
		ChatType string `json:"chat_type"`
	} `json:"inline_query"`
	Message struct {
		Text string `json:"text"`
		Via  struct {
			ID int64 `json:"id"`
		} `json:"via_bot"`
	} `json:"message"`
	Callback struct {
		InlineID string          `json:"inline_message_id"`
		Message  json.RawMessage `json:"message"`
	} `json:"callback_query"`
	Chosen struct {
		ResultID string `json:"result_id"`
	} `json:"chosen_inline_result"`
}

// take fetches and confirms the updates that wait.
func take(t *testing.T, s *telegramtest.Server) []inlineQuery {
	t.Helper()
	var updates []inlineQuery
	if err := json.Unmarshal(call(t, s, "getUpdates").Result, &updates); err != nil {
		t.Fatal(err)
	}
	call(t, s, "getUpdates", "offset", fmt.Sprint(s.NextUpdate()))
	return updates
}

func TestInlineModeMustBeSwitchedOn(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	if _, err := s.Chat(1).Ask("tea").Wait(patient(t)); !errors.Is(err, telegramtest.ErrNoInline) {
		t.Errorf("err = %v", err)
	}
	if got := string(call(t, s, "getMe").Result); !strings.Contains(got, `"supports_inline_queries":false`) || s.Pending() != 0 {
		t.Errorf("getMe = %s, %d updates", got, s.Pending())
	}
	s.SetBot(telegramtest.Bot{Username: "newsie_bot", Inline: true})
	s.Chat(1).Ask(strings.Repeat("茶", 300))
	if got := string(call(t, s, "getMe").Result); !strings.Contains(got, `"supports_inline_queries":true`) {
		t.Errorf("getMe = %s", got)
	}
	if got := take(t, s); len(got) != 1 || got[0].Inline.Query != strings.Repeat("茶", 256) || got[0].Inline.ChatType != "sender" {
		t.Errorf("updates = %+v", got)
	}
}

func TestTheServerRemembersInlineAnswers(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1000, 0)
	s := telegramtest.Start(t, telegramtest.Options{Inline: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	answer := func(i *telegramtest.Inline, more ...string) {
		t.Helper()
		if a := call(t, s, "answerInlineQuery", append([]string{"inline_query_id", i.ID, "results", articles(1)}, more...)...); !a.OK {
			t.Fatal(a.Description)
		}
	}
	answer(s.Chat(1).Ask("tea"))
	answer(s.Chat(1).Ask("mine"), "is_personal", "true", "cache_time", "10")
	answer(s.Chat(1).Ask("fresh"), "cache_time", "0")
	for _, test := range []struct {
		reader int64
		query  string
		want   bool
	}{{1, "tea", true}, {2, "tea", true}, {1, "mine", true}, {2, "mine", false}, {1, "fresh", false}, {2, "coffee", false}} {
		if got := s.Chat(test.reader).Ask(test.query).Cached; got != test.want {
			t.Errorf("reader %d, %q: cached %v, want %v", test.reader, test.query, got, test.want)
		}
	}
	if s.Group(-5).AskAs(2, "tea").Cached {
		t.Error("the answer for a private chat was shown in a group")
	}
	pass(10 * time.Second)
	if s.Chat(1).Ask("mine").Cached {
		t.Error("cached for longer than its cache_time")
	}
	pass(290 * time.Second)
	if s.Chat(1).Ask("tea").Cached {
		t.Error("cached for longer than 300 seconds")
	}
}

func TestInlineResultsArePagedChosenTappedAndEdited(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	s.SetBot(telegramtest.Bot{Username: "newsie_bot", Inline: true, Feedback: true})
	friends := s.Between(900)
	asked := friends.AskAs(7, "tea")
	results := "[" + article("a", "Tea", `,"description":"green","thumbnail_url":"https://example.org/t.png","reply_markup":{"inline_keyboard":[[{"text":"Related","callback_data":"/related 1"}]]}`) + "]"
	call(t, s, "answerInlineQuery", "inline_query_id", asked.ID, "results", results, "next_offset", "1", "button", `{"text":"Open","start_parameter":"x"}`)
	page, err := asked.Wait(patient(t))
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	page.Print(&printed)
	if want := " [Open]\nTea\n  green\n  ▣ https://example.org/t.png\n  …\n"; printed.String() != want {
		t.Errorf("the list:\n%s", printed.String())
	}
	more := asked.More()
	if more == nil || more.Offset != "1" {
		t.Fatalf("more = %+v", more)
	}
	call(t, s, "answerInlineQuery", "inline_query_id", more.ID, "results", articles(1))
	if more.More() != nil {
		t.Error("there is a third page")
	}
	take(t, s)

	if _, err := asked.Choose("b"); err == nil {
		t.Error("a result was chosen that is not there")
	}
	id, err := asked.Choose("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := friends.TapOn(id, "Related"); err != nil {
		t.Fatal(err)
	}
	got := take(t, s)
	if len(got) != 2 || got[0].Chosen.ResultID != "a" || got[1].Callback.InlineID == "" || got[1].Callback.Message != nil {
		t.Fatalf("updates = %+v", got)
	}
	name := got[1].Callback.InlineID
	if a := call(t, s, "editMessageText", "inline_message_id", name, "text", "green tea"); string(a.Result) != "true" {
		t.Errorf("the edit: %s %s", a.Result, a.Description)
	}
	if a := call(t, s, "editMessageText", "inline_message_id", name+"x", "text", "x"); a.Description != "Bad Request: MESSAGE_ID_INVALID" {
		t.Errorf("an edit of nothing: %q", a.Description)
	}
	printed.Reset()
	friends.Print(&printed)
	if want := "── 7 via bot #1 (edited 1 times)\ngreen tea\n"; printed.String() != want {
		t.Errorf("the chat:\n%s", printed.String())
	}
	if a := call(t, s, "sendMessage", "chat_id", "900", "text", "x"); a.Description != "Bad Request: chat not found" {
		t.Errorf("the bot may write to people it does not know: %q", a.Description)
	}

	group := s.Group(-5)
	asked = group.AskAs(7, "tea")
	call(t, s, "answerInlineQuery", "inline_query_id", asked.ID, "results", articles(1))
	if _, err := asked.Choose("0"); err != nil {
		t.Fatal(err)
	}
	got = take(t, s)
	if len(got) != 3 || got[0].Inline.ChatType != "group" || got[2].Message.Text != "title 0" || got[2].Message.Via.ID != telegramtest.BotID {
		t.Errorf("in a group: %+v", got)
	}
	if m := group.Messages(); len(m) != 1 || !m[0].ViaBot || m[0].FromBot || m[0].InlineID != "" {
		t.Errorf("in a group: %+v", m)
	}
}
