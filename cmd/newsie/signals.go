package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"newsie/content"
	"newsie/internal/database"
	"newsie/scheduler"
)

// signals hand what the replicas tell each other to those who act on it.
type signals struct {
	*server
	up   atomic.Bool
	told bool // that they do not come
}

func newSignals(s *server) *signals {
	n := &signals{server: s}
	s.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "newsie_signals_up", Help: "Whether this process hears the signals of the others; 0: it looks for what is new now and then.",
	}, func() float64 {
		if n.up.Load() {
			return 1
		}
		return 0
	}))
	return n
}

// run hears signals until ctx ends, and shows the others that this process lives.
func (n *signals) run(ctx context.Context) error { return n.db.Listen(ctx, n.heard, n.lost) }

func (n *signals) heard(s database.Signal) {
	n.up.Store(true)
	if away := n.outage.end(); away > 0 {
		n.log.Info("the database answers again", "after", away.Round(100*time.Millisecond))
	} else if n.told {
		n.log.Info("signals of other replicas come again")
	}
	n.told = false
	everything := s == database.Signal{} // some may have been missed
	if everything || s.Name == content.SignalName {
		n.library.Wake()
	}
	if everything || s.Name == scheduler.SignalName {
		n.scheduler.Wake()
	}
	if everything || s.Name == scheduler.SendsSignalName {
		n.scheduler.WakeSends()
	}
	for _, chat := range n.channels.webchats {
		chat.Heard(s)
	}
}

// lost hears of each failure; the log hears of the first, and of the first that
// says that the database is away.
func (n *signals) lost(err error) {
	n.up.Store(false)
	if database.Away(err) {
		if n.outage.begin() {
			n.log.Warn("the database is away; readers are asked for a moment, and all goes on when it is back", "error", err)
		}
		n.told = true
	} else if !n.told {
		n.told = true
		n.log.Warn("signals of other replicas do not come; what is new is looked for now and then, and the connection is tried again", "error", err)
	}
}
