package web

import (
	"bytes"
	"context"
	"errors"
	"image"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"golang.org/x/text/language"

	"newsie/content"
	"newsie/content/sentence"
	"newsie/internal/thumbnail"
)

const (
	// previewLength is how much of a description the apps show, in characters.
	previewLength = 280
	// A picture that is smaller is shown beside the words, not above them: made
	// larger it would be a blur.
	leastWide, leastHigh = 600, 315
)

// A property is a <meta> of the head: Open Graph's (https://ogp.me) by which
// Telegram, WhatsApp, Slack and networks preview the page, or Twitter's.
type property struct{ Name, Content string }

// Attribute is how the property is named in HTML.
func (p property) Attribute() string {
	if strings.HasPrefix(p.Name, "twitter:") {
		return "name"
	}
	return "property"
}

// openGraph is how chats and networks preview an article.
func (s *site) openGraph(ctx context.Context, a content.Article, view articleView) ([]property, error) {
	og := []property{{"og:type", "article"}, {"og:title", a.Title}, {"og:url", view.Canonical}, {"og:site_name", s.Name}}
	if words := preview(a); words != "" {
		og = append(og, property{"og:description", words})
	}
	picture, err := s.previewPicture(ctx, a)
	if err != nil {
		return nil, err
	}
	og = append(og, picture...)
	if locale := ogLocale(a.Lang); locale != "" {
		og = append(og, property{"og:locale", locale})
	}
	if !a.Published.IsZero() {
		og = append(og, property{"article:published_time", a.Published.Format(time.RFC3339)})
	}
	if a.Author != "" {
		og = append(og, property{"article:author", a.Author})
	}
	for _, tag := range a.Tags {
		og = append(og, property{"article:tag", tag})
	}
	return og, nil
}

// previewPicture is an article's picture as previews show it: ours in the size
// they like best, a small one as it is, another site's by its address.
func (s *site) previewPicture(ctx context.Context, a content.Article) ([]property, error) {
	none := []property{{"twitter:card", "summary"}}
	name, ours := strings.CutPrefix(a.Cover, "/media/")
	if !ours {
		if address := webAddress(a.Cover); address != "" {
			return []property{{"og:image", address}, {"og:image:alt", a.Title}, {"twitter:card", "summary_large_image"}}, nil
		}
		return none, nil
	}
	size, kind, err := s.covers.measure(ctx, s.Library, name)
	switch {
	case errors.Is(err, content.ErrNotFound):
		return none, nil
	case err != nil:
		return nil, err
	}
	address, card := s.PublicURL+a.Cover, "summary"
	if size.X >= leastWide && size.Y >= leastHigh {
		address, kind, card = address+"?cover="+previewCover.String(), "image/jpeg", "summary_large_image"
		size = image.Pt(previewCover.width, previewCover.height)
	}
	return []property{
		{"og:image", address}, {"og:image:type", kind}, {"og:image:width", strconv.Itoa(size.X)}, {"og:image:height", strconv.Itoa(size.Y)},
		{"og:image:alt", a.Title}, {"twitter:card", card},
	}, nil
}

// listGraph is how a list of articles is previewed: by the titles on it.
func (s *site) listGraph(view homeView) []property {
	og := []property{{"og:type", "website"}, {"og:title", view.Title}, {"og:url", view.Canonical}, {"og:site_name", s.Name}}
	var titles []string
	for _, l := range view.Articles[:min(3, len(view.Articles))] {
		titles = append(titles, l.Title)
	}
	if words := shortened("", strings.Join(titles, " · ")); words != "" {
		og = append(og, property{"og:description", words})
	}
	if locale := ogLocale(view.Lang); locale != "" {
		og = append(og, property{"og:locale", locale})
	}
	return append(og, property{"twitter:card", "summary"})
}

// ogLocale is a language as Open Graph writes it, with the territory where it is
// mostly read: zh_TW for zh-Hant; "" when that is not known.
func ogLocale(lang string) string {
	tag, err := language.Parse(lang)
	if err != nil {
		return ""
	}
	base, _ := tag.Base()
	region, confidence := tag.Region()
	if confidence == language.No || base.String() == "und" {
		return ""
	}
	return base.String() + "_" + region.String()
}

// preview is what an article is about, in the length that previews show.
func preview(a content.Article) string {
	if words := shortened(a.Lang, a.Summary); words != "" {
		return words
	}
	for _, block := range a.Body {
		if block.Kind == content.Paragraph || block.Kind == content.Quote {
			if words := shortened(a.Lang, block.Text); words != "" {
				return words
			}
		}
	}
	return ""
}

// shortened is a text in one line of at most previewLength characters: its first
// sentences, or of a first one that is too long its beginning.
func shortened(lang, text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || content.Bidi(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	runes := []rune(text)
	if len(runes) <= previewLength {
		return text
	}
	begun := string(runes[:previewLength-1])
	end := 0
	for _, s := range sentence.Split(lang, text) {
		if s.End <= len(begun) {
			end = s.End
		}
	}
	if end > len(begun)/2 {
		return text[:end]
	}
	if at := strings.LastIndexByte(begun, ' '); at > len(begun)*2/3 {
		begun = begun[:at]
	}
	whole := 0 // no family of emoji is torn apart
	for clusters := graphemes.FromString(text); clusters.Next() && clusters.End() <= len(begun); {
		whole = clusters.End()
	}
	return strings.TrimSpace(text[:whole]) + "…"
}

// measured remembers how large pictures are: their names are hashes of their
// bytes, so they never change.
type measured struct {
	size image.Point
	kind string
	err  error
}

// mostMeasured bounds what is remembered; then it is begun anew.
const mostMeasured = 10_000

// measure tells the size and kind of a kept picture. What is none that can be
// made smaller is content.ErrNotFound.
func (c *covers) measure(ctx context.Context, library Library, name string) (image.Point, string, error) {
	c.mu.Lock()
	known, ok := c.sizes[name]
	c.mu.Unlock()
	if ok {
		return known.size, known.kind, known.err
	}
	figure, err := library.Picture(ctx, name)
	if err != nil {
		return image.Point{}, "", err // it may come
	}
	known.kind = figure.Type
	if known.size, err = thumbnail.Size(bytes.NewReader(figure.Data)); err != nil {
		known.err = content.ErrNotFound
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sizes == nil || len(c.sizes) >= mostMeasured {
		c.sizes = map[string]measured{}
	}
	c.sizes[name] = known
	return known.size, known.kind, known.err
}
