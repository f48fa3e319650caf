package wechat_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"newsie/bot/wechat"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

func (s *stage) rows(t *testing.T, reader string) (n int) {
	t.Helper()
	if err := s.db.NewRaw("SELECT count(*) FROM quotas WHERE name = ?", "wechat/wx/"+reader).Scan(t.Context(), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALinkGrantsOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, onlyOnce)
		r := s.Follower("r1")
		link, err := s.channel.GrantLink(t.Context(), "r1", 1, "en")
		if err != nil {
			t.Fatal(err)
		}
		address, err := r.Confirm(link, true)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is a page loaded again
			if status, page := s.openPage(t, http.MethodGet, address); status != http.StatusOK || !strings.Contains(page, "will come by itself") {
				t.Fatalf("status %d: %s", status, page)
			}
		}
		if receipt, err := s.send(t, "r1"); err != nil || receipt.Way != "once" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		// Used up; loading the page once more permits nothing.
		if _, page := s.openPage(t, http.MethodGet, address); !strings.Contains(page, "no longer works") {
			t.Errorf("loaded again: %s", page)
		}
		if _, err := s.send(t, "r1"); kind(err) != "not now" || s.Calls(wechattest.OnceSend) != 1 {
			t.Errorf("%v, after %d calls", err, s.Calls(wechattest.OnceSend))
		}
	})
}

func TestNothingComesBackOfAReaderWhoLeft(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, service)
		r := s.Follower("r1")
		link, err := s.channel.GrantLink(t.Context(), "r1", 1, "en")
		if err != nil {
			t.Fatal(err)
		}
		address, err := r.Confirm(link, true)
		if err != nil {
			t.Fatal(err)
		}
		r.Unsubscribe()
		if err := wechat.NewWindows(db, "wx", s.clock.Now).Forget(t.Context(), "r1"); err != nil { // as the bot has every channel do
			t.Fatal(err)
		}
		if _, page := s.openPage(t, http.MethodGet, address); !strings.Contains(page, "no longer works") {
			t.Errorf("an old link: %s", page)
		}
		r.Withdraw(s.config.Notice.Template)
		s.Flush()
		if n := s.rows(t, "r1"); n != 0 {
			t.Errorf("%d rows are left of a reader who left", n)
		}
	})
}

func TestOffersAreForgottenInTime(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		s := startOn(t, db, echo, onlyOnce)
		if _, err := s.channel.GrantLink(t.Context(), "r1", 1, "en"); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ days, rows int }{{29, 1}, {2, 0}} {
			s.clock.Advance(time.Duration(step.days) * 24 * time.Hour)
			if err := wechat.NewWindows(db, "wx", s.clock.Now).Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := s.rows(t, "r1"); n != step.rows {
				t.Errorf("after %d more days %d rows, want %d", step.days, n, step.rows)
			}
		}
	})
}
