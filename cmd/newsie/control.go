package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"newsie/bot"
)

// While newsie serves it keeps the index to itself. Commands that need the
// index then ask the serving process, over a loopback port whose address and
// key stand in a file of the data folder that only its owner may read.
type control struct {
	server   *server
	listener net.Listener
	key      string
	path     string
}

type controlFile struct {
	Address string `json:"address"`
	Key     string `json:"key"`
}

func controlPath(data string) string { return filepath.Join(data, "serving.json") }

func (s *server) control() (*control, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the control port: %w", err)
	}
	c := &control{server: s, listener: listener, key: rand.Text(), path: controlPath(s.config.Data)}
	data, err := json.Marshal(controlFile{listener.Addr().String(), c.key})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.path, data, 0o600); err != nil {
		return nil, fmt.Errorf("write the control file: %w", err)
	}
	return c, nil
}

func (c *control) run(ctx context.Context) error {
	defer func() { _ = os.Remove(c.path) }()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /search", c.search)
	mux.HandleFunc("GET /suggest", c.suggest)
	mux.HandleFunc("GET /preview", c.preview)
	mux.HandleFunc("GET /why", c.why)
	mux.HandleFunc("GET /lag", c.lag)
	mux.HandleFunc("GET /wake", c.wake)
	mux.HandleFunc("GET /where", c.where)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+c.key)) != 1 {
			http.Error(w, "the key is wrong", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control port: %w", err)
	}
	return nil
}

func (c *control) search(w http.ResponseWriter, r *http.Request) {
	report, err := search(r.Context(), c.server.installation, c.server.public, searchOptionsFrom(r.URL.Query()))
	answer(w, report, err)
}

func (c *control) suggest(w http.ResponseWriter, r *http.Request) {
	report, err := suggest(r.Context(), c.server.library, suggestOptionsFrom(r.URL.Query()))
	answer(w, report, err)
}

func (c *control) preview(w http.ResponseWriter, r *http.Request) {
	reply, err := preview(r.Context(), c.server.installation, c.server.scheduler, r.URL.Query().Get("of"), r.URL.Query().Get("lang"))
	answer(w, reply, err)
}

func (c *control) why(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	article, err := strconv.ParseInt(q.Get("article"), 10, 64)
	if err != nil {
		answer(w, nil, err)
		return
	}
	report, err := c.server.why(r.Context(), c.server.scheduler, bot.ChatID{Channel: q.Get("channel"), ID: q.Get("chat")}, article)
	answer(w, report, err)
}

// lag tells how many changes the index has still to follow.
func (c *control) lag(w http.ResponseWriter, r *http.Request) {
	n, err := c.server.library.Lag(r.Context())
	answer(w, n, err)
}

// wake tells of what another process on this machine has written, which on SQLite
// no signal tells of.
func (c *control) wake(w http.ResponseWriter, _ *http.Request) {
	c.server.scheduler.Wake()
	c.server.scheduler.WakeSends()
	answer(w, true, nil)
}

// where tells the address of the reader pages.
func (c *control) where(w http.ResponseWriter, _ *http.Request) {
	answer(w, c.server.public, nil)
}

// servedAt is the address of the reader pages, without a / at its end: the public
// one, else that of the process that serves this data folder. guessed: there is
// none, and it is where one would be.
func (in *installation) servedAt(ctx context.Context) (address string, guessed bool) {
	address = in.config.PublicURL
	if address == "" {
		ok, err := ask(ctx, in.config.Data, "/where", nil, &address)
		if err != nil {
			in.log.Debug("the serving newsie did not tell its address", "error", err)
		}
		if guessed = !ok || err != nil; guessed {
			address = in.config.pages()
		}
	}
	return strings.TrimRight(address, "/"), guessed
}

// wakeServing has the process that serves this data folder, if there is one, look
// at once for what was just written. It would by itself, a little later.
func (in *installation) wakeServing(ctx context.Context) {
	var woken bool
	if _, err := ask(ctx, in.config.Data, "/wake", nil, &woken); err != nil {
		in.log.Debug("the serving newsie was not woken", "error", err)
	}
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// ask puts a question to the process that serves this data folder. ok is false
// when there is none.
func ask(ctx context.Context, data, path string, query url.Values, into any) (ok bool, err error) {
	raw, err := os.ReadFile(controlPath(data))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the control file: %w", err)
	}
	var file controlFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return false, fmt.Errorf("read the control file: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+file.Address+path+"?"+query.Encode(), nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+file.Key)
	response, err := http.DefaultClient.Do(request)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return false, nil // the file is of one that was killed, and another is starting
	}
	if err != nil {
		return false, fmt.Errorf("ask the serving newsie: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return true, fmt.Errorf("ask the serving newsie: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return true, errors.New(string(body))
	}
	return true, json.Unmarshal(body, into)
}

// answerAnywhere has a question answered by the process that serves this data
// folder, or here, with the library brought up to date, when there is none.
// here is given the address that reader pages have.
func answerAnywhere[T any](ctx context.Context, p *program, path string, query url.Values, here func(in *installation, public string) (T, error)) (T, error) {
	var none, answer T
	config, err := p.config()
	if err != nil {
		return none, err
	}
	in, err := p.openExisting(ctx, config)
	if err != nil {
		return none, err
	}
	defer func() { _ = in.Close() }()
	err = in.openLibrary()
	if errors.Is(err, errInUse) {
		ok, askErr := ask(ctx, config.Data, path, query, &answer)
		if !ok && askErr == nil {
			return none, err
		}
		return answer, askErr
	}
	if err != nil {
		return none, err
	}
	if err := in.loadSynonyms(); err != nil {
		return none, err
	}
	if _, err := in.library.Follow(ctx); err != nil {
		return none, err
	}
	if err := in.library.Words(ctx); err != nil {
		return none, err
	}
	public := config.PublicURL
	if public == "" {
		public = "http://" + reachable(config.Listen)
	}
	return here(in, public)
}
