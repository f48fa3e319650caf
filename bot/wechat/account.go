package wechat

import "context"

// An Account is what the platform made of an account; it decides what the
// account may do.
type Account string

const (
	Unverified   Account = "unverified"   // or personal: it answers, and pushes nothing
	Subscription Account = "subscription" // verified
	Service      Account = "service"      // verified
)

// Abilities are what an account may do beside answering.
type Abilities struct {
	Customer bool // customer messages, within a reader's windows
	Notice   bool // subscription notices, one for each grant of a reader
	Template bool // template messages
	Mass     bool // mass sends
	Monthly  bool // four mass sends a month for each reader, instead of one a day
}

// usual is what the platform lets an account of this kind do.
func (a Account) usual() Abilities {
	switch a {
	case Subscription:
		return Abilities{Customer: true, Notice: true, Mass: true}
	case Service:
		return Abilities{Customer: true, Notice: true, Template: true, Mass: true, Monthly: true}
	}
	return Abilities{}
}

// abilities are what the account may do, as far as is known.
func (c *Channel) abilities(context.Context) Abilities { return c.cfg.Account.usual() }
