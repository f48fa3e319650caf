package content_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// shelf is a small library: articles by key, those of one theme with the same
// first letter, loners with x.
var shelf = []struct{ key, lang, title, body string }{
	{"a1", "en", "Bees return to city roofs", "Beekeepers put hives on the roofs of offices and schools. The bees find linden and acacia in the parks, and honey from the city has few pesticides in it."},
	{"a2", "en", "What a hive needs in winter", "Bees keep a hive warm by trembling. Beekeepers weigh each hive in October, leave enough honey and close the entrance against mice."},
	{"a3", "en", "Honey prices fall", "Importers sell syrup as honey, say beekeepers, whose hives no longer pay. A laboratory can tell the syrup of rice from the honey of bees."},
	{"b1", "en", "Night trains come back", "Sleeping cars leave Vienna for Rome and Paris again. Railways order new carriages, and passengers book berths months ahead of the night trains."},
	{"b2", "en", "A berth to Rome", "The night train leaves at seven; the sleeping car has ten compartments with three berths each, and the conductor brings coffee before Rome."},
	{"b3", "en", "Railways order carriages", "Three railways order two hundred carriages for night trains: sleeping cars with showers, and couchette cars for bicycles and families."},
	{"c1", "it", "Il forno del quartiere", "Il fornaio impasta il pane alle tre di notte con il lievito madre. Il forno a legna cuoce pagnotte e focacce per tutto il quartiere."},
	{"c2", "it", "Lievito madre, istruzioni", "Il lievito madre si rinfresca con farina e acqua ogni giorno. Chi impasta il pane in casa scalda il forno e la pietra prima delle pagnotte."},
	{"d1", "zh-Hans", "微店怎样开张", "小店主在微信里开一家微店，上传商品照片，顾客扫描二维码就能下单付款，店主当天发货。"},
	{"d2", "zh-Hans", "二维码贴在哪里", "微店的二维码贴在柜台和包装盒上，顾客扫描以后看到商品照片，下单付款，店主再送一张优惠券。"},
	{"e1", "en", "Bagnaia wins at Mugello", "Francesco Bagnaia won on the Ducati at Mugello ahead of Jorge Martin and Enea Bastianini; Marc Marquez fell in the Arrabbiata curve."},
	{"e2", "it", "Bagnaia vince al Mugello", "Francesco Bagnaia ha vinto con la Ducati al Mugello davanti a Jorge Martin ed Enea Bastianini; Marc Marquez è caduto alla curva Arrabbiata."},
	{"x5", "en", "A hall of old motorcycles", "A museum shows old motorcycles: a Ducati of 1972, a Guzzi with a sidecar, and engines that visitors may take to pieces on Sundays."},
	{"x1", "en", "How tides work", "The moon pulls the sea towards it, and the earth turns beneath; twice a day the water stands high on most shores of the ocean."},
	{"x2", "it", "La scherma di sciabola", "Gli sciabolatori colpiscono di taglio e di punta; il bersaglio va dalla cintura in su, e l'arbitro decide la convenzione."},
	{"x3", "zh-Hans", "月球背面的尘土", "探测器在月球背面采集尘土样品，科学家分析玄武岩的年龄，推测火山活动何时停止。"},
	{"x4", "en", "A violin is varnished", "Nine coats of oil varnish, each dried in the sun of Cremona, give the spruce and maple of a violin their colour and its voice their warmth."},
}

func stock(t *testing.T, l *content.Library) map[string]content.Article {
	t.Helper()
	kept := map[string]content.Article{}
	for i, s := range shelf {
		a := article(s.key, s.title, s.body)
		a.Body = a.Body[1:]
		a.Lang, a.Author, a.Source = s.lang, "Ada Neri", fmt.Sprint("source", i%4)
		kept[s.key], _ = add(t, l, a)
	}
	return kept
}

func relatedTo(t *testing.T, l *content.Library, a content.Article) []string {
	t.Helper()
	list, err := l.Related(t.Context(), a.ID, 8)
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for _, r := range list {
		keys = append(keys, r.Key)
	}
	return keys
}

