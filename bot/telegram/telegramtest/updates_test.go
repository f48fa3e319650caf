package telegramtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

func TestUpdatesAreKeptForADay(t *testing.T) {
	var mu sync.Mutex
	now := time.Unix(1_000_000, 0)
	s := telegramtest.Start(t, telegramtest.Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	reader := s.Chat(1)
	call(t, s, "sendMessage", "chat_id", "1", "text", "x", "reply_markup", keys(`{"text":"b","callback_data":"x"}`))
	reader.Say("old")
	pass(23 * time.Hour)
	reader.Say("new")
	if _, err := reader.Tap("b"); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		var list []json.RawMessage
		if err := json.Unmarshal(call(t, s, "getUpdates").Result, &list); err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := count(); n != 3 {
		t.Errorf("%d updates wait, want 3", n)
	}
	pass(150 * time.Second)
	if n := count(); n != 2 {
		t.Errorf("after 150 seconds %d updates wait, want 2 without the tap", n)
	}
	pass(time.Hour)
	if n := count(); n != 1 {
		t.Errorf("after a day %d updates wait, want 1", n)
	}
}

func TestWhichUpdatesThePollGets(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{})
	reader := s.Chat(1)
	for i := range 5 {
		reader.Say(fmt.Sprint(i))
	}
	first := s.NextUpdate() - 5
	ids := func(params ...string) string {
		t.Helper()
		a := call(t, s, "getUpdates", params...)
		if !a.OK {
			return a.Description
		}
		var list []struct {
			ID int64 `json:"update_id"`
		}
		if err := json.Unmarshal(a.Result, &list); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, u := range list {
			got = append(got, u.ID-first)
		}
		return fmt.Sprint(got)
	}
	for _, test := range []struct {
		params []string
		want   string
	}{
		{nil, "[0 1 2 3 4]"},
		{[]string{"limit", "2"}, "[0 1]"},
		{[]string{"limit", "0"}, "[0 1 2 3 4]"},
		{[]string{"offset", "-2"}, "[3 4]"},
		{[]string{"offset", "0"}, "[3 4]"},
		{[]string{"offset", fmt.Sprint(first + 4)}, "[4]"},
		{[]string{"offset", "0"}, "[4]"},
		{[]string{"timeout", "1000", "limit", "1"}, "[4]"},
		{[]string{"allowed_updates", `["inline"]`}, `Bad Request: can't parse allowed updates: unknown kind "inline"`},
		{[]string{"allowed_updates", `x`}, `Bad Request: can't parse allowed updates: invalid character 'x' looking for beginning of value`},
		{[]string{"offset", fmt.Sprint(first + 5), "allowed_updates", `["callback_query"]`}, "[]"},
	} {
		if got := ids(test.params...); got != test.want {
			t.Errorf("%v: %s, want %s", test.params, got, test.want)
		}
	}
	reader.Say("nobody asks for it")
	if got := ids("allowed_updates", "[]"); got != "[]" {
		t.Errorf("a kind not asked for: %s", got)
	}
	reader.Say("everything again")
	if got := ids(); got != "[5]" {
		t.Errorf("with an empty list: %s", got)
	}
}

func TestWebhooksPauseFollowNoRedirectAndKeepTheirConnections(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	busy, most := 0, 0
	entered, release := make(chan struct{}, 100), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		seen[r.URL.Path]++
		n := seen[r.URL.Path]
		busy++
		most = max(most, busy)
		mu.Unlock()
		defer func() { mu.Lock(); busy--; mu.Unlock() }()
		switch {
		case r.URL.Path != "/hook":
			t.Errorf("followed to %s", r.URL.Path)
		case n <= 2:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case n == 3:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case strings.Contains(string(body), "slow"):
			entered <- struct{}{}
			<-release
		}
	}))
	t.Cleanup(hook.Close)
	s := telegramtest.Start(t, telegramtest.Options{Local: true, RetryWebhook: time.Millisecond})
	if a := call(t, s, "setWebhook", "url", hook.URL+"/hook", "max_connections", "3", "allowed_updates", `["message"]`); !a.OK {
		t.Fatal(a.Description)
	}
	s.Chat(1).Say("first")
	if err := s.Until(patient(t), func() bool { return s.Pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	if seen["/hook"] != 4 {
		t.Errorf("%d requests, want 4", seen["/hook"])
	}
	mu.Unlock()
	for id := range int64(6) {
		s.Chat(10 + id).Say("slow")
		s.Chat(10 + id).Say("after")
	}
	for range 3 {
		select {
		case <-entered:
		case <-patient(t).Done():
			t.Fatal("no three connections")
		}
	}
	close(release)
	if err := s.Until(patient(t), func() bool { return s.Pending() == 0 }); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if most != 3 {
		t.Errorf("%d connections at once, want 3", most)
	}
	var info struct {
		Connections int      `json:"max_connections"`
		Allowed     []string `json:"allowed_updates"`
		Last        string   `json:"last_error_message"`
	}
	if err := json.Unmarshal(call(t, s, "getWebhookInfo").Result, &info); err != nil {
		t.Fatal(err)
	}
	if info.Connections != 3 || fmt.Sprint(info.Allowed) != "[message]" || info.Last != "Wrong response from the webhook: 429 Too Many Requests" {
		t.Errorf("info = %+v", info)
	}
}
