package locale_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/internal/locale"
)

func TestEveryLanguageHasEveryKey(t *testing.T) {
	keys, err := locale.Keys()
	if err != nil {
		t.Fatal(err)
	}
	want := keys["en"]
	if len(want) == 0 {
		t.Fatal("the English catalog is empty")
	}
	for _, lang := range locale.Languages() {
		if diff := cmp.Diff(want, keys[lang]); diff != "" {
			t.Errorf("%s differs from en (-en +%s):\n%s", lang, lang, diff)
		}
	}
}

func TestMatch(t *testing.T) {
	c, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ wanted, want string }{
		{"zh-CN", "zh-Hans"}, {"zh", "zh-Hans"}, {"zh-TW", "zh-Hant"}, {"zh-HK", "zh-Hant"}, {"zh_TW", "zh-Hant"},
		{"it-IT", "it"}, {"en-GB", "en"}, {"ja", "en"}, {"", "en"}, {"nonsense!!", "en"},
	} {
		if got := c.Match(test.wanted); got != test.want {
			t.Errorf("Match(%q) = %q, want %q", test.wanted, got, test.want)
		}
	}
	if got := c.Match("", "it"); got != "it" {
		t.Errorf("Match(\"\", it) = %q, want it", got)
	}
}

func TestDate(t *testing.T) {
	c, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for lang, want := range map[string]string{"en": "1 March 2026", "it": "1 marzo 2026", "zh-Hans": "2026年3月1日", "zh-Hant": "2026年3月1日"} {
		if got := c.Printer(lang).Date(day); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	if got := c.Printer("en").Date(time.Time{}); got != "" {
		t.Errorf("the zero time is %q", got)
	}
}

func TestUnknownKeyIsSaidAsItself(t *testing.T) {
	c, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Printer("it").T("no.such.key"); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
}

// A thing has one name for readers. What they may type for it is their affair:
// lines of words are left out.
func TestAThingHasOneNameInEachLanguage(t *testing.T) {
	dropped := map[string]map[string]string{ // by language: the word, and what the thing is called
		"en":      {"What I follow": "My follows", "bulletin": "digest", "round-up": "digest", "subscription": "follow", "bookmark": "saved"},
		"it":      {"riepilog": "rassegna", "sommari": "rassegna", "bollettin": "rassegna", "Che cosa seguo": "Cosa seguo", "iscrizion": "cosa seguo", "preferit": "salvati"},
		"zh-Hans": {"摘要": "精选", "简报": "精选", "主题": "话题", "退订": "取消关注", "追踪": "关注", "书签": "收藏"},
		"zh-Hant": {"摘要": "精選", "簡報": "精選", "話題": "主題", "退訂": "取消追蹤", "關注": "追蹤", "書籤": "收藏"},
	}
	articles := []string{"wechat.numbers"} // an article's summary is 摘要
	for lang, words := range dropped {
		files, err := filepath.Glob("catalog/*." + lang + ".toml")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no catalog: %v", lang, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			area, _, _ := strings.Cut(filepath.Base(file), ".")
			for _, line := range strings.Split(string(text), "\n") {
				key, said, ok := strings.Cut(line, " = ")
				if !ok || strings.HasSuffix(key, ".words") || slices.Contains(articles, area+"."+key) {
					continue
				}
				for word, name := range words {
					if strings.Contains(strings.ToLower(said), strings.ToLower(word)) {
						t.Errorf("%s: %s says %q, which is called %s: %s", file, key, word, name, said)
					}
				}
			}
		}
	}
}
