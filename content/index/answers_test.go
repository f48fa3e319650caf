package index_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"newsie/content/index"
)

// among makes a library of texts, numbered from 1, filled up with weather so
// that no word is in most of them.
func among(t *testing.T, lang string, texts ...string) *index.Index {
	t.Helper()
	var docs []index.Doc
	for i, text := range texts {
		docs = append(docs, index.Doc{ID: int64(i + 1), Lang: lang, Title: fmt.Sprint("Number ", i+1), Body: text})
	}
	for i := int64(100); i < 130; i++ {
		docs = append(docs, index.Doc{ID: i, Lang: "en", Title: "Weather", Body: "Rain and more rain falls."})
	}
	return open(t, docs...)
}

func TestWhatIsNoAnswer(t *testing.T) {
	for _, c := range []struct {
		name, lang, query string
		texts             []string
		want              []int64
	}{
		{"function words alone, in a language that nothing tells", "it", "pagamenti con codice",
			[]string{"Pagamenti e codice in cassa.", "Pane con olio.", "Vino con acqua."}, []int64{1}},
		{"function words in English", "en", "how is the harbour", []string{"The harbour.", "How is that?", "How was it, and where is it?"}, []int64{1}},
		{"the part of a compound that tells little", "en", "micro-lending",
			[]string{"Micro-lending helps.", "Lending one.", "Lending two.", "Lending three.", "Lending four."}, []int64{1}},
		{"the end of an address", "it", "jd.com", []string{"JD.com vende.", "Com'è bello il mare.", "La jd è nuova."}, []int64{1, 3}},
		{"the number of a model", "en", "mark17", []string{"There were 17 passengers.", "Chapter 17."}, nil},
		{"the frame of a Chinese question", "zh-Hans", "有没有跟睡觉有关的？", []string{"午后睡觉二十分钟。", "船上没有信号。", "与天气有关的信号。"}, []int64{1}},
		{"the frame of a Japanese question", "ja", "渡し船について教えてください", []string{"渡し船の時刻。", "先生が教えてくださいました。", "天気について。"}, []int64{1}},
	} {
		x := among(t, c.lang, c.texts...)
		got := ids(search(t, x, index.Query{Text: c.query}))
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q found %v, want %v", c.name, c.query, got, c.want)
		}
	}
}

func TestTyposAreReadBesideOtherWords(t *testing.T) {
	texts := []string{"The harbour is bold."}
	for range 12 {
		texts = append(texts, "A cold day.")
	}
	x := among(t, "en", texts...)
	for query, want := range map[string]string{"harbour xold": "harbour bold", "day xold": "day cold", "xold": "cold"} {
		if got := search(t, x, index.Query{Text: query}).Corrected; got != want {
			t.Errorf("%q: corrected to %q, want %q", query, got, want)
		}
	}
}

func TestTyposKeepToTheirLanguage(t *testing.T) {
	x := open(t,
		index.Doc{ID: 1, Lang: "zh-Hans", Title: "算法", Body: "用 Matlab 计算。"},
		index.Doc{ID: 2, Lang: "en", Title: "Large ships", Body: "The large ship and the larger one."},
		index.Doc{ID: 3, Lang: "en", Title: "Small ships", Body: "How long it is."},
	)
	for query, want := range map[string]string{"Wie lange sollte man schlafen": "", "matlba": "matlab", "lrage ship": "large ship", "how is the matlba": "how is the matlab"} {
		if got := search(t, x, index.Query{Text: query}).Corrected; got != want {
			t.Errorf("%q: corrected to %q, want %q", query, got, want)
		}
	}
}

// A typo may have the stem of another word, which nobody writes so.
func TestTyposWithAKnownStem(t *testing.T) {
	texts := []string{"The harbour and its gates at night.", "The harbour at night.", "He waited with bated breath.", "With bated breath they looked."}
	x := among(t, "en", texts...)
	got := search(t, x, index.Query{Text: "harbour bates"})
	if len(got.Hits) == 0 || got.Hits[0].ID != 1 {
		t.Errorf("found %v, want 1 first, which has gates", ids(got))
	}
	if got.Corrected != "" {
		t.Errorf("corrected to %q, though the word as typed was looked for too", got.Corrected)
	}
	if exact := search(t, x, index.Query{Text: "harbour bates", Exact: true}); len(exact.Hits) == 0 || exact.Hits[0].ID == 1 {
		t.Errorf("taken as typed it found %v", ids(exact))
	}
}

func TestSnippetsPreferWholeSentences(t *testing.T) {
	long := "The festival, " + strings.Repeat("which the town has kept since anybody can remember, ", 4) + "is a festival of light."
	text := long + " Everybody comes to the festival."
	x := among(t, "en", text)
	s := x.Snippet(search(t, x, index.Query{Text: "festival"}), index.Sentences("en", text))
	if want := "Everybody comes to the [festival]."; marked(s) != want {
		t.Errorf("got %q, want %q", marked(s), want)
	}
}

func TestNearestCharacters(t *testing.T) {
	x := among(t, "zh-Hans", "茶山上的船。", "船歌。")
	for query, want := range map[string][]string{"泡茶": {"茶"}, "请问如何泡茶": {"茶"}, "茶船": {"茶", "船"}, "不上": nil, "茶": nil} {
		got, err := x.Nearest(t.Context(), query, 5)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("nearest to %q: %q, %v, want %q", query, got, err, want)
		}
	}
}

// The words beside a typo are read in every way that they are without it.
func TestPinyinBesideATypo(t *testing.T) {
	docs := []index.Doc{
		{ID: 1, Lang: "zh-Hans", Title: "微店", Body: "如何开店。"},
		{ID: 2, Lang: "it", Title: "Farinata", Body: "La farinata di ceci."},
		{ID: 3, Lang: "it", Title: "Weidian", Body: "Che cosa vende Weidian."},
	}
	for id := int64(10); id < 40; id++ {
		docs = append(docs, index.Doc{ID: id, Lang: "it", Title: "Il tempo", Body: "Piove ancora."})
	}
	x := open(t, docs...)
	for _, query := range []string{"weidian farnata", "微店 farnata"} {
		got := search(t, x, index.Query{Text: query})
		found := ids(got)
		slices.Sort(found)
		if !slices.Equal(found, []int64{1, 2, 3}) || !strings.Contains(got.Corrected, "farinata") {
			t.Errorf("%q found %v, corrected to %q", query, found, got.Corrected)
		}
	}
}

func TestPinyinWithSpaces(t *testing.T) {
	x := open(t,
		index.Doc{ID: 1, Lang: "zh-Hans", Title: "半糖奶茶", Body: "少放糖。", Author: "李明"},
		index.Doc{ID: 2, Lang: "en", Title: "The ban", Body: "A ban on tags and cans."},
		index.Doc{ID: 3, Lang: "en", Title: "A long can", Body: "So long a can was never seen."},
	)
	for query, want := range map[string][]int64{"ban tang": {1}, "Li Ming": {1}, "liming": {1}, "long can": {3}, "nai cha": {1}} {
		got := search(t, x, index.Query{Text: query})
		if !slices.Equal(ids(got), want) || got.Corrected != "" {
			t.Errorf("%q found %v, corrected to %q; want %v", query, ids(got), got.Corrected, want)
		}
	}
}
