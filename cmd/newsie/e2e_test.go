package main_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
)

// A house is one newsie with all its channels: the chat in the browser, a
// Telegram bot, and two WeChat accounts, of which one may push.
type house struct {
	*installation
	server   *process
	web      *browser
	telegram *telegramtest.Server
	wechat   *wechattest.Server
	verified *wechattest.Server
}

// channels is the configuration of a house; %s are the address to listen on and
// those of the platforms.
const channels = `
name: The Lantern
listen: %[1]s
public_url: http://%[1]s
channels:
  web: {kind: webchat, min_interval: 1m, first_digest: archive}
  tg: {kind: telegram, token: "%[2]s", api_url: "%[3]s", min_interval: 1m, first_digest: archive}
  gzh: {kind: wechat, language: en, mode: safe, min_interval: 1m, first_digest: archive, %[4]s}
  fwh: {kind: wechat, language: en, mode: safe, account: subscription, min_interval: 1m, first_digest: archive, %[5]s}
`

func openHouse(t *testing.T, in *installation) *house {
	t.Helper()
	h := &house{
		installation: in,
		telegram:     telegramtest.Start(t, telegramtest.Options{}),
		wechat:       wechattest.New(t, wechattest.Account{}, nil),
		verified:     wechattest.New(t, wechattest.Account{Verified: true}, nil),
	}
	address := freeAddress(t)
	account := func(s *wechattest.Server) string {
		return fmt.Sprintf("app_id: %q, app_secret: %q, token: %q, aes_key: %q, api_url: %q", s.AppID, s.Secret, s.Token, s.AESKey, s.URL)
	}
	in.write("newsie.yaml", fmt.Sprintf(channels, address, h.telegram.Token(), h.telegram.URL(), account(h.wechat), account(h.verified)))
	h.wechat.ConnectURL("http://" + address + "/hooks/wechat/gzh")
	h.verified.ConnectURL("http://" + address + "/hooks/wechat/fwh")
	var err error
	if h.web, err = newBrowser("http://" + address + "/chat/web/"); err != nil {
		t.Fatal(err)
	}
	h.server = in.serve("--demo")
	return h
}

// A reader is somebody on one of the channels; say gives the addresses and the
// words of the answer.
type reader struct {
	name string
	say  func(t *testing.T, words string) shown
}

func (h *house) readers() []reader {
	return []reader{
		{"browser", func(t *testing.T, words string) shown {
			t.Helper()
			answer, err := h.web.say(t.Context(), words)
			if err != nil {
				t.Fatalf("browser, %q: %v", words, err)
			}
			return answer
		}},
		{"telegram", func(t *testing.T, words string) shown { return sayTelegram(t, h.telegram.Chat(7), words) }},
		{"wechat", func(t *testing.T, words string) shown { return bubble(h.wechat.Reader("reader-1").Say(words)) }},
		{"verified wechat", func(t *testing.T, words string) shown { return bubble(h.verified.Reader("reader-2").Say(words)) }},
	}
}

func sayTelegram(t *testing.T, chat *telegramtest.Chat, words string) shown {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	before := len(chat.Answers())
	chat.Say(words)
	answers, err := chat.WaitFor(ctx, func(answers []telegramtest.Message) bool { return len(answers) > before })
	if err != nil {
		t.Fatalf("telegram, %q: %v", words, err)
	}
	return message(answers[before])
}

func message(m telegramtest.Message) shown {
	s := shown{text: m.Text, links: m.Links(), buttons: map[string]string{}}
	for _, row := range m.Buttons {
		for _, b := range row {
			s.buttons[b.Text] = b.Data
		}
	}
	return s
}

func bubble(b wechattest.Bubble) shown {
	s := shown{text: b.Text, buttons: map[string]string{}}
	for _, l := range b.Links {
		s.links = append(s.links, l.Target)
	}
	for _, news := range b.News {
		s.text += news.Title
		s.links = append(s.links, news.URL)
		if page, with, ok := strings.Cut(news.URL, "?with="); ok { // the others, which the page lists
			for _, id := range strings.Split(with, ".") {
				if at := strings.Index(page, "/r/"); at >= 0 {
					page = page[:at] + "/a/"
				}
				s.links = append(s.links, page[:strings.LastIndex(page, "/")+1]+id)
			}
		}
	}
	for _, tap := range b.Taps {
		s.buttons[tap.Label] = tap.Target
	}
	return s
}

