package index_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

// library is a small one in several languages; article numbers stand in the cases.
func library(t testing.TB) *index.Index {
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	return open(t,
		index.Doc{ID: 1, Lang: "zh-Hans", Title: "微店如何开店", Body: "在微信里开一家微店，只要十分钟。人工智能可以帮忙写商品介绍。", Tags: []string{"电商"}, Source: "Shop News", Author: "王小明", Published: day("2024-03-01")},
		index.Doc{ID: 2, Lang: "zh-Hant", Title: "臺灣電商的發展", Body: "臺灣的網路購物平臺越來越多，物流也更快。", Tags: []string{"电商"}, Source: "Shop News", Published: day("2023-05-10")},
		index.Doc{ID: 3, Lang: "it", Title: "L'e-commerce in Cina", Body: "Dell’economia cinese si parla molto. Perché Weidian cresce? Nelle città i negozi aprono.", Tags: []string{"Cina"}, Source: "La Gazzetta", Author: "Mario Rossi", Published: day("2024-06-30")},
		index.Doc{ID: 4, Lang: "en", Title: "JD.com and its rivals", Body: "JD.com sells phones. Programmers there write C++ and use Wi-Fi and 5G. The 618 festival is theirs.", Source: "La Gazzetta", Published: day("2022-01-15")},
		index.Doc{ID: 5, Lang: "de", Title: "Müller und die Straße", Body: "Die Fußgänger in München müssen größere Wege gehen.", Published: day("2021-11-11")},
		index.Doc{ID: 6, Lang: "ru", Title: "Ёлки и подъёмы", Body: "Ещё раз о том, как ёлка растёт в Московской области."},
		index.Doc{ID: 7, Lang: "ja", Title: "ニュースアプリの使い方", Body: "新しいアプリでニュースを読む。学校でも使える。"},
		index.Doc{ID: 8, Lang: "ko", Title: "서울의 새로운 매장", Body: "서울에서 새로운 매장이 열렸다. 물이 맑다."},
		index.Doc{ID: 9, Lang: "zh-Hans", Title: "京东上市了", Body: "京东的股票在香港上市，A股投资者也关心。林志玲出席了活动。"},
		index.Doc{ID: 10, Lang: "en", Title: "Jingdong goes public", Body: "The company known as Jingdong lists its shares. It was a long way."},
		index.Doc{ID: 11, Lang: "fr", Title: "L’économie d’aujourd’hui", Body: "Qu'est-ce que l'intelligence artificielle change pour les petits commerçants ?"},
		index.Doc{ID: 13, Lang: "en", Title: "Street food 🍜", Body: "Noodles 🍜 and dumplings 🥟, with love ❤️ from the cook 👩🏽‍🍳."},
		index.Doc{ID: 12, Lang: "zh-Hans", Title: "新能源汽车在重庆", Body: "重庆的新能源汽车卖得很好，能源价格也低。"},
	)
}

