package webchat

import (
	"strings"

	"newsie/internal/database"
)

// What replicas tell each other: there is something new in a chat, or it was
// forgotten.
const (
	signalNews   = "webchat"
	signalForget = "forget"
)

// wake shows what is new in a chat in its open tabs, whichever replica holds them.
func (c *Channel) wake(chat string) {
	c.hub.wake(chat)
	c.announce(signalNews, chat)
}

func (c *Channel) announce(name, what string) {
	c.config.DB.Announce(database.Signal{Name: name, What: c.config.Name + " " + what})
}

// Heard acts on a signal of another replica, or of this one. What is not of this
// channel it leaves alone; the zero Signal has every tab look.
func (c *Channel) Heard(s database.Signal) {
	channel, what, _ := strings.Cut(s.What, " ")
	switch {
	case s == database.Signal{}, s == database.Signal{Name: signalNews}:
		c.hub.wakeAll()
	case channel != c.config.Name:
	case s.Name == signalNews:
		c.hub.wake(what)
	case s.Name == signalForget:
		// What this replica forgot it has forgotten already.
		if replica, chat, _ := strings.Cut(what, " "); replica != c.replica {
			c.hub.forget(chat)
		}
	}
}
