package main_test

import (
	"syscall"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// A machine that stands still in the middle of a digest to 300 chats, for longer
// than its leases last, as one does that sleeps or is moved: on SQLite it goes on
// where it was, on PostgreSQL another has taken over meanwhile. Nobody gets the
// digest twice, and who got none is listed as in doubt.
func TestAMachineThatStandsStillLosesAndDoublesNothing(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const chats = 300
		server := telegramtest.Start(t, telegramtest.Options{Latency: 50 * time.Millisecond})
		in.fanOut(server)
		newGenerator().folder(t, in.path("library"), 12)
		in.must("import", "library")
		in.followers(server, chats)
		db := in.open()
		open := func(states string) int {
			return count(t, db, "SELECT COUNT(*) FROM deliveries WHERE state IN ("+states+")")
		}

		p := in.serve("--data", in.data())
		in.until("some digests", func() bool { return len(server.Calls("sendMessage")) >= chats/4 || p.ended() })
		p.signal(syscall.SIGSTOP)
		t.Cleanup(func() { p.signal(syscall.SIGCONT) })
		t.Logf("stopped after %d messages, with %d claimed and %d being sent", len(server.Calls("sendMessage")), open("'claimed'"), open("'sending'"))
		if open("'planned', 'claimed', 'sending'") == 0 {
			t.Fatal("nothing is left to be sent")
		}
		crew := []*process{p}
		if in.database == "" {
			in.until("the leases to run out", func() bool {
				now, err := db.Now(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return count(t, db, "SELECT COUNT(*) FROM deliveries WHERE state IN ('claimed', 'sending') AND lease_until >= ?", now) == 0
			})
		} else {
			other := in.serve("--data", in.path("other"), "--listen", "127.0.0.1:0")
			crew = append(crew, other)
			in.until("the other to send what is left", func() bool { return open("'planned', 'claimed', 'sending'") == 0 || other.ended() })
		}
		had := len(server.Calls("sendMessage"))
		p.signal(syscall.SIGCONT)
		in.until("all digests", func() bool { return in.deliveries("tg", "sent")+in.deliveries("tg", "unknown") == chats || p.ended() })
		for _, p := range crew {
			if err := p.stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
		t.Logf("%d messages after it went on", len(server.Calls("sendMessage"))-had)
		in.balance(server, chats)
	})
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }
