package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	bcp47 "golang.org/x/text/language"

	"newsie/content"
	"newsie/content/language"
	"newsie/content/summary"
)

// fingerprint is the same for two drafts that say the same. It covers all that
// the source gave but the file's time, and has names of its own, so that a new
// field of Draft does not make every article look changed.
func fingerprint(d content.Draft) string {
	pictures := make([]string, len(d.Pictures))
	for i, p := range d.Pictures {
		pictures[i] = p.Name + " " + content.MediaPath(p)
	}
	data, err := json.Marshal(struct {
		Version                                                          int
		URL, Title, Slug, Author, Note, Lang, Cover, Summary, Prev, Next string `json:",omitempty"`
		Published                                                        time.Time
		Tags, Pictures                                                   []string         `json:",omitempty"`
		Body                                                             []content.Block  `json:",omitempty"`
		Recommended                                                      []content.Teaser `json:",omitempty"`
		Unfinished                                                       bool             `json:",omitempty"`
	}{
		1, d.URL, d.Title, d.Slug, d.Author, d.Note, d.Lang, d.Cover, d.Summary, d.Previous, d.Next,
		d.Published.UTC(), d.Tags, pictures, d.Body, d.Recommended, d.Unfinished,
	})
	if err != nil { // a date outside the years of RFC 3339
		data = []byte(d.Title + "\x00" + content.BodyText(d.Body))
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// article makes what readers get of a draft: its language, its summary, where
// its pictures will be, and whether readers may see it yet.
func (g *Ingester) article(d content.Draft, hash string) content.Article {
	lang := languageOf(d)
	a := content.Article{
		Source: d.Source, Key: d.Key, Hash: hash, State: content.Published,
		URL: d.URL, Title: d.Title, Author: d.Author, Note: d.Note, Lang: lang,
		Published: d.Published, Tags: d.Tags,
		Previous: d.Previous, Next: d.Next, Recommended: d.Recommended,
	}
	a.Slug = content.Slug(d.Slug)
	if a.Slug == "" {
		a.Slug = content.Slug(d.Title)
	}
	a.Body, a.Cover = placePictures(d)
	a.Summary = summary.Summarize(lang, d.Title, d.Body, d.Summary)
	switch {
	case d.Unfinished:
		a.State = content.Unready
	case d.Published.After(g.now()):
		a.State = content.Waiting
	}
	return a
}

// placePictures gives the kept pictures the addresses they will have. Without a
// cover the first picture is it.
func placePictures(d content.Draft) (body []content.Block, cover string) {
	at := map[string]string{}
	for _, p := range d.Pictures {
		at[p.Name] = content.MediaPath(p)
	}
	place := func(name string) string {
		if address, kept := at[name]; kept {
			return address
		}
		if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
			return name
		}
		return ""
	}
	cover = place(d.Cover)
	body = slices.Clone(d.Body)
	for i := range body {
		if body[i].Kind == content.Picture {
			body[i].URL = place(body[i].URL)
		}
	}
	body = slices.DeleteFunc(body, func(b content.Block) bool { return b.Kind == content.Picture && b.URL == "" })
	for _, b := range body {
		if cover == "" && b.Kind == content.Picture {
			cover = b.URL
		}
	}
	return body, cover
}

// languageOf is the language a draft declares, unless its text shows another:
// templates declare one language for whatever is put in them. Whether Chinese
// is simplified or traditional is always seen from the text.
func languageOf(d content.Draft) string {
	text := d.Title + "\n" + content.BodyText(d.Body)
	letters := 0
	for i, r := range text {
		if i > 8000 {
			text = text[:i]
			break
		}
		if unicode.IsLetter(r) {
			letters++
		}
	}
	seen := language.Detect(text)
	tag, err := bcp47.Parse(strings.ReplaceAll(d.Lang, "_", "-"))
	if d.Lang == "" || err != nil || tag == bcp47.Und {
		return seen
	}
	base, _ := tag.Base()
	declared := base.String()
	switch {
	case letters == 0 || seen == "":
	case declared == "zh" && language.Base(seen) == "zh":
		return seen
	case script(declared) != script(seen):
		return seen
	case declared == "en" && language.Base(seen) != "en" && letters > 400:
		return seen // what templates say when nobody told them
	}
	if declared == "zh" {
		written, _ := tag.Script()
		if written.String() == "Hant" {
			return "zh-Hant"
		}
		return "zh-Hans"
	}
	return declared
}

// script is the script a language is most often written in.
func script(lang string) string {
	s, _ := bcp47.Make(lang).Script()
	return s.String()
}
