package main_test

import (
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"newsie/bot/telegram/telegramtest"
	"newsie/bot/wechat/wechattest"
	"newsie/internal/browsertest"
)

// A chain is a publisher with shops, whose readers are on every channel.
type chain struct {
	*installation
	t        *testing.T
	root     string // of the reader pages
	telegram *telegramtest.Server
	wechat   *wechattest.Server
	server   *process
	tab      *browsertest.Browser
}

func openChain(t *testing.T, in *installation) *chain {
	t.Helper()
	c := &chain{
		installation: in, t: t,
		telegram: telegramtest.Start(t, telegramtest.Options{}),
		wechat:   wechattest.New(t, wechattest.Account{Verified: true, Service: true}, nil),
		tab:      browsertest.Start(t, "origins"),
	}
	address := freeAddress(t)
	c.root = "http://" + address
	in.write("newsie.yaml", fmt.Sprintf(`
name: The Lantern
listen: %[1]s
public_url: http://%[1]s
zone: UTC
channels:
  web: {kind: webchat}
  tg: {kind: telegram, token: %[2]q, api_url: %[3]q}
  fwh: {kind: wechat, language: en, mode: safe, account: service, app_id: %[4]q, app_secret: %[5]q, token: %[6]q, aes_key: %[7]q, api_url: %[8]q}
`, address, c.telegram.Token(), c.telegram.URL(), c.wechat.AppID, c.wechat.Secret, c.wechat.Token, c.wechat.AESKey, c.wechat.URL))
	c.wechat.ConnectURL(c.root + "/hooks/wechat/fwh")
	newGenerator().folder(t, in.path("library"), 12)
	in.must("import", "library")
	c.server = in.serve()
	in.until("Telegram is asked", c.telegram.Polling)
	return c
}

// printed makes an origin's code and reads its picture, as a phone does.
func (c *chain) printed(name, channel string) string {
	c.t.Helper()
	file := "code-" + channel + ".png"
	c.must("origin", "qr", name, "--channel", channel, "--format", "png", "--out", file)
	f, err := os.Open(c.path(file))
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	if err != nil {
		c.t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		c.t.Fatal(err)
	}
	var code *gozxing.Result
	// It does not find the corners of each code, though telephones do.
	for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
		if code, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true}); err == nil {
			return code.GetText()
		}
	}
	c.t.Fatalf("the printed code cannot be read: %v", err)
	return ""
}

// A visitor is somebody who scans the code of a shop, asks something, and reads.
type visitor struct {
	name string
	scan func()
	ask  func(words string) []string // the links of the answer
}

// figures are what a report shows of one row, or of all.
type figures struct{ Scans, Came, Stayed7, Stayed30, Lost, Follows, Questions, Opens, Digests any }

type originRow struct {
	Label  string
	Path   string
	Origin int64
	figures
}

type originReport struct {
	Rows  []originRow
	Total figures
}

func (c *chain) report(args ...string) originReport {
	c.t.Helper()
	var r originReport
	c.read(&r, append([]string{"origin", "report", "--json"}, args...)...)
	return r
}

// row is a report's row of an origin.
func (r originReport) row(t *testing.T, path string) figures {
	t.Helper()
	for _, row := range r.Rows {
		if row.Path == path {
			return row.figures
		}
	}
	t.Fatalf("no row %q in %+v", path, r)
	return figures{}
}

// phone is how the phones of readers present themselves.
const phone = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"

// visit opens a link, without going on where it leads.
func (c *chain) visit(method, address, agent string, header ...string) *http.Response {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("User-Agent", agent)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		c.t.Fatal(err)
	}
	return response
}

// counted are the links that pass through newsie.
func counted(links []string) []string {
	return slices.DeleteFunc(slices.Clone(links), func(l string) bool { return !strings.Contains(l, "/r/") })
}

// chainFile is a chain of 300 shops in ten regions, as a table program saves it.
func chainFile() string {
	var b strings.Builder
	b.WriteString("path,notes\r\nHarbour Tea,the whole chain\r\n")
	for region := range 10 {
		fmt.Fprintf(&b, "Harbour Tea/Region %d,\r\n", region)
		for shop := range 30 {
			fmt.Fprintf(&b, "Harbour Tea/Region %d/Shop %d,\"店 %d, corner\"\r\n", region, 30*region+shop, shop)
		}
	}
	return b.String()
}

