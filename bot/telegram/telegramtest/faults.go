package telegramtest

import (
	"context"
	"net"
	"net/http"
	"time"
)

// A Fault is what goes wrong with one call.
type Fault string

const (
	ResetBefore Fault = "reset before" // the connection breaks, and nothing was done
	ResetAfter  Fault = "reset after"  // it was done, and the connection breaks
	BadGateway  Fault = "502"          // a page of HTML from the proxy in front
	NotAnAPI    Fault = "html 200"     // a page of HTML that calls itself fine
	ServerError Fault = "500"          // the API's own
	Hang        Fault = "hang"         // no answer until the client gives up
	TooMany     Fault = "429"          // with a retry_after of 17 seconds

	RefuseEntities Fault = "entities" // a text that the server cannot parse
)

// Fail lets the next calls of a method go wrong, one fault each.
func (s *Server) Fail(method string, faults ...Fault) {
	s.change(func() { s.faults[method] = append(s.faults[method], faults...) })
}

func (s *Server) nextFault(method string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.faults[method]
	if len(list) == 0 {
		return ""
	}
	s.faults[method] = list[1:]
	return list[0]
}

// before plays the faults in which nothing is done; true: it did.
func (f Fault) before(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) bool {
	switch f {
	case Hang:
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	case ResetBefore:
		hangUp(w)
	case BadGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"))
	case NotAnAPI:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html>Welcome to the hotel's network</html>"))
	case ServerError:
		respond(w, nil, &refusal{code: 500, words: "Internal Server Error"})
	case TooMany:
		respond(w, nil, &refusal{code: 429, words: "Too Many Requests: retry after 17", retryAfter: 17})
	case RefuseEntities:
		respond(w, nil, bad("can't parse entities: Unsupported start tag \"x\" at byte offset 0"))
	default:
		return false
	}
	return true
}

// Chaos is what goes wrong by chance, the same way for the same seed as long as
// calls come one after another.
type Chaos struct {
	Seed        uint64
	Delay       time.Duration // calls take up to so much longer
	ResetBefore float64       // the share of calls after which nothing was done and nothing answered
	ResetAfter  float64       // the share of calls that were done and not answered
}

// Broken counts the calls of a method whose connections broke.
type Broken struct {
	Before int // nothing was done
	After  int // it was done, if it was not refused
}

// Broken tells which calls of a method were reset, by Fail or by chance.
func (s *Server) Broken(method string) Broken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken[method]
}

// breaks counts a call that a fault resets.
func (s *Server) breaks(method string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.broken[method]
	switch f {
	case ResetBefore:
		b.Before++
	case ResetAfter:
		b.After++
	default:
		return
	}
	s.broken[method] = b
}

// chaos delays a call and tells what goes wrong with it.
func (s *Server) chaos(ctx context.Context) Fault {
	c := s.options.Chaos
	if c == (Chaos{Seed: c.Seed}) {
		return ""
	}
	s.mu.Lock()
	delay, lot := time.Duration(s.chance.Float64()*float64(c.Delay)), s.chance.Float64()
	s.mu.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-s.stop:
		}
	}
	switch {
	case lot < c.ResetBefore:
		return ResetBefore
	case lot < c.ResetBefore+c.ResetAfter:
		return ResetAfter
	}
	return ""
}

// hangUp breaks the connection with a reset.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// Accept checks the parameters of one message as sendMessage would, without a
// server, and returns what a reader would see.
func Accept(p map[string]string) (Message, error) {
	m, refused := content(p)
	if refused != nil {
		return m, refused
	}
	return m, nil
}
