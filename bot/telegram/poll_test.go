package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database/databasetest"
)

func TestOneUndecodableUpdateIsSkipped(t *testing.T) {
	counted := &counter{}
	r := start(t, echo, setup{config: counted.into})
	for i, body := range []string{
		`{"update_id":%d,"message":{"message_id":"seven"}}`,
		`{"update_id":%d,"message":[]}`,
		`{"update_id":%d,"callback_query":{"from":{"id":99999999999999999999}}}`,
		`{"update_id":%d,"something_new":{"x":[1]}}`,
	} {
		id := r.NextUpdate()
		r.Raw(id, fmt.Sprintf(body, id))
		r.Chat(1).Say(fmt.Sprint("still here ", i))
	}
	r.wait(t, r.Chat(1), 4)
	r.quiet(t)
	if n := counted.of("update_undecodable"); n != 3 {
		t.Errorf("%d undecodable updates counted, want 3", n)
	}
	if strings.Contains(r.log.String(), "seven") || strings.Contains(r.log.String(), "still here") {
		t.Errorf("readers' text is in the log:\n%s", r.log)
	}
}

func TestChatsAreAnsweredInOrderAndInParallel(t *testing.T) {
	release := make(chan struct{})
	var mu sync.Mutex
	var heard []string
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "slow" {
			<-release
		}
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, m.Chat.ID+" "+m.Text)
		return bot.Reply{Text: m.Text}, nil
	}
	r := start(t, handler, setup{})
	slow := r.Chat(1)
	slow.Say("slow")
	slow.Say("after")
	// More than one poll's worth of others, asked while chat 1 still waits.
	for id := range int64(5) {
		for i := range 3 {
			r.Chat(100 + id).Say(fmt.Sprint(i))
		}
	}
	for id := range int64(5) {
		got := r.wait(t, r.Chat(100+id), 3)
		for i, m := range got {
			if m.Text != fmt.Sprint(i) {
				t.Errorf("chat %d: answer %d is %q", 100+id, i, m.Text)
			}
		}
	}
	// The server has forgotten all of them: a slow chat does not hold up polling.
	r.forgotten(t)
	r.Chat(200).Say("later")
	r.wait(t, r.Chat(200), 1)
	if n := len(slow.Answers()); n != 0 {
		t.Errorf("the slow chat has %d answers already", n)
	}
	close(release)
	if got := r.wait(t, slow, 2); got[0].Text != "slow" || got[1].Text != "after" {
		t.Errorf("the slow chat heard %q, %q", got[0].Text, got[1].Text)
	}
}

// A program that stops while an answer hangs has told the server to forget the
// update; the next start must answer it all the same, and only it.
func TestUnansweredUpdatesSurviveARestart(t *testing.T) {
	entered := make(chan struct{}, 1)
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text != "hang" {
			return echo(ctx, m)
		}
		entered <- struct{}{}
		<-ctx.Done()
		return bot.Reply{}, ctx.Err()
	}
	r := start(t, handler, setup{config: func(c *telegram.Config) { c.Grace = time.Nanosecond }})
	r.Chat(1).Say("hang")
	<-entered
	r.Chat(2).Say("fine")
	r.wait(t, r.Chat(2), 1)
	r.forgotten(t) // both
	if kept := r.kept(t); !strings.Contains(kept, `"hang"`) || strings.Contains(kept, `"fine"`) {
		t.Errorf("kept against a crash: %q", kept)
	}
	r.stop()
	if n := len(r.Chat(1).Answers()); n != 0 {
		t.Fatalf("%d answers before the restart", n)
	}
	next := join(t, r.Server, echo, setup{db: r.db})
	r.wait(t, r.Chat(1), 1)
	r.Chat(2).Say("again")
	if got := r.wait(t, r.Chat(2), 2); len(got) != 2 {
		t.Errorf("chat 2 has %d answers, want 2", len(got))
	}
	r.quiet(t)
	next.stop()
	if kept := r.kept(t); kept != "" {
		t.Errorf("still kept after the answer: %q", kept)
	}
}

