package index_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

func parse(t testing.TB, rules string) *index.Synonyms {
	t.Helper()
	s, err := index.ParseSynonyms(strings.NewReader(rules))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shops is a library whose articles say the same in other words.
func shops(t testing.TB, rules string) *index.Index {
	x := open(t,
		index.Doc{ID: 1, Lang: "en", Title: "A parcel by noon", Body: "Nobody delivers faster than JD.com does. The vans leave at dawn."},
		index.Doc{ID: 2, Lang: "zh-Hans", Title: "仓库里的机器人", Body: "京东的仓库里，机器人不睡觉。"},
		index.Doc{ID: 3, Lang: "it", Title: "Botteghe in rete", Body: "Il commercio elettronico cresce nei paesi di montagna."},
		index.Doc{ID: 4, Lang: "it", Title: "Piazze e portici", Body: "Il commercio di vicinato resiste. Il bollettino elettronico arriva ogni lunedì."},
		index.Doc{ID: 5, Lang: "zh-Hans", Title: "电商的十年", Body: "十年里，电商改变了小城。"},
		index.Doc{ID: 6, Lang: "zh-Hans", Title: "电子商务法", Body: "电子商务法规定了平台的责任。"},
		index.Doc{ID: 7, Lang: "en", Title: "Phones", Body: "A smartphone in every pocket, and a queue before every shop."},
		index.Doc{ID: 8, Lang: "zh-Hans", Title: "茶叶蛋", Body: "茶叶蛋的做法：鸡蛋、茶叶、酱油。"},
		index.Doc{ID: 9, Lang: "en", Title: "A cup of tea", Body: "Tea is drunk at five."},
		index.Doc{ID: 11, Lang: "it", Title: "La fiera", Body: "Il commercio al minuto si difende."},
		index.Doc{ID: 10, Lang: "zh-Hant", Title: "手機與學校", Body: "學生帶手機上學，老師說了算。"},
	)
	x.SetSynonyms(parse(t, rules))
	return x
}

const rules = `
# shops
jd, jd.com, 京东, jingdong
電商, 电子商务, e-commerce, Commercio  Elettronico
ＴＥＬＥＦＯＮＩＮＯ => smartphone, 手机
茶 => tea
`

func TestSynonyms(t *testing.T) {
	x := shops(t, rules)
	for _, c := range []struct {
		query string
		want  []int64 // in any order
	}{
		{"京东", []int64{2, 1}}, {"JD.com", []int64{1, 2}}, {"ｊｄ", []int64{1, 2}}, {"jingdong", []int64{2, 1}}, {"京東", []int64{2, 1}},
		// Of several words all must be there; 4 has them apart.
		{"电商", []int64{3, 4, 5, 6}}, {"電子商務", []int64{3, 4, 5, 6}}, {"ecommerce", []int64{3, 4, 5, 6}}, {"e-commerce", []int64{3, 4, 5, 6, 11}},
		{"commercio elettronico", []int64{3, 4, 5, 6, 11}}, {"commercio", []int64{3, 4, 11}}, {"elettronica", []int64{3, 4}},
		{"telefonini", []int64{7, 10}}, // the plural of a rule's word
		{"smartphone", []int64{7}},     // one way only
		{"手机", []int64{10}},
		{"茶", []int64{8, 9}}, {"茶叶蛋", []int64{8}}, // one character is a word only by itself
		{"中国电商市场", []int64{3, 4, 5, 6}}, // inside of a longer run
		{`"京东"`, []int64{2}},            // a phrase stands as it is
		{"仓库 京东", []int64{2, 1}}, {"京东 -jd.com", []int64{2}},
		{"京东 -仓库", []int64{1}},
	} {
		got := ids(search(t, x, index.Query{Text: c.query, Fetch: func(id int64) (string, error) {
			return map[int64]string{2: "京东的仓库里，机器人不睡觉。"}[id], nil
		}}))
		slices.Sort(got)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got): %s", c.query, diff)
		}
	}
}

func TestSynonymsAreThePublishersWill(t *testing.T) {
	x := shops(t, rules)
	if got := ids(search(t, x, index.Query{Text: "京东", Exact: true})); !slices.Equal(got, []int64{2, 1}) {
		t.Errorf("as typed: %v", got)
	}
	if got := ids(search(t, x, index.Query{Text: `"京东"`})); !slices.Equal(got, []int64{2}) {
		t.Errorf("a phrase that no text is fetched for: %v", got)
	}
	if r := search(t, x, index.Query{Text: "茶叶蛋"}); len(r.Synonyms) > 0 {
		t.Errorf("a character of a word is no synonym: %v", r.Synonyms)
	}
	r := search(t, x, index.Query{Text: "Jingdong"})
	if r.Corrected != "" || len(r.Dropped) > 0 {
		t.Errorf("a synonym is no typo: %q, %q", r.Corrected, r.Dropped)
	}
	want := []index.SynonymUse{{Typed: "Jingdong", Also: []string{"jd", "jd.com", "京东"}}}
	if diff := cmp.Diff(want, r.Synonyms); diff != "" {
		t.Error(diff)
	}
	x.SetSynonyms(nil)
	if got := ids(search(t, x, index.Query{Text: "京东"})); !slices.Equal(got, []int64{2}) {
		t.Errorf("without rules: %v", got)
	}
	x.SetSynonyms(parse(t, "京东 => tea"))
	if got := ids(search(t, x, index.Query{Text: "京东"})); len(got) != 2 || !slices.Contains(got, 9) {
		t.Errorf("with other rules: %v", got)
	}
}

