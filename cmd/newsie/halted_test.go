package main_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"newsie/bot/telegram/telegramtest"
)

// A bot whose token was revoked while newsie serves: everything that tells of the
// publisher's channels tells of it, and resuming it, by another process, sends what
// waits.
func TestAChannelThatStandsStillIsShownAndResumed(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const chats = 20
		server := telegramtest.Start(t, telegramtest.Options{})
		address, token := freeAddress(t), server.Token()
		in.write("newsie.yaml", fmt.Sprintf("listen: %s\nchannels:\n  tg: {kind: telegram, token: %q, api_url: %q}\n  web: {kind: webchat}\n", address, token, server.URL()))
		newGenerator().folder(t, in.path("library"), 12)
		in.must("import", "library")
		p := in.serve()
		server.Revoke("1234567890:another-one-that-nobody-has-told-us")
		in.followers(server, chats)
		metric := func(line string) bool {
			return slices.Contains(strings.Split(fetch(t, "http://"+address+"/metrics"), "\n"), line)
		}
		in.until("the channel stands still", func() bool { return metric(`newsie_channel_stands_still{channel="tg"} 1`) || p.ended() })
		if !metric(`newsie_channel_stands_still{channel="web"} 0`) {
			t.Error("the other channel is said to stand still, or not named")
		}
		want := []string{"channel tg: stands still since ", "one message is tried at ", "copy it again from @BotFather", "newsie channel resume tg tries at once"}
		has := func(what, text string) {
			t.Helper()
			for _, words := range want {
				if !strings.Contains(text, words) {
					t.Errorf("%s does not say %q:\n%s", what, words, text)
				}
			}
		}
		summary := in.must("deliveries", "summary")
		has("the summary", summary)
		if !strings.Contains(summary, "planned") || !strings.Contains(summary, strconv.Itoa(chats)) {
			t.Errorf("the summary does not count %d that are planned:\n%s", chats, summary)
		}
		var counted struct {
			StandStill []struct {
				Channel, Problem, Advice string
			} `json:"stand_still"`
		}
		if in.read(&counted, "deliveries", "summary", "--json"); len(counted.StandStill) != 1 || counted.StandStill[0].Channel != "tg" || counted.StandStill[0].Problem == "" || counted.StandStill[0].Advice == "" {
			t.Errorf("the summary for programs: %+v", counted)
		}
		told, _, err := in.run("doctor", "--offline")
		if has("the doctor", told); err == nil {
			t.Error("the doctor finds nothing wrong")
		}
		if why := in.must("deliveries", "why", "tg/1000", "1"); !strings.Contains(why, "The channel tg stands still since") {
			t.Errorf("why says %s", why)
		}
		if n := len(server.Calls("sendMessage")); n != 0 {
			t.Errorf("%d messages went out", n)
		}

		server.Revoke(token)
		if out := in.must("channel", "resume", "tg"); !strings.Contains(out, "The channel tg goes on") {
			t.Errorf("resume says %s", out)
		}
		in.until("all digests", func() bool { return in.deliveries("tg", "sent") == chats || p.ended() })
		if !metric(`newsie_channel_stands_still{channel="tg"} 0`) {
			t.Error("the metrics still say that the channel stands still")
		}
		if summary := in.must("deliveries", "summary"); strings.Contains(summary, "stands still") {
			t.Errorf("the summary still says %s", summary)
		}
		for i := range chats {
			if got := len(server.Chat(int64(1000 + i)).Answers()); got != 1 {
				t.Errorf("chat %d has %d digests", 1000+i, got)
			}
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What the publisher sends again by a command, one that knows nothing of the
// serving process but the database, goes out through that.
func TestRetriesByTheCommandLineReachWhoServes(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const chats = 8
		server := telegramtest.Start(t, telegramtest.Options{})
		in.fanOut(server)
		newGenerator().folder(t, in.path("library"), 12)
		in.must("import", "library")
		in.followers(server, chats)
		db := in.open()
		p := in.serve()
		in.until("all digests", func() bool { return in.deliveries("tg", "sent") == chats || p.ended() })
		elsewhere := []string{}
		if in.database != "" { // another machine
			elsewhere = []string{"--data", in.path("elsewhere")}
		}
		for i, state := range []string{"unknown", "failed", "gone"} {
			// Of two chats each it becomes known that they may have got nothing.
			first := 1000 + 2*i
			for _, statement := range []string{
				"UPDATE deliveries SET state = '" + state + "' WHERE chat IN (?, ?)",
				"UPDATE follows SET state = CASE WHEN '" + state + "' = 'gone' THEN 'suspended' ELSE state END WHERE chat IN (?, ?)",
			} {
				if _, err := db.ExecContext(t.Context(), statement, strconv.Itoa(first), strconv.Itoa(first+1)); err != nil {
					t.Fatal(err)
				}
			}
			if out := in.must(append([]string{"deliveries", "retry", "--" + state, "--yes"}, elsewhere...)...); !strings.Contains(out, "2 deliveries are planned again.") {
				t.Errorf("retry --%s says %s", state, out)
			}
			in.until("those that were "+state+" are sent again", func() bool { return in.deliveries("tg", "sent") == chats || p.ended() })
			for id := 1000; id < 1000+chats; id++ {
				want := 1
				if id < first+2 {
					want = 2
				}
				if got := len(server.Chat(int64(id)).Answers()); got != want {
					t.Errorf("after retry --%s chat %d has %d digests, want %d", state, id, got, want)
				}
			}
		}
		if n := count(t, db, "SELECT COUNT(*) FROM follows WHERE state = 'active'"); n != chats {
			t.Errorf("%d follows are active, want all %d: those that were gone are taken up again", n, chats)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A Telegram that takes messages and loses its answers: what was under way is in
// doubt, the others wait, and everything tells of it.
func TestATelegramThatLosesItsAnswersIsSparedADigest(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		const chats, underWay = 150, 60
		server := telegramtest.Start(t, telegramtest.Options{Chaos: telegramtest.Chaos{ResetAfter: 1}})
		in.fanOut(server)
		newGenerator().folder(t, in.path("library"), 12)
		in.must("import", "library")
		in.followers(server, chats)
		p := in.serve()
		in.until("the channel stands still", func() bool {
			return strings.Contains(in.must("deliveries", "summary"), "stands still since") || p.ended()
		})
		in.until("what was under way is settled", func() bool {
			return in.deliveries("tg", "sending")+in.deliveries("tg", "claimed") == 0 || p.ended()
		})
		doubtful, waiting := in.deliveries("tg", "unknown"), in.deliveries("tg", "planned")
		if doubtful < 5 || doubtful > underWay || doubtful+waiting != chats {
			t.Errorf("%d in doubt and %d wait, of %d", doubtful, waiting, chats)
		}
		if told, _, err := in.run("doctor", "--offline"); err == nil || !strings.Contains(told, "no answer says whether they arrived") || !strings.Contains(told, "newsie channel resume tg") {
			t.Errorf("the doctor says %s (%v)", told, err)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
