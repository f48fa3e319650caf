package wechat

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"newsie/bot"
	"newsie/internal/locale"
)

// A reader grants a one-time message on a page of the platform's, which then
// sends the reader back to ours. Nothing but the address tells us who comes
// back, so it carries a seal that only we can make: nobody can grant for
// somebody else, or grant what we did not ask for.

// sealLife is how long a link to grant may be used. It stays in the chat; a
// grant that comes back after that is lost.
const sealLife = 30 * 24 * time.Hour

const macLength = 32 // hexadecimal digits

// A seal keeps the key of the seals in memory.
type seal struct {
	mu  sync.Mutex
	key []byte
}

// sealKey is the key that all replicas share.
func (c *Channel) sealKey(ctx context.Context) ([]byte, error) {
	c.granting.mu.Lock()
	defer c.granting.mu.Unlock()
	if c.granting.key != nil {
		return c.granting.key, nil
	}
	kept, _, err := c.cfg.Settings.Create(ctx, "wechat/"+c.cfg.Name+"/grant-key", rand.Text()+rand.Text(), 0)
	if err != nil {
		return nil, fmt.Errorf("load the key of grants: %w", err)
	}
	c.granting.key = []byte(kept)
	return c.granting.key, nil
}

// mac signs what a link to grant says.
func (c *Channel) mac(ctx context.Context, reader string, scene int, rest string) (string, error) {
	key, err := c.sealKey(ctx)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	for _, part := range []string{c.cfg.AppID, c.cfg.Once.Template, reader, strconv.Itoa(scene), rest} {
		_, _ = fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))[:macLength], nil
}

// GrantLink is the address at which a reader grants the message of a scene; the
// page that follows speaks lang.
func (c *Channel) GrantLink(ctx context.Context, reader string, scene int, lang string) (string, error) {
	// The platform keeps letters and digits of "reserved", and at most 128.
	until := c.cfg.Now().Add(sealLife).Unix()
	if err := c.grants.ask(ctx, reader, scene, until); err != nil {
		return "", err
	}
	rest := strconv.FormatInt(until, 10) + "x" + strings.ReplaceAll(c.cfg.Catalog.Match(lang, c.cfg.Language), "-", "")
	mac, err := c.mac(ctx, reader, scene, rest)
	if err != nil {
		return "", err
	}
	q := url.Values{
		"action": {"get_confirm"}, "appid": {c.cfg.AppID}, "scene": {strconv.Itoa(scene)}, "template_id": {c.cfg.Once.Template},
		"redirect_url": {strings.TrimRight(c.cfg.PublicURL, "/") + GrantedPath(c.cfg.Name)}, "reserved": {mac + rest},
	}
	// In the order of the platform's documents.
	var parts []string
	for _, key := range []string{"action", "appid", "scene", "template_id", "redirect_url", "reserved"} {
		parts = append(parts, key+"="+url.QueryEscape(q.Get(key)))
	}
	return "https://mp.weixin.qq.com/mp/subscribemsg?" + strings.Join(parts, "&") + "#wechat_redirect", nil
}

// GrantedPath is where readers come back to after granting, below the public address.
func GrantedPath(channel string) string { return "/hooks/wechat/" + channel + "/granted" }

// offered is what a link offered to grant, and until when.
type offered struct {
	reader string
	scene  int
	until  int64 // Unix seconds
}

// unseal checks who comes back, and tells which scene is meant and in which
// language to answer. Of one who granted nothing it tells the language only.
func (c *Channel) unseal(ctx context.Context, q url.Values) (g offered, lang string, err error) {
	lang = c.cfg.Language
	reserved := q.Get("reserved")
	if len(reserved) <= macLength || len(reserved) > 128 {
		return offered{}, lang, errors.New("no seal")
	}
	rest := reserved[macLength:]
	expiry, tongue, _ := strings.Cut(rest, "x")
	for _, known := range locale.Languages() {
		if strings.ReplaceAll(known, "-", "") == tongue {
			lang = known
		}
	}
	if q.Get("action") != "confirm" {
		return offered{}, lang, nil // the platform does not tell who it was
	}
	for _, name := range []string{"openid", "template_id", "action", "scene", "reserved"} {
		if len(q[name]) != 1 || len(q.Get(name)) > 256 {
			return offered{}, lang, errors.New("a part is missing")
		}
	}
	g.reader = q.Get("openid")
	g.scene, err = strconv.Atoi(q.Get("scene"))
	if err != nil || g.scene < 1 || g.scene > mostScenes || q.Get("template_id") != c.cfg.Once.Template {
		return offered{}, lang, errors.New("another scene or template")
	}
	want, err := c.mac(ctx, g.reader, g.scene, rest)
	if err != nil {
		return offered{}, lang, err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(reserved[:macLength])) != 1 {
		return offered{}, lang, errors.New("a forged seal")
	}
	g.until, err = strconv.ParseInt(expiry, 10, 64)
	if err != nil || c.cfg.Now().Unix() > g.until {
		return offered{}, lang, errors.New("a seal that is too old")
	}
	return g, lang, nil
}

