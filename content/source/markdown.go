package source

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/adrg/frontmatter"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"newsie/content"
	"newsie/content/extract"
)

// parseMarkdown reads Markdown with or without YAML, TOML or JSON front matter.
// It goes through HTML because Markdown may hold HTML, and so both are cleaned
// by the same code.
func parseMarkdown(text string, t Text) ([]content.Draft, []string, error) {
	front, rest, err := splitFrontMatter(text)
	if err != nil {
		return nil, nil, refuse(t.Name, ErrMalformed, "front matter: "+oneLine(err))
	}
	if front == nil && openFrontMatter.MatchString(text) {
		return nil, nil, refuse(t.Name, ErrMalformed, "front matter: it is never closed")
	}
	var page bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := md.Convert([]byte(shortcode.ReplaceAllString(rest, "")), &page); err != nil {
		return nil, nil, refuse(t.Name, ErrMalformed, oneLine(err))
	}
	d, warnings := draftOf(front, t)
	d.Body = extract.Fragment(page.String(), t.Base)
	if len(d.Body) > 0 && d.Body[0].Kind == content.Heading && firstIsTitle(rest, d) {
		if d.Title == "" {
			d.Title = d.Body[0].Text
		}
		d.Body = d.Body[1:]
	}
	if d.Title != "" && front != nil && len(d.Body) == 0 && d.Summary == "" {
		return nil, nil, refuse(t.Name, ErrNoBody, "")
	}
	drafts, err := oneDraft(d, t)
	return drafts, warnings, err
}

// shortcode is a template call of a site generator on a line of its own.
var shortcode = regexp.MustCompile(`(?m)^[ \t]*\{\{[<%].*[>%]\}\}[ \t]*$`)

var firstHeading = regexp.MustCompile(`^\s*(#\s+\S.*|[^\n]+\n=+[ \t]*(\n|$))`)

// firstIsTitle: a first heading of the first level is the title, and so is any
// first heading that repeats it.
func firstIsTitle(rest string, d content.Draft) bool {
	if d.Title != "" {
		return sameTitle(d.Body[0].Text, d.Title)
	}
	return firstHeading.MatchString(rest)
}

// draftOf fills a draft from the fields of front matter that the common site
// generators know, and from the file's name as Jekyll gives it.
func draftOf(front fields, t Text) (content.Draft, []string) {
	d := content.Draft{
		Source:     t.Source,
		Key:        t.Key,
		URL:        webAddress(front.text("canonical", "canonical_url", "canonicalurl", "url", "link", "permalink")),
		Title:      front.text("title"),
		Slug:       front.text("slug"),
		Author:     front.join("author", "authors", "by"),
		Note:       front.text("author_note", "author_bio", "bio"),
		Lang:       front.text("lang", "language", "locale"),
		Published:  front.date("date", "published", "publishdate", "publish_date", "published_at", "pubdate", "created"),
		Tags:       extract.SplitTags(front.list("tags", "tag", "keywords", "categories")...),
		Cover:      front.text("cover", "image", "featured_image", "thumbnail", "banner", "hero"),
		Summary:    front.text("summary", "description", "excerpt", "abstract"),
		Unfinished: front.truth("draft") || strings.EqualFold(front.text("status"), "draft") || draftsFolder.MatchString(filepath.ToSlash(t.Name)),
	}
	var warnings []string
	for _, name := range []string{"date", "published", "publishdate", "publish_date", "published_at", "pubdate"} {
		if value := front.text(name); value != "" && d.Published.IsZero() {
			warnings = append(warnings, unreadDate(t, value))
		}
	}
	if m := jekyllName.FindStringSubmatch(filepath.ToSlash(t.Name)); m != nil && t.Base == nil {
		if d.Published.IsZero() {
			d.Published = extract.Date(m[1])
		}
		if d.Slug == "" {
			d.Slug = m[2]
		}
	}
	return d, warnings
}

