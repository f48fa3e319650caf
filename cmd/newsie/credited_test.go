package main_test

import (
	"testing"

	"newsie/internal/database/databasetest"
)

// What is counted together, once a second, is written when newsie is stopped
// before that second is over.
func TestWhatReadersDidIsCountedAtTheEnd(t *testing.T) {
	t.Parallel()
	if databasetest.Second() {
		return
	}
	in := install(t, "")
	p := in.serve("--listen", "127.0.0.1:0")
	web, err := newBrowser(p.url() + "/chat/web/")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"follow samovar", "samovar"} {
		if _, err := web.say(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sums struct{ Came, Follows, Questions int }
	if err := in.open().Reader().NewRaw("SELECT SUM(came) AS came, SUM(follows) AS follows, SUM(questions) AS questions FROM origin_totals WHERE touch = 1").Scan(t.Context(), &sums); err != nil {
		t.Fatal(err)
	}
	if sums.Came != 1 || sums.Follows != 1 || sums.Questions != 1 {
		t.Errorf("%+v is counted, want one of each", sums)
	}
}
