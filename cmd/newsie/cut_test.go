package main_test

import (
	"net/http"
	"strings"
	"testing"
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
