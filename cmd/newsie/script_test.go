package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/simplifiedchinese"

	"newsie/bot/wechat/wechattest"
	"newsie/internal/database/databasetest"
)

// The stories in testdata/script run newsie as a publisher does. Beside
// testscript's own commands they know:
//
//	serve ARGS...   starts newsie serve and waits until it answers; $URL is where
//	terminate       ends it with SIGTERM and waits; its log is stderr then
//	crash           ends it with SIGKILL
//	say WORDS...    a reader says something in the chat in the browser; stdout
//	                is the answer, a line with the links after it
//	get PATH        fetches a page; stdout is the status and the body
//	binary FILE     makes a file that is no text
//	eventually REGEXP ARGS...  runs newsie until its stdout matches
//	logged REGEXP   waits until the serving newsie has logged it
//	account NAME [unverified|service]  opens a WeChat account on a platform made
//	                for the story, and configures it as that channel by variables; $FREE is
//	                an address to serve at
//	block NAME [ADDRESS]  takes newsie off the account's whitelist, or puts it back
//	gb18030 FILE    rewrites a UTF-8 file in that encoding
func TestScripts(t *testing.T) {
	t.Parallel()
	if databasetest.Second() {
		return
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		runScripts(t, func(testing.TB) string { return "" })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		runScripts(t, func(t testing.TB) string { return databasetest.PostgresAddress(t) })
	})
}

func runScripts(t *testing.T, database func(t testing.TB) string) {
	onSQLite := database(t) == ""
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			soon := time.Now().AddDate(0, 2, 0).Format(time.DateOnly) // a day to come, within the year
			env.Vars = append(env.Vars, race, "SOON="+soon)
			env.Values[storyKey{}] = &story{t: t, accounts: map[string]*wechattest.Server{}}
			if address := database(t); address != "" {
				env.Setenv("NEWSIE_DATABASE", address)
			}
			env.Defer(func() { env.Values[storyKey{}].(*story).end() })
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "sqlite" {
				return onSQLite, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": serveScript, "terminate": stopScript, "crash": crashScript, "say": sayScript, "get": getScript, "gb18030": encodeScript, "binary": binaryScript,
			"eventually": eventuallyScript, "logged": loggedScript, "account": accountScript, "block": blockScript,
		},
	})
}

type storyKey struct{}

// A story is what a running script has.
type story struct {
	t        testing.TB // of all stories, which the accounts end with
	server   *process
	reader   *browser
	accounts map[string]*wechattest.Server
}

func (s *story) end() {
	if s.server != nil {
		s.server.kill()
	}
}

func told(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

func serveScript(ts *testscript.TestScript, _ bool, args []string) {
	s := told(ts)
	var vars []string
	names := []string{"PATH", "HOME", "TMPDIR", "GORACE", "NEWSIE_DATABASE", "NEWSIE_DATA", "NEWSIE_PUBLIC_URL"}
	for account := range s.accounts {
		for _, key := range accountKeys {
			names = append(names, accountVariable(account, key))
		}
	}
	for _, name := range names {
		if value := ts.Getenv(name); value != "" {
			vars = append(vars, name+"="+value)
		}
	}
	var err error
	s.server, err = launch(ts.MkAbs("."), vars, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	ts.Check(err)
	if !poll(patience, func() bool { return s.server.said("is ready after") || s.server.ended() }) || s.server.ended() {
		ts.Fatalf("newsie does not serve:\n%s%s", s.server.stdout.String(), s.server.stderr.String())
	}
	ts.Setenv("URL", s.server.url())
	if s.reader == nil {
		s.reader, err = newBrowser("")
		ts.Check(err)
	}
	s.reader.base = s.server.url() + "/chat/web/"
	_, _ = fmt.Fprint(ts.Stdout(), s.server.stdout.String())
}

func stopScript(ts *testscript.TestScript, _ bool, _ []string) {
	s := told(ts)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ts.Check(s.server.stop(ctx))
	_, _ = fmt.Fprint(ts.Stderr(), s.server.stderr.String())
}

func crashScript(ts *testscript.TestScript, _ bool, _ []string) { told(ts).server.kill() }

func sayScript(ts *testscript.TestScript, _ bool, args []string) {
	answer, err := told(ts).reader.say(context.Background(), strings.Join(args, " "))
	ts.Check(err)
	_, _ = fmt.Fprintf(ts.Stdout(), "%s\n%s\n", answer.text, strings.Join(answer.links, " "))
}

func getScript(ts *testscript.TestScript, _ bool, args []string) {
	response, err := http.Get(ts.Getenv("URL") + args[0])
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	_, _ = fmt.Fprintln(ts.Stdout(), response.Status)
	_, err = io.Copy(ts.Stdout(), io.LimitReader(response.Body, 8<<20))
	ts.Check(err)
}

func eventuallyScript(ts *testscript.TestScript, _ bool, args []string) {
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	if !poll(patience, func() bool { return ts.Exec("newsie", args[1:]...) == nil && want.MatchString(ts.ReadFile("stdout")) }) {
		ts.Fatalf("never: %s", args[0])
	}
}

func loggedScript(ts *testscript.TestScript, _ bool, args []string) {
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	s := told(ts).server
	if !poll(patience, func() bool { return want.MatchString(s.stderr.String()) }) {
		ts.Fatalf("never logged: %s\n%s", args[0], s.stderr.String())
	}
}

func accountScript(ts *testscript.TestScript, _ bool, args []string) {
	s := told(ts)
	kind := strings.Join(args[1:], " ")
	account := wechattest.New(s.t, wechattest.Account{Verified: kind != "unverified", Service: kind == "service"}, nil)
	s.accounts[args[0]] = account
	ts.Setenv("FREE", freeAddress(s.t))
	if kind == "" {
		kind = "subscription"
	}
	for key, value := range map[string]string{
		"KIND": "wechat", "APP_ID": account.AppID, "APP_SECRET": account.Secret, "TOKEN": account.Token, "AES_KEY": account.AESKey,
		"API_URL": account.URL, "ACCOUNT": kind,
	} {
		ts.Setenv(accountVariable(args[0], key), value)
	}
}

// accountKeys are those that a story's account is configured by.
var accountKeys = []string{"KIND", "APP_ID", "APP_SECRET", "TOKEN", "AES_KEY", "API_URL", "ACCOUNT"}

func accountVariable(channel, key string) string {
	return "NEWSIE_CHANNELS_" + strings.ToUpper(channel) + "_" + key
}

func blockScript(ts *testscript.TestScript, _ bool, args []string) {
	told(ts).accounts[args[0]].Block(strings.Join(args[1:], ""))
}

func encodeScript(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(encoded), 0o600))
}

func binaryScript(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\xff\xfe\x00\x03"), 0o600))
}