// A word counts more than its synonym in an article of the same length, and an
// article that has a synonym in several forms does not pass one with the word.
func TestSynonymsCountALittleLess(t *testing.T) {
	x := open(t,
		index.Doc{ID: 1, Lang: "en", Title: "One", Body: "The fast kettle stands here."},
		index.Doc{ID: 2, Lang: "en", Title: "Two", Body: "The fast boiler stands here."},
		index.Doc{ID: 3, Lang: "en", Title: "Three", Body: "The fast tea-boiler stands here."},
		index.Doc{ID: 4, Lang: "en", Title: "Four", Body: "Nothing of the sort stands here."},
	)
	x.SetSynonyms(parse(t, "kettle, boiler, tea-boiler"))
	r := search(t, x, index.Query{Text: "kettle"})
	if got := ids(r); len(got) != 3 || got[0] != 1 {
		t.Fatalf("got %v", got)
	}
	for _, h := range r.Hits[1:] {
		if share := h.Score / r.Hits[0].Score; share < .6 || share > .9 {
			t.Errorf("%d scores %.2f of the word itself", h.ID, share)
		}
	}
}

// A rare word that a rule names is no typo of a frequent one.
func TestSynonymsAreNoTypos(t *testing.T) {
	docs := []index.Doc{{ID: 1, Lang: "en", Body: "the kestle and the boiler"}}
	for i := range 40 {
		docs = append(docs, index.Doc{ID: int64(i + 2), Lang: "en", Body: fmt.Sprint("the kettle stands here ", i)})
	}
	x := open(t, docs...)
	if got := search(t, x, index.Query{Text: "kestle"}); got.Total < 2 {
		t.Fatalf("without a rule it may be a typo: %d", got.Total)
	}
	x.SetSynonyms(parse(t, "kestle, boiler"))
	if got := ids(search(t, x, index.Query{Text: "kestle"})); !slices.Equal(got, []int64{1}) {
		t.Errorf("got %v", got)
	}
}

// A name in pinyin that is its synonym too counts once.
func TestSynonymsAndPinyinCountOnce(t *testing.T) {
	x := open(t,
		index.Doc{ID: 1, Lang: "zh-Hans", Body: "京东很快。"}, index.Doc{ID: 2, Lang: "en", Body: "Jingdong is fast."},
		index.Doc{ID: 3, Lang: "en", Body: "Snails are slow."}, index.Doc{ID: 4, Lang: "zh-Hans", Body: "蜗牛很慢。"},
	)
	x.SetSynonyms(parse(t, "京东, jingdong"))
	r := search(t, x, index.Query{Text: "京东", Lang: "fr"})
	if len(r.Hits) != 2 || r.Hits[0].ID != 1 || r.Hits[1].Score > .95*r.Hits[0].Score {
		t.Errorf("got %v", r.Hits)
	}
}

// What stands in the text for the word is marked; what is found by words that
// stand apart shows nothing as if it were an answer.
func TestSynonymsInSnippets(t *testing.T) {
	x := shops(t, rules)
	for _, c := range []struct{ query, lang, text, marked string }{
		{"京东", "en", "Nobody delivers faster than JD.com does. The vans leave at dawn.", "JD.com"},
		{"电商", "it", "Da anni il commercio elettronico cresce.", "commercio elettronico"},
		{"e-commerce", "zh-Hans", "他说电子商务很好。", "电子商务"},
		{"电商", "it", "Il commercio di vicinato resiste. Il bollettino elettronico arriva.", ""},
		{"telefonino", "zh-Hant", "學生帶手機上學。", "手機"},
	} {
		s := x.Snippet(search(t, x, index.Query{Text: c.query}), index.Sentences(c.lang, c.text))
		var marked []string
		for _, m := range s.Marks {
			marked = append(marked, s.Text[m.Start:m.End])
		}
		if got := strings.Join(marked, "|"); got != c.marked || s.Matched != (c.marked != "") {
			t.Errorf("%q in %q: marked %q, matched %v, want %q", c.query, c.text, got, s.Matched, c.marked)
		}
	}
}

