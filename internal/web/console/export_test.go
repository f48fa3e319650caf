package console

import (
	"net/url"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
)

// Hash has passwords made with other parameters, as an earlier or a later newsie
// would.
func (u *Users) Hash(memory, iterations uint32) {
	u.params = &argon2id.Params{Memory: memory, Iterations: iterations, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// Occupy takes all turns to hash, and has nobody wait long for one, until the
// function it gives is called.
func (u *Users) Occupy() (release func()) {
	u.patience = time.Millisecond
	for range hashesAtOnce {
		u.hashes <- struct{}{}
	}
	return func() {
		u.patience = hashPatience
		for range hashesAtOnce {
			<-u.hashes
		}
	}
}

// Next is where a login leads to.
var Next = next

// Ask reads what an address asks for, and fails the test when writing and reading
// it again gives something else, or when a report could not be asked for it.
func Ask(t *testing.T, values url.Values, below int64) {
	t.Helper()
	a, problem := readAsk(values, below)
	link, err := url.Parse(a.link("origins"))
	if err != nil || link.IsAbs() || link.Host != "" {
		t.Fatalf("%q leads to %q, %v", values, a.link("origins"), err)
	}
	again, more := readAsk(link.Query(), below)
	if again != a || more != problem {
		t.Errorf("%q is read as %+v, %q and then as %+v, %q", values, a, problem, again, more)
	}
	q := a.query(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	for _, day := range []string{q.From, q.To} {
		if _, err := time.Parse(time.DateOnly, day); problem == "" && day != "" && err != nil {
			t.Errorf("%q asks for the day %q", values, day)
		}
	}
}
