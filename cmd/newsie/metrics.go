package main

import (
	"context"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"newsie/content"
	"newsie/internal/database"
)

// metrics are what /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	answers  *prometheus.HistogramVec
	events   *prometheus.CounterVec
	articles *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "newsie_answer_seconds", Help: "Time from a reader's message to its reply, by channel and outcome.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"channel", "outcome"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "newsie_channel_events_total", Help: "Things that happened on a channel, by event.",
		}, []string{"channel", "event"}),
		articles: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "newsie_ingest_articles_total", Help: "Articles read from sources, by what became of them.",
		}, []string{"source", "change"}),
	}
	m.registry.MustRegister(m.answers, m.events, m.articles, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(channel, outcome string, took time.Duration) {
	m.answers.WithLabelValues(channel, outcome).Observe(took.Seconds())
}

// watch adds what is read from the database and the library when somebody looks.
func (m *metrics) watch(db *database.DB, library *content.Library) {
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	ask := func(f func(ctx context.Context) (int64, error)) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			n, err := f(ctx)
			if err != nil {
				return -1
			}
			return float64(n)
		}
	}
	gauge("newsie_database_up", "Whether the database answers; 0: what is read from it is left out or -1.", func() float64 {
		return max(0, ask(func(ctx context.Context) (int64, error) {
			_, err := db.Now(ctx)
			return 1, err
		})())
	})
	gauge("newsie_index_bytes", "Size of the index on disk.", func() float64 { return float64(library.Size()) })
	gauge("newsie_index_seq", "Position up to which the index has followed the store.", func() float64 { return float64(library.Seq()) })
	gauge("newsie_index_lag", "Changes the index has still to follow; -1 when the database does not answer.", ask(library.Lag))
	gauge("newsie_index_lag_seconds", "How long the index has been behind the store without a break.", func() float64 { return library.Behind().Seconds() })
	gauge("newsie_articles", "Published articles; -1 when the database does not answer.", ask(func(ctx context.Context) (int64, error) {
		n, err := library.Count(ctx, content.Filter{Copies: true})
		return int64(n), err
	}))
}

// direct reports whether a request came straight to this process: no proxy's
// header, and asked for by an address instead of a public name.
func direct(r *http.Request) bool {
	for _, header := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header.Get(header) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = strings.Trim(r.Host, "[]")
	}
	return host == "localhost" || net.ParseIP(host) != nil
}

// handler shows the metrics: to whoever has the token when there is one, else
// to those who ask this process directly. Readers come through the proxy.
func (m *metrics) handler(token string) http.Handler {
	// What the database cannot tell now is left out, and the rest shown.
	show := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := direct(r)
		if token != "" {
			given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			allowed = subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
		}
		if !allowed {
			http.Error(w, "metrics are not for everybody: set metrics_token and send it as a bearer token", http.StatusForbidden)
			return
		}
		show.ServeHTTP(w, r)
	})
}
