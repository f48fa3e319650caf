package telegram_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/content"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// A house is the whole of newsie behind one Telegram bot: a small library in
// one language, the bot, the digests, and a reader.
type house struct {
	*rig
	t         *testing.T
	lang      string
	name      string // of the publication
	clock     *calendar
	library   *content.Library
	bot       *bot.Bot
	lists     *bot.Lists
	printer   locale.Printer
	scheduler *scheduler.Scheduler
	shelf     map[string]content.Article
	reader    *telegramtest.Chat
	scenes    []scene
}

const lantern = "https://lantern.example"

// A calendar is a clock that stands still until it is moved.
type calendar struct {
	mu sync.Mutex
	at time.Time
}

func (c *calendar) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *calendar) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// codes are what the app tells of the reader's language.
var codes = map[string]string{"zh-Hans": "zh-hans", "zh-Hant": "zh-hant", "en": "en", "it": "it"}

func openHouse(t *testing.T, lang string) *house {
	t.Helper()
	h := &house{t: t, lang: lang, shelf: map[string]content.Article{}, clock: &calendar{at: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}}
	db := databasetest.SQLite(t)
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	h.library, err = content.Open(db, filepath.Join(t.TempDir(), "index"), content.Options{Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.library.Close() })
	h.fill()
	server := telegramtest.Start(t, telegramtest.Options{Now: h.clock.Now, Rich: true, Pictures: &gallery{}, Inline: true})
	h.printer = catalog.Printer(lang)
	h.lists = bot.NewLists(db, h.clock.Now)
	here := bot.Channel{Lang: lang, Zone: "Asia/Shanghai", MinInterval: time.Minute, Recency: .05, FromArchive: true, Silent: true, Edits: true}
	h.bot = bot.New(bot.Config{
		DB: db, Library: h.library, Catalog: catalog, Name: h.name, PublicURL: lantern, Now: h.clock.Now,
		Channels: map[string]bot.Channel{"tg": here},
	})
	h.rig = join(t, server, h.bot.Handle, setup{db: db, config: func(c *telegram.Config) {
		c.Now, c.PublicURL, c.Inline = h.clock.Now, lantern, h.bot.Inline
		c.Inbox, c.Settings = bot.NewInbox(db, h.clock.Now), bot.NewSettings(db, h.clock.Now)
	}})
	h.bot.Manages("tg", h.channel.Manages)
	h.scheduler, err = scheduler.New(scheduler.Config{
		DB: db, Finder: h.library, Articles: h.library, Cards: h.bot.Cards, Lists: h.lists, Catalog: catalog,
		Channels: []scheduler.Channel{{Name: "tg", Sender: h.channel, Grouped: true, Shown: 10}}, Now: h.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.bot.DeepLinks("tg", h.channel.DeepLink)
	h.bot.UseDigests(h.scheduler)
	h.bot.Forgets(h.scheduler.Forget)
	h.reader = h.Chat(7).Language(codes[lang])
	return h
}

// news are the articles that come in while the scenes play.
var news = []string{"later", "noodles"}

// fill takes in the library of the house's language, all but the news.
func (h *house) fill() {
	h.t.Helper()
	name, articles := bottest.Library(h.t, h.lang)
	h.name = name
	for _, a := range articles {
		h.shelf[a.Key] = a
		if !slices.Contains(news, a.Key) {
			h.add(a)
		}
	}
	h.follow()
}

func (h *house) add(a content.Article) {
	h.t.Helper()
	if _, _, err := h.library.Add(h.t.Context(), a, nil); err != nil {
		h.t.Fatal(err)
	}
}

// arrive has an article come in.
func (h *house) arrive(key string) {
	h.t.Helper()
	h.add(h.shelf[key])
	h.follow()
}

// follow brings the index up to date.
func (h *house) follow() {
	h.t.Helper()
	if _, err := h.library.Follow(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// push plans what is due and tries to deliver it.
func (h *house) push() {
	h.t.Helper()
	if _, err := h.scheduler.Plan(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.scheduler.Deliver(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// A scene is something a reader does, what the bot sends for it, and what the
// reader then sees.
type scene struct {
	name   string
	said   string // what the reader wrote; "" when nothing
	tapped string // or the button that was tapped
	calls  []telegramtest.Call
	shown  []telegramtest.Message // new or changed
}

// scene records what do leads to.
func (h *house) scene(name, said, tapped string, do func()) {
	h.t.Helper()
	calls, before := len(h.Calls("")), h.reader.Messages()
	do()
	s := scene{name: name, said: said, tapped: tapped}
	_, err := h.reader.WaitFor(patient(h.t), func(answers []telegramtest.Message) bool {
		s.shown = slices.DeleteFunc(answers, func(m telegramtest.Message) bool {
			return slices.ContainsFunc(before, func(old telegramtest.Message) bool { return reflect.DeepEqual(old, m) })
		})
		return len(s.shown) > 0
	})
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", name, err, h.log)
	}
	// What is seen is noted as a call only after it was done.
	err = h.Until(patient(h.t), func() bool {
		s.calls = slices.DeleteFunc(h.Calls("")[calls:], func(c telegramtest.Call) bool {
			return !strings.HasPrefix(c.Method, "send") && !strings.HasPrefix(c.Method, "edit")
		})
		return len(s.calls) > 0
	})
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	h.quiet(h.t)
	h.scenes = append(h.scenes, s)
	h.clock.Advance(time.Minute)
}

func (h *house) say(name, text string) {
	h.t.Helper()
	h.scene(name, text, "", func() { h.reader.Say(text) })
}

func (h *house) tap(name, label string) {
	h.t.Helper()
	h.tapOn(name, 0, label)
}

// tapOn presses a button of an older message.
func (h *house) tapOn(name string, message int64, label string) {
	h.t.Helper()
	whole := label
	for _, m := range h.reader.Answers() {
		for _, l := range m.Labels() {
			if (message == 0 || m.ID == message) && strings.Contains(l, label) {
				whole = l
			}
		}
	}
	h.scene(name, "", whole, func() {
		if _, err := h.reader.TapOn(message, label); err != nil {
			h.t.Fatalf("%s: %v", name, err)
		}
	})
}

// label is what a button says, up to what depends on the reader.
func (h *house) label(key string) string { return h.printer.T(key) }

// last is the message that a scene ended with.
func (h *house) last(name string) telegramtest.Message {
	h.t.Helper()
	for _, s := range slices.Backward(h.scenes) {
		if s.name == name {
			return s.shown[len(s.shown)-1]
		}
	}
	h.t.Fatalf("no scene %s", name)
	return telegramtest.Message{}
}

// String is a scene as it goes over the wire, and as its reader sees it.
func (s scene) String() string {
	var b strings.Builder
	b.WriteString(s.did())
	for _, c := range s.calls {
		fmt.Fprintf(&b, "\n%s\n", c.Method)
		keys := make([]string, 0, len(c.Params))
		for key := range c.Params {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			fmt.Fprintf(&b, "%s=%s\n", key, c.Params[key])
		}
		if c.Code != 200 {
			fmt.Fprintf(&b, "→ %d\n", c.Code)
		}
	}
	for _, m := range s.shown {
		b.WriteString("\n" + screen(m))
	}
	return b.String()
}

// did is what the reader did.
func (s scene) did() string {
	switch {
	case s.said != "":
		return "> " + s.said + "\n"
	case s.tapped != "":
		return "> [" + s.tapped + "]\n"
	}
	return ""
}

// screen is a message as the reader sees it, links in ‹ ›.
func screen(m telegramtest.Message) string {
	var b strings.Builder
	preview := ""
	if !m.Preview.Disabled && m.Preview.URL != "" {
		preview = "[small preview: " + m.Preview.URL + "]\n"
		if m.Preview.Large {
			preview = "[preview: " + m.Preview.URL + "]\n"
		}
	}
	if m.Preview.Above {
		b.WriteString(preview)
	}
	if m.Photo != nil {
		b.WriteString("[picture: " + m.Photo.URL + "]\n")
	}
	b.WriteString(bare(m) + m.Rich.String() + "\n")
	if !m.Preview.Above {
		b.WriteString(preview)
	}
	for _, row := range m.Buttons {
		for i, button := range row {
			if i > 0 {
				b.WriteString(" ")
			}
			arrow := ""
			if button.URL != "" {
				arrow = " ↗"
			}
			b.WriteString("[" + button.Text + arrow + "]")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// bare is a message's text with its links in ‹ ›.
func bare(m telegramtest.Message) string {
	return mark(m, func(e telegramtest.Entity) (string, string) {
		if e.Type == "text_link" {
			return "‹", "›"
		}
		return "", ""
	}, func(s string) string { return s })
}

// mark puts what around gives around the entities of a message, and has text
// escape what is between them.
func mark(m telegramtest.Message, around func(telegramtest.Entity) (string, string), text func(string) string) string {
	var b strings.Builder
	var open []telegramtest.Entity
	at := 0
	next := 0
	closeUntil := func(at int) {
		for len(open) > 0 {
			e := open[len(open)-1]
			if e.Offset+e.Length > at {
				return
			}
			_, after := around(e)
			b.WriteString(after)
			open = open[:len(open)-1]
		}
	}
	for _, r := range m.Text + m.Caption {
		closeUntil(at)
		for next < len(m.Entities) && m.Entities[next].Offset <= at {
			before, _ := around(m.Entities[next])
			b.WriteString(before)
			open = append(open, m.Entities[next])
			next++
		}
		b.WriteString(text(string(r)))
		if at++; r > 0xffff {
			at++
		}
	}
	closeUntil(at)
	return b.String()
}
