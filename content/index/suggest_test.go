package index_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

// A shelf is an index with the titles that readers may see.
type shelf struct {
	*index.Index
	titles map[int64]string
}

func shelve(t testing.TB, docs ...index.Doc) *shelf {
	s := &shelf{Index: open(t), titles: map[int64]string{}}
	for i := range docs {
		d := &docs[i]
		if d.ID == 0 {
			d.ID = int64(i + 1)
		}
		if d.Published.IsZero() {
			d.Published = time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		}
		s.titles[d.ID] = d.Title
	}
	update(t, s.Index, 2, docs...)
	return s
}

func (s *shelf) fetch(ids []int64) (map[int64]string, error) {
	m := map[int64]string{}
	for _, id := range ids {
		if title, ok := s.titles[id]; ok {
			m[id] = title
		}
	}
	return m, nil
}

// suggest returns suggestions as lines: titles, and tags with their number.
func (s *shelf) suggest(t testing.TB, q index.SuggestQuery) []string {
	t.Helper()
	q.Fetch = s.fetch
	list, err := s.Suggest(context.Background(), q)
	if err != nil {
		t.Fatalf("suggest %q: %v", q.Text, err)
	}
	lines := []string{}
	for _, g := range list {
		line := g.Text
		if g.Article == 0 {
			line = fmt.Sprintf("#%s %d", g.Text, g.Articles)
		} else if s.titles[g.Article] != g.Text {
			t.Errorf("%q is article %d", g.Text, g.Article)
		}
		lines = append(lines, line)
	}
	return lines
}

func newspapers(t testing.TB) *shelf {
	return shelve(t,
		index.Doc{Lang: "zh-Hans", Title: "微店如何开店", Tags: []string{"电商"}, Body: "正文"},
		index.Doc{Lang: "zh-Hant", Title: "重慶的夜晚", Tags: []string{"旅行"}, Body: "正文"},
		index.Doc{Lang: "it", Title: "L'e-commerce nelle città", Tags: []string{"commercio elettronico"}, Body: "testo"},
		index.Doc{Lang: "it", Title: "Perché il commercio cambia", Tags: []string{"commercio elettronico", "Economia"}, Body: "testo"},
		index.Doc{Lang: "en", Title: "Commerce on the night train", Tags: []string{"Commerce"}, Body: "commerce text"},
		index.Doc{Lang: "en", Title: "Tea on the night train", Tags: []string{"tea", "travel"}, Body: "commerce text"},
		index.Doc{Lang: "zh-Hans", Title: "新微店的故事", Tags: []string{"微店", "电商"}, Body: "正文"},
		index.Doc{Lang: "ja", Title: "ニュースの読み方", Body: "本文"},
		index.Doc{Lang: "en", Title: "C++ for cooks", Body: "text"},
		index.Doc{Lang: "de", Title: "Müller und die Straße", Body: "Text"},
		index.Doc{Lang: "ru", Title: "Ёлки в Москве", Body: "текст"},
		index.Doc{Lang: "en", Title: "tag:tea and \"quotes\" -minus", Body: "text"},
	)
}

