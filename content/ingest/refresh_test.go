package ingest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/content/ingest"
	"newsie/content/source"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// A site serves one feed that tests change and break.
type site struct {
	*httptest.Server

	mu       sync.Mutex
	items    []string
	code     int
	retry    string
	requests int
	fresh    int // requests answered in full
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests++
		if s.code != 0 {
			w.Header().Set("Retry-After", s.retry)
			w.WriteHeader(s.code)
			return
		}
		tag := fmt.Sprintf(`"%d"`, len(s.items))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		s.fresh++
		if r.URL.Path == "/page" {
			fmt.Fprint(w, "<html><head><title>A page</title><link rel=alternate type=application/rss+xml href=/feed></head><body><p>Its text.</p></body></html>")
			return
		}
		fmt.Fprintf(w, `<?xml version="1.0"?><rss version="2.0"><channel><title>S</title>%s</channel></rss>`, strings.Join(s.items, ""))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) set(code int, retry string, items ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.retry = code, retry
	for _, item := range items {
		s.items = append(s.items, fmt.Sprintf("<item><guid>g:%s</guid><title>%s</title><description>The text of %s.</description></item>", item, item, item))
	}
}

func (s *site) asked() (requests, fresh int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.fresh
}

func TestRefreshBringsInWhatIsNew(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, s := build(t, db), open(t)
		feed := ingest.SourceConfig{Name: "letter", Location: s.URL + "/feed?key=secret"}
		refresh := func(want string) {
			t.Helper()
			r, err := h.Refresh(t.Context(), feed)
			if err != nil || counts(r) != want {
				t.Errorf("%s, %v; want %s", counts(r), err, want)
			}
		}
		s.set(0, "", "one", "two")
		refresh("2 added, 0 updated, 0 unchanged, 0 refused")
		refresh("0 added, 0 updated, 0 unchanged, 0 refused")
		s.set(0, "", "three")
		refresh("1 added, 0 updated, 2 unchanged, 0 refused")
		if requests, fresh := s.asked(); requests != 3 || fresh != 2 {
			t.Errorf("%d requests, %d answered in full", requests, fresh)
		}
		// By hand it is the same source.
		if got := counts(h.bring(t, ingest.Options{}, feed.Location)); got != "0 added, 0 updated, 3 unchanged, 0 refused" {
			t.Errorf("by hand: %s", got)
		}
		s.set(500, "")
		if _, err := h.Refresh(t.Context(), feed); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("a broken feed: %v", err)
		}
		failed := h.clock()
		h.wait(time.Hour)
		_, _ = h.Refresh(t.Context(), feed)
		all, err := h.Statuses(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("statuses %v, %v", all, err)
		}
		if st := all[0]; st.Failures != 2 || !st.FailingSince.Equal(failed) || !st.Checked.Equal(h.clock()) || !strings.Contains(st.Error, "500") || st.Kind != ingest.KindFeed {
			t.Errorf("status %+v", st)
		}
		s.set(0, "")
		refresh("0 added, 0 updated, 0 unchanged, 0 refused") // the ETag was kept
		if all, err = h.Statuses(t.Context()); err != nil || all[0].Failures != 0 || !all[0].FailingSince.IsZero() || all[0].Error != "" {
			t.Errorf("status %+v, %v", all, err)
		}
		feed.Location = s.URL + "/page"
		if _, err := h.Refresh(t.Context(), feed); err == nil || !strings.Contains(err.Error(), "is no feed") {
			t.Errorf("a page as a feed: %v", err)
		}
		feed.Kind = ingest.KindPage
		refresh("1 added, 0 updated, 0 unchanged, 0 refused")
	})
}

func TestAFolderIsASource(t *testing.T) {
	h, dir := build(t, databasetest.SQLite(t)), t.TempDir()
	write(t, dir, "posts/a.md", "# A\n\nText of the article.")
	write(t, dir, "posts/bad.md", "\x00")
	folder := ingest.SourceConfig{Name: "My notes", Location: dir}
	r, err := h.Refresh(t.Context(), folder)
	if err != nil || counts(r) != "1 added, 0 updated, 0 unchanged, 1 refused" || r.Articles[0].Source != "My notes" {
		t.Errorf("%+v, %v", r, err)
	}
	if got := counts(h.bring(t, ingest.Options{}, dir+"/posts/a.md")); got != "0 added, 0 updated, 1 unchanged, 0 refused" {
		t.Errorf("by hand: %s", got)
	}
	if all, err := h.Statuses(t.Context()); err != nil || !strings.Contains(all[0].Error, "bad.md: it is binary") || all[0].Failures != 0 {
		t.Errorf("status %+v, %v", all, err)
	}
	moved := t.TempDir()
	write(t, moved, "posts/a.md", "# A\n\nText of the article.")
	folder.Location = moved
	if r, err := h.Refresh(t.Context(), folder); err != nil || counts(r) != "0 added, 0 updated, 1 unchanged, 0 refused" {
		t.Errorf("moved: %s, %v", counts(r), err)
	}
	folder.Location = dir + "/gone"
	if _, err := h.Refresh(t.Context(), folder); err == nil {
		t.Error("a missing folder is no failure")
	}
}

func TestDueSourcesAreSharedAndWaitAsAsked(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		h, s := build(t, db), open(t)
		other := ingest.New(db, h.library, source.NewFetcher("", true, h.clock), nil, h.clock) // another replica
		sources := []ingest.SourceConfig{{Name: "letter", Location: s.URL + "/feed"}}
		const every = 10 * time.Minute
		due := func(step string, wait time.Duration, want int) {
			t.Helper()
			h.wait(wait)
			before, _ := s.asked()
			for _, g := range []*ingest.Ingester{h.Ingester, other} {
				if _, err := g.RefreshDue(t.Context(), sources, every); err != nil {
					t.Fatal(err)
				}
			}
			if after, _ := s.asked(); after-before != want {
				t.Errorf("%s: %d requests, want %d", step, after-before, want)
			}
		}
		s.set(0, "", "one")
		due("at first", 0, 1)
		due("too early", 9*time.Minute, 0)
		due("in time", time.Minute, 1)
		s.set(503, "7200")
		due("told to wait", every, 1)
		due("nearly two hours later", 119*time.Minute, 0)
		s.set(500, "")
		due("two hours later", time.Minute, 1)
		due("once failed twice, four times the wait", 39*time.Minute, 0)
		s.set(0, "", "two")
		due("after it", time.Minute, 1)
		due("well again", every, 1)
	})
}

func TestDueTellsWhatCameOfIt(t *testing.T) {
	h, s := build(t, databasetest.SQLite(t)), open(t)
	s.set(404, "")
	done, err := h.RefreshDue(t.Context(), []ingest.SourceConfig{{Name: "letter", Location: s.URL}}, time.Hour)
	if err != nil || len(done) != 1 || done[0].Err == nil || done[0].Status.Failures != 1 || !done[0].Status.FailingSince.Equal(h.clock()) {
		t.Errorf("%+v, %v", done, err)
	}
}
