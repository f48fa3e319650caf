package main_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// Told to stop in the middle of an answer, newsie finishes it first.
func TestAnswersUnderWayAreFinished(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.write("newsie.yaml", "listen: "+freeAddress(t)+"\n")
		in.write("library/tea.md", "---\ntitle: Tea on the night train\n---\nThe water comes from a samovar at the end of the carriage.\n")
		in.must("import", "library")
		db := in.open()
		p := in.serve()
		web, err := newBrowser(p.url() + "/chat/web/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := web.open(t.Context()); err != nil { // gets a cookie
			t.Fatal(err)
		}
		type answer struct {
			body string
			err  error
		}
		answered := make(chan answer, 1)
		hold(t, db, func() {
			begun := make(chan struct{})
			go func() {
				body, err := web.ask(t.Context(), "samovar", func() { close(begun) })
				answered <- answer{body, err}
			}()
			select {
			case <-begun:
			case a := <-answered:
				t.Fatalf("the answer came while the database was locked: %q, %v", a.body, a.err)
			}
			if err := p.terminate(); err != nil {
				t.Fatal(err)
			}
			in.until("the door to be closed", func() bool {
				c, err := net.Dial("tcp", strings.TrimPrefix(p.url(), "http://"))
				if err == nil {
					_ = c.Close()
				}
				return err != nil
			})
			if p.ended() {
				t.Errorf("newsie ended before it answered:\n%s", p.stderr.String())
			}
		})
		got := <-answered
		if got.err != nil || !strings.Contains(got.body, "Tea on the night train") {
			t.Errorf("the answer is %q, %v", got.body, got.err)
		}
		if err := p.stop(t.Context()); err != nil {
			t.Error(err)
		}
		if !p.said("msg=stopped") {
			t.Errorf("the log does not say that newsie stopped: %s", p.stderr.String())
		}
	})
}

// hold keeps everybody from writing answers while do runs.
func hold(t *testing.T, db *database.DB, do func()) {
	t.Helper()
	err := db.Tx(t.Context(), func(ctx context.Context, tx bun.Tx) error {
		// On SQLite the transaction itself keeps other writers out.
		if db.Postgres() {
			if _, err := tx.ExecContext(ctx, "LOCK TABLE lists IN ACCESS EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		do()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ask says words as the page's script does and returns the answer's HTML. It
// calls begun once newsie reads the message: the client waits to be told so
// before it sends it.
func (b *browser) ask(ctx context.Context, words string, begun func()) (string, error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: begun})
	form := url.Values{"text": {words}, "id": {"once"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept-Language", "en")
	request.Header.Set("Newsie-Fragment", "1")
	request.Header.Set("Expect", "100-continue")
	client := *b.client
	client.Transport = &http.Transport{ExpectContinueTimeout: patience}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.Status + string(body), err
}

// One folder has one newsie; one PostgreSQL may have several, each with a
// folder of its own, and what one brings in is found by all.
func TestOneFolderOneServer(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		first := in.serve("--listen", "127.0.0.1:0")
		_, stderr, err := in.run("serve", "--listen", "127.0.0.1:0")
		if err == nil || !strings.Contains(stderr, "another newsie uses this data folder: newsie-data") {
			t.Errorf("the second newsie: %v, %q", err, stderr)
		}
		if first.ended() {
			t.Fatalf("the second newsie ended the first: %s", first.stderr.String())
		}
		_, stderr, err = in.run("serve", "--data", "elsewhere", "--listen", strings.TrimPrefix(first.url(), "http://"))
		if err == nil || !strings.Contains(stderr, "choose one with --listen") {
			t.Errorf("a second newsie on the same address: %v, %q", err, stderr)
		}
		if in.database == "" {
			return
		}
		second := in.serve("--data", "second", "--listen", "127.0.0.1:0")
		in.write("library/tea.md", "---\ntitle: Tea on the night train\n---\nThe water comes from a samovar at the end of the carriage.\n")
		in.must("import", "library")
		for _, p := range []*process{first, second} {
			web, err := newBrowser(p.url() + "/chat/web/")
			if err != nil {
				t.Fatal(err)
			}
			in.until("the article on both", func() bool {
				answer, err := web.say(t.Context(), "samovar")
				return err == nil && len(articles(answer)) == 1
			})
			if err := p.stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}