var (
	articleRule = regexp.MustCompile(`^https?://[^/]+/a/([0-9]+)`)
	countedRule = regexp.MustCompile(`^https?://[^/]+/r/([A-Za-z0-9_-]+)(?:\?|$)`)
)

// articleAt is the number of the article that an address leads to, "" for none;
// one that counts who opens it holds the number after eight bytes.
func articleAt(link string) string {
	if m := articleRule.FindStringSubmatch(link); m != nil {
		return m[1]
	}
	m := countedRule.FindStringSubmatch(link)
	if m == nil {
		return ""
	}
	token, err := base64.RawURLEncoding.DecodeString(m[1])
	if err != nil || len(token) < 9 {
		return ""
	}
	id, _ := binary.Uvarint(token[8:])
	return strconv.FormatUint(id, 10)
}

// articles are the numbers of the articles that an answer leads to, in its
// order, each once.
func articles(s shown) []string {
	var ids []string
	for _, link := range s.links {
		if id := articleAt(link); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// The same words get the same articles on every channel, and in every channel
// a follow brings its digest by itself, by the way that the channel has.
func TestEveryChannelAnswersAndSendsDigests(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		h := openHouse(t, in)
		if err := h.wechat.Verify(); err != nil {
			t.Errorf("the address of the WeChat account cannot be saved: %v", err)
		}
		for _, words := range []string{"Weidian", "QR code", "commerce", "茶", "zebra stripes"} {
			h.agree(t, words)
		}
		for _, words := range []string{"commerce", "2", "commerce", "more", "more", "99", "following"} {
			h.agree(t, words)
		}
		h.pressButtons(t)
		h.keepAndShare(t)
		h.silenced(t)
		h.followEverywhere(t)
		h.digestsArrive(t)
		if err := h.server.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// agree asks on every channel and compares what the answers lead to.
func (h *house) agree(t *testing.T, words string) {
	t.Helper()
	var want []string
	for i, r := range h.readers() {
		answer := r.say(t, words)
		if answer.text == "" {
			t.Errorf("%s: %q is answered by silence", r.name, words)
		}
		got := articles(answer)
		if i == 0 {
			want = got
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q leads elsewhere on %s than in the browser:\n%s\n%s", words, r.name, diff, answer.text)
		}
	}
}

// pressButtons opens an article and turns a page by what can be touched.
func (h *house) pressButtons(t *testing.T) {
	t.Helper()
	list := h.readers()[0].say(t, "commerce")
	opened, err := h.web.tap(t.Context(), list, "More")
	if err != nil {
		t.Fatal(err)
	}
	next := articles(opened)
	if len(next) == 0 {
		t.Fatalf("the second page is empty: %s", opened.text)
	}

	chat := h.telegram.Chat(7)
	sayTelegram(t, chat, "commerce")
	id := last(chat.Answers()).ID
	if _, err := chat.TapOn(id, "More"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers, err := chat.WaitFor(ctx, func(answers []telegramtest.Message) bool { return last(answers).Edits > 0 })
	if err != nil {
		t.Fatalf("the Telegram message does not turn its page: %v", err)
	}
	if m := last(answers); m.ID != id || !slices.Equal(articles(message(m)), next) {
		t.Errorf("the second page on Telegram leads to %v in message %d, want %v in %d", articles(message(m)), m.ID, next, id)
	}

	phone := h.wechat.Reader("reader-1")
	phone.Say("commerce")
	page, err := phone.Tap("More")
	if err != nil {
		t.Fatal(err)
	}
	if got := articles(bubble(page)); !slices.Equal(got, next) {
		t.Errorf("the second page on WeChat leads to %v, want %v", got, next)
	}
}

func last[T any](list []T) T { return list[len(list)-1] }

func (h *house) followEverywhere(t *testing.T) {
	t.Helper()
	for _, r := range h.readers() {
		if answer := r.say(t, "follow commerce every minute"); !strings.Contains(answer.text, "You follow “commerce”: every minute") {
			t.Fatalf("%s: the follow is answered by %q", r.name, answer.text)
		}
	}
}

// digestsArrive waits for the next minute once, for all channels.
func (h *house) digestsArrive(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	seen, err := h.web.last(ctx)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := h.web.listen(ctx, seen)
	if err != nil {
		t.Fatal(err)
	}
	// Before the next minute nothing comes; then the browser hears first or last,
	// and the others are looked at until they have theirs.
	digest, ok := <-stream
	if !ok {
		t.Fatal("no digest came into the browser")
	}
	want := articles(digest)
	if len(want) == 0 || !strings.Contains(digest.text, "commerce") {
		t.Fatalf("the browser's digest is %q", digest.text)
	}
	page, err := h.web.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got := articles(h.web.read(page.Find("article.it").Last())); !slices.Equal(got, want) {
		t.Errorf("without JavaScript the digest leads to %v, want %v", got, want)
	}

	// A digest on Telegram has ten entries.
	loud := digestComes(ctx, t, h.telegram.Chat(7))
	if got := articles(message(loud)); len(got) <= len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("the digest on Telegram leads to %v, want %v first", got, want)
	}
	if quiet := digestComes(ctx, t, h.telegram.Chat(8)); loud.Silent || !quiet.Silent {
		t.Errorf("the digest is silent %v, in quiet hours %v", loud.Silent, quiet.Silent)
	}

	// A verified account writes to the reader by itself.
	phone := h.verified.Reader("reader-2")
	before := len(phone.Phone())
	h.until("the verified account's customer message", func() bool {
		b := last(phone.Phone())
		return len(phone.Phone()) >= before && !strings.Contains(b.Text, "You follow") && strings.Contains(b.Text, "commerce")
	})
	if got := articles(bubble(last(phone.Phone()))); !slices.Equal(got, want) {
		t.Errorf("the customer message leads to %v, want %v", got, want)
	}
	if n := h.verified.Calls(wechattest.CustomSend); n != 1 {
		t.Errorf("%d customer messages, want 1", n)
	}

	// One that is not waits for the reader's next message, and says both.
	h.until("the digest that waits for the reader", func() bool { return h.deliveries("gzh", "held") == 1 })
	if n := h.wechat.Calls(wechattest.CustomSend); n != 0 {
		t.Errorf("an account that may not push tried it %d times", n)
	}
	handed := bubble(h.wechat.Reader("reader-1").Say("Weidian"))
	if got := articles(handed); len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
		t.Errorf("the reader is handed %v, want %v first", got, want)
	}
	again := bubble(h.wechat.Reader("reader-1").Say("samovar"))
	if slices.Equal(articles(again), want) || h.deliveries("gzh", "held") != 0 || h.deliveries("gzh", "sent") != 1 {
		t.Errorf("the digest is handed over twice: %q", again.text)
	}
}

// followed is the message that answered the follow.
func followed(chat *telegramtest.Chat) int64 {
	for _, m := range chat.Answers() {
		if strings.Contains(m.Text, "You follow “commerce”: every minute") {
			return m.ID
		}
	}
	return 0
}

// deliveries counts the ledger's rows of a channel that are in a state.
func (in *installation) deliveries(channel, state string) int {
	in.t.Helper()
	return count(in.t, in.open(), "SELECT COUNT(*) FROM deliveries WHERE channel = ? AND state = ?", channel, state)
}

// The pages that answers lead to are there, on the address that readers see.
func TestLinksLeadToPages(t *testing.T) {
	t.Parallel()
	h := openHouse(t, install(t, ""))
	for _, r := range h.readers() {
		answer := r.say(t, "Weidian")
		for _, link := range answer.links {
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			page, err := (&browser{base: "http://" + u.Host + u.EscapedPath(), client: h.web.client}).open(t.Context())
			if err != nil {
				t.Errorf("%s: %v", r.name, err)
				continue
			}
			if page.Find("h1").Text() == "" {
				t.Errorf("%s: %s has no title", r.name, link)
			}
		}
	}
}
