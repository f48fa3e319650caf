// Package browsertest shows pages to a real Chromium in tests: it opens them,
// uses them as a reader would, waits for what should happen, and takes
// pictures. It knows nothing of newsie and is for tests alone.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Artifacts names the environment variable that holds the folder where
// pictures of the window are kept. Without it none are taken.
const Artifacts = "NEWSIE_ARTIFACTS"

// A Browser is one tab of a Chromium of its own. What goes wrong in it fails
// the test that started it; that test's goroutine alone may use it.
type Browser struct {
	t    *testing.T
	ctx  context.Context
	what string
}

// Start starts a browser that lives for four minutes or until the test ends, or
// skips the test where there is no Chromium. What is looked at, such as "chat",
// names the picture of a failure. The test fails for whatever the browser's
// console shows in red, except about addresses that end in one of expected.
func Start(t *testing.T, what string, expected ...string) *Browser {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skipf("no Chromium in PATH: the %s was not tried in a browser", what)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoFirstRun, chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Env("LANG=en_US.UTF-8"),
	)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	// The browser lives as long as the context of the first call: no timeout there.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	complain(t, ctx, expected)
	disguise(t, ctx)
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	return &Browser{t: t, ctx: ctx, what: what}
}

// disguise has the browser say what it is as a reader's does, who has a window:
// servers tell readers from programs by that.
func disguise(t *testing.T, ctx context.Context) {
	t.Helper()
	agent, err := chromedp.Run(ctx, chromedp.Evaluate[string](`navigator.userAgent`))
	if err != nil {
		t.Fatal(err)
	}
	as := emulation.SetUserAgentOverrideParams{UserAgent: strings.ReplaceAll(agent, "Headless", "")}
	if _, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, as); err != nil {
		t.Fatal(err)
	}
}

// complain fails the test for whatever the browser's console would show in red:
// errors of the script, things the policy forbids, files that are missing.
func complain(t *testing.T, ctx context.Context, expected []string) {
	t.Helper()
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the script broke: %s %+v", event.ExceptionDetails.Text, event.ExceptionDetails.Exception)
		case *log.EventEntryAdded:
			known := slices.ContainsFunc(expected, func(end string) bool { return strings.HasSuffix(event.Entry.URL, end) })
			if event.Entry.Level == log.EntryLevelError && !known {
				t.Errorf("the browser complains: %s", event.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
}

// Do runs steps one after the other and ends the test at the first that fails,
// with a picture and the words of the page; what names the steps there.
func (b *Browser) Do(what string, steps ...Step) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector('main').innerText`))
		b.Shoot(b.what + "-failed")
		b.t.Fatalf("%s: %v; the page says:\n%s", what, err, text)
	}
}

// Shoot keeps a picture of the window as name.png in the folder of Artifacts.
func (b *Browser) Shoot(name string) {
	b.t.Helper()
	folder := os.Getenv(Artifacts)
	if folder == "" {
		return
	}
	data, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// Read evaluates a JavaScript expression in the page.
func Read[T any](b *Browser, js string) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return value
}
