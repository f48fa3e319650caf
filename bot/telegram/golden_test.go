package telegram_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/bot/telegram/telegramtest"
	"newsie/internal/locale"
)

// wordsOf are what the reader of the scenes types, in each language.
var wordsOf = map[string]struct {
	topic, title, other, typo, partly, vain, follow, followOther, digest, help string
}{
	"zh-Hans": {"电商", "橘子园里的一家微店", "旧书店的最后一单", "excle", "电商 地图册 火箭", "天文", "关注 电商 每天 8:00", "关注 烹饪 每天 8:00", "我的摘要", "帮助"},
	"zh-Hant": {"電商", "橘子園裡的一家小店", "舊書店的最後一單", "excle", "電商 地圖集 火箭", "天文", "追蹤 電商 每天 8:00", "追蹤 料理 每天 8:00", "我的摘要", "說明"},
	"en":      {"commerce", "Forty Crates of Apricots", "The Bookshop’s Last Order", "aprikots", "commerce atlas rockets", "astronomy", "follow commerce daily 8:00", "follow cooking daily 8:00", "digest now", "help"},
	"it":      {"commercio", "Quaranta cassette di albicocche", "L’ultimo ordine della libreria", "albicoche", "commercio atlante razzi", "astronomia", "segui commercio ogni giorno 8:00", "segui cucina ogni giorno 8:00", "rassegna adesso", "aiuto"},
}

// play plays all scenes, each kind of answer once.
func (h *house) play() []scene {
	w := wordsOf[h.lang]
	h.say("welcome", "/start")
	h.say("list", w.topic)
	list := h.last("list")
	h.tap("next page", " ›")
	h.tapOn("previous page", list.ID, "‹ ")
	h.say("one clear answer", w.title)
	h.tap("article with a cover", "1")
	h.tapOn("save", h.last("article with a cover").ID, h.label("bot.save"))
	h.say("saved", "/saved")
	h.say("share", "/share 1")
	h.say("another", w.other)
	h.tap("article without a cover", "1")
	h.say("corrected", w.typo)
	h.say("partly", w.partly)
	h.say("nothing", w.vain)
	h.say("follow", w.follow)
	h.say("follow another", w.followOther)
	h.say("following", "/following")
	h.say("help", w.help)

	// The next morning there is something of both topics, and then of one.
	h.arrive("noodles")
	h.Fail("sendRichMessage", telegramtest.RefuseEntities)
	h.say("digest as HTML", w.digest)
	h.clock.Advance(24 * time.Hour)
	h.scene("digest of several topics", "", "", h.push)
	h.arrive("later")
	h.clock.Advance(24 * time.Hour)
	h.scene("digest", "", "", h.push)

	// After a month its list is forgotten.
	h.clock.Advance(31 * 24 * time.Hour)
	if err := h.lists.Prune(h.t.Context(), h.clock.Now().AddDate(0, 0, -30), h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
	h.tapOn("too old", list.ID, " ›")
	return h.scenes
}

// TestAnswersInEveryLanguage compares the bytes of every kind of answer; the
// fake platform has looked at each of them too.
func TestAnswersInEveryLanguage(t *testing.T) {
	for _, lang := range locale.Languages() {
		t.Run(lang, func(t *testing.T) {
			h := openHouse(t, lang)
			var got bytes.Buffer
			for _, s := range h.play() {
				fmt.Fprintf(&got, "-- %s --\n%s\n", s.name, s)
				for _, m := range s.shown {
					for _, ugly := range []string{"\n\n\n", " \n", "bot.", "telegram.", "scheduler.", "<no value>", "{{", "……"} {
						if strings.Contains(m.Text+m.Caption, ugly) {
							t.Errorf("%s: %q in\n%s%s", s.name, ugly, m.Text, m.Caption)
						}
					}
				}
			}
			compare(t, filepath.Join("testdata", "golden", lang+".txtar"), got.String())
		})
	}
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
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