// kept is what is written down of updates without an answer.
func (r *rig) kept(t *testing.T) string {
	t.Helper()
	kept, err := r.config.Settings.List(t.Context(), "telegram:tg:update:")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(slices.Sorted(maps.Values(kept)), "\n")
}

func TestRedeliveredUpdatesAreAnsweredOnceByAllReplicas(t *testing.T) {
	databases(t, func(t *testing.T, first, second setup) {
		heard := &counter{}
		handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
			heard.add(m.ID)
			return echo(ctx, m)
		}
		r := start(t, handler, first)
		r.Chat(1).Say("one")
		r.wait(t, r.Chat(1), 1)
		r.stop() // the server was never told that the update is done
		second.config = nil
		other := join(t, r.Server, handler, second)
		r.Repeat(1)
		r.Chat(1).Say("two")
		r.wait(t, r.Chat(1), 2)
		other.quiet(t)
		if n := len(r.Chat(1).Answers()); n != 2 || heard.most() != 1 {
			t.Errorf("%d answers, a message was heard %d times", n, heard.most())
		}
	})
}

func databases(t *testing.T, test func(t *testing.T, first, second setup)) {
	t.Run("sqlite", func(t *testing.T) {
		db := databasetest.SQLite(t)
		test(t, setup{db: db}, setup{db: db})
	})
	t.Run("postgres", func(t *testing.T) {
		address := databasetest.PostgresAddress(t)
		test(t, setup{db: databasetest.Open(t, address)}, setup{db: databasetest.Open(t, address)})
	})
}

func TestASecondPollerIsWaitedOut(t *testing.T) {
	waits := &waiter{}
	r := start(t, echo, setup{config: waits.into})
	r.Chat(1).Say("hello")
	r.wait(t, r.Chat(1), 1)
	r.quiet(t)
	// Another program polls with the same token and ends our poll.
	db := r.db
	other := join(t, r.Server, echo, setup{db: db, config: waits.into})
	if err := r.Until(patient(t), func() bool { return waits.longest() >= 10*time.Second }); err != nil {
		t.Fatalf("no wait of 10 s after a conflict: %v", waits.all())
	}
	if short := waits.shortest(); short < 10*time.Second {
		t.Errorf("after a conflict the bot came back in %v", short)
	}
	r.stop()
	r.Chat(1).Say("again")
	r.wait(t, r.Chat(1), 2)
	other.stop()
}

func TestPollingSurvivesWhatServersDo(t *testing.T) {
	for _, fault := range []telegramtest.Fault{
		telegramtest.ResetBefore, telegramtest.ResetAfter, telegramtest.BadGateway, telegramtest.ServerError,
		telegramtest.NotAnAPI, telegramtest.TooMany,
	} {
		t.Run(string(fault), func(t *testing.T) {
			waits := &waiter{}
			s := telegramtest.Start(t, telegramtest.Options{})
			for _, method := range []string{"getMe", "deleteWebhook", "getUpdates"} {
				s.Fail(method, fault, fault)
			}
			s.Chat(1).Say("hello")
			r := join(t, s, echo, setup{config: waits.into})
			r.wait(t, s.Chat(1), 1)
			if n := len(waits.all()); n < 6 {
				t.Errorf("%d pauses for 6 faults", n)
			}
			if fault == telegramtest.TooMany && waits.longest() < 17*time.Second {
				t.Errorf("retry_after was not obeyed: %v", waits.all())
			}
			if strings.Contains(r.log.String(), "AAHdqTcv") {
				t.Errorf("the token is in the log:\n%s", r.log)
			}
		})
	}
}

