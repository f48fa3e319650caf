package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"newsie/bot/telegram/telegramtest"
)

// A crowd is what the process that plays Telegram is told: how many chats there
// are, with ids from 1 on, and how many readers ask meanwhile.
type crowd struct {
	Chats   int
	Latency time.Duration
	Rates   bool // hold the bot to the platform's rates
	Readers int
	Again   time.Duration // after an answer a reader asks the next question
	Pauses  int           // so many times the server orders a pause, at random moments
	Pause   time.Duration
	Within  time.Duration // the time in which pauses begin
	Words   []string      // what readers ask
}

// A toll is what the server has counted.
type toll struct {
	URL, Token string // told first

	Messages   int           // taken, answers counted in
	Lost       int           // chats without their message
	Doubled    int           // messages that a chat had already
	Took       time.Duration // from the first message to the last
	Paused     time.Duration // of it by order
	Most       int           // messages in the fullest sliding second, refused ones counted in outside ordered pauses
	TooSoon    int           // refused outside ordered pauses
	InPause    int           // refused in them
	Answers    []time.Duration
	InPauses   []time.Duration // answers to what was asked or unanswered in a pause
	Unanswered int
	CPU        time.Duration
}

const readerIDs = 1_000_000_000 // readers' chats begin here

// span is a pause the server ordered.
type span struct{ from, to time.Time }

// playTelegram is a process that is Telegram's server, its readers and their
// clock: CPU and counts are its own. It reads a crowd, then waits for lines: "go"
// lets the readers ask, "end" counts.
func playTelegram() {
	if err := playCrowd(os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "the played Telegram:", err)
		os.Exit(1)
	}
}

func playCrowd(in *os.File, out *os.File) error {
	lines, encoder := bufio.NewScanner(in), json.NewEncoder(out)
	lines.Buffer(nil, 1<<20)
	next := func() string {
		if !lines.Scan() {
			return "end"
		}
		return lines.Text()
	}
	var c crowd
	if err := json.Unmarshal([]byte(next()), &c); err != nil {
		return err
	}
	s := telegramtest.New(telegramtest.Options{Rich: true, Rates: c.Rates, Latency: c.Latency, Local: true})
	defer s.Close()
	for id := range c.Chats {
		s.Chat(int64(id + 1))
	}
	if err := encoder.Encode(toll{URL: s.URL(), Token: s.Token()}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &playing{crowd: c, server: s}
	var all sync.WaitGroup
	for line := next(); line != "end"; line = next() {
		for reader := range c.Readers {
			all.Go(func() { p.read(ctx, reader) })
		}
		all.Go(func() { p.order(ctx) })
	}
	cancel()
	all.Wait()
	return encoder.Encode(p.count())
}

// playing is a crowd at its server.
type playing struct {
	crowd
	server *telegramtest.Server

	mu         sync.Mutex
	asked      []span // questions with their answers
	pauses     []span
	unanswered int
}

// read asks, reads the answer, thinks, and asks again.
func (p *playing) read(ctx context.Context, reader int) {
	rng := rand.New(rand.NewPCG(uint64(reader), 3))
	chat := p.server.Chat(int64(readerIDs + reader))
	if !rest(ctx, rand.N(p.Again)) {
		return
	}
	for n := 1; ; n++ {
		asked := time.Now()
		chat.Say(p.Words[rng.IntN(len(p.Words))])
		// The last answer is waited for also when the readers are told to end.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		_, err := chat.Wait(late, n)
		cancel()
		p.mu.Lock()
		if err != nil {
			p.unanswered++
		} else {
			p.asked = append(p.asked, span{asked, time.Now()})
		}
		p.mu.Unlock()
		if err != nil || !rest(ctx, p.Again) {
			return
		}
	}
}

// order has the server order pauses.
func (p *playing) order(ctx context.Context) {
	moments := make([]time.Duration, p.Pauses)
	part := p.Within / time.Duration(max(p.Pauses, 1))
	for i := range moments { // one in each part of the time
		moments[i] = time.Duration(i)*part + rand.N(max(part-p.Pause, time.Second))
	}
	begin := time.Now()
	for _, at := range moments {
		if !rest(ctx, max(at, time.Millisecond)-time.Since(begin)) {
			return
		}
		from := time.Now()
		p.server.Pause(p.Pause)
		p.mu.Lock()
		p.pauses = append(p.pauses, span{from, from.Add(p.Pause)})
		p.mu.Unlock()
	}
}

func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// count sums up.
func (p *playing) count() (t toll) {
	got := make([]int, p.Chats+1)
	var arrivals, taken []time.Time
	for _, call := range p.server.Calls("") {
		if !strings.HasPrefix(call.Method, "send") && !strings.HasPrefix(call.Method, "edit") || call.Method == "sendChatAction" {
			continue
		}
		paused := slices.ContainsFunc(p.pauses, func(s span) bool { return !call.At.Before(s.from) && call.At.Before(s.to) })
		switch {
		case call.Code == 200:
			taken, arrivals = append(taken, call.At), append(arrivals, call.At)
			if id, err := strconv.Atoi(call.Params["chat_id"]); err == nil && id <= p.Chats {
				got[id]++
			}
		case call.Code == 429 && paused:
			t.InPause++
		case call.Code == 429:
			arrivals = append(arrivals, call.At)
			t.TooSoon++
		}
	}
	for _, n := range got[1:] {
		t.Lost += max(0, 1-n)
		t.Doubled += max(0, n-1)
	}
	t.Messages, t.Most, t.Unanswered = len(taken), fullest(arrivals), p.unanswered
	if len(taken) > 0 {
		slices.SortFunc(taken, time.Time.Compare)
		first, last := taken[0], taken[len(taken)-1]
		t.Took = last.Sub(first)
		for _, s := range p.pauses {
			if s.to.After(first) && s.from.Before(last) {
				t.Paused += earlier(s.to, last).Sub(s.from)
			}
		}
	}
	for _, a := range p.asked {
		if slices.ContainsFunc(p.pauses, func(s span) bool { return a.from.Before(s.to) && a.to.After(s.from) }) {
			t.InPauses = append(t.InPauses, a.to.Sub(a.from))
		} else {
			t.Answers = append(t.Answers, a.to.Sub(a.from))
		}
	}
	slices.Sort(t.Answers)
	slices.Sort(t.InPauses)
	t.CPU = ownCPU()
	return t
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// fullest is the most that came in any second.
func fullest(times []time.Time) (most int) {
	slices.SortFunc(times, time.Time.Compare)
	from := 0
	for i, at := range times {
		for at.Sub(times[from]) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}
