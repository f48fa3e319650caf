package content_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/internal/database/databasetest"
)

func TestPins(t *testing.T) {
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "newsie.db") },
		"postgres": func(t *testing.T) string { return databasetest.PostgresAddress(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address(t)
			now := start
			clock := func() time.Time { return now }
			here := content.Store(databasetest.Open(t, at), content.Options{Now: clock})
			there := content.Store(databasetest.Open(t, at), content.Options{Now: clock}) // another replica
			var ids []int64
			for i := range 5 {
				a := article(fmt.Sprint(i), fmt.Sprintf("Title %d", i), "It is about tea.")
				if i == 4 {
					a.Published, a.State = start.AddDate(1, 0, 0), content.Waiting
				}
				kept, _ := add(t, here, a)
				ids = append(ids, kept.ID)
			}
			top := func(l *content.Library, f content.Filter) string {
				t.Helper()
				list, err := l.Pinned(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				var titles []string
				for _, a := range list {
					if !a.Pinned {
						t.Errorf("%s is not marked", a.Title)
					}
					titles = append(titles, a.Title)
				}
				return strings.Join(titles, ", ")
			}
			pin := func(i int, until time.Time) error { _, err := here.Pin(t.Context(), ids[i], until); return err }
			if got := top(there, content.Filter{}); got != "" {
				t.Errorf("nothing is pinned: %s", got)
			}
			for i := range 3 {
				now = now.Add(time.Second)
				if err := pin(i, start.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			for name, test := range map[string]struct {
				article int64
				want    error
			}{"a fourth": {ids[3], content.ErrTooManyPins}, "one that waits": {ids[4], content.ErrNotPublished}, "none": {9999, content.ErrNotFound}} {
				if _, err := here.Pin(t.Context(), test.article, start.Add(time.Hour)); !errors.Is(err, test.want) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := pin(0, start.Add(2*time.Hour)); err != nil { // only its time changes
				t.Error(err)
			}
			now = now.Add(3 * time.Second)
			for _, l := range []*content.Library{here, there} {
				if got := top(l, content.Filter{}); got != "Title 2, Title 1, Title 0" {
					t.Errorf("pinned: %s", got)
				}
			}
			if got := top(here, content.Filter{Sources: []string{"another"}}); got != "" {
				t.Errorf("of another source: %s", got)
			}
			if err := here.Withdraw(t.Context(), ids[2]); err != nil {
				t.Fatal(err)
			}
			if ok, err := here.Unpin(t.Context(), ids[1]); !ok || err != nil {
				t.Error(ok, err)
			}
			if ok, err := here.Unpin(t.Context(), ids[1]); ok || err != nil {
				t.Error("unpinned again", ok, err)
			}
			if got := top(here, content.Filter{}); got != "Title 0" {
				t.Errorf("after a withdrawal and an unpin: %s", got)
			}
			if _, err := here.Pin(t.Context(), ids[2], start.Add(time.Hour)); !errors.Is(err, content.ErrWithdrawn) {
				t.Errorf("a withdrawn one: %v", err)
			}
			pins, err := there.Pins(t.Context())
			if err != nil || len(pins) != 2 || pins[1].Article.ID != ids[0] || !pins[1].Until.Equal(start.Add(2*time.Hour)) {
				t.Errorf("%+v %v", pins, err)
			}
			now = start.Add(2 * time.Hour)
			if got := top(there, content.Filter{}); got != "" {
				t.Errorf("when the time is over: %s", got)
			}
			if err := pin(3, start.Add(9*time.Hour)); err != nil { // those that are over do not count
				t.Error(err)
			}
		})
	}
}

func TestAtop(t *testing.T) {
	a := func(ids ...int64) (list []content.Article) {
		for _, id := range ids {
			list = append(list, content.Article{ID: id})
		}
		return list
	}
	newest := a(5, 4, 3)
	if got := fmt.Sprint(content.Atop(a(4, 1), newest)); got != fmt.Sprint(a(4, 1, 5, 3)) {
		t.Error(got)
	}
	if fmt.Sprint(newest) != fmt.Sprint(a(5, 4, 3)) {
		t.Error("the list was changed")
	}
}
