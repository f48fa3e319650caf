package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"newsie/internal/database"
	"newsie/internal/database/databasetest"
)

// patience is how long a test waits for something that must happen. Nothing is
// asserted about how long it takes; a loaded machine with -race is slow.
const patience = 3 * time.Minute

// A process is newsie running beside the test.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr output
	exited         chan struct{}
	err            error // of the end, once exited is closed
}

// output keeps what a process says.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// An installation is a folder with a configuration and data, and the database
// that belongs to it.
type installation struct {
	t        testing.TB
	dir      string
	database string // "" is SQLite in the data folder

	opened   *database.DB // by open
	openedAt string
}

// each runs a test on SQLite, and on PostgreSQL where there is one, side by side.
func each(t *testing.T, test func(t *testing.T, in *installation)) {
	t.Parallel()
	if databasetest.Second() {
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, install(t, ""))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, install(t, databasetest.PostgresAddress(t)))
	})
}

func install(t testing.TB, database string) *installation {
	t.Helper()
	if database == "" && databasetest.Second() {
		database = databasetest.PostgresAddress(t)
	}
	return &installation{t: t, dir: t.TempDir(), database: database}
}

func (in *installation) path(parts ...string) string {
	return filepath.Join(append([]string{in.dir}, parts...)...)
}

func (in *installation) data() string { return in.path("newsie-data") }

// address is of the database, for tests that look into it.
func (in *installation) address() string {
	if file, ok := strings.CutPrefix(in.database, "sqlite://"); ok {
		return in.path(file)
	}
	if in.database != "" {
		return in.database
	}
	return filepath.Join(in.data(), "newsie.db")
}

func (in *installation) write(name, text string) {
	in.t.Helper()
	if err := os.MkdirAll(filepath.Dir(in.path(name)), 0o700); err != nil {
		in.t.Fatal(err)
	}
	if err := os.WriteFile(in.path(name), []byte(text), 0o600); err != nil {
		in.t.Fatal(err)
	}
}

// command is newsie with some arguments: this test binary under its other name.
func command(ctx context.Context, dir string, environ []string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "newsie"
	cmd.Dir, cmd.Env = dir, environ
	return cmd, nil
}

// race is what newsie's race detector is told: else every process sleeps for a
// second before it ends.
const race = "GORACE=atexit_sleep_ms=0"

// environ is the machine's without the variables of newsie and its tests.
func environ(more ...string) []string {
	list := []string{race}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "NEWSIE_") {
			list = append(list, entry)
		}
	}
	return append(list, more...)
}

func (in *installation) environ() []string {
	if in.database == "" {
		return environ()
	}
	return environ("NEWSIE_DATABASE=" + in.database)
}

// run runs one command to its end.
func (in *installation) run(args ...string) (stdout, stderr string, err error) {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(in.t.Context(), patience)
	defer cancel()
	cmd, err := command(ctx, in.dir, in.environ(), args...)
	if err != nil {
		in.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// must runs a command that has to succeed.
func (in *installation) must(args ...string) string {
	in.t.Helper()
	stdout, stderr, err := in.run(args...)
	if err != nil {
		in.t.Fatalf("newsie %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout
}

// read runs a command with --json and decodes what it prints.
func (in *installation) read(into any, args ...string) {
	in.t.Helper()
	out := in.must(args...)
	if err := json.Unmarshal([]byte(out), into); err != nil {
		in.t.Fatalf("newsie %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// start starts a process, which is killed at the latest when the test ends.
func (in *installation) start(args ...string) *process {
	in.t.Helper()
	p, err := launch(in.dir, in.environ(), args...)
	if err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(func() {
		p.kill()
		if in.t.Failed() {
			in.t.Logf("newsie %s:\n%s%s", strings.Join(args, " "), p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// serve starts newsie serve and waits until readers are answered.
func (in *installation) serve(args ...string) *process {
	in.t.Helper()
	p := in.start(append([]string{"serve"}, args...)...)
	in.until("newsie serves", func() bool { return p.said("is ready after") || p.ended() })
	if p.ended() {
		in.t.Fatalf("serve ended: %v\n%s%s", p.err, p.stdout.String(), p.stderr.String())
	}
	return p
}

func launch(dir string, environ []string, args ...string) (*process, error) {
	cmd, err := command(context.Background(), dir, environ, args...)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) said(words string) bool {
	return strings.Contains(p.stdout.String(), words) || strings.Contains(p.stderr.String(), words)
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// terminate asks the process to stop, as the system does.
func (p *process) terminate() error { return p.cmd.Process.Signal(syscall.SIGTERM) }

// stop terminates the process and waits for its end.
func (p *process) stop(ctx context.Context) error {
	if err := p.terminate(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.exited:
		if p.err != nil {
			return fmt.Errorf("newsie ended with %w\n%s", p.err, p.stderr.String())
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("newsie does not stop: %w", ctx.Err())
	}
}

var pagesRule = regexp.MustCompile(`(?m)^  Reader pages  (\S+)/$`)

// url is where the reader pages are, as the greeting says.
func (p *process) url() string {
	m := pagesRule.FindStringSubmatch(p.stdout.String())
	if m == nil {
		return ""
	}
	return m[1]
}

// until waits for something that a process does, and asks again and again
// because processes tell nobody when they have done it.
func (in *installation) until(what string, done func() bool) {
	in.t.Helper()
	if !poll(patience, done) {
		in.t.Fatalf("waited in vain: %s", what)
	}
}

func poll(limit time.Duration, done func() bool) bool {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// freeAddress is an address that nobody listens on at this moment, for those
// who must know it before newsie does.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
