package webchat

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

const (
	cookieName = "newsie_chat"
	cookieAge  = 400 * 24 * 60 * 60 // seconds; browsers allow no more
	keyName    = "webchat.key"
)

// key is what cookies are signed with, one for all replicas and channels.
func (c *Channel) key(ctx context.Context) ([]byte, error) {
	text, ok, err := c.config.Settings.Load(ctx, keyName)
	if err != nil {
		return nil, err
	}
	if !ok {
		if text, _, err = c.config.Settings.Create(ctx, keyName, rand.Text()+rand.Text(), 0); err != nil {
			return nil, err
		}
	}
	return []byte(text), nil
}

// reader tells which chat a request belongs to. A reader without a cookie, or
// with one that we did not sign, is a new one: known is false.
func (c *Channel) reader(r *http.Request) (chat string, known bool, err error) {
	key, err := c.key(r.Context())
	if err != nil {
		return "", false, err
	}
	for _, cookie := range r.CookiesNamed(cookieName) {
		id, signature, _ := strings.Cut(cookie.Value, ".")
		given, err := base64.RawURLEncoding.DecodeString(signature)
		if err == nil && len(id) == 32 && hmac.Equal(given, c.sign(key, id)) {
			return id, true, nil
		}
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", false, err
	}
	return hex.EncodeToString(id[:]), false, nil
}

// remember gives the reader the cookie of a chat, or takes it away.
func (c *Channel) remember(w http.ResponseWriter, r *http.Request, chat string) error {
	cookie := &http.Cookie{
		Name: cookieName, Path: c.link(""), MaxAge: -1,
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || c.public.Scheme == "https",
	}
	if chat != "" {
		key, err := c.key(r.Context())
		if err != nil {
			return err
		}
		cookie.Value = chat + "." + base64.RawURLEncoding.EncodeToString(c.sign(key, chat))
		cookie.MaxAge = cookieAge
	}
	http.SetCookie(w, cookie)
	return nil
}

func (c *Channel) sign(key []byte, chat string) []byte {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s\x00%s", c.config.Name, chat)
	return mac.Sum(nil)
}

// language is the reader's language: the first wanted one that the catalog
// speaks, or else simply the first. words is the catalog's language for it, ""
// when it has none.
func (c *Channel) language(r *http.Request) (lang, words string) {
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(wanted) == 0 {
		return "", ""
	}
	for _, tag := range wanted[:min(len(wanted), 10)] {
		match := c.config.Catalog.Match(tag.String())
		base, _ := tag.Base()
		spoken, _ := language.Make(match).Base()
		if base == spoken {
			return tag.String(), match
		}
	}
	return wanted[0].String(), ""
}