// Granted is the page that readers come back to after granting a one-time
// message, or not.
func (c *Channel) Granted(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), c.cfg.Patience)
	defer cancel()
	if c.cfg.Once.Template == "" {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	g, lang, err := c.unseal(ctx, r.URL.Query())
	page := grantedPage{Lang: lang}
	switch {
	case err != nil:
		c.refusals.add("grant")
		page.status, page.text = http.StatusForbidden, "wechat.grant_void"
	case g.reader == "":
		page.text = "wechat.grant_cancelled"
	case r.Method == http.MethodHead: // somebody's preview
	default:
		page.text, page.Again, err = c.countGrant(ctx, g, lang)
	}
	if err != nil && page.status == 0 {
		c.log.Error("count a grant", "error", err)
		page = grantedPage{Lang: lang, status: http.StatusServiceUnavailable, text: "wechat.grant_trouble"}
	}
	c.showGranted(w, page)
}

// countGrant counts a grant, once, and tells what to say and which link to offer.
func (c *Channel) countGrant(ctx context.Context, g offered, lang string) (text, again string, err error) {
	fresh, err := c.grants.once(ctx, g.reader, c.cfg.Once.Template, g.scene, g.until)
	if err != nil {
		return "", "", err
	}
	if !fresh {
		open, err := c.grants.open(ctx, g.reader, oncePeriod(c.cfg.Once.Template, g.scene))
		if err != nil || len(open) > 0 { // the page was loaded again
			return "wechat.grant_counted", "", err
		}
		return "wechat.grant_void", "", nil
	}
	again, err = c.nextGrant(ctx, g.reader, lang)
	return "wechat.grant_counted", again, err
}

// nextGrant is the link to the next scene that is not granted yet, "" when all are.
func (c *Channel) nextGrant(ctx context.Context, reader, lang string) (string, error) {
	scene, err := c.scene(ctx, reader, false)
	if err != nil || scene == 0 {
		return "", err
	}
	return c.GrantLink(ctx, reader, scene, lang)
}

type grantedPage struct {
	Lang, Text, Title, Again, AgainLabel, Back, Home, Nonce string

	status int
	text   string // the key of Text
}

var grantedTemplate = template.Must(template.New("granted").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>{{.Title}}</title>
<style nonce="{{.Nonce}}">body{font:1.125rem/1.6 system-ui,sans-serif;max-width:32rem;margin:20vh auto 0;padding:0 1.5rem;text-align:center}
a{display:block;margin:1.5rem auto 0;padding:.6rem 1.2rem;border:1px solid currentColor;border-radius:.5rem;color:inherit;text-decoration:none}
a.back{background:#07c160;border-color:#07c160;color:#000}</style></head>
<body><main><p>{{.Text}}</p>
{{if .Home}}<a class="back" id="back" href="{{.Home}}">{{.Back}}</a>{{end}}
{{if .Again}}<a href="{{.Again}}">{{.AgainLabel}}</a>{{end}}</main>
<script nonce="{{.Nonce}}">document.getElementById("back")?.addEventListener("click",function(e){
if(window.WeixinJSBridge){e.preventDefault();WeixinJSBridge.call("closeWindow")}})</script>
</body></html>
`))

func (c *Channel) showGranted(w http.ResponseWriter, page grantedPage) {
	words := c.cfg.Catalog.Printer(page.Lang)
	page.Lang, page.Title, page.Nonce = words.Lang(), c.cfg.Title, rand.Text()
	page.Back, page.AgainLabel = words.T("wechat.grant_back"), words.T("wechat.grant_again")
	if page.text != "" {
		page.Text = words.T(page.text)
	}
	page.Home = strings.TrimRight(c.cfg.PublicURL, "/") + "/" // where there is no chat to close the page to
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+page.Nonce+"'; script-src 'nonce-"+page.Nonce+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if page.status != 0 {
		w.WriteHeader(page.status)
	}
	_ = grantedTemplate.Execute(w, page) // nobody is left to be told
}

// offer adds, to a reply about what the reader follows, the link by which the
// next digest may come by itself: where it is set up, and the reader has not
// permitted one yet.
func (c *Channel) offer(ctx context.Context, m bot.Message, r bot.Reply, handedOver bool) bot.Reply {
	if c.cfg.Once.Template == "" || m.Kind == bot.Leave || !handedOver && !aboutFollows(r) || !c.abilities(ctx).Once {
		return r
	}
	scene, err := c.scene(ctx, m.Chat.ID, true)
	if err != nil || scene != 0 {
		if err != nil {
			c.log.Error("look for grants", "error", err)
		}
		return r
	}
	if c.cfg.Notice.Template != "" {
		if open, err := c.grants.open(ctx, m.Chat.ID, noticePeriod(c.cfg.Notice.Template)); err != nil || len(open) > 0 {
			return r
		}
	}
	lang := c.cfg.Catalog.Match(r.Lang, c.cfg.Language)
	link, err := c.GrantLink(ctx, m.Chat.ID, 1, lang)
	if err != nil {
		c.log.Error("offer a grant", "error", err)
		return r
	}
	r.Actions = append(slices.Clip(r.Actions), bot.Action{Label: c.cfg.Catalog.Printer(lang).T("wechat.grant_offer"), URL: link})
	return r
}

// aboutFollows reports whether a reply is about a reader's own follows: it
// offers to end or to change one.
func aboutFollows(r bot.Reply) bool {
	return slices.ContainsFunc(r.Actions, func(a bot.Action) bool {
		return strings.HasPrefix(a.Text, "/unfollow ") || strings.HasPrefix(a.Text, "/when ")
	})
}