func TestWhatReadersType(t *testing.T) {
	x := library(t)
	for _, c := range []struct {
		query string
		want  []int64 // in any order
	}{
		{"微店", []int64{1, 3}}, // 3 says Weidian
		{"微", []int64{1}},
		{"電商", []int64{2}}, {"电商", []int64{2}}, {"台湾", []int64{2}}, {"臺灣", []int64{2}}, {"平台", []int64{2}},
		{"ＪＤ．ｃｏｍ", []int64{4}}, {"JD.com", []int64{4}}, {"jd", []int64{4}}, {"jdcom", []int64{4}},
		{"C++", []int64{4}}, {"Wi-Fi", []int64{4}}, {"wifi", []int64{4}}, {"5G", []int64{4}}, {"618", []int64{4}}, {"６１８", []int64{4}},
		{"e-commerce", []int64{3, 11}}, {"ecommerce", []int64{3}}, {"l'e-commerce", []int64{3, 11}}, {"l’e-commerce", []int64{3, 11}}, // 11 has a part of it
		{"economia", []int64{3, 11}}, {"dell'economia", []int64{3, 11}}, // 11 is French and has the same stem
		{"perche", []int64{3}}, {"perchè", []int64{3}}, {"perché", []int64{3}},
		{"citta", []int64{3}}, {"città", []int64{3}}, {"negozio", []int64{3}},
		{"Mueller", []int64{5}}, {"Muller", []int64{5}}, {"Müller", []int64{5}}, {"strasse", []int64{5}}, {"Straße", []int64{5}}, {"muenchen", []int64{5}}, {"Fussgänger", []int64{5}},
		{"елка", []int64{6}}, {"ёлка", []int64{6}}, {"ЁЛКИ", []int64{6}}, {"еще", []int64{6}}, {"московская", []int64{6}},
		{"ニュース", []int64{7}}, {"にゅーす", []int64{7}}, {"ﾆｭｰｽ", []int64{7}}, {"ニュースレター", []int64{}}, {"學校", []int64{7}},
		{"서울", []int64{8}}, {"매장", []int64{8}}, {"물", []int64{8}},
		{"京东", []int64{9, 10}}, {"A股", []int64{9}},
		{"weidian", []int64{1, 3}}, {"chongqing", []int64{12}}, {"zhongqing", []int64{12}},
		{"economie", []int64{3, 11}}, {"économie", []int64{3, 11}}, {"intelligence artificielle", []int64{11}},
		{"新能源", []int64{12}},
		{"林志颖", []int64{}}, // is not 林志玲
		{"微点", []int64{3}}, // sounds as 微店 does
		{"xqzptlk", []int64{}}, {"🎉🎉", []int64{}}, {"🍜", []int64{13}}, {"🍜🍜🍜", []int64{13}}, {"❤", []int64{13}}, {"👩‍🍳", []int64{13}}, {"👍", []int64{}},
		{"mark17", []int64{}},
		{"", []int64{}}, {"   ", []int64{}}, {"?!…", []int64{}},
		{"\xff\xfe", []int64{}},
	} {
		got := map[int64]bool{}
		for _, id := range ids(search(t, x, index.Query{Text: c.query})) {
			got[id] = true
		}
		want := map[int64]bool{}
		for _, id := range c.want {
			want[id] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got): %s", c.query, diff)
		}
	}
}

func TestFirstHit(t *testing.T) {
	x := library(t)
	for query, want := range map[string]int64{
		"京东":   9,
		"人工智能": 1,
		"quando cresce Weidian in Cina e perché": 3,
		"jingdong shares":                        10,
		"重庆新能源汽车怎么样":                             12,
		"서울 매장":                                  8,
	} {
		got := ids(search(t, x, index.Query{Text: query}))
		if len(got) == 0 || got[0] != want {
			t.Errorf("%q: got %v, want %d first", query, got, want)
		}
	}
}

func TestTypos(t *testing.T) {
	x := library(t)
	for query, want := range map[string]string{
		"festivla":       "festival",
		"prgorammers":    "programmers",
		"ecnomia cinese": "economia cinese",
		"московксой":     "московской",
		"fussgaenegr":    "fußgänger",
		"festival":       "",
		"cit":            "",
		"5h":             "",
		"微点":             "",
	} {
		r := search(t, x, index.Query{Text: query})
		if r.Corrected != want {
			t.Errorf("%q: corrected to %q, want %q", query, r.Corrected, want)
		}
		if want != "" && len(r.Hits) == 0 {
			t.Errorf("%q: nothing found for %q", query, want)
		}
		if r = search(t, x, index.Query{Text: query, Exact: true}); r.Corrected != "" {
			t.Errorf("%q, exact: corrected to %q", query, r.Corrected)
		}
	}
}

func TestDropped(t *testing.T) {
	x := library(t)
	r := search(t, x, index.Query{Text: "Weidian xqzptlk"})
	if diff := cmp.Diff([]string{"xqzptlk"}, r.Dropped); diff != "" || len(r.Hits) == 0 {
		t.Errorf("hits %v, dropped %s", r.Hits, diff)
	}
	r = search(t, x, index.Query{Text: "林志颖 京东"})
	if diff := cmp.Diff([]string{"林志颖"}, r.Dropped); diff != "" || len(r.Hits) == 0 || r.Hits[0].ID != 9 {
		t.Errorf("hits %v, dropped %s", r.Hits, diff)
	}
	var docs []index.Doc
	for n := int64(1); n <= 20; n++ {
		docs = append(docs, index.Doc{ID: n, Lang: "en", Title: "Markets", Body: "The market is open."})
	}
	x = open(t, append(docs, index.Doc{ID: 99, Lang: "en", Title: "Bread", Body: "Flour and water."})...)
	if r = search(t, x, index.Query{Text: "market xqzptlk vrbnmqz"}); len(r.Hits) != 0 {
		t.Errorf("one common word of three answers: %v", ids(r))
	}
	if r = search(t, x, index.Query{Text: "market bread"}); !cmp.Equal(ids(r), []int64{99}) {
		t.Errorf("the common word of two answers: %v", ids(r))
	}
}

