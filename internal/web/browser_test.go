package web_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"newsie/content"
	"newsie/internal/web"
)

// chromium starts a browser of its own, or skips the test where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium in PATH: the pages were not tried in a browser")
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
	complain(t, ctx)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// complain fails the test for whatever the browser's console would show in red:
// errors of the script, things the policy forbids, files that are missing.
func complain(t *testing.T, ctx context.Context) {
	t.Helper()
	err := chromedp.Listen(ctx, func(event any) {
		switch event := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the script broke: %s %+v", event.ExceptionDetails.Text, event.ExceptionDetails.Exception)
		case *log.EventEntryAdded:
			if event.Entry.Level == log.EntryLevelError && !strings.HasSuffix(event.Entry.URL, "/nowhere") {
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

type step = chromedp.Action[chromedp.Void]

// look sets the window and the reader's colours.
func look(width, height int64, scheme string) step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}})
		return chromedp.Void{}, err
	}
}

// shoot keeps a picture of the window where NEWSIE_ARTIFACTS says.
func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("NEWSIE_ARTIFACTS")
	if folder == "" {
		return
	}
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// do runs steps; what names them in a failure.
func do(t *testing.T, ctx context.Context, what string, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector('main').innerText`))
		shoot(t, ctx, "page-failed")
		t.Fatalf("%s: %v; the page says:\n%s", what, err, text)
	}
}

// read evaluates an expression in the page.
func read[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return value
}

// until waits for a condition in the page, for 15 seconds.
func until(js string) step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		met, err := chromedp.Evaluate[bool](`new Promise(met => {
			const end = Date.now() + 15000;
			const look = () => (`+js+`) ? met(true) : Date.now() > end ? met(false) : setTimeout(look, 20);
			look();
		})`, chromedp.EvalAwaitPromise)(ctx, tab)
		if err == nil && !met {
			err = fmt.Errorf("never true: %s", js)
		}
		return chromedp.Void{}, err
	}
}

// picture is a cover: some hills at dusk.
func picture() []byte {
	const width, height = 640, 400
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			c := color.RGBA{uint8(240 - y/4), uint8(190 - y/6), uint8(150 + y/8), 255}
			for i, tone := range []uint8{120, 85, 50} {
				if float64(y) > 190+60*float64(i)+28*math.Sin(float64(x)/float64(90-20*i)+float64(i)*2) {
					c = color.RGBA{tone / 2, tone, tone - 12, 255}
				}
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, m)
	return b.Bytes()
}

func TestPagesInABrowser(t *testing.T) {
	ctx := chromium(t)
	library := stock()
	library.pictures["aa.png"] = content.Figure{Type: "image/png", Data: picture()}
	library.pictures["bb.png"] = library.pictures["aa.png"]
	en, zh := &library.articles[1], &library.articles[0]
	for range 2 {
		en.Body = append(en.Body, content.Block{Kind: content.Paragraph, Text: "The square on the shelf label ties the shelf to the chat. Shops that tried it report that one scan in five becomes a question, and one question in three a sale; what surprised them was that the questions came at night, when nobody was in the shop."})
	}
	zh.Cover = "/media/aa.png"
	zh.Summary = "社区里的小店用微店接单，邻居在群里下单，傍晚取货。"
	zh.Body = []content.Block{
		{Kind: content.Paragraph, Text: "社区里的小店用微店接单，邻居在群里下单，傍晚取货。老板娘说，最忙的不是白天，而是晚上九点以后：孩子睡了，大家才有空看手机。"},
		{Kind: content.Heading, Level: 2, Text: "从一张二维码开始"},
		{Kind: content.Paragraph, Text: strings.Repeat("货架上贴一张小小的二维码，顾客扫一扫，就能问到产地、做法和明天的价格。", 3)},
		{Kind: content.Quote, Text: "“以前是我等客人，现在是客人等我。”"},
		{Kind: content.Paragraph, Text: strings.Repeat("电商不再只是大平台的生意，也可以是巷口的一盏灯。", 4)},
	}
	server := httptest.NewServer(open(t, library, func(c *web.Config) { c.Chat = "/chat/demo/" }))
	t.Cleanup(server.Close)
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"phone", 375, 812}, {"desktop", 1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			for name, path := range map[string]string{"article-en": "/a/3/qr-codes", "article-zh": "/a/4/微店的二维码", "home": "/", "missing": "/nowhere"} {
				if name == "missing" && scheme == "dark" {
					continue
				}
				name = fmt.Sprintf("page-%s-%s-%s", name, size.name, scheme)
				do(t, ctx, name, look(size.width, size.height, scheme), chromedp.Navigate(server.URL+path))
				shoot(t, ctx, name)
				if read[bool](t, ctx, `document.documentElement.scrollWidth > innerWidth`) {
					t.Errorf("%s: the page is wider than the window", name)
				}
				if strings.HasPrefix(name, "page-article") {
					do(t, ctx, name, until(`[...document.images].every(i => i.loading === 'lazy' || i.complete && i.naturalWidth > 0)`))
					read[bool](t, ctx, `(scrollTo(0, document.body.scrollHeight * 0.55), true)`)
					shoot(t, ctx, name+"-below")
				}
			}
		}
	}
	// The measure: about 34 em on a wide screen.
	do(t, ctx, "measure", look(1280, 800, "light"), chromedp.Navigate(server.URL+"/a/3/qr-codes"))
	if em := read[float64](t, ctx, `(() => { const b = document.querySelector('.body'); return b.clientWidth / parseFloat(getComputedStyle(b).fontSize); })()`); em < 28 || em > 38 {
		t.Errorf("lines are %.1f em long", em)
	}
}
