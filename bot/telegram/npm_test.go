package telegram_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
)

// othersToken is a token of the right shape; the other server takes any.
const othersToken = "666:telegram-test-api"

// others is npm's telegram-test-api, a Bot API server that others wrote, and a
// reader on it. It has no long polling, no secret for webhooks and ten methods.
type others struct {
	t     *testing.T
	url   string
	in    io.WriteCloser
	lines *bufio.Scanner
}

// othersMessage is what the bot said, as that server keeps it.
type othersMessage struct {
	ID   int64  `json:"id"`
	Chat string `json:"chat"`
	Text string `json:"text"`
	Mode string `json:"mode"`
	Rows [][]struct {
		Text string `json:"text"`
		Data string `json:"callback_data"`
		URL  string `json:"url"`
	} `json:"rows"`
}

// button is the data of the button whose label contains label.
func (m othersMessage) button(label string) (data string) {
	for _, row := range m.Rows {
		for _, b := range row {
			if strings.Contains(b.Text, label) && b.Data != "" {
				return b.Data
			}
		}
	}
	return ""
}

func startOthers(t *testing.T) *others {
	t.Helper()
	modules := os.Getenv("NEWSIE_TEST_NPM")
	if _, err := os.Stat(filepath.Join(modules, "node_modules", "telegram-test-api")); modules == "" || err != nil {
		t.Skip("NEWSIE_TEST_NPM is not a folder with telegram-test-api in its node_modules")
	}
	cmd := exec.CommandContext(t.Context(), "node", "--no-deprecation", filepath.Join("testdata", "npm", "talk.js"), othersToken)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	cmd.Stderr, cmd.WaitDelay = os.Stderr, 10*time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	o := &others{t: t, in: in, lines: bufio.NewScanner(out)}
	o.lines.Buffer(nil, 1<<20)
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	var hello struct {
		URL string `json:"url"`
	}
	if !o.lines.Scan() || json.Unmarshal(o.lines.Bytes(), &hello) != nil || hello.URL == "" {
		t.Fatalf("the server did not start: %q %v", o.lines.Text(), o.lines.Err())
	}
	o.url = hello.URL
	return o
}

// do has the script obey a command.
func (o *others) do(result any, command string, more map[string]any) {
	o.t.Helper()
	line := map[string]any{"command": command}
	for key, value := range more {
		line[key] = value
	}
	if err := json.NewEncoder(o.in).Encode(line); err != nil {
		o.t.Fatal(err)
	}
	var reply struct {
		Value json.RawMessage `json:"value"`
		Error string          `json:"error"`
	}
	if !o.lines.Scan() {
		o.t.Fatalf("%s: the server is gone: %v", command, o.lines.Err())
	}
	if err := json.Unmarshal(o.lines.Bytes(), &reply); err != nil || reply.Error != "" {
		o.t.Fatalf("%s: %v %s", command, err, reply.Error)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(reply.Value, result); err != nil {
		o.t.Fatalf("%s: %s: %v", command, reply.Value, err)
	}
}

func (o *others) say(text string) { o.do(nil, "say", map[string]any{"text": text}) }

func (o *others) tap(m othersMessage, label string) {
	o.t.Helper()
	data := m.button(label)
	if data == "" {
		o.t.Fatalf("no button %q in %+v", label, m.Rows)
	}
	o.do(nil, "tap", map[string]any{"id": m.ID, "data": data})
}

// wait waits for the bot's nth message.
func (o *others) wait(n int) othersMessage {
	o.t.Helper()
	var all []othersMessage
	o.do(&all, "messages", map[string]any{"count": n})
	if len(all) != n {
		o.t.Fatalf("the bot said %d things, want %d: %+v", len(all), n, all)
	}
	return all[n-1]
}

// edited waits until a message says something else.
func (o *others) edited(m othersMessage) othersMessage {
	o.t.Helper()
	var now othersMessage
	o.do(&now, "edited", map[string]any{"id": m.ID, "was": m.Text})
	return now
}

// serveOthers runs a whole newsie bot, with a library, on the other server.
func serveOthers(t *testing.T, o *others, mode string) {
	t.Helper()
	db := databasetest.SQLite(t)
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	library, err := content.Open(db, filepath.Join(t.TempDir(), "index"), content.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = library.Close() })
	name, articles := bottest.Library(t, "en")
	for _, a := range articles {
		if _, _, err := library.Add(t.Context(), a, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := library.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{
		DB: db, Library: library, Catalog: catalog, Name: name, PublicURL: lantern, Now: time.Now,
		Channels: map[string]bot.Channel{"tg": {Lang: "en", Zone: "UTC", MinInterval: time.Minute, Recency: .05, Edits: true}},
	})
	config := telegram.Config{
		Name: "tg", Token: othersToken, APIURL: o.url, Mode: mode, Secret: "sesame", Handler: b.Handle,
		Inbox: bot.NewInbox(db, time.Now), Settings: bot.NewSettings(db, time.Now), Catalog: catalog,
		Commands: commands("Search"), PublicURL: lantern,
	}
	if mode == telegram.Webhook {
		var channel *telegram.Channel
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// That server forgets the secret; newsie takes nothing without it.
			r.Header.Set("X-Telegram-Bot-Api-Secret-Token", "sesame")
			channel.ServeHTTP(w, r)
		}))
		t.Cleanup(front.Close)
		config.PublicURL = front.URL
		if channel, err = telegram.New(config); err != nil {
			t.Fatal(err)
		}
		run(t, channel)
		return
	}
	channel, err := telegram.New(config)
	if err != nil {
		t.Fatal(err)
	}
	run(t, channel)
}