// visitors are six newcomers and a follower, on all channels; each comes by the
// code that is printed for theirs.
func (c *chain) visitors(shop string) []visitor {
	c.t.Helper()
	poster, bot, chat := c.printed(shop, "fwh"), c.printed(shop, "tg"), c.printed(shop, "web")
	if !strings.HasPrefix(poster, "http://weixin.qq.com/q/") || !strings.HasPrefix(bot, "https://t.me/") || !strings.HasPrefix(chat, c.root+"/chat/web/?start=o") {
		c.t.Fatalf("the codes say %s, %s and %s", poster, bot, chat)
	}
	_, payload, _ := strings.Cut(bot, "?start=")
	var list []visitor
	for _, id := range []string{"follower", "wechat-1", "wechat-2"} {
		r := c.wechat.Reader(id)
		if id == "follower" {
			r.Subscribe()
			r.Say("harbour")
		}
		list = append(list, visitor{id,
			func() {
				if got, err := r.ScanCode(poster); err != nil || got.Text == "" && len(got.News) == 0 {
					c.t.Errorf("%s scans and is told %+v, %v", id, got, err)
				}
			},
			func(words string) []string { return bubble(r.Say(words)).links }})
	}
	for id := range int64(2) {
		r := c.telegram.Stranger(100 + id)
		list = append(list, visitor{fmt.Sprint("telegram ", id),
			func() { sayTelegram(c.t, r, "/start "+payload) },
			func(words string) []string { return sayTelegram(c.t, r, words).links }})
	}
	return append(list, c.plainBrowser(chat), c.chromium(chat))
}

// plainBrowser is a visitor whose browser runs no script.
func (c *chain) plainBrowser(address string) visitor {
	c.t.Helper()
	b, err := newBrowser(c.root + "/chat/web/")
	if err != nil {
		c.t.Fatal(err)
	}
	_, payload, _ := strings.Cut(address, "?start=")
	return visitor{"browser without script",
		func() {
			if _, err := b.send(c.t.Context(), url.Values{"start": {payload}}); err != nil {
				c.t.Error(err)
			}
		},
		func(words string) []string {
			answer, err := b.say(c.t.Context(), words)
			if err != nil {
				c.t.Error(err)
			}
			return answer.links
		}}
}

// chromium is a visitor with a real browser, on a phone.
func (c *chain) chromium(address string) visitor {
	// answered: the last two on the page are these words and what is said to them.
	answered := func(words string) browsertest.Step {
		return browsertest.Until(fmt.Sprintf(`(l => l.length > 1 && l.at(-2).matches('.me') && l.at(-2).innerText.includes(%q) && l.at(-1).matches('.it'))([...document.querySelectorAll('#log article')])`, words))
	}
	return visitor{"Chromium",
		func() {
			c.tab.Do("scan", browsertest.Look(390, 844, "light"), chromedp.Navigate(address), answered("Start"))
			c.tab.Shoot("origin-chat-phone")
		},
		func(words string) []string {
			c.tab.Do("ask", chromedp.SendKeys(chromedp.CSS("#text"), words+"\r"), answered(words))
			return browsertest.Read[[]string](c.tab, `[...[...document.querySelectorAll('#log article.it')].at(-1).querySelectorAll('.card h4 a')].map(a => a.href)`)
		}}
}

// The whole story: codes are printed and read by a stranger's reader, six newcomers
// and a follower scan them on all channels, each asks once and reads two articles,
// and the report moves by that and by nothing else. Then they follow a topic and get
// what is sent, and others come by a hundred shops of the chain, and it adds up.
func TestOriginStory(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		c := openChain(t, in)
		in.write("chain.csv", chainFile())
		in.must("origin", "import", "chain.csv")
		const shop, other, region, top = "Harbour Tea/Region 3/Shop 101", "Harbour Tea/Region 3/Shop 102", "Harbour Tea/Region 3", "Harbour Tea"
		all := c.visitors(shop)
		in.until("the follower is counted", func() bool { return c.report().Total.Questions != 0. })
		nothing := figures{0., 0., 0., 0., 0., 0., 0., 0., 0.}
		if diff := cmp.Diff(nothing, c.report().row(t, shop)); diff != "" {
			t.Errorf("before anybody scans:\n%s", diff)
		}
		for _, v := range all {
			v.scan()
			links := counted(v.ask("harbour"))
			if len(links) < 2 {
				t.Fatalf("%s is shown %v, want two links that are counted", v.name, links)
			}
			c.readTwo(links)
		}
		want := figures{Scans: 7., Came: 6., Stayed7: 0., Stayed30: 0., Lost: 0., Follows: 0., Questions: 7., Opens: 14., Digests: 0.}
		c.invites()
		in.until("all is counted", func() bool { return cmp.Equal(want, c.report().row(t, shop)) })
		for path, want := range map[string]figures{shop: want, region: want, top: want, other: nothing} {
			if diff := cmp.Diff(want, c.report().row(t, path)); diff != "" {
				t.Errorf("%s:\n%s", path, diff)
			}
		}
		// By channel there are two or three of them, whom nobody is shown.
		for _, row := range c.report("--by", "channel", "--origin", shop).Rows {
			if row.Came != "<5" || row.Questions != "<5" || row.Opens != "<5" {
				t.Errorf("by channel: %+v", row)
			}
		}
		for _, v := range all {
			v.ask("follow harbour daily 8:00")
		}
		in.must("send", "1", "--to", "EVERYONE", "--yes")
		want.Follows, want.Digests = 7., 7.
		in.until("follows and digests are counted", func() bool { return cmp.Equal(want, c.report().row(t, shop)) })
		c.lookAt(shop)
		c.crowd(region, top)
		if err := c.server.stop(t.Context()); err != nil {
			t.Error(err)
		}
		if p := c.wechat.Problems(); len(p) > 0 {
			t.Errorf("WeChat is not content: %v", p)
		}
	})
}

