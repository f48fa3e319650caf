package corpus_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"newsie/content/language"
	"newsie/internal/corpus"
)

func TestArticlesAreTheSameEveryTime(t *testing.T) {
	a, b := corpus.New(), corpus.New()
	langs, words, detected := map[string]int{}, map[string]bool{}, 0
	const all = 700
	for n := range all {
		x := a.Article(n)
		if !reflect.DeepEqual(x, b.Article(n)) || a.Question(n) != b.Question(n) {
			t.Fatalf("article %d differs", n)
		}
		if runes := utf8.RuneCountInString(x.Body()); runes < 1000 || runes > 4400 || x.Title == "" {
			t.Errorf("article %d, %q, has %d characters", n, x.Title, runes)
		}
		langs[x.Lang]++
		for _, w := range strings.Fields(x.Body()) {
			words[w] = true
		}
		if language.Detect(x.Body()) == x.Lang {
			detected++
		}
	}
	if len(langs) != len(corpus.Langs) || len(words) < 20_000 || detected < all*98/100 {
		t.Errorf("%d languages, %d words, %d of %d recognised", len(langs), len(words), detected, all)
	}
}

func TestEveryKindIsAsked(t *testing.T) {
	l := corpus.New()
	kinds := map[string]int{}
	for n := range 500 {
		q := l.Question(n)
		if strings.TrimSpace(q.Text) == "" {
			t.Errorf("question %d is empty", n)
		}
		kinds[q.Kind]++
	}
	for _, kind := range corpus.Kinds {
		if kinds[kind] < 10 {
			t.Errorf("%d times %s", kinds[kind], kind)
		}
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Errorf("not listed: %v", kinds)
	}
}

func TestReadComposesSets(t *testing.T) {
	dir := t.TempDir()
	for name, line := range map[string]string{
		"one": `{"_id": "1", "title": "t", "text": "Lemons are yellow. They grow on trees, and the trees are in the garden.", "metadata": {"lang": "en"}}`,
		"two": `{"_id": "1", "text": "柠檬是黄色的。它们长在树上。"}`,
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "corpus.jsonl"), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := corpus.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	langs := map[string]bool{}
	for n := range 20 {
		a := l.Article(n)
		langs[a.Lang] = true
		if !strings.Contains(a.Body(), "They grow on trees") && !strings.Contains(a.Body(), "它们长在树上") || l.Question(n).Text == "" {
			t.Errorf("article %d: %s", n, a.Body())
		}
	}
	if !langs["en"] || !langs["zh-Hans"] {
		t.Errorf("languages %v", langs)
	}
	if _, err := corpus.Read(t.TempDir()); err == nil {
		t.Error("no sets, no error")
	}
}

func TestTypo(t *testing.T) {
	for text, want := range map[string]string{"the harbour": "the habrour", "柠檬": "", "a cat": ""} {
		got, ok := corpus.Typo(text)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
