package main_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram/telegramtest"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// TestCrashes kills newsie again and again while it plans and sends one digest to
// each of many chats of a played Telegram, which breaks one connection in fifty,
// half of them after it took the message. Then it holds the ledger against what the
// chats have. On SQLite it is one process, on PostgreSQL three; some of them keep a
// pace and some do not.
//
// make crash runs it with 20,000 deliveries and 40 kills for each database and
// policy, and with PostgreSQL restarted in the middle:
//
//	CRASH_DELIVERIES  deliveries, 800 when not set
//	CRASH_KILLS       processes killed, 5 when not set
//	CRASH_SEED        of all chances; by chance when not set
//	CRASH_RESTART     a shell command that restarts PostgreSQL as a crash would
//	CRASH_TABLE       a file to which each trial adds its line
func TestCrashes(t *testing.T) {
	t.Parallel()
	if databasetest.Second() {
		return // it is of both databases
	}
	deliveries, kills := crashNumber(t, "CRASH_DELIVERIES", 800), crashNumber(t, "CRASH_KILLS", 5)
	seed := uint64(crashNumber(t, "CRASH_SEED", int(rand.Uint32())))
	t.Logf("CRASH_SEED=%d", seed)
	alone := os.Getenv("CRASH_DELIVERIES") != "" // then nothing else needs the machine, and its server is restarted
	try := func(name string, tr trial) {
		for _, policy := range []string{"skip", "resend"} {
			t.Run(name+"/"+policy, func(t *testing.T) {
				if !alone {
					t.Parallel()
				}
				tr, address := tr, ""
				if tr.processes > 1 {
					address = databasetest.PostgresAddress(t)
				}
				tr.name, tr.policy, tr.deliveries, tr.kills, tr.seed = name, policy, deliveries, kills, seed
				tr.run(t, install(t, address))
			})
		}
	}
	try("sqlite", trial{processes: 1})
	try("postgres", trial{processes: 3})
	if command := os.Getenv("CRASH_RESTART"); command != "" {
		try("postgres-restarted", trial{processes: 3, restarts: 3, restart: command})
	}
}

func crashNumber(t *testing.T, variable string, standard int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q", variable, text)
	}
	return n
}

// A trial is what happens to one installation.
type trial struct {
	name       string
	policy     string // in_doubt
	deliveries int
	processes  int
	kills      int
	restarts   int // of the database
	restart    string
	seed       uint64
}

// A disaster comes when so much is planned and has ended, both counted.
type disaster struct {
	at      int
	restart bool // the database; else a process is killed
}

// disasters are spread over planning and sending, but for the last tenth, so that
// there is work left for each.
func (tr trial) disasters(rng *rand.Rand) []disaster {
	var list []disaster
	for range tr.kills {
		list = append(list, disaster{at: rng.IntN(2 * tr.deliveries * 9 / 10)})
	}
	for i := range tr.restarts { // in each part of the time one
		part := 2 * tr.deliveries * 9 / 10 / tr.restarts
		list = append(list, disaster{at: i*part + rng.IntN(part), restart: true})
	}
	slices.SortFunc(list, func(a, b disaster) int { return cmp.Compare(a.at, b.at) })
	return list
}

// A wreck is a trial under way.
type wreck struct {
	trial
	t       *testing.T
	in      *installation
	rng     *rand.Rand
	server  *telegramtest.Server
	db      *database.DB
	crew    []*process
	killed  int
	ended   int             // processes that ended without having been killed
	inDoubt map[string]bool // chats that were being sent to when nobody was left
	rest    time.Duration   // from the last disaster to the end
}

func (tr trial) run(t *testing.T, in *installation) {
	rng := rand.New(rand.NewPCG(tr.seed, 1))
	server := telegramtest.Start(t, telegramtest.Options{
		NoCalls: true, Stars: true,
		Chaos: telegramtest.Chaos{Seed: tr.seed, Delay: 20 * time.Millisecond, ResetBefore: 0.01, ResetAfter: 0.01},
	})
	in.write("newsie.yaml", fmt.Sprintf("listen: 127.0.0.1:0\nlog: {level: warn}\nchannels:\n  tg: {kind: telegram, token: %q, api_url: %q, in_doubt: %s}\n",
		server.Token(), server.URL(), tr.policy))
	newGenerator().folder(t, in.path("library"), 12)
	in.must("import", "library")
	w := &wreck{trial: tr, t: t, in: in, rng: rng, server: server, db: in.open(), crew: make([]*process, tr.processes), inDoubt: map[string]bool{}}
	w.follow()
	for i := range w.crew {
		w.launch(i)
	}
	for _, d := range tr.disasters(rng) {
		w.await(fmt.Sprintf("%d planned and ended", d.at), func(p progress) bool { return p.planned+p.planned-p.left >= d.at })
		w.pause(time.Duration(rng.IntN(60)) * time.Millisecond)
		if d.restart {
			w.restartDatabase()
		} else {
			w.kill()
		}
	}
	last := time.Now()
	w.await("all that is left", func(p progress) bool { return p.planned == tr.deliveries && p.left == 0 })
	w.rest = time.Since(last)
	for _, p := range w.crew {
		in.until("the last to be ready", func() bool { return p.said("is ready after") || p.ended() })
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := p.stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
	}
	w.audit()
}