// readTwo opens two articles, as a reader and as those who are none.
func (c *chain) readTwo(links []string) {
	c.t.Helper()
	for _, link := range links[:2] {
		c.visit(http.MethodHead, link, phone)
		c.visit(http.MethodGet, link, "TelegramBot (like TwitterBot)")
		c.visit(http.MethodGet, link, phone, "Sec-Purpose", "prefetch")
		for range 2 { // the second time is the same reader and article
			answer := c.visit(http.MethodGet, link, phone)
			if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusFound || !strings.HasPrefix(strings.TrimPrefix(to, c.root), "/a/") {
				c.t.Fatalf("%s answers %s to %q", link, answer.Status, to)
			}
		}
	}
	changed := []byte(links[0])
	changed[len(changed)-8] ^= 1
	if answer := c.visit(http.MethodGet, string(changed), phone); answer.StatusCode != http.StatusNotFound {
		c.t.Errorf("a changed link answers %s", answer.Status)
	}
}

// invites has a reader on WeChat pass newsie on: in WeChat, the page of the link
// soon shows a code of the account to press and hold.
func (c *chain) invites() {
	c.t.Helper()
	host := c.wechat.Reader("host")
	host.Subscribe()
	link := regexp.MustCompile(c.root + `/o/[a-z0-9]+`).FindString(host.Say("invite").Text)
	if link == "" {
		c.t.Fatalf("the invitation says %s", host.Last())
	}
	c.until("the page shows the account's code", func() bool {
		return c.visit(http.MethodGet, link+"?qr=fwh", phone+" MicroMessenger/8.0.50").Header.Get("Content-Type") == "image/png"
	})
	c.wechat.Reader("guest").SubscribeBy("o" + link[len(c.root)+len("/o/"):])
	if told := host.Say("invite"); !strings.Contains(told.Text, "1") {
		c.t.Errorf("after one came, the invitation says %s", told.Text)
	}
}

// crowd has one newcomer come by each of a hundred shops, and looks at the sums.
func (c *chain) crowd(region, top string) {
	c.t.Helper()
	var list []struct{ Path, Code string }
	c.read(&list, "origin", "list", "--json")
	came := 0
	for i, o := range list {
		if strings.Count(o.Path, "/") == 2 && i%3 == 0 {
			came++
			c.wechat.Reader(fmt.Sprint("crowd-", i)).SubscribeBy("o" + o.Code)
		}
	}
	r := c.report()
	if len(list) != 311 || came < 90 || r.row(c.t, top).Came != float64(6+came) || r.row(c.t, region).Came == 6. {
		c.t.Errorf("%d origins, %d more came: %+v and %+v", len(list), came, r.row(c.t, top), r.row(c.t, region))
	}
	sum := 0.
	for _, row := range r.Rows {
		if strings.Count(row.Path, "/") == 1 {
			n, _ := row.Came.(float64)
			sum += n
		}
	}
	if sum != float64(6+came) {
		c.t.Errorf("the regions make %v, want %d", sum, 6+came)
	}
}

// lookAt opens the publisher's console, on a desk and on a phone.
func (c *chain) lookAt(shop string) {
	c.t.Helper()
	if answer := c.visit(http.MethodGet, c.root+"/console/", phone); answer.StatusCode != http.StatusNotFound {
		c.t.Errorf("without a user the console answers %s", answer.Status)
	}
	var entry struct{ URL string }
	c.read(&entry, "user", "add", "editor", "--link", "--json")
	c.tab.Do("enter", browsertest.Look(1280, 900, "light"), chromedp.Navigate(entry.URL), chromedp.Click("main form button"), chromedp.WaitVisible("nav form button"))
	c.tab.Do("the report", chromedp.Navigate(c.root+"/console/origins"), browsertest.Until(`document.querySelector('table')`))
	c.tab.Shoot("origin-console-desk")
	_, name, _ := strings.Cut(shop, "/Region 3/")
	row := browsertest.Read[string](c.tab, fmt.Sprintf(`[...[...document.querySelectorAll('tr')].find(r => r.textContent.includes(%q)).cells].slice(1).map(c => c.textContent.trim()).join(' ')`, name))
	if row != "7 6 0 0 0 7 7 14 7" {
		c.t.Errorf("the console shows %q", row)
	}
	c.tab.Do("on a phone", browsertest.Look(390, 844, "light"))
	c.tab.Shoot("origin-console-phone")
	if browsertest.Read[bool](c.tab, `document.documentElement.scrollWidth > innerWidth`) {
		c.t.Error("the console is wider than a phone")
	}
}
