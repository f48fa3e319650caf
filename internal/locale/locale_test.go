package locale_test

import (
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