// follow gives the library readers whose digest is due, and not again today.
func (w *wreck) follow() {
	w.t.Helper()
	due := time.Now().UTC().Truncate(time.Minute)
	for from := 0; from < w.deliveries; from += 500 {
		var rows []string
		var args []any
		for n := from; n < min(from+500, w.deliveries); n++ {
			id := int64(1000 + n)
			w.server.Chat(id)
			rows = append(rows, "('tg', ?, 'commerce', 'commerce', 'en', ?, 'UTC', ?, 0, 0)")
			args = append(args, strconv.FormatInt(id, 10), fmt.Sprintf("%d %d * * *", due.Minute(), due.Hour()), due.UnixMilli())
		}
		query := "INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at) VALUES " + strings.Join(rows, ", ")
		if _, err := w.db.ExecContext(w.t.Context(), query, args...); err != nil {
			w.t.Fatal(err)
		}
	}
}

// launch starts a replica in its own folder. Half of them keep a pace: their
// messages wait at the gate, the others are marked in waves.
func (w *wreck) launch(i int) {
	w.t.Helper()
	environ := append(w.in.environ(), "NEWSIE_CHANNELS_TG_RATE=unlimited")
	if w.rng.IntN(2) == 0 {
		environ = append(w.in.environ(), "NEWSIE_CHANNELS_TG_RATE=1000", "NEWSIE_CHANNELS_TG_PAID=true")
	}
	if w.processes > 1 {
		environ = append(environ, fmt.Sprintf("NEWSIE_DATA=%s", w.in.path("replica", strconv.Itoa(i))))
	}
	p, err := launch(w.in.dir, environ, "serve")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(p.kill)
	w.crew[i] = p
}

// kill kills one process at random and starts another in its place. One in six is
// killed once more while it starts.
func (w *wreck) kill() {
	w.t.Helper()
	i := w.rng.IntN(len(w.crew))
	w.crew[i].kill()
	w.killed++
	if len(w.crew) == 1 {
		var chats []string
		if err := w.db.Reader().NewRaw("SELECT chat FROM deliveries WHERE state = 'sending'").Scan(w.t.Context(), &chats); err != nil {
			w.t.Fatal(err)
		}
		for _, chat := range chats {
			w.inDoubt[chat] = true
		}
	}
	w.launch(i)
	if w.rng.IntN(6) == 0 {
		w.pause(time.Duration(w.rng.IntN(1000)) * time.Millisecond)
		w.kill()
	}
}

func (w *wreck) restartDatabase() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "sh", "-c", w.restart).CombinedOutput(); err != nil {
		w.t.Fatalf("restart the database: %v\n%s", err, out)
	}
}

func (w *wreck) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.t.Context().Done():
	}
}

// progress is how far the ledger is.
type progress struct{ planned, left int }

// await looks at the ledger until it is so far. Processes that ended by themselves
// are started again, as a supervisor does.
func (w *wreck) await(what string, done func(progress) bool) {
	w.t.Helper()
	var p progress
	var err error
	ok := poll(2*patience, func() bool {
		for i, process := range w.crew {
			if process.ended() {
				w.ended++
				w.t.Logf("a process ended by itself: %v\n%s", process.err, process.stderr.String())
				w.launch(i)
			}
		}
		var now progress
		err = w.db.Reader().NewRaw("SELECT COUNT(*), COALESCE(SUM(CASE WHEN state IN ('planned', 'claimed', 'sending') THEN 1 ELSE 0 END), 0) FROM deliveries").
			Scan(w.t.Context(), &now.planned, &now.left)
		if err != nil { // the database is being restarted
			return false
		}
		p = now
		return done(p)
	})
	if !ok {
		for _, process := range w.crew {
			w.t.Log(process.stdout.String(), process.stderr.String())
		}
		w.t.Fatalf("waited in vain for %s: %+v (%v)", what, p, err)
	}
}