func TestOperatorsAndFilters(t *testing.T) {
	x := library(t)
	texts := map[int64]string{4: "JD.com and its rivals. JD.com sells phones. Programmers there write C++ and use Wi-Fi and 5G. The 618 festival is theirs."}
	fetch := func(id int64) (string, error) { return texts[id], nil }
	for _, c := range []struct {
		name  string
		query index.Query
		want  []int64
	}{
		{"language", index.Query{Text: "电商 lang:zh-hant"}, []int64{2}},
		{"any Chinese", index.Query{Text: "京东 OR 微店 lang:zh"}, []int64{1, 9}},
		{"language filter", index.Query{Text: "weidian", Langs: []string{"it"}}, []int64{3}},
		{"filter and operator", index.Query{Text: "weidian lang:zh", Langs: []string{"it"}}, []int64{}},
		{"tag", index.Query{Text: "weidian tag:cina"}, []int64{3}},
		{"author", index.Query{Text: "weidian author:rossi"}, []int64{3}},
		{"whole author", index.Query{Text: `weidian author:"Mario Rossi"`}, []int64{3}},
		{"Chinese author", index.Query{Text: "微店 author:王小明"}, []int64{1}},
		{"source", index.Query{Text: `weidian source:"Shop News"`}, []int64{1}},
		{"before", index.Query{Text: "weidian before:2024-06"}, []int64{1}},
		{"after", index.Query{Text: "weidian after:2024-06"}, []int64{3}},
		{"between", index.Query{Text: "weidian", After: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Before: time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC)}, []int64{1}},
		{"not", index.Query{Text: "weidian -economia"}, []int64{1}},
		{"not, Chinese", index.Query{Text: "weidian -人工智能"}, []int64{3}},
		{"numbers", index.Query{Text: "weidian", IDs: []int64{3, 4, 99}}, []int64{3}},
		{"no numbers", index.Query{Text: "weidian", IDs: []int64{}}, []int64{}},
		{"phrase", index.Query{Text: `"sells phones"`, Fetch: fetch}, []int64{4}},
		{"phrase in another order", index.Query{Text: `"phones sells"`, Fetch: fetch}, []int64{}},
		{"phrase, unverified", index.Query{Text: `"phones sells"`}, []int64{4}},
		{"phrase with a word more", index.Query{Text: `"JD.com sells" festival`, Fetch: fetch}, []int64{4}},
	} {
		got := ids(search(t, x, c.query))
		same := map[int64]bool{}
		for _, id := range got {
			same[id] = true
		}
		want := map[int64]bool{}
		for _, id := range c.want {
			want[id] = true
		}
		if diff := cmp.Diff(want, same); diff != "" {
			t.Errorf("%s (-want +got): %s", c.name, diff)
		}
	}
	broken := errors.New("disk on fire")
	_, err := x.Search(context.Background(), index.Query{Text: `"sells phones"`, Fetch: func(int64) (string, error) { return "", broken }})
	if !errors.Is(err, broken) {
		t.Errorf("error of Fetch: %v", err)
	}
}

func TestPages(t *testing.T) {
	var docs []index.Doc
	for n := int64(1); n <= 25; n++ {
		docs = append(docs, index.Doc{ID: n, Lang: "en", Title: "Lemons", Body: strings.Repeat("and more ", int(n))})
	}
	x := open(t, docs...)
	var all []int64
	for offset := 0; offset < 30; offset += 10 {
		r := search(t, x, index.Query{Text: "lemons", Limit: 10, Offset: offset})
		if r.Total != 25 {
			t.Errorf("total %d at %d", r.Total, offset)
		}
		all = append(all, ids(r)...)
	}
	if len(all) != 25 {
		t.Fatalf("%d hits on three pages", len(all))
	}
	if diff := cmp.Diff(ids(search(t, x, index.Query{Text: "lemons", Limit: 100})), all); diff != "" {
		t.Errorf("pages do not make the whole: %s", diff)
	}
	if r := search(t, x, index.Query{Text: "lemons", Limit: 5, Offset: 100}); len(r.Hits) != 0 || r.Total != 25 {
		t.Errorf("past the end: %d of %d", len(r.Hits), r.Total)
	}
}

