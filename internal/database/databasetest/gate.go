package databasetest

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// A Gate stands between newsie and PostgreSQL and can be shut: then connections
// break and new ones are refused, as when the server or the way to it is gone.
type Gate struct {
	t       testing.TB
	network string // of the server
	server  string
	address string // of the gate, the same whenever it opens
	url     string

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	ended    sync.WaitGroup
}

// NewGate opens a gate to the database at an address of PostgreSQL's.
func NewGate(t testing.TB, address string) *Gate {
	t.Helper()
	config, err := pgconn.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{t: t, address: "127.0.0.1:0", open: map[net.Conn]bool{}}
	g.network, g.server = pgconn.NetworkAddress(config.Host, config.Port)
	g.Open()
	u.Host = g.address
	q := u.Query()
	q.Del("host") // a socket
	u.RawQuery = q.Encode()
	g.url = u.String()
	t.Cleanup(g.Shut)
	return g
}

// Address is that of the database, through the gate.
func (g *Gate) Address() string { return g.url }

// Open lets connections through.
func (g *Gate) Open() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener, g.address = listener, listener.Addr().String()
	g.ended.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			g.ended.Go(func() { g.pass(listener, in) })
		}
	})
}

// Shut breaks all connections and lets none through.
func (g *Gate) Shut() {
	g.mu.Lock()
	if g.listener != nil {
		_ = g.listener.Close()
		g.listener = nil
	}
	for conn := range g.open {
		_ = conn.Close()
	}
	g.mu.Unlock()
	g.ended.Wait()
}

func (g *Gate) pass(listener net.Listener, in net.Conn) {
	defer func() { _ = in.Close() }()
	out, err := net.Dial(g.network, g.server)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	if !g.enter(listener, in, out) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
			_ = way[1].Close()
		})
	}
	both.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.open, in)
	delete(g.open, out)
}

// enter notes two connections; false: the gate was shut meanwhile.
func (g *Gate) enter(listener net.Listener, in, out net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener != listener {
		return false
	}
	g.open[in], g.open[out] = true, true
	return true
}
