package main_test

import (
	"net/http"
	"strings"
	"testing"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// What can be answered without the database is, and the rest says that it cannot.
func TestWhatAReplicaAnswersWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	l := loseDatabase(t)
	l.gate.Shut()
	l.in.until("the metrics say that the database is away", func() bool {
		status, text := page("http://" + l.host + "/metrics")
		return status == http.StatusOK && strings.Contains(text, "\nnewsie_database_up 0\n") && strings.Contains(text, "\nnewsie_articles -1\n") &&
			strings.Contains(text, "\nnewsie_index_seq ") && !strings.Contains(text, "\nnewsie_channel_stands_still{")
	})
	l.gate.Open()
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