// A verdict is what the chats have, beside what the ledger says.
type verdict struct {
	sent, unknown, arrived int // arrived: of the unknown
	again                  int // sent again because they were in doubt
	lost, doubled          int
}

// audit holds the ledger, as newsie lists it, against the chats.
func (w *wreck) audit() {
	w.t.Helper()
	type delivery struct {
		ID      int64
		Chat    string
		State   string
		Attempt int
	}
	var ledger, listed []delivery
	limit := strconv.Itoa(2 * w.deliveries)
	w.in.read(&ledger, "digest", "deliveries", "--json", "--limit", limit)
	w.in.read(&listed, "digest", "deliveries", "--json", "--limit", limit, "--state", "unknown")
	var v verdict
	rows := map[string]delivery{}
	for _, d := range ledger {
		if _, ok := rows[d.Chat]; ok {
			w.t.Errorf("chat %s has two deliveries", d.Chat)
		}
		rows[d.Chat] = d
	}
	doubtful := map[string]bool{}
	for _, d := range listed {
		doubtful[d.Chat] = true
	}
	for n := range w.deliveries {
		id := int64(1000 + n)
		w.judge(rows[strconv.FormatInt(id, 10)].State, rows[strconv.FormatInt(id, 10)].Attempt, id, doubtful, &v)
	}
	w.report(v)
}

func (w *wreck) judge(state string, attempt int, id int64, doubtful map[string]bool, v *verdict) {
	w.t.Helper()
	chat := strconv.FormatInt(id, 10)
	got := len(w.server.Chat(id).Answers())
	unknown := state == "unknown"
	switch {
	case state == "sent":
		v.sent++
	case unknown:
		v.unknown++
		v.arrived += min(got, 1)
	default:
		w.t.Errorf("the digest of chat %s ended as %q", chat, state)
	}
	if attempt > 1 {
		v.again++
	}
	if got == 0 && !unknown {
		v.lost++
		w.t.Errorf("chat %s has no digest, and the ledger says %q", chat, state)
	}
	if got > 1 {
		v.doubled++
		// Marked as being sent n times, it was in doubt all but the last.
		if w.policy == "skip" || got > attempt {
			w.t.Errorf("chat %s has its digest %d times after %d tries (%s)", chat, got, attempt, state)
		}
	}
	if unknown != doubtful[chat] {
		w.t.Errorf("the digest of chat %s is %s, and listed as in doubt: %t", chat, state, doubtful[chat])
	}
	if w.inDoubt[chat] && w.policy == "skip" && !unknown {
		w.t.Errorf("the digest of chat %s was being sent when newsie was killed, and is %s", chat, state)
	}
	if w.inDoubt[chat] && w.policy == "resend" && attempt < 2 {
		w.t.Errorf("the digest of chat %s was being sent when newsie was killed, and was not sent again", chat)
	}
}

const crashHeader = `| database, in_doubt | deliveries | sent | unknown (of them arrived) | sent again | kills | database restarts | resets before, after | silently lost | doubled | rest |
|---|---|---|---|---|---|---|---|---|---|---|
`

// report says it all in one line.
func (w *wreck) report(v verdict) {
	w.t.Helper()
	var broken telegramtest.Broken
	for _, method := range []string{"sendMessage", "sendRichMessage"} {
		b := w.server.Broken(method)
		broken.Before, broken.After = broken.Before+b.Before, broken.After+b.After
	}
	line := fmt.Sprintf("| %s, %s | %d | %d | %d (%d) | %d | %d | %d | %d, %d | %d | %d | %.0f s |\n", w.name, w.policy, w.deliveries, v.sent, v.unknown, v.arrived,
		v.again, w.killed, w.restarts, broken.Before, broken.After, v.lost, v.doubled, w.rest.Seconds())
	w.t.Log("\n" + crashHeader + line)
	switch {
	case w.ended > 0 && w.restarts == 0:
		w.t.Errorf("%d processes ended by themselves", w.ended)
	case broken.Before == 0 || broken.After == 0:
		w.t.Error("no connection broke")
	case w.policy == "resend" && v.unknown > 0:
		w.t.Errorf("%d are left in doubt, though they are to be sent again", v.unknown)
	}
	file := os.Getenv("CRASH_TABLE")
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	if info, err := f.Stat(); err == nil && info.Size() == 0 {
		line = crashHeader + line
	}
	if _, err := f.WriteString(line); err != nil {
		w.t.Error(err)
	}
	if err := f.Close(); err != nil {
		w.t.Error(err)
	}
}
