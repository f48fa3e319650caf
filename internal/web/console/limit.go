package console

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"newsie/bot"
)

// What a login may try. Each takes from the buckets that all replicas share.
//
// An address has ten tries, and one more every half minute. A name has twenty, and
// one more every ten seconds, from wherever they come: that bounds who guesses from
// many addresses, and would keep the user out as well, so three tries of each
// address, and one more every ten minutes, do not count for it.
func (c *Console) limits(name, address string) (own, named, few bot.Bucket) {
	own = bot.Bucket{Name: "login from " + network(address), PerSecond: 1.0 / 30, Burst: 10}
	named = bot.Bucket{Name: "login as " + hashed(name)[:22], PerSecond: 1.0 / 10, Burst: 20}
	few = bot.Bucket{Name: "login few " + network(address), PerSecond: 1.0 / 600, Burst: 3}
	return own, named, few
}

// allow tells whether a login may be tried now, or how long until it may.
func (c *Console) allow(ctx context.Context, name, address string) (wait time.Duration, err error) {
	own, named, few := c.limits(name, address)
	for _, step := range []struct {
		bucket bot.Bucket
		enough bool // no need to look at those that follow
	}{{own, false}, {few, true}, {named, false}} {
		w, ok, err := c.config.Pacer.Take(ctx, step.bucket, 1, 0, nil)
		if err != nil {
			return 0, fmt.Errorf("bound logins: %w", err)
		}
		switch {
		case ok && step.enough:
			return 0, nil
		case !ok && !step.enough:
			return max(w, time.Second), nil
		}
	}
	return 0, nil
}

// network is an address as tries are counted: of IPv6, where everybody has many,
// the network of 64 bits.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
