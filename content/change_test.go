package content_test

import (
	"errors"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A picture is served while a published article shows it.
func TestPicturesOfWithdrawnArticlesAreServedToNobody(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := content.Store(db, content.Options{})
		figure := content.Figure{Name: "p.png", Type: "image/png", Data: []byte("picture")}
		path := content.MediaPath(figure)
		keep := func(key string, change func(*content.Article)) content.Article {
			a := article(key, "Title "+key, "Body "+key)
			change(&a)
			kept, _, err := l.Add(t.Context(), a, []content.Figure{figure})
			if err != nil {
				t.Fatal(err)
			}
			return kept
		}
		served := func(want bool, when string) {
			t.Helper()
			_, err := l.Picture(t.Context(), path[len("/media/"):])
			if got := err == nil; got != want || !got && !errors.Is(err, content.ErrNotFound) {
				t.Errorf("%s: served %v, %v", when, got, err)
			}
		}
		cover := keep("cover", func(a *content.Article) { a.Cover = path })
		body := keep("body", func(a *content.Article) {
			a.Body = append(a.Body, content.Block{Kind: content.Picture, URL: path}, content.Block{Kind: content.Picture, URL: path})
		})
		served(true, "with both")
		if err := l.Withdraw(t.Context(), cover.ID); err != nil {
			t.Fatal(err)
		}
		served(true, "with the one whose body shows it")
		if err := l.Withdraw(t.Context(), body.ID); err != nil {
			t.Fatal(err)
		}
		served(false, "with both withdrawn")
		if err := l.Restore(t.Context(), cover.ID); err != nil {
			t.Fatal(err)
		}
		served(true, "restored")
		keep("cover", func(a *content.Article) { a.Hash = "another" })
		served(false, "the article has no cover any more")
		keep("draft", func(a *content.Article) { a.Cover, a.State = path, content.Unready })
		served(false, "with a draft only")
	})
}

func TestArticlesWhoseFileWentAwayReturn(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := content.Store(db, content.Options{Now: func() time.Time { return start }})
		gone, _ := add(t, l, article("gone", "Gone", "Body"))
		withdrawn, _ := add(t, l, article("withdrawn", "Withdrawn", "Body"))
		if err := l.Withdraw(t.Context(), withdrawn.ID); err != nil {
			t.Fatal(err)
		}
		for _, id := range []int64{gone.ID, withdrawn.ID} {
			if err := l.Lose(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if known, err := l.Known(t.Context(), gone.Source, gone.Key, gone.Hash); known || err != nil {
			t.Errorf("a gone article is known: %v, %v", known, err)
		}
		if n, err := l.Count(t.Context(), content.Filter{}); n != 0 || err != nil {
			t.Errorf("%d are seen, %v", n, err)
		}
		back, change := add(t, l, article("gone", "Gone", "Body"))
		if change != content.Updated || back.ID != gone.ID || back.State != content.Published || back.AddedSeq != gone.AddedSeq {
			t.Errorf("returned: %s %+v; was %+v", change, back, gone)
		}
		if again, change := add(t, l, article("withdrawn", "Withdrawn", "Body")); change != content.Unchanged || again.ID != withdrawn.ID {
			t.Errorf("what the publisher withdrew: %s", change)
		}
		if a, err := l.Article(t.Context(), withdrawn.ID); a.State != content.Withdrawn || err != nil {
			t.Errorf("what the publisher withdrew is %s, %v", a.State, err)
		}
	})
}

func TestMovedArticlesKeepTheirNumber(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := content.Store(db, content.Options{})
		old, _ := add(t, l, article("old", "Title", "Body"))
		if err := l.Rekey(t.Context(), old.ID, "other", "new"); err != nil {
			t.Fatal(err)
		}
		same, err := l.ByHash(t.Context(), old.Hash)
		if err != nil || len(same) != 1 || same[0].ID != old.ID || same[0].Source != "other" || same[0].Key != "new" || same[0].Seq <= old.Seq {
			t.Errorf("%+v, %v", same, err)
		}
		moved := article("new", "Title", "Body")
		moved.Source = "other"
		if again, change := add(t, l, moved); change != content.Unchanged || again.ID != old.ID {
			t.Errorf("%s as %d, was %d", change, again.ID, old.ID)
		}
	})
}

// What is sent unasked is about the words as the reader wrote them.
func TestMatchesRepairNoSpelling(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := open(t, db, t.TempDir(), nil)
		kept, _ := add(t, l, article("k", "The harbour market", "A harbour and its market."))
		follow(t, l)
		for topic, want := range map[string]int{"harbour": 1, "harbuor": 0} {
			ids, _, err := l.Matches(t.Context(), topic, "en", content.Filter{}, 0, kept.Seq, 5)
			if err != nil || len(ids) != want {
				t.Errorf("%s: %v, %v; want %d", topic, ids, err, want)
			}
		}
	})
}