func TestStartsWithoutTheNetworkAndHealsAfterARefusedToken(t *testing.T) {
	var mu sync.Mutex
	notices := map[string]string{}
	waits := &waiter{}
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Revoke("1:other")
	c, _, _, log := build(t, s, echo, setup{config: func(c *telegram.Config) {
		waits.into(c)
		c.Token = telegramtest.Token
		c.Notify = func(_ context.Context, key, text string) {
			mu.Lock()
			defer mu.Unlock()
			notices[key] = text
			s.Revoke(telegramtest.Token)
		}
	}})
	run(t, c)
	s.Chat(1).Say("hello")
	if _, err := s.Chat(1).Wait(patient(t), 1); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(notices) != 1 || !strings.Contains(notices["telegram:tg:config"], "@BotFather") {
		t.Errorf("notices = %v", notices)
	}
	if strings.Contains(fmt.Sprint(notices, log), "AAHdqTcv") {
		t.Error("the token was told")
	}
}

func TestTheTokenIsInNoError(t *testing.T) {
	s := telegramtest.New(telegramtest.Options{})
	c, _, _, log := build(t, s, echo, setup{})
	s.Close() // nothing listens there any more
	_, err := c.Send(patient(t), bot.Outgoing{To: bot.ChatID{Channel: "tg", ID: "1"}, Reply: bot.Reply{Text: "x"}})
	var retry *bot.RetryError
	if !errors.As(err, &retry) || !retry.All {
		t.Errorf("Send = %v, want a RetryError: nothing was written", err)
	}
	findings := c.Check(patient(t))
	if text := fmt.Sprint(err, findings, log); strings.Contains(text, "AAHdqTcv") {
		t.Errorf("the token is in %s", text)
	}
	if len(findings) != 1 || findings[0].OK || findings[0].Advice == "" {
		t.Errorf("findings = %+v", findings)
	}
}

func TestAPanickingHandlerIsAnsweredWithAnApology(t *testing.T) {
	handler := func(ctx context.Context, m bot.Message) (bot.Reply, error) {
		if m.Text == "boom" {
			panic("on purpose")
		}
		return echo(ctx, m)
	}
	r := start(t, handler, setup{})
	r.Chat(1).Language("it").Say("boom")
	r.Chat(1).Say("fine")
	got := r.wait(t, r.Chat(1), 2)
	if !strings.HasPrefix(got[0].Text, "Qualcosa è andato storto") || got[1].Text != "fine" {
		t.Errorf("answers: %q, %q", got[0].Text, got[1].Text)
	}
}

// counter counts by name.
type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

func (c *counter) of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[name]
}

func (c *counter) most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := 0
	for _, n := range c.n {
		most = max(most, n)
	}
	return most
}

func (c *counter) into(config *telegram.Config) { config.Count = c.add }

// waiter does not wait, and remembers for how long it should have.
type waiter struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (w *waiter) into(config *telegram.Config) {
	config.Wait = func(ctx context.Context, d time.Duration) error {
		if d > 0 {
			w.mu.Lock()
			w.waits = append(w.waits, d)
			w.mu.Unlock()
		}
		return ctx.Err()
	}
}

func (w *waiter) all() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.waits...)
}

func (w *waiter) shortest() time.Duration {
	shortest := time.Hour
	for _, d := range w.all() {
		shortest = min(shortest, d)
	}
	return shortest
}

func (w *waiter) longest() time.Duration {
	var longest time.Duration
	for _, d := range w.all() {
		longest = max(longest, d)
	}
	return longest
}