func unreadDate(t Text, value string) string {
	return fmt.Sprintf("%s: the date %q cannot be read; write it like 2026-03-01", t.Name, value)
}

var (
	jekyllName   = regexp.MustCompile(`(?:^|/)(\d{4}-\d{2}-\d{2})-([^/]+)\.[A-Za-z]+$`)
	draftsFolder = regexp.MustCompile(`(?:^|/)_drafts/`)
)

// openFrontMatter is a fence with two keys, or a title, right below it. Where
// no fence closes it, a publisher forgot that.
var openFrontMatter = regexp.MustCompile(`^\s*---(?:yaml)?[ \t]*\n(?:title[ \t]*:|[\w.-]+[ \t]*:[^\n]*\n[\w.-]+[ \t]*:)`)

var frontMatter = regexp.MustCompile(`^\s*(---(yaml|toml|json)?|\+\+\+|;;;)[ \t]*\n`)

func hasFrontMatter(text string) bool {
	m := frontMatter.FindString(text)
	if m == "" {
		return false
	}
	fence := strings.TrimSpace(m)[:3]
	rest := text[len(m):]
	end := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(fence) + `[ \t]*$`).FindStringIndex(rest)
	// A rule of dashes may open a text; front matter has a key in its first lines.
	return end != nil && regexp.MustCompile(`(?m)^\s*["']?[\w.-]+["']?\s*[:=]`).MatchString(rest[:end[0]])
}

func splitFrontMatter(text string) (fields, string, error) {
	if !hasFrontMatter(text) {
		return nil, text, nil
	}
	front := map[string]any{}
	rest, err := frontmatter.Parse(strings.NewReader(text), &front)
	if err != nil {
		return nil, "", err
	}
	lower := fields{}
	for key, value := range front {
		lower[strings.ToLower(key)] = value
	}
	return lower, string(rest), nil
}

// fields are those of front matter, by their names in lower case.
type fields map[string]any

func (f fields) text(names ...string) string {
	for _, name := range names {
		switch v := f[name].(type) {
		case string:
			if s := strings.TrimSpace(v); s != "" {
				return s
			}
		case int, int64, uint64, float64:
			return fmt.Sprint(v)
		case map[any]any:
			if s := named(v); s != "" {
				return s
			}
		case map[string]any:
			if s := fields(v).text("name", "src", "url", "image", "path"); s != "" {
				return s
			}
		}
	}
	return ""
}

// named reads a mapping of YAML, such as an author's or a cover's.
func named(m map[any]any) string {
	some := fields{}
	for key, value := range m {
		some[strings.ToLower(fmt.Sprint(key))] = value
	}
	return some.text("name", "src", "url", "image", "path")
}

func (f fields) list(names ...string) []string {
	for _, name := range names {
		switch v := f[name].(type) {
		case string:
			return []string{v}
		case []any:
			var all []string
			for _, one := range v {
				if s := (fields{"one": one}).text("one"); s != "" {
					all = append(all, s)
				}
			}
			return all
		}
	}
	return nil
}

func (f fields) join(names ...string) string {
	if one := f.text(names...); one != "" {
		return one
	}
	return strings.Join(f.list(names...), ", ")
}

func (f fields) date(names ...string) time.Time {
	for _, name := range names {
		switch v := f[name].(type) {
		case time.Time:
			return v.UTC()
		case string:
			if t := extract.Date(v); !t.IsZero() {
				return t
			}
		case int:
			if t := extract.Date(fmt.Sprint(v)); !t.IsZero() {
				return t
			}
		default:
			if v != nil { // a date of TOML without a zone
				if t := extract.Date(fmt.Sprint(v)); !t.IsZero() {
					return t
				}
			}
		}
	}
	return time.Time{}
}

func (f fields) truth(name string) bool {
	switch v := f[name].(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true") || strings.EqualFold(v, "yes")
	}
	return false
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
