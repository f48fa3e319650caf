package telegram_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// handmade are updates that no reader of the fake makes.
var handmade = []string{
	`{"update_id":9,"message":{"message_id":1,"chat":{"id":-5,"type":"supergroup"},"from":{"id":7},"text":"😀 @newsie_bot, tea","entities":[{"type":"mention","offset":3,"length":11},{"type":"text_mention","offset":0,"length":1,"user":{"id":1}}]}}`,
	`{"update_id":9,"edited_message":{"message_id":1,"chat":{"id":7,"type":"private"},"from":{"id":7},"caption":"/start@newsie_bot x","photo":[]}}`,
	`{"update_id":9,"callback_query":{"id":"1","from":{"id":7},"message":{"message_id":3,"chat":{"id":7,"type":"private"},"date":0},"data":"/read 4711"}}`,
	`{"update_id":9,"callback_query":{"id":"1","from":{"id":7},"inline_message_id":"AgAA","chat_instance":"-9","data":"/read 1"}}`,
	`{"update_id":9,"my_chat_member":{"chat":{"id":7},"old_chat_member":{"status":"member"},"new_chat_member":{"status":"kicked"}}}`,
	`{"update_id":9,"my_chat_member":{"chat":{"id":-7,"type":"channel","username":"news"},"from":{"id":7},"date":5,"old_chat_member":{"status":"left"},"new_chat_member":{"status":"administrator","can_post_messages":true}}}`,
	`{"update_id":9,"message":{"migrate_to_chat_id":-100,"chat":{"id":-5}}}`,
	`{"update_id":9,"message":{"message_id":2,"chat":{"id":-100,"type":"supergroup"},"migrate_from_chat_id":-5,"from":{"id":7}}}`,
	`{"update_id":9,"message":{"message_id":1,"chat":{"id":7,"type":"private"},"from":{"id":7},"rich_message":{"blocks":[{"type":"heading","size":1,"text":["a",{"type":"bold","text":"b"}]},{"type":"list","items":[{"label":"1.","blocks":[]}]}]}}}`,
	`{"update_id":9,"message":{"message_id":1,"chat":{"id":-5,"type":"supergroup","is_forum":true},"from":{"id":1087968824,"is_bot":true},"sender_chat":{"id":-5},"is_topic_message":true,"message_thread_id":44,"forum_topic_created":{"name":"x"}}}`,
	`{"update_id":9,"message":{"message_id":1,"chat":{"id":7,"type":"private"},"from":{"id":7},"text":"/start a1_"}}`,
	`{"update_id":9,"channel_post":{"message_id":1,"chat":{"id":-9,"type":"channel"},"sender_chat":{"id":-9},"text":"post"}}`,
	`{"update_id":9,"inline_query":{"id":"1","from":{"id":7,"language_code":"it"},"query":"tè","offset":"5","chat_type":"supergroup"}}`,
	`{"update_id":9,"chosen_inline_result":{"result_id":"1","from":{"id":7},"query":"x"}}`,
	`{"update_id":9,"poll":{"id":"1"}}`,
	`{"update_id":"9","message":null}`,
	`[{}]`,
}

// seeds are updates of every kind, most of them just as the fake tells them.
func seeds(f *testing.F) [][]byte {
	f.Helper()
	s := telegramtest.Start(f, telegramtest.Options{Inline: true})
	reader, group := s.Chat(7).Language("zh-hans"), s.Group(-5)
	forum, channel := s.Supergroup(-100, 44), s.Channel(-9, "news")
	id := reader.Say("commerce")
	reader.Edit(id, "apricots & <tea>")
	reader.Say("/start")
	reader.Say("/follow commerce daily 8:00")
	reader.Send(map[string]any{"photo": []any{map[string]any{"file_id": "A", "width": 90, "height": 90}}, "caption": "tea", "media_group_id": "1"})
	reader.Send(map[string]any{"sticker": map[string]any{"emoji": "🫖"}})
	reader.Send(map[string]any{"location": map[string]any{"latitude": 1.5, "longitude": 2}})
	reader.Ask("apri")
	reader.Ask("")
	reader.Block()
	reader.Unblock()
	group.Join()
	group.SayAs(telegramtest.Said{From: 7}, "ask @newsie_bot, tea")
	group.Promote(telegramtest.DeleteMessages)
	group.SayAs(telegramtest.Said{From: 8}, "talk")
	group.Remove()
	forum.SayAs(telegramtest.Said{From: 7, Thread: 44}, "/search@newsie_bot commerce")
	forum.SayAs(telegramtest.Said{From: 7, Thread: 1}, "/help@newsie_bot")
	channel.Say("a post")
	group.Migrate(-200, false)
	var updates []json.RawMessage
	if err := json.Unmarshal(fetch(f, s, "getUpdates"), &updates); err != nil {
		f.Fatal(err)
	}
	all := make([][]byte, 0, len(updates)+len(handmade))
	for _, u := range updates {
		all = append(all, u)
	}
	for _, u := range handmade {
		all = append(all, []byte(u))
	}
	return all
}