func TestSuggest(t *testing.T) {
	s := newspapers(t)
	for _, c := range []struct {
		what, typed string
		want        []string
	}{
		{"the beginning of a word, the newest first", "comm", []string{"Commerce on the night train", "Perché il commercio cambia", "L'e-commerce nelle città", "#commercio elettronico 2", "#Commerce 1"}},
		{"a tag that matches whole", "Commerce", []string{"#Commerce 1", "Commerce on the night train", "L'e-commerce nelle città"}},
		{"several words", "tea on the n", []string{"Tea on the night train"}},
		{"from the middle of a title", "on the night t", []string{"Tea on the night train", "Commerce on the night train"}},
		{"words in another order", "night tea", []string{}},
		{"a compound, joined or not", "ecom", []string{"L'e-commerce nelle città"}},
		{"a compound with its sign", "e-comm", []string{"L'e-commerce nelle città"}},
		{"with the article", "l’e-com", []string{"L'e-commerce nelle città"}},
		{"accents left out", "perche", []string{"Perché il commercio cambia"}},
		{"accents wrong", "pèrché IL", []string{"Perché il commercio cambia"}},
		{"full width", "ＴＥＡ", []string{"#tea 1", "tag:tea and \"quotes\" -minus", "Tea on the night train"}},
		{"one letter", "ё", []string{"Ёлки в Москве"}}, {"without the dots", "ел", []string{"Ёлки в Москве"}},
		{"a word inside of a tag", "elettr", []string{"#commercio elettronico 2"}},
		{"German", "stras", []string{"Müller und die Straße"}}, {"without umlauts", "mull", []string{"Müller und die Straße"}},
		{"signs that belong to the word", "c++", []string{"C++ for cooks"}},
		{"Chinese", "微店", []string{"#微店 1", "新微店的故事", "微店如何开店"}},
		{"one character", "微", []string{"新微店的故事", "微店如何开店", "#微店 1"}},
		{"in the other script", "重庆", []string{"重慶的夜晚"}}, {"the same", "電", []string{"#电商 2"}},
		{"a longer run", "微店如", []string{"微店如何开店"}},
		{"pinyin", "weidian", []string{"#微店 1", "新微店的故事", "微店如何开店"}},
		{"pinyin so far", "weid", []string{"新微店的故事", "微店如何开店", "#微店 1"}},
		{"one syllable, at the beginning", "wei", []string{"微店如何开店", "#微店 1"}},
		{"pinyin in two words", "wei dian ru", []string{"微店如何开店"}},
		{"pinyin of a character with two", "chongq", []string{"重慶的夜晚"}},
		{"initials", "wd", []string{"微店如何开店", "新微店的故事", "#微店 1"}},
		{"one letter is no pinyin", "w", []string{}},
		{"more initials", "wdrh", []string{"微店如何开店"}},
		{"initials of a tag", "ds", []string{"#电商 2"}},
		{"katakana", "ニュ", []string{"ニュースの読み方"}}, {"hiragana", "にゅーす", []string{"ニュースの読み方"}},
		{"operators are words", `tag:te`, []string{"tag:tea and \"quotes\" -minus"}},
		{"operators are words", `"quo`, []string{"tag:tea and \"quotes\" -minus"}},
		{"operators are words", `-minus`, []string{"tag:tea and \"quotes\" -minus"}},
		{"nothing", "", []string{}}, {"signs", " -\"!", []string{}}, {"an emoji", "🎉", []string{}}, {"no such word", "zzzz", []string{}},
		{"bytes", "\xff\xfe", []string{}},
		{"ten thousand characters", strings.Repeat("a ", 5000), []string{}},
		{"ten thousand characters of Chinese", strings.Repeat("微店", 5000), []string{}},
		{"many letters that may be pinyin", strings.Repeat("xian", 2500), []string{}},
	} {
		if diff := cmp.Diff(c.want, s.suggest(t, index.SuggestQuery{Text: c.typed})); diff != "" {
			t.Errorf("%s: %q (-want +got): %s", c.what, c.typed, diff)
		}
	}
}

func TestSuggestPrefersTheReadersLanguage(t *testing.T) {
	s := newspapers(t)
	for lang, want := range map[string][]string{
		"it":      {"Perché il commercio cambia", "L'e-commerce nelle città", "Commerce on the night train", "#commercio elettronico 2", "#Commerce 1"},
		"en":      {"Commerce on the night train", "Perché il commercio cambia", "L'e-commerce nelle città", "#Commerce 1", "#commercio elettronico 2"},
		"zh-Hans": {"Commerce on the night train", "Perché il commercio cambia", "L'e-commerce nelle città", "#commercio elettronico 2", "#Commerce 1"},
	} {
		if diff := cmp.Diff(want, s.suggest(t, index.SuggestQuery{Text: "comm", Lang: lang})); diff != "" {
			t.Errorf("%s (-want +got): %s", lang, diff)
		}
	}
}

