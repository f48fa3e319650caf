package wechat_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot"
	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/locale"
)

// wordsOf are what the reader of the scenes types, in each language.
var wordsOf = map[string]struct {
	topic, title, typo, partly, vain, more, follow, following, unfollow, help, link string
}{
	"zh-Hans": {"电商", "橘子园里的一家微店", "excle", "电商 地图册 火箭", "天文", "更多", "关注 电商 每天 8:00", "我的关注", "取消关注 电商", "帮助", "橘子为什么涨价了"},
	"zh-Hant": {"電商", "橘子園裡的一家小店", "excle", "電商 地圖集 火箭", "天文", "更多", "追蹤 電商 每天 8:00", "我的追蹤", "取消追蹤 電商", "說明", "橘子為什麼漲價了"},
	"en":      {"commerce", "Forty Crates of Apricots", "aprikots", "commerce atlas rockets", "astronomy", "more", "follow commerce daily 8:00", "following", "unfollow commerce", "help", "Why apricots cost more this year"},
	"it":      {"commercio", "Quaranta cassette di albicocche", "albicoche", "commercio atlante razzi", "astronomia", "altro", "segui commercio ogni giorno 8:00", "i miei temi", "non seguire più commercio", "aiuto", "Perché le albicocche costano di più"},
}

// A scene is something a reader does, and what is answered.
type scene struct {
	name   string
	said   string // as it stands in the reader's bubble; "" when there is none
	bubble wechattest.Bubble
}

// play plays all scenes with the account, each kind of answer once.
func (h *house) play() []scene {
	w, r := wordsOf[h.lang], h.Reader("o-reader-1")
	var scenes []scene
	took := func(name, said string, b wechattest.Bubble) {
		scenes = append(scenes, scene{name, said, b})
		h.clock.Advance(time.Minute)
	}
	say := func(name, text string) { h.t.Helper(); took(name, text, r.Say(text)) }

	took("welcome", "", r.Subscribe())
	say("list", w.topic)
	say("more", w.more)
	say("card", w.title)
	say("article", "1")
	say("corrected", w.typo)
	say("partly", w.partly)
	say("nothing", w.vain)
	say("follow", w.follow)
	say("following", w.following)
	took("topics", "", r.Click("/topics"))
	say("help", w.help)
	for _, sent := range [][2]string{{"image", "🖼"}, {"voice", "🎤 3″"}, {"video", "🎬"}, {"location", "📍"}, {"file", "📄"}} {
		took(sent[0], sent[1], r.Send(sent[0]))
	}
	say("sticker", "【收到不支持的消息类型，暂无法显示】")
	took("link-ours", "🔗 "+lantern+"/a/5", r.Share("x", "", lantern+"/a/5"))
	took("link-other", "🔗 "+w.link, r.Share(w.link, "", "https://elsewhere.example/"))
	took("link-unknown", "🔗 https://elsewhere.example/", r.Share("", "", "https://elsewhere.example/"))

	// The next morning: the account may not push, so the digest waits.
	h.clock.Advance(20 * time.Hour)
	h.add("later")
	h.follow()
	h.clock.Advance(4 * time.Hour)
	h.push()
	say("digest", w.title)

	scenes = append(scenes, h.lateScene(w.topic))
	say("late", w.help)
	say("unfollow", w.unfollow)
	return scenes
}

// lateScene is a question whose answer comes too late for the platform.
func (h *house) lateScene(question string) scene {
	h.t.Helper()
	hasty := h.replica(h.t, func(c *wechat.Config) { c.Patience = 500 * time.Millisecond })
	h.Connect(hasty)
	h.hold = make(chan struct{})
	b := h.Reader("o-reader-1").Say(question)
	close(h.hold)
	<-h.late
	h.hold = nil
	h.Connect(h.channel)
	h.push()
	h.clock.Advance(time.Minute)
	return scene{"late-question", question, b}
}