func TestPriors(t *testing.T) {
	now := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	x := open(t,
		index.Doc{ID: 1, Lang: "en", Title: "Weidian", Body: "grows", Published: now.AddDate(0, 0, -1)},
		index.Doc{ID: 2, Lang: "it", Title: "Weidian", Body: "cresce", Published: now.AddDate(-3, 0, 0)},
	)
	for _, c := range []struct {
		name  string
		query index.Query
		want  int64
	}{
		{"reader's language, en", index.Query{Text: "weidian", Lang: "en"}, 1},
		{"reader's language, it", index.Query{Text: "weidian", Lang: "it"}, 2},
		{"newer first", index.Query{Text: "weidian", Now: now, Recency: .2}, 1},
	} {
		if got := ids(search(t, x, c.query)); len(got) != 2 || got[0] != c.want {
			t.Errorf("%s: got %v, want %d first", c.name, got, c.want)
		}
	}
}

// Of texts that have the words as often the one comes first that has them as
// the reader wrote them, and it overtakes no clearly better one.
func TestPhrasesComeFirst(t *testing.T) {
	texts := map[int64]string{
		1: "The tea was cold and the bowl was green, as the house is in Kyoto.",
		2: "The bowl was cold and the green tea was hot in the house in Kyoto.",
		3: "Tea in Rome, green in the morning: the house pours tea, green tea, green as tea can be, with no word of the town.",
		4: "A green bowl of clay was made for the tea they drink all day.",
	}
	var docs []index.Doc
	for id, text := range texts {
		docs = append(docs, index.Doc{ID: id, Lang: "en", Title: "Number " + fmt.Sprint(id), Body: text})
	}
	for n := int64(10); n < 40; n++ {
		docs = append(docs, index.Doc{ID: n, Lang: "en", Title: "Weather", Body: "Rain and more rain."})
	}
	x := open(t, docs...)
	fetched := 0
	fetch := func(id int64) (string, error) { fetched++; return texts[id], nil }
	for _, c := range []struct {
		query string
		fetch bool
		want  []int64
	}{
		{"green tea", true, []int64{3, 2, 4, 1}}, // 3 has it often, 2 as a phrase, of 4 and 1 the shorter is better
		{"green tea", false, []int64{3, 4, 2, 1}},
		{"tea green", true, []int64{3, 4, 2, 1}},
	} {
		q := index.Query{Text: c.query}
		if c.fetch {
			q.Fetch = fetch
		}
		if diff := cmp.Diff(c.want, ids(search(t, x, q))); diff != "" {
			t.Errorf("%q, fetch %v (-want +got): %s", c.query, c.fetch, diff)
		}
	}
	fetched = 0
	if search(t, x, index.Query{Text: "tea", Fetch: fetch}); fetched > 0 {
		t.Errorf("%d texts were read for one word", fetched)
	}
}

func TestNearest(t *testing.T) {
	x := library(t)
	for text, want := range map[string]string{
		"festivle": "festival",
		"festiv":   "festival",
		"подьёмы":  "подъёмы",
		"新能源电池":    "新能源",
		"xqzptlk":  "",
		"":         "",
	} {
		got, err := x.Nearest(context.Background(), text, 5)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0] != want) {
			t.Errorf("nearest to %q: %q, want %q first", text, got, want)
		}
	}
}

func TestSimilar(t *testing.T) {
	story := "The harbour of Genoa was closed on Monday after a crane fell on the quay. Nobody was hurt, the port authority said."
	x := open(t,
		index.Doc{ID: 1, Lang: "en", Title: "Crane falls in Genoa", Body: story},
		index.Doc{ID: 2, Lang: "en", Title: "Genoa: crane falls", Body: story + " Ships wait outside."},
		index.Doc{ID: 3, Lang: "en", Title: "Genoa's port grows", Body: "The port of Genoa handled more containers this year."},
		index.Doc{ID: 4, Lang: "en", Title: "Apples are dear", Body: "Frost in spring has made apples dear."},
		index.Doc{ID: 5, Lang: "it", Title: "Cade una gru a Genova", Body: "Il port authority di Genoa, in inglese."},
	)
	hits, err := x.Similar(context.Background(), index.Doc{ID: 1, Lang: "en", Title: "Crane falls in Genoa", Body: story}, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(hits) != 3 || hits[0].ID != 2 || hits[1].ID != 3 {
		t.Fatalf("got %v", hits)
	}
	if hits[0].Score < .8 || hits[1].Score > .5 {
		t.Errorf("the same story has %.2f, another %.2f", hits[0].Score, hits[1].Score)
	}
}

func ExampleParseQuery() {
	p := index.ParseQuery(`shops "in Rome" -pizza lang:it after:2024 before:soon`)
	fmt.Printf("%q %q %q %q %s\n", p.Text, p.Phrases, p.Not, p.Langs, p.After.Format(time.DateOnly))
	// Output: "shops in Rome before:soon" ["in Rome"] ["pizza"] ["it"] 2024-01-01
}