// TestAConversationOverAnothersServer talks with the whole bot over a server
// that others wrote: nothing here was made to fit newsie.
func TestAConversationOverAnothersServer(t *testing.T) {
	for _, mode := range []string{telegram.Poll, telegram.Webhook} {
		t.Run(mode, func(t *testing.T) {
			o := startOthers(t)
			serveOthers(t, o, mode)
			if mode == telegram.Webhook { // that server keeps nothing for later
				var hook string
				if o.do(&hook, "webhook", nil); !strings.HasSuffix(hook, "/hooks/telegram/tg") {
					t.Fatalf("the webhook is %q", hook)
				}
			}
			converse(t, o)
		})
	}
}

// converse is the whole conversation: words, buttons that edit, buttons that
// answer, a command by the bot's name, a question that finds nothing.
func converse(t *testing.T, o *others) {
	o.say("commerce")
	list := o.wait(1)
	first := "1. <b><a href=\"" + lantern + "/a/"
	if list.Chat != "7" || list.Mode != "HTML" || !strings.Contains(list.Text, first) || !strings.Contains(list.Text, "\n5. ") ||
		list.button("5") == "" || !strings.HasPrefix(list.button("More"), "/more ") {
		t.Fatalf("the answer to words: %+v", list)
	}

	o.tap(list, "More")
	next := o.edited(list)
	if !strings.Contains(next.Text, "6. <b>") || strings.Contains(next.Text, "1. <b>") || next.button("6") == "" {
		t.Fatalf("the next page: %+v", next)
	}
	if again := o.wait(1); again.ID != list.ID { // it was edited: nothing new was said
		t.Fatalf("the next page is another message: %+v", again)
	}
	o.tap(next, "‹")
	if back := o.edited(next); !strings.Contains(back.Text, first) || strings.Contains(back.Text, "6. <b>") {
		t.Errorf("the page before: %+v", back)
	}

	o.tap(list, "2")
	article := o.wait(2)
	if !strings.HasPrefix(article.Text, "<b><a href=\""+lantern+"/a/") || !strings.Contains(article.Text, "<b>Related</b>") ||
		len(article.Rows) == 0 || !strings.HasPrefix(article.Rows[0][0].URL, lantern+"/a/") {
		t.Errorf("an article: %+v", article)
	}

	o.say("/help@TestNameBot")
	if help := o.wait(3); !strings.Contains(help.Text, "follow commerce daily 8:00") || help.button("Newest") != "/latest" {
		t.Errorf("help: %+v", help)
	}
	o.say("/follow commerce daily 8:00")
	if follow := o.wait(4); !strings.Contains(follow.Text, "commerce") || !strings.Contains(follow.Text, "8:00") {
		t.Errorf("a follow: %+v", follow)
	}
	o.say("xyzzy <b>&")
	if none := o.wait(5); !strings.Contains(none.Text, "xyzzy &lt;b&gt;&amp;") {
		t.Errorf("a question that finds nothing: %+v", none)
	}
}
