package index

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"newsie/internal/corpus"
)

// What a text is not asked for may be left out of it: the same words are marked.
func TestTokensThatAreNotWantedMatchNothing(t *testing.T) {
	x, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	made := corpus.New()
	type text struct{ lang, body string }
	texts := []text{
		{"it", "L'economia dell'isola: iPhone15, C++ e l’Èrcole, 1.000 e 3,5; è già."}, {"de", "Straße, Öl und ölig, Überfluß; E-Commerce."},
		{"ga", "An bhean agus na mban; t-uisce, n-athair, hArd Mhacha."}, {"ar", "والكتاب في المكتبة وكتب كثيرة."}, {"ta", "எழுதுகிறேன் எவ்வீடு"},
		{"zh-Hans", "B站的微店，A股5月维生素C。"}, {"ru", "Ёлка и ёлки, йод, Электронная коммерция"}, {"fr", "L'Œuvre d'été, qu'il élève"}, {"el", "Ο Οδυσσέας"},
	}
	var docs []Doc
	for i := range 70 {
		a := made.Article(i)
		texts = append(texts, text{a.Lang, a.Body()})
	}
	for i, text := range texts {
		docs = append(docs, Doc{ID: int64(i + 1), Lang: text.lang, Title: fmt.Sprint(i), Body: text.body})
	}
	if err := x.Update(int64(len(docs)), docs); err != nil {
		t.Fatal(err)
	}
	queries := []string{
		"economia", "ercole", "15", "iphone", "c++", "1000", "3.5", "gia", "strasse", "ol uberfluss", "commerce", "bean", "uisce athair", "كتاب", "كتب", "எழுது",
		"B站 微店", "A股", "维生素C", "елка", "иод", "электронный", "oeuvre", "ete eleve", "οδυσσεας",
	}
	for i := range 200 {
		queries = append(queries, made.Question(i%70).Text)
	}
	found := 0
	for _, query := range queries {
		r, err := x.Search(context.Background(), Query{Text: query, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		if r.plan == nil {
			continue
		}
		w := new(worker)
		for _, text := range texts {
			want := r.plan.matchesAmong(w, text.lang, text.body, nil)
			got := r.plan.matches(w, text.lang, text.body)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q in %s: %d matches, want %d", query, text.lang, len(got), len(want))
			}
			found += len(want)
		}
	}
	if found < 1000 {
		t.Errorf("only %d matches: too little was asked", found)
	}
}
