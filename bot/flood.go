package bot

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"newsie/internal/locale"
)

// Limits keep one reader or address from flooding the rest.
type Limits struct {
	ChatEvery time.Duration // one message of a chat each so long, after the burst
	ChatBurst int
	AddrEvery time.Duration // the same for a network address
	AddrBurst int

	InlineEvery time.Duration // the same for a reader's queries of inline mode, of which typing makes many
	InlineBurst int           // 0: the default of both
}

// DefaultLimits let people type as fast as they can and stop programs.
var DefaultLimits = Limits{ChatEvery: 2 * time.Second, ChatBurst: 20, AddrEvery: 500 * time.Millisecond, AddrBurst: 100, InlineEvery: 500 * time.Millisecond, InlineBurst: 40}

// flood counts in memory: a limit for each replica is limit enough.
type flood struct {
	limits Limits
	now    func() time.Time
	mu     sync.Mutex
	seen   map[string]*talker
	swept  time.Time
}

type talker struct {
	limiter *rate.Limiter
	warned  time.Time
	last    time.Time
}

func newFlood(l Limits, now func() time.Time) *flood {
	if l == (Limits{}) {
		l = DefaultLimits
	}
	if l.InlineBurst == 0 {
		l.InlineEvery, l.InlineBurst = DefaultLimits.InlineEvery, DefaultLimits.InlineBurst
	}
	return &flood{limits: l, now: now, seen: map[string]*talker{}, swept: now()}
}

// quiet is how long a flooder gets no second warning.
const quiet = time.Minute

// A verdict says whether a message is heard and, when it is one too many,
// whether to say so and how soon the next one can be heard.
type verdict struct {
	ok, warn bool
	wait     time.Duration
}

// allow takes one message of a chat, and of an address when it is known. One too
// many is told of to each chat once a minute, for others of the same address
// need not know who floods it.
func (f *flood) allow(chat, addr string) verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.sweep(now)
	reader := f.talker("chat "+chat, f.limits.ChatEvery, f.limits.ChatBurst, now)
	ok := reader.limiter.AllowN(now, 1)
	wait := reader.wait(now)
	if addr != "" {
		others := f.talker("addr "+network(addr), f.limits.AddrEvery, f.limits.AddrBurst, now)
		ok = ok && others.limiter.AllowN(now, 1)
		wait = max(wait, others.wait(now))
	}
	return reader.judge(ok, wait, now)
}

// allowInline is allow for a query of inline mode, which takes nothing of what
// the reader may say to the bot.
func (f *flood) allowInline(chat string) verdict {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.sweep(now)
	reader := f.talker("inline "+chat, f.limits.InlineEvery, f.limits.InlineBurst, now)
	ok := reader.limiter.AllowN(now, 1)
	return reader.judge(ok, reader.wait(now), now)
}

func (t *talker) judge(ok bool, wait time.Duration, now time.Time) verdict {
	if ok || now.Sub(t.warned) < quiet {
		return verdict{ok: ok}
	}
	t.warned = now
	return verdict{warn: true, wait: wait}
}

// wait is how long it is until a message is let through.
func (t *talker) wait(now time.Time) time.Duration {
	missing := max(0, 1-t.limiter.TokensAt(now))
	return time.Duration(missing / float64(t.limiter.Limit()) * float64(time.Second))
}

// tooMuch counts a message and answers one too many.
func (b *Bot) tooMuch(t *turn) (warning Reply, is bool) {
	v := b.flood.allow(t.Chat.String(), t.Addr)
	if v.ok {
		return Reply{}, false
	}
	if t.outcome = "limited"; !v.warn {
		t.outcome = "silent"
	}
	return Reply{Text: slowDown(t.Printer, v.wait)}, true
}

// slowDown says when the next message is heard: never too soon, so in whole
// seconds, or minutes, that are not shorter.
func slowDown(p locale.Printer, wait time.Duration) string {
	if wait > 90*time.Second {
		return p.T("bot.slow_down_minutes", "Count", int((wait+time.Minute-1)/time.Minute))
	}
	return p.T("bot.slow_down", "Count", int((wait+time.Second-1)/time.Second))
}

func (f *flood) talker(key string, every time.Duration, burst int, now time.Time) *talker {
	t := f.seen[key]
	if t == nil {
		t = &talker{limiter: rate.NewLimiter(rate.Every(every), burst)}
		f.seen[key] = t
	}
	t.last = now
	return t
}

// network is what one subscriber has of addresses: an IPv4 address, or an IPv6
// network of 64 bits.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Unmap().Is4() {
		return addr
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.String()
}

// sweep forgets who has been silent, so that memory stays bounded by the
// readers of the last ten minutes.
func (f *flood) sweep(now time.Time) {
	if now.Sub(f.swept) < time.Minute {
		return
	}
	f.swept = now
	for key, t := range f.seen {
		if now.Sub(t.last) > 10*time.Minute {
			delete(f.seen, key)
		}
	}
}
