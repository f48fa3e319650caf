package console

import (
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