// TestAnswersInEveryLanguage compares the bytes of every kind of answer; the
// fake platform has looked at each of them too.
func TestAnswersInEveryLanguage(t *testing.T) {
	for _, lang := range locale.Languages() {
		t.Run(lang, func(t *testing.T) {
			scenes := openHouse(t, lang).play()
			seen := map[string]bool{}
			for _, s := range scenes {
				compare(t, filepath.Join("testdata", "golden", lang, s.name+".golden"), s.bubble.Response+"\n")
				seen[s.name+".golden"] = true
				if len(s.bubble.Raw) > wechat.Budget {
					t.Errorf("%s: %d bytes", s.name, len(s.bubble.Raw))
				}
				if empty := s.bubble.Text == "" && len(s.bubble.News) == 0; empty != (s.name == "late-question") {
					t.Errorf("%s: the reader sees %+v", s.name, s.bubble)
				}
				for _, ugly := range []string{"\n\n\n", " \n", "bot.", "wechat.", "<no value>", "{{"} {
					if strings.Contains(s.bubble.Text, ugly) {
						t.Errorf("%s: %q in\n%s", s.name, ugly, s.bubble.Text)
					}
				}
			}
			files, err := os.ReadDir(filepath.Join("testdata", "golden", lang))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if !seen[f.Name()] {
					t.Errorf("%s belongs to no scene", f.Name())
				}
			}
		})
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestWhatACardLeavesOutIsReached follows the words of a card.
func TestWhatACardLeavesOutIsReached(t *testing.T) {
	h := openHouse(t, "en", answers(wechat.Card, lantern))
	r := h.Reader("r1")
	b := r.Say("commerce")
	if len(b.News) != 1 || !strings.HasSuffix(b.News[0].Description, "More were found: send 2–5 or “more”, or tap the card.") {
		t.Fatalf("%+v", b)
	}
	if want := lantern + "/a/7?with=5.6.3.4"; b.News[0].URL != want {
		t.Errorf("it leads to %s, want %s", b.News[0].URL, want)
	}
	if two := r.Say("2"); !strings.HasPrefix(two.Text, "The Bookshop’s Last Order") {
		t.Errorf("2 opens:\n%s", two.Text)
	}
	if more := r.Say("more"); !strings.Contains(more.Text, "6. ") {
		t.Errorf("more shows:\n%s", more.Text)
	}
}

// TestTypedWordsDoWhatTapsDo types what an account that cannot tap is told.
func TestTypedWordsDoWhatTapsDo(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range locale.Languages() {
		h := openHouse(t, lang, noTaps)
		w := wordsOf[lang]
		r := h.Reader("r1")
		for _, said := range []string{w.topic, w.more, "2", w.typo, w.follow, w.following, w.help} {
			b := r.Say(said)
			if len(b.Taps) > 0 {
				t.Errorf("%s: %q is answered with lines to tap: %v", lang, said, b.Taps)
			}
			for _, words := range quotedIn(b.Text) {
				// Another reader, who came as far, says them.
				var answer bot.Reply
				for _, text := range []string{w.topic, said, words} {
					var err error
					if answer, err = h.bot.Handle(context.Background(), bot.Message{ID: "x", Kind: bot.Text, Chat: h.chat(said + words), Text: text, Lang: lang}); err != nil {
						t.Fatal(err)
					}
				}
				if strings.HasPrefix(answer.Text, catalog.Printer(lang).T("bot.nothing", "Query", words)) || len(answer.Actions) == 0 && len(answer.Groups) == 0 {
					t.Errorf("%s: after %q, typing %q finds nothing: %s", lang, said, words, answer.Text)
				}
			}
		}
	}
}

// quotedIn are the words that the last line of an answer says to type.
func quotedIn(text string) []string {
	last := text[strings.LastIndex(text, "\n")+1:]
	var words []string
	for _, marks := range [][2]string{{"“", "”"}, {"「", "」"}, {"«", "»"}} {
		for _, part := range strings.Split(last, marks[0])[1:] {
			if word, _, ok := strings.Cut(part, marks[1]); ok {
				words = append(words, word)
			}
		}
	}
	return words
}
