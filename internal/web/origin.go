package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mileusna/useragent"
	qrcode "github.com/skip2/go-qrcode"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/locale"
)

// A Door is a channel by which readers come in.
type Door struct {
	Kind    string // telegram, wechat, webchat
	Channel string // its name
	Name    string // its account's, by which readers find it

	// Link is the address that opens the channel and has it hear a payload, ""
	// while there is none; nil: no address does.
	Link func(payload string) string
	// Code is what the QR code says by which the channel hears a payload; ok is
	// false where none was made. nil: none ever is.
	Code func(ctx context.Context, payload string) (says string, ok bool, err error)
}

// originView is the page of a code that was scanned, or of a link that was
// followed, by an app that is none of the channels' own.
type originView struct {
	frame
	Heading, Words string
	Article        *link
	Doors          []doorView
	OG             []property
}

// A doorView is one way in.
type doorView struct {
	Kind, Title, Label string
	Link               string
	Picture, Alt       string
	How, Say           string
}

// An app is what a visitor looks at a page with.
type app string

const (
	wechatApp   app = "wechat"
	telegramApp app = "telegram"
	phone       app = "phone"
	desktop     app = "desktop"
)

// appOf tells by what a browser says of itself. Telegram says so on Android only.
func appOf(r *http.Request) app {
	agent := r.UserAgent()
	known := useragent.Parse(agent)
	switch {
	case strings.Contains(agent, "MicroMessenger"):
		return wechatApp
	case strings.Contains(agent, "Telegram"):
		return telegramApp
	case known.Mobile || known.Tablet:
		return phone
	}
	return desktop
}

// unknownCode stands for what is no code: the bot counts who comes by it as
// come by an unknown one.
const unknownCode = "-"

// payloadOf is what the channels hear of who comes by a code, to an article or
// to none.
func payloadOf(code string, article int64) string {
	payload, ok := bot.Payload{Origin: code, Article: article}.Encode()
	if !ok || code == "" {
		payload, _ = bot.Payload{Origin: unknownCode, Article: article}.Encode()
	}
	return payload
}

