package webchat_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"newsie/bot"
	"newsie/bot/webchat"
	"newsie/internal/database/databasetest"
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
		t.Skip("no Chromium in PATH: the chat was not tried in a browser")
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
			if event.Entry.Level == log.EntryLevelError {
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
		shoot(t, ctx, "chat-failed")
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

func run(js string) step {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[bool]("("+js+", true)")(ctx, tab)
		return chromedp.Void{}, err
	}
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

// says is true when a message of the bot that is kept contains words.
func says(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('.it[data-id]')].some(e => e.textContent.includes(%q))`, words)
}

func typing(text string) step { return chromedp.SendKeys(chromedp.CSS("#text"), text+"\r") }

// press pushes the last button whose label contains words.
func press(words string) step {
	return run(fmt.Sprintf(`[...document.querySelectorAll('form.tap button')].filter(b => b.textContent.includes(%q)).pop().click()`, words))
}

// picture is a cover: some hills at dusk.
func picture(w http.ResponseWriter, _ *http.Request) {
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
	_ = png.Encode(w, m)
}

// newsroom answers like a small library.
type newsroom struct {
	media string // where the covers are
	mu    sync.Mutex
	said  []bot.Message
}

func (n *newsroom) handle(_ context.Context, m bot.Message) (bot.Reply, error) {
	n.mu.Lock()
	n.said = append(n.said, m)
	n.mu.Unlock()
	card := func(number int, title, text, mark, source, date, lang string) bot.Card {
		at := strings.Index(text, mark)
		c := bot.Card{Number: number, Article: int64(number), Title: title, URL: fmt.Sprintf("https://paper.example/a/%d/x", number), Source: source, Date: date, Lang: lang, Open: fmt.Sprintf("/read %d", number), Snippet: bot.Snippet{Text: text}}
		if mark != "" && at >= 0 {
			c.Snippet.Marks = []bot.Span{{Start: at, End: at + len(mark)}}
		}
		return c
	}
	switch {
	case m.Kind == bot.Join:
		return bot.Reply{Lang: "en", Text: "Hello! I know the articles of The Paper.\nType a word – “commerce”, “健康”, “sport” – or ask a question."}, nil
	case m.Text == "commerce":
		r := bot.Reply{Lang: "en", Text: "5 of 23 articles on “commerce”:", Groups: []bot.Group{{Cards: []bot.Card{
			card(1, "Forty crates of oranges, sold in a chat", "The cooperative closed its web shop and moved its commerce into a chat group. Two years later it sells more than before, with one person less.", "commerce", "The Paper", "14 October 2026", "en"),
			card(2, "QR codes on the shelf label", "A small square on the label ties the shelf to the chat: readers scan it, ask, and commerce begins with a conversation.", "commerce", "Ada Byron", "2 September 2026", "en"),
			card(3, "微店与社区团购：巷口小店的第二个春天", "社区里的小店用微店接单，邻居在群里下单，傍晚取货。电商不再只是大平台的生意。", "电商", "新闻部", "2026年8月21日", "zh-Hans"),
			card(4, "Bottega in tasca", "Il commercio elettronico entra nella chat: il cliente scrive, il negozio risponde, e il pacco parte la sera stessa.", "commercio elettronico", "Redazione", "3 luglio 2026", "it"),
			card(5, "Лавка в телеграме", "Торговля в мессенджере начинается с вопроса, а не с витрины.", "Торговля", "Редакция", "1 июня 2026", "ru"),
		}}}, Actions: []bot.Action{{Label: "More", Text: "/more 93 2"}, {Label: "Follow “commerce”", Text: "/follow commerce"}}}
		r.Groups[0].Cards[0].Cover = n.media + "/media/cover.png"
		return r, nil
	case m.Text == "/read 2":
		return bot.Reply{Lang: "en", Groups: []bot.Group{
			{Cards: []bot.Card{{Article: 2, Title: "QR codes on the shelf label", URL: "https://paper.example/a/2/x", Source: "Ada Byron", Date: "2 September 2026", Lang: "en", Cover: n.media + "/media/cover.png",
				Snippet: bot.Snippet{Text: "A small square on the label ties the shelf to the chat. Shops that tried it report that one scan in five becomes a question, and one question in three a sale."}}}},
			{Heading: "Related articles", Cards: []bot.Card{card(1, "Forty crates of oranges, sold in a chat", "The cooperative closed its web shop.", "", "The Paper", "14 October 2026", "en")}},
		}, Actions: []bot.Action{{Label: "‹ Older", Text: "/read 1"}, {Label: "Newer ›", Text: "/read 3"}, {Label: "On the site", URL: "https://paper.example/a/2/x"}}}, nil
	case m.Text == "/more 93 2":
		return bot.Reply{Lang: "en", Text: "6–7 of 23:", Replace: "93", Groups: []bot.Group{{Cards: []bot.Card{
			card(6, "The mail boat to Vore", "Commerce came to the island with the boat.", "Commerce", "The Paper", "1 May 2026", "en"), card(7, "Two knees", "A runner's report.", "", "The Paper", "1 April 2026", "en")}}}}, nil
	case strings.HasPrefix(m.Text, "/follow"):
		return bot.Reply{Lang: "en", Text: "You follow “commerce”: every day at 8:00, when there is something new."}, nil
	case m.Text == "/help" || m.Text == "/forget":
		return bot.Reply{Lang: "en", Text: "Words find articles. https://paper.example/help"}, nil
	}
	return bot.Reply{Lang: "en", Text: "Nothing found for “" + m.Text + "”."}, nil
}

func (n *newsroom) last() bot.Message {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.said[len(n.said)-1]
}

func TestChatInABrowser(t *testing.T) {
	ctx := chromium(t)
	room := &newsroom{}
	s := serve(t, databasetest.SQLite(t), room.handle, func(c *webchat.Config) {
		c.Now = time.Now
		room.media = c.PublicURL
		c.Suggestions = []string{"commerce", "健康", "sport", "烹饪", "viaggi"}
	})
	do(t, ctx, "open", look(375, 812, "light"), chromedp.Navigate(s.url), until(`document.getElementById("text")`))
	shoot(t, ctx, "chat-phone-welcome")
	if n := s.count(t); n != 0 {
		t.Errorf("opening the page left %d rows", n)
	}

	do(t, ctx, "type a word", typing("commerce"), until(says("Forty crates")))
	if m := room.last(); m.Zone == "" || m.Text != "commerce" || m.Kind != bot.Text {
		t.Errorf("the bot heard %+v", m)
	}
	if left, cards := read[int](t, ctx, `document.querySelectorAll('.it:not([data-id]), .pending, .typing, #chips').length`), read[int](t, ctx, `document.querySelectorAll('.card').length`); left != 0 || cards != 5 {
		t.Errorf("%d leftovers, %d cards", left, cards)
	}
	if top := read[float64](t, ctx, `document.querySelector('.me').getBoundingClientRect().top`); top < 0 || top > 200 {
		t.Errorf("the reader's words are at %v of the window", top)
	}
	shoot(t, ctx, "chat-phone-answer")

	do(t, ctx, "open an article", press("Open 2"), until(says("one scan in five")))
	shoot(t, ctx, "chat-phone-article")
	do(t, ctx, "more", press("More"), until(says("6–7 of 23")))
	do(t, ctx, "follow", press("Follow"), until(says("You follow")))
	if m := room.last(); m.Kind != bot.Tap || m.Text != "/follow commerce" {
		t.Errorf("the bot heard %+v", m)
	}

	digest := bot.Reply{Lang: "en", Text: "Your digest on “commerce”: 1 new article", Groups: []bot.Group{{Cards: []bot.Card{{Number: 1, Article: 9, Title: "A shop in the pocket", URL: "https://paper.example/a/9/x", Source: "The Paper", Date: "Today", Open: "/read 9", Lang: "en",
		Snippet: bot.Snippet{Text: "It came this morning."}}}}}, Actions: []bot.Action{{Label: "Stop following", Text: "/unfollow 1"}}}
	if _, err := s.Send(t.Context(), bot.Outgoing{To: room.last().Chat, Reply: digest}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, "the digest arrives", until(says("A shop in the pocket")))
	shoot(t, ctx, "chat-phone-digest")

	ids := `[...document.querySelectorAll('.entry')].map(e => e.id)`
	before := read[[]string](t, ctx, ids)
	do(t, ctx, "reload", chromedp.Reload(), until(says("A shop in the pocket")))
	after := read[[]string](t, ctx, ids)
	if fmt.Sprint(before) != fmt.Sprint(after) || len(after) != 10 {
		t.Errorf("before the reload %q, after it %q", before, after)
	}
	for i, size := range [][2]int64{{375, 812}, {1280, 800}} {
		for _, scheme := range []string{"light", "dark"} {
			name := fmt.Sprintf("chat-%s-%s", []string{"phone", "desktop"}[i], scheme)
			do(t, ctx, name, look(size[0], size[1], scheme), run(`document.querySelector('.me').scrollIntoView()`))
			shoot(t, ctx, name)
			if read[bool](t, ctx, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("%s: the page is wider than the window", name)
			}
		}
	}
}