func TestRelatedAreOfTheSameTheme(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	kept := stock(t, l)
	follow(t, l)
	missing, wrong := 0, 0
	for _, s := range shelf {
		got := relatedTo(t, l, kept[s.key])
		for _, key := range got {
			if key[0] != s.key[0] || s.key[0] == 'x' {
				wrong++
				t.Logf("%s: %s has nothing to do with it", s.key, key)
			}
		}
		for _, other := range shelf {
			if s.key[0] != 'x' && other.key[0] == s.key[0] && other.key != s.key && !slices.Contains(got, other.key) {
				missing++
				t.Logf("%s: %s is missing of %v", s.key, other.key, got)
			}
		}
	}
	if wrong > 0 || missing > 2 {
		t.Errorf("%d are wrong, %d missing", wrong, missing)
	}
}

// What is clearly nearer comes first, in whatever language it is.
func TestRelatedInAnotherLanguage(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	kept := stock(t, l)
	follow(t, l)
	if got := relatedTo(t, l, kept["e1"]); len(got) == 0 || got[0] != "e2" {
		t.Errorf("the same race in Italian comes as %v", got)
	}
	if got := relatedTo(t, l, kept["a1"]); !slices.Equal(got, []string{"a2", "a3"}) && !slices.Equal(got, []string{"a3", "a2"}) {
		t.Errorf("of the same language: %v", got)
	}
}

func TestRelatedFollowTheLibrary(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		kept := stock(t, l)
		follow(t, l)
		// A new one enters the lists of those it is near, though theirs are not due.
		another := article("a4", "Hives for beginners", "A beginner needs a hive, a veil and a neighbour with bees. Beekeepers meet on Mondays, and honey is shared out in August.")
		another.Source, another.Lang = "source9", "en"
		a4, _ := add(t, l, another)
		follow(t, l)
		if got := relatedTo(t, l, kept["a1"]); !slices.Contains(got, "a4") {
			t.Errorf("the new one is missing: %v", got)
		}
		// Its copy changes nothing, and takes its place when it goes.
		copied := another
		copied.Source, copied.Key = "source8", "a5"
		a5, _ := add(t, l, copied)
		follow(t, l)
		if got := relatedTo(t, l, kept["a1"]); slices.Contains(got, "a5") {
			t.Errorf("a story twice: %v", got)
		}
		if got := relatedTo(t, l, a5); slices.Contains(got, "a4") || len(got) == 0 {
			t.Errorf("related to a copy: %v", got)
		}
		if err := l.Withdraw(t.Context(), a4.ID); err != nil {
			t.Fatal(err)
		}
		if got := relatedTo(t, l, kept["a1"]); slices.Contains(got, "a4") {
			t.Errorf("a withdrawn one: %v", got)
		}
	})
}

func TestTagsInCommonRelate(t *testing.T) {
	l := open(t, databasetest.SQLite(t), t.TempDir(), func() time.Time { return start })
	stock(t, l)
	var list []content.Article
	for i, tags := range [][]string{{"gardens", "tea"}, {"gardens", "tea"}, {"trade"}} {
		a := article(fmt.Sprint("t", i), "Tea", fmt.Sprintf("Tea number %c grows on a slope above the mist, and number %c is picked by hand.", 'p'+i, 'p'+i))
		a.Tags, a.Source = tags, fmt.Sprint("s", i)
		kept, _ := add(t, l, a)
		list = append(list, kept)
	}
	follow(t, l)
	if got := relatedTo(t, l, list[0]); !slices.Equal(got, []string{"t1", "t2"}) {
		t.Errorf("%v, want the one with the same tags first", got)
	}
}

// Lists that were kept as ids alone are read.
func TestRelatedOfAnOlderLibrary(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), func() time.Time { return start })
		kept := stock(t, l)
		if _, err := db.ExecContext(t.Context(), "UPDATE articles SET related = ? WHERE id = ?", fmt.Sprintf("[%d,%d]", kept["a2"].ID, kept["a3"].ID), kept["a1"].ID); err != nil {
			t.Fatal(err)
		}
		if got := relatedTo(t, l, kept["a1"]); !slices.Equal(got, []string{"a2", "a3"}) {
			t.Errorf("%v", got)
		}
	})
}
