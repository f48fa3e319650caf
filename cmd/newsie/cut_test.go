package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// What can be answered without the database is, and the rest says that it cannot.
func TestWhatAReplicaAnswersWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	l := loseDatabase(t)
	logs := func(words string) int { return strings.Count(l.process.stderr.String(), words) }
	began := time.Now()
	l.gate.Shut()
	l.in.until("the metrics say that the database is away", func() bool {
		status, text := page("http://" + l.host + "/metrics")
		return status == http.StatusOK && strings.Contains(text, "\nnewsie_database_up 0\n") && strings.Contains(text, "\nnewsie_articles -1\n") &&
			strings.Contains(text, "\nnewsie_index_seq ") && !strings.Contains(text, "\nnewsie_channel_stands_still{")
	})
	l.in.until("the log says that it is away, and the index has tried again", func() bool {
		return logs("the database is away; ") > 0 && logs("the index cannot follow the store") > 0
	})
	for range 5 {
		for path, words := range map[string]string{"/": "One moment, please", "/feed.xml": "One moment, please", "/a/1": "One moment, please"} {
			if status, text := page("http://" + l.host + path); status != http.StatusServiceUnavailable || !strings.Contains(text, words) {
				t.Errorf("%s: %d %s", path, status, text)
			}
		}
	}
	if doc, err := l.web.open(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the chat's page: %v, %v", doc, err)
	}
	// What was typed is there to be sent again, as the same message.
	status, text := l.post()
	for _, want := range []string{"One moment, please", `name="text" value="harbour"`, `name="id" value="` + l.form.Get("id") + `"`, "Try again</button>"} {
		if status != http.StatusServiceUnavailable || !strings.Contains(text, want) {
			t.Errorf("a message is answered by %d without %q: %s", status, want, text)
		}
	}
	for _, line := range []string{"the database is away; ", "the index cannot follow the store", "serve a page", "serve the browser chat"} {
		if n := logs(line); n > 1+int(time.Since(began)/time.Minute) {
			t.Errorf("%q stands %d times in the log", line, n)
		}
	}
	l.gate.Open()
	l.in.until("the log says that it is back", func() bool { return logs("the database answers again") == 1 })
	l.in.until("the metrics say that it is back", func() bool {
		_, text := page("http://" + l.host + "/metrics")
		return strings.Contains(text, "\nnewsie_database_up 1\n") && strings.Contains(text, "\nnewsie_articles 30\n") && strings.Contains(text, `newsie_channel_stands_still{channel="tg"} 0`)
	})
}

// A schema that is empty by mistake stays empty.
func TestCommandsThatLookMakeNoTables(t *testing.T) {
	t.Parallel()
	address := databasetest.BarePostgresAddress(t)
	in := install(t, address)
	for _, command := range [][]string{{"questions"}, {"search", "samovar"}, {"deliveries", "summary"}} {
		if _, stderr, err := in.run(command...); err == nil || !strings.Contains(stderr, "is --database right?") || strings.Contains(stderr, ":newsie@") {
			t.Errorf("%v: %v, %s", command, err, stderr)
		}
	}
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if n := count(t, db, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"); n != 0 {
		t.Errorf("%d tables were made", n)
	}
}
