package webchat_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// pair is two replicas of one chat, whose streams look for nothing by
// themselves.
func pair(t *testing.T, h bot.Handler) (a, b *site) {
	t.Helper()
	address := databasetest.PostgresAddress(t)
	seldom := func(c *webchat.Config) { c.Poll = time.Hour }
	replica := func() *site {
		s := serve(t, databasetest.Open(t, address), h, seldom)
		ctx, cancel := context.WithCancel(t.Context())
		ended, ready := make(chan error, 1), make(chan struct{}, 1)
		go func() {
			ended <- s.db.Listen(ctx, func(signal database.Signal) {
				s.Heard(signal)
				select {
				case ready <- struct{}{}:
				default:
				}
			}, nil)
		}()
		t.Cleanup(func() {
			cancel()
			<-ended
		})
		<-ready
		return s
	}
	return replica(), replica()
}

// What one replica says, and what it forgets, the tab sees that another holds.
func TestATabHearsOfWhatAnotherReplicaDid(t *testing.T) {
	p := &parrot{}
	a, b := pair(t, p.handle)
	r := a.reader(t, true)
	r.Say(t, "hello")
	chat := p.last().Chat
	r.listen(t, "")
	if _, err := b.Send(t.Context(), bot.Outgoing{Key: "k", To: chat, Reply: bot.Reply{Text: "from the other one"}}); err != nil {
		t.Fatal(err)
	}
	if e := r.stream.next(t); !strings.Contains(e.data, "from the other one") {
		t.Errorf("event: %+v", e)
	}
	if err := b.Forget(t.Context(), chat); err != nil {
		t.Fatal(err)
	}
	if e := r.stream.next(t); e.kind != "forgotten" {
		t.Errorf("event: %+v", e)
	}
}