func fetch(f *testing.F, s *telegramtest.Server, method string) json.RawMessage {
	f.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.PostForm(s.URL()+"/bot"+s.Token()+"/"+method, nil)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Result json.RawMessage `json:"result"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Result == nil {
		f.Fatalf("%s: %v", method, err)
	}
	return a.Result
}

func FuzzUpdate(f *testing.F) {
	for _, body := range seeds(f) {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, ok, err := telegram.Decode(body)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatal("what is no JSON was decoded")
		}
		if ok && (m.ID == "u0" || m.Chat.Channel != "tg" || m.Chat.ID == "" || m.Kind == "") {
			t.Errorf("half a message: %+v", m)
		}
		_ = fmt.Sprint(m)
	})
}

// heapLimit is far above what a bot needs that takes one update after the other.
const heapLimit = 512 << 20

// FuzzWebhook posts updates to the whole bot: the handler, the commands, the
// search, the answer and what the server says of it. Every request is answered,
// soon, and memory does not grow.
func FuzzWebhook(f *testing.F) {
	bodies := seeds(f) // made before the server below, on one of their own
	post, refused := fuzzedBot(f)
	for _, body := range bodies {
		f.Add(body, "")
	}
	for _, words := range []string{"/more 1 2", "/follow 电商 每天 8:00", "@newsie_bot tea", "2", "/read@newsie_bot 1", "<b>&", "/start a1_tg"} {
		f.Add(bodies[0], words)
	}
	var done atomic.Int64
	f.Fuzz(func(t *testing.T, body []byte, words string) {
		n := done.Add(1)
		status, readable := post(say(body, words), 1000+n)
		if status != http.StatusOK && (readable || status != http.StatusRequestEntityTooLarge) {
			t.Errorf("the status is %d", status)
		}
		if words := refused(); words != "" {
			t.Errorf("the server refused what was said: %s", words)
		}
		if n%5000 == 0 {
			runtime.GC()
			var now runtime.MemStats
			if runtime.ReadMemStats(&now); now.HeapAlloc > heapLimit {
				t.Errorf("%d MB are held after %d updates", now.HeapAlloc>>20, n)
			}
		}
	})
}

// say puts other words into a reader's mouth; bytes changed at random seldom are
// an update still.
func say(body []byte, words string) []byte {
	var u map[string]map[string]any
	var id struct {
		ID int64 `json:"update_id"`
	}
	if words == "" || json.Unmarshal(body, &id) != nil {
		return body
	}
	_ = json.Unmarshal(body, &u) // update_id is no object: the rest is there
	told := map[string]any{"update_id": id.ID}
	for kind, fields := range u {
		for _, key := range []string{"text", "caption", "query", "data"} {
			if _, there := fields[key]; there {
				fields[key] = words
			}
		}
		if fields != nil {
			told[kind] = fields
		}
	}
	again, err := json.Marshal(told)
	if err != nil {
		return body
	}
	return again
}

// fuzzedBot runs a whole bot by webhook. post gives it an update under an id of
// its own, since a repeated one is none; refused tells what a strict server did
// not take.
func fuzzedBot(f *testing.F) (post func(body []byte, id int64) (status int, readable bool), refused func() string) {
	f.Helper()
	clock := &calendar{at: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}
	db := databasetest.SQLite(f)
	catalog, err := locale.Load()
	if err != nil {
		f.Fatal(err)
	}
	library, err := content.Open(db, filepath.Join(f.TempDir(), "index"), content.Options{Now: clock.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = library.Close() })
	name, articles := bottest.Library(f, "en")
	for _, a := range articles {
		if _, _, err := library.Add(f.Context(), a, nil); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := library.Follow(f.Context()); err != nil {
		f.Fatal(err)
	}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	b := bot.New(bot.Config{
		DB: db, Library: library, Catalog: catalog, Name: name, PublicURL: lantern, Now: clock.Now, Logger: quiet,
		Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "UTC", MinInterval: time.Minute, Recency: .05, Edits: true}},
	})
	s := telegramtest.Start(f, telegramtest.Options{Inline: true, NoCalls: true, Keep: 20, Now: clock.Now})
	s.Chat(7)
	s.Group(-5)
	s.Supergroup(-100, 44)
	inbox := bot.NewInbox(db, clock.Now)
	var ours atomic.Pointer[string]
	channel, err := telegram.New(telegram.Config{
		Name: "tg", Token: s.Token(), APIURL: s.URL(), Mode: telegram.Webhook, Secret: "sesame", PublicURL: "https://news.example.com",
		Handler: b.Handle, Inline: b.Inline, Inbox: inbox, Settings: bot.NewSettings(db, clock.Now), Catalog: catalog, Logger: quiet,
		Commands: commands("Search"), Now: clock.Now, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Count: func(event string) {
			if event == "html_refused" || event == "button_dropped" {
				ours.Store(&event)
			}
		},
	})
	if err != nil {
		f.Fatal(err)
	}
	b.DeepLinks("tg", channel.DeepLink)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- channel.Run(ctx) }()
	f.Cleanup(func() { cancel(); <-ended })
	request := func(body []byte) int {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, channel.WebhookPath(), strings.NewReader(string(body)))
		r.Header.Set(telegram.SecretHeader, "sesame")
		w := httptest.NewRecorder()
		channel.ServeHTTP(w, r)
		if ctx.Err() != nil {
			return http.StatusGatewayTimeout
		}
		return w.Code
	}
	if err := s.Until(ctx, func() bool { return s.Webhook() != "" }); err != nil {
		f.Fatal(err)
	}
	post = func(body []byte, id int64) (int, bool) {
		clock.Advance(time.Minute) // nobody types too fast
		if id%1000 == 0 {
			_ = inbox.Prune(ctx, clock.Now())
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(body, &fields) == nil && fields["update_id"] != nil {
			fields["update_id"] = json.RawMessage(fmt.Sprint(id))
			if again, err := json.Marshal(fields); err == nil {
				body = again
			}
		}
		return request(body), json.Valid(body)
	}
	return post, func() string {
		if event := ours.Swap(nil); event != nil {
			return *event
		}
		return ""
	}
}