// origin serves /o/CODE and /o/CODE/ARTICLE: it opens the channel of the
// visitor's app, or shows how. It counts nothing, since the channel will, and
// looks no code up, so that nobody learns here which there are.
func (s *site) origin(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Robots-Tag", "noindex")
	h.Add("Vary", "User-Agent")
	article, err := s.chosen(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	payload, app := payloadOf(r.PathValue("code"), article.ID), appOf(r)
	if channel := r.URL.Query().Get("qr"); channel != "" {
		s.code(w, r, payload, channel)
		return
	}
	if !fetcher(r.UserAgent()) {
		if to := s.straight(app, payload); to != "" {
			h.Set("Cache-Control", "no-store")
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
	}
	view, err := s.originView(r, app, payload, article)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.show(w, r, http.StatusOK, "origin", view)
}

// chosen is the article that an address names, zero where it names none that
// readers may see: the code counts all the same.
func (s *site) chosen(r *http.Request) (content.Article, error) {
	id, err := strconv.ParseInt(r.PathValue("article"), 10, 64)
	if err != nil || id <= 0 {
		return content.Article{}, nil
	}
	a, err := s.Library.Article(r.Context(), id)
	switch {
	case errors.Is(err, content.ErrNotFound):
		return content.Article{}, nil
	case err != nil:
		return content.Article{}, err
	case a.State != content.Published:
		return content.Article{}, nil
	}
	return a, nil
}

// straight is where a visitor goes without a page: to the only channel there is,
// or to the one whose app they look with; "" where there is a choice.
func (s *site) straight(app app, payload string) string {
	if len(s.Doors) == 1 {
		return s.linkTo(s.Doors[0], payload)
	}
	var to []string
	for _, d := range s.Doors {
		if link := s.linkTo(d, payload); link != "" && app == telegramApp && d.Kind == "telegram" {
			to = append(to, link)
		}
	}
	if len(to) != 1 {
		return ""
	}
	return to[0]
}

// linkTo is the address that opens a channel, "" where none does now.
func (s *site) linkTo(d Door, payload string) string {
	switch {
	case d.Kind == "webchat":
		return s.root + "/chat/" + url.PathEscape(d.Channel) + "/?start=" + url.QueryEscape(payload)
	case d.Link == nil:
		return ""
	}
	return webAddress(d.Link(payload))
}

func (s *site) originView(r *http.Request, app app, payload string, a content.Article) (originView, error) {
	p := s.printer(r)
	view := originView{
		frame: s.frame(p), Heading: p.T("web.origin_heading", "Name", s.Name), Words: p.T("web.origin"),
	}
	view.Title, view.Chat = view.Heading, "" // by which they would come from nowhere
	here := s.PublicURL + r.URL.EscapedPath()
	if a.ID == 0 {
		view.OG = []property{{"og:type", "website"}, {"og:title", view.Heading}, {"og:url", here}, {"og:site_name", s.Name}, {"og:description", view.Words}, {"twitter:card", "summary"}}
	} else {
		shown := s.link(p, a)
		view.Article, view.Words = &shown, p.T("web.origin_article")
		view.Title = a.Title + " – " + s.Name
		var err error
		if view.OG, err = s.openGraph(r.Context(), a, articleView{frame: frame{Canonical: here}}); err != nil {
			return view, err
		}
	}
	for _, d := range s.doors(app) {
		door, err := s.doorView(r, p, app, d, payload)
		if err != nil {
			return view, err
		}
		if door.Kind != "" {
			view.Doors = append(view.Doors, door)
		}
	}
	if len(view.Doors) == 0 {
		view.Words = p.T("web.origin_none")
	}
	return view, nil
}

// doors are the channels, the likeliest for an app first.
func (s *site) doors(app app) []Door {
	order := []string{"telegram", "wechat", "webchat"}
	if app == wechatApp { // where Telegram does not open
		order = []string{"wechat", "webchat", "telegram"}
	}
	return slices.SortedStableFunc(slices.Values(s.Doors), func(a, b Door) int {
		return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
	})
}

func (s *site) doorView(r *http.Request, p locale.Printer, app app, d Door, payload string) (doorView, error) {
	view := doorView{Kind: d.Kind, Link: s.linkTo(d, payload)}
	if d.Kind != "wechat" {
		if view.Link == "" {
			return doorView{}, nil
		}
		view.Title, view.Label = d.Name, p.T("web.origin_"+d.Kind)
		if s.several(d.Kind) {
			view.Title = cmp.Or(d.Name, d.Channel)
		}
		if d.Kind == "webchat" {
			view.How = p.T("web.origin_webchat_how")
		}
		return view, nil
	}
	name := cmp.Or(d.Name, s.Name)
	view.Title = p.T("web.origin_wechat", "Name", name)
	_, ok, err := kept(r, d, payload)
	if err != nil {
		return view, err
	}
	if !ok {
		view.How, view.Say = p.T("web.origin_wechat_search", "Name", name), "/start "+payload
		return view, nil
	}
	view.Picture, view.Alt = s.root+r.URL.EscapedPath()+"?qr="+url.QueryEscape(d.Channel), p.T("web.origin_wechat_code", "Name", name)
	switch app {
	case wechatApp:
		view.How = p.T("web.origin_wechat_hold")
	case desktop:
		view.How = p.T("web.origin_wechat_scan")
	default:
		view.How = p.T("web.origin_wechat_album")
	}
	return view, nil
}

// several reports whether channels of a kind must be told apart.
func (s *site) several(kind string) bool {
	n := 0
	for _, d := range s.Doors {
		if d.Kind == kind {
			n++
		}
	}
	return n > 1
}

// kept is what the code says that was made for a payload, or else the one of its
// origin, which leads to no article.
func kept(r *http.Request, d Door, payload string) (says string, ok bool, err error) {
	if d.Code == nil {
		return "", false, nil
	}
	if says, ok, err = d.Code(r.Context(), payload); ok || err != nil {
		return says, ok, err
	}
	return d.Code(r.Context(), payloadOf(r.PathValue("code"), 0))
}

// codeSize is that of a code's picture, in pixels: a phone shows it sharply, and
// another one reads it from there.
const codeSize = 600

// code serves /o/CODE?qr=CHANNEL: the picture of the code that was made for it.
func (s *site) code(w http.ResponseWriter, r *http.Request, payload, channel string) {
	for _, d := range s.Doors {
		if d.Channel != channel {
			continue
		}
		says, ok, err := kept(r, d, payload)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if !ok {
			break
		}
		picture, err := qrcode.Encode(says, qrcode.Medium, codeSize)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.keep(w, r, "image/png", picture)
		return
	}
	s.notFound(w, r)
}