func TestSuggestKeepsToItsPart(t *testing.T) {
	s := newspapers(t)
	if diff := cmp.Diff([]string{"Perché il commercio cambia", "L'e-commerce nelle città", "#commercio elettronico 2"},
		s.suggest(t, index.SuggestQuery{Text: "comm", Langs: []string{"it"}})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"#电商 1", "#Economia 1"}[:1], s.suggest(t, index.SuggestQuery{Text: "电", Tags: []string{"微店"}})); diff != "" {
		t.Error(diff)
	}
	if got := s.suggest(t, index.SuggestQuery{Text: "comm", Before: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}); len(got) > 0 {
		t.Errorf("before all: %q", got)
	}
	if got := s.suggest(t, index.SuggestQuery{Text: "e", Limit: 2}); len(got) != 2 {
		t.Errorf("two were asked for: %q", got)
	}
}

// What readers may not see is not suggested, be it that the index has not heard
// of it yet, nor what was removed or changed; each title comes once.
func TestSuggestOnlyWhatReadersMaySee(t *testing.T) {
	s := newspapers(t)
	delete(s.titles, 6) // withdrawn a moment ago
	if got := s.suggest(t, index.SuggestQuery{Text: "tea"}); !cmp.Equal(got, []string{"tag:tea and \"quotes\" -minus"}) {
		t.Errorf("withdrawn: %q", got)
	}
	update(t, s.Index, 3, index.Doc{ID: 6, Deleted: true}, index.Doc{ID: 1, Lang: "zh-Hans", Title: "改了名字", Tags: []string{"电商"}})
	s.titles[1] = "改了名字"
	if got := s.suggest(t, index.SuggestQuery{Text: "trav"}); len(got) > 0 {
		t.Errorf("removed: %q", got)
	}
	if got := s.suggest(t, index.SuggestQuery{Text: "wd"}); !cmp.Equal(got, []string{"新微店的故事", "#微店 1"}) {
		t.Errorf("changed: %q", got)
	}
	update(t, s.Index, 4, index.Doc{ID: 50, Lang: "en", Title: "COMMERCE on the night-train"})
	s.titles[50] = "COMMERCE on the night-train"
	if got := s.suggest(t, index.SuggestQuery{Text: "commerce on"}); len(got) != 1 {
		t.Errorf("the same title twice: %q", got)
	}
}

// Many that match do not hide the newest, nor those that are left when most
// of the newest were withdrawn.
func TestSuggestAmongMany(t *testing.T) {
	var docs []index.Doc
	for i := range 400 {
		docs = append(docs, index.Doc{Lang: "en", Title: fmt.Sprintf("Harbour report %d", i), Tags: []string{fmt.Sprintf("harbour %d", i%40)}, Body: "x", Published: time.Unix(int64(1e9+i*86400), 0)})
	}
	for _, title := range []string{"Eleven of a day", "Twelve of a day"} {
		docs = append(docs, index.Doc{Lang: "en", Title: title, Body: "x", Published: time.Unix(5e8, 0)})
	}
	s := shelve(t, docs...)
	want := []string{"Harbour report 399", "Harbour report 398", "#harbour 0 10", "#harbour 1 10"}
	got := s.suggest(t, index.SuggestQuery{Text: "harb"})
	if len(got) != 8 || !cmp.Equal(append(got[:2:2], got[6:]...), want) {
		t.Errorf("got %q", got)
	}
	if got := s.suggest(t, index.SuggestQuery{Text: "of a day"}); !cmp.Equal(got, []string{"Twelve of a day", "Eleven of a day"}) {
		t.Errorf("of one day: %q", got)
	}
	for i := range 100 {
		delete(s.titles, int64(400-i))
	}
	if got := s.suggest(t, index.SuggestQuery{Text: "h"}); len(got) != 8 || got[0] != "Harbour report 299" {
		t.Errorf("after withdrawals: %q", got)
	}
}

func FuzzSuggest(f *testing.F) {
	for _, s := range []string{"comm", "wd", "weid", "微店k", "l'e-c", "xi'an", "c+", "\xff微", "にゅ", strings.Repeat("a", 70)} {
		f.Add(s)
	}
	s := newspapers(f)
	f.Fuzz(func(t *testing.T, text string) { s.suggest(t, index.SuggestQuery{Text: text, Lang: "it"}) })
}