func TestSynonymRulesAreChecked(t *testing.T) {
	long := strings.Repeat("长", 81)
	text := strings.Join([]string{
		"\ufeff# good", "jd, 京东", "", "jd", "京东 =>", "=> jd", "a => b => c", "x,, y", "x, " + long, "x, !!!", "京东, 京東", "x, y # why",
		"\xff\xfe, x", "京东 => 京東", `a\,b, c`, "甲，乙、丙", "x, " + strings.Repeat("y, ", 120), "a ＝＞ b", "=>", ",",
	}, "\r\n")
	_, err := index.ParseSynonyms(strings.NewReader(text))
	var problems index.SynonymProblems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"4: \"jd\" stands alone", "5: nothing stands on the right", "6: nothing stands on the left", "7: there are 2 arrows",
		"8: nothing stands before, between or after a comma", "9: \"长长", "10: \"!!!\" has no letters", "11: all that stands here is the same",
		"12: \"y # why\" has a #", "13: this is not UTF-8", "14: all that stands here", "17: 122 entries are too many",
		"19: nothing stands on the left", "19: nothing stands on the right", "20: nothing stands", "20: nothing stands",
	}
	for i, p := range problems {
		got := fmt.Sprintf("%d: %s", p.Line, p.What)
		if i >= len(want) || !strings.HasPrefix(got, want[i]) {
			t.Errorf("got %q, want %q", got, want[min(i, len(want)-1)])
		}
	}
	if len(problems) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(problems), len(want), err)
	}
	if s := parse(t, "# only\n\n"); s.Rules() != 0 {
		t.Errorf("%d rules in a comment", s.Rules())
	}
	if _, err := index.ParseSynonyms(strings.NewReader(strings.Repeat("a, b\n", 2<<20))); !errors.As(err, &problems) || len(problems) != 1 {
		t.Errorf("a file that is too long: %v", err)
	}
	if _, err := index.ParseSynonyms(strings.NewReader(strings.Repeat("a\n", 500))); !errors.As(err, &problems) || len(problems) != 101 {
		t.Errorf("%d problems are told", len(problems))
	}
}

// Rules are not chained, and several that name an entry add up.
func TestSynonymRulesInAnySpelling(t *testing.T) {
	x := open(t, index.Doc{ID: 1, Lang: "en", Body: "found it"}, index.Doc{ID: 2, Lang: "en", Body: "another"})
	x.SetSynonyms(parse(t, "Müller, perché no, にゅーす, 臺灣, Ёлка, Продажа, A股 => found\nwidget\\, blue => another"))
	for query, want := range map[string]int64{
		"muller": 1, "MUELLER": 1, "Müller": 1, "perche no": 1, "PERCHÉ NO": 1, "ニュース": 1, "ﾆｭｰｽ": 1, "台湾": 1, "елка": 1, "продажи": 1, "Ａ股": 1,
		"A股市场": 1, "blue widget": 0, "widget blue": 2, "Widget, BLUE": 2, "no": 0,
	} {
		got := ids(search(t, x, index.Query{Text: query}))
		if want == 0 && len(got) > 0 || want > 0 && (len(got) != 1 || got[0] != want) {
			t.Errorf("%s: %v, want %d", query, got, want)
		}
	}
}

func TestSynonymRulesAddUp(t *testing.T) {
	x := open(t,
		index.Doc{ID: 1, Lang: "en", Body: "alpha alone"}, index.Doc{ID: 2, Lang: "en", Body: "beta alone"},
		index.Doc{ID: 3, Lang: "en", Body: "gamma alone"}, index.Doc{ID: 4, Lang: "en", Body: "delta alone"},
	)
	x.SetSynonyms(parse(t, "alpha, beta\nbeta, gamma\nbeta => delta"))
	for query, want := range map[string][]int64{"alpha": {1, 2}, "beta": {1, 2, 3, 4}, "gamma": {2, 3}, "delta": {4}} {
		got := ids(search(t, x, index.Query{Text: query}))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func FuzzParseSynonyms(f *testing.F) {
	for _, s := range []string{rules, "a => b => c", "a,b\\", "\ufeffjd, 京东\r\n#x", "A股, a stock\nxi'an, 西安, l'été", "\xff", "ＪＤ＝＞にゅーす", "茶 茶,\u200b"} {
		f.Add(s, "京东 e-commerce")
	}
	x := open(f, index.Doc{ID: 1, Lang: "en", Title: "JD.com", Body: "jd a stock"}, index.Doc{ID: 2, Lang: "zh-Hans", Title: "京东", Body: "西安的电商"})
	f.Fuzz(func(t *testing.T, text, query string) {
		s, err := index.ParseSynonyms(strings.NewReader(text))
		var problems index.SynonymProblems
		if err != nil {
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			last := 0
			for _, p := range problems {
				if p.Line < last || p.Line > strings.Count(text, "\n")+1 {
					t.Fatalf("%q: line %d", text, p.Line)
				}
				last = p.Line
			}
			return
		}
		x.SetSynonyms(s)
		for _, q := range []string{query, text} {
			r := search(t, x, index.Query{Text: q})
			x.Snippet(r, index.Sentences("en", text))
		}
	})
}
