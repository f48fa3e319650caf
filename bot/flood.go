package bot

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
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

// allow takes one message of a chat, and of an address when it is known. When
// it is one too many, warn tells whether to say so: to each chat once a minute,
// for others of the same address need not know who floods it.
func (f *flood) allow(chat, addr string) (ok, warn bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.sweep(now)
	reader := f.talker("chat "+chat, f.limits.ChatEvery, f.limits.ChatBurst, now)
	ok = reader.limiter.AllowN(now, 1)
	if ok && addr != "" {
		ok = f.talker("addr "+network(addr), f.limits.AddrEvery, f.limits.AddrBurst, now).limiter.AllowN(now, 1)
	}
	if ok || now.Sub(reader.warned) < quiet {
		return ok, false
	}
	reader.warned = now
	return false, true
}

// allowInline is allow for a query of inline mode, which takes nothing of what
// the reader may say to the bot.
func (f *flood) allowInline(chat string) (ok, warn bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	f.sweep(now)
	reader := f.talker("inline "+chat, f.limits.InlineEvery, f.limits.InlineBurst, now)
	if reader.limiter.AllowN(now, 1) {
		return true, false
	}
	if now.Sub(reader.warned) < quiet {
		return false, false
	}
	reader.warned = now
	return false, true
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