// Servers of other makes answer a poll at once. They are left alone for a second
// after each that brought nothing, and not after one that brought something.
func TestAServerThatDoesNotHoldPollsIsNotFlooded(t *testing.T) {
	s := telegramtest.Start(t, telegramtest.Options{NoHold: true})
	waits := make(chan time.Duration)
	join(t, s, echo, setup{config: func(c *telegram.Config) {
		c.Wait = func(ctx context.Context, d time.Duration) error {
			if d <= 0 {
				return ctx.Err()
			}
			select {
			case waits <- d:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}})
	for i := range 5 {
		select {
		case d := <-waits:
			if d != time.Second {
				t.Errorf("pause %d is %v", i, d)
			}
		case <-patient(t).Done():
			t.Fatal("it does not pause")
		}
		if i == 2 {
			s.Chat(1).Say("tea")
		}
	}
	if n := len(s.Calls("getUpdates")); n > 8 {
		t.Errorf("%d polls in 5 pauses", n)
	}
}

// Before there is an offset, a batch without a readable id gives none: it must
// neither be asked for without end nor hide what comes behind it.
func TestUpdatesWithoutIDsHideNothing(t *testing.T) {
	for _, n := range []int{1, 99, 100, 250} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s, w := telegramtest.Start(t, telegramtest.Options{}), &waiter{}
			for range n {
				s.Raw(s.NextUpdate(), `{"update_id":"?"}`)
			}
			if n > 100 {
				s.Chat(1).Say("behind")
			}
			r := join(t, s, echo, setup{config: w.into})
			if n <= 100 {
				if err := s.Until(patient(t), func() bool { return len(s.Calls("getUpdates")) > 3 }); err != nil {
					t.Fatalf("%v\n%s", err, r.log)
				}
				s.Chat(1).Say("behind")
			}
			if got := r.wait(t, s.Chat(1), 1); got[0].Text != "behind" {
				t.Errorf("answer = %q", got[0].Text)
			}
			r.forgotten(t)
			r.stop()
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.waits) == 0 {
				t.Error("the server was asked without a pause")
			}
		})
	}
}

// What our own database does wrong is not said to be Telegram's doing.
func TestErrorsOfOurOwnAreNotTelegrams(t *testing.T) {
	db := databasetest.SQLite(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s, looked := telegramtest.Start(t, telegramtest.Options{}), make(chan struct{}, 1)
	r := join(t, s, echo, setup{db: db, config: func(c *telegram.Config) {
		c.Wait = func(ctx context.Context, _ time.Duration) error {
			select {
			case looked <- struct{}{}:
			default:
			}
			<-ctx.Done()
			return ctx.Err()
		}
	}})
	<-looked
	r.stop()
	if log := r.log.String(); strings.Contains(log, "telegram does not answer") || !strings.Contains(log, "own database") || !strings.Contains(log, "step=resume") {
		t.Errorf("the log says:\n%s", log)
	}
}

// An update that takes long is told of once, by its number and chat alone.
func TestAnUpdateThatTakesLongIsToldOfOnce(t *testing.T) {
	c, entered := newClock(), make(chan string, 3)
	r := start(t, hanging(entered), setup{config: func(config *telegram.Config) {
		config.Now, config.SweepEvery, config.Grace = c.Now, time.Millisecond, time.Nanosecond
	}})
	told := func() int { return strings.Count(r.log.String(), "an update takes long") }
	chat := r.Chat(4711)
	chat.Say("fine")
	r.wait(t, chat, 1)
	r.quiet(t)
	chat.Say("hang")
	<-entered
	chat.Say("behind it")
	r.forgotten(t)
	_ = c.wait(t.Context(), 4*time.Second)
	for range 3 {
		r.Chat(5).Say("others")
		r.forgotten(t)
	}
	if n := told(); n != 0 {
		t.Errorf("told of %d after 4 seconds", n)
	}
	_ = c.wait(t.Context(), 2*time.Second)
	for ctx := patient(t); told() == 0 && ctx.Err() == nil; runtime.Gosched() {
	}
	_ = c.wait(t.Context(), time.Minute)
	for range 3 {
		r.Chat(5).Say("others")
		r.forgotten(t)
	}
	log := r.log.String()
	if n := told(); n != 1 || !strings.Contains(log, "lane=4711") || !strings.Contains(log, "for=6") {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if strings.Contains(log, "hang") {
		t.Error("a reader's words are in the log")
	}
}
