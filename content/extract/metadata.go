package extract

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// metadata reads what the page says about its article: JSON-LD first, which is
// written for machines, then Open Graph and meta elements, then the page.
func metadata(doc *goquery.Document, base *url.URL) Page {
	meta := metaElements(doc)
	ld := linkedData(doc)
	p := Page{
		Title:       squeeze(first(ld.text("headline"), meta["og:title"], meta["twitter:title"], meta["dc.title"])),
		Author:      squeeze(first(strings.Join(ld.names("author"), ", "), notURL(meta["author"]), notURL(meta["article:author"]), meta["dc.creator"], meta["parsely-author"])),
		Lang:        first(attr(doc, "html", "lang"), attr(doc, "html", "xml:lang"), ld.text("inLanguage"), meta["content-language"], strings.ReplaceAll(meta["og:locale"], "_", "-")),
		Published:   Date(first(ld.text("datePublished"), meta["article:published_time"], meta["date"], meta["dc.date"], meta["dcterms.created"], meta["pubdate"], meta["publishdate"], meta["parsely-pub-date"], attr(doc, `[itemprop="datePublished"]`, "datetime"), attr(doc, `[itemprop="datePublished"]`, "content"), attr(doc, "article time[datetime]", "datetime"), attr(doc, "time[pubdate]", "datetime"))),
		Description: squeeze(first(meta["description"], meta["og:description"], ld.text("description"), meta["twitter:description"])),
	}
	if p.Title == "" {
		p.Title = pageTitle(doc, meta["og:site_name"])
	}
	if p.Author == "" {
		p.Author = squeeze(doc.Find(`[rel="author"], [itemprop="author"] [itemprop="name"], .byline .author`).First().Text())
	}
	p.Tags = tags(doc, ld, meta)
	p.Canonical = absolute(first(attr(doc, `link[rel~="canonical"]`, "href"), meta["og:url"]), base)
	if cover := first(meta["og:image"], meta["og:image:url"], meta["twitter:image"], ld.image()); cover != "" {
		p.Cover = picture(cover, base)
	}
	return p
}

func metaElements(doc *goquery.Document) map[string]string {
	meta := map[string]string{}
	doc.Find("meta[content]").Each(func(_ int, s *goquery.Selection) {
		value := strings.TrimSpace(s.AttrOr("content", ""))
		for _, name := range []string{"property", "name", "http-equiv", "itemprop"} {
			key := strings.ToLower(strings.TrimSpace(s.AttrOr(name, "")))
			if key != "" && value != "" && meta[key] == "" {
				meta[key] = value
			}
		}
	})
	return meta
}

// pageTitle takes the only h1, else the title element without the site's name,
// which is the last part where nothing else tells.
func pageTitle(doc *goquery.Document, site string) string {
	title := squeeze(doc.Find("title").First().Text())
	h1 := doc.Find("article h1")
	if h1.Length() == 0 {
		h1 = doc.Find("h1")
	}
	head := squeeze(h1.First().Text())
	if head != "" && (title == "" || h1.Length() == 1 || strings.Contains(title, head)) {
		return head
	}
	for _, separator := range []string{" | ", " - ", " – ", " — ", " :: ", " · ", " » ", "_", "｜"} {
		i := strings.LastIndex(title, separator)
		if i > 0 && (i*2 > len(title) || strings.EqualFold(strings.TrimSpace(title[i+len(separator):]), site)) {
			return strings.TrimSpace(title[:i])
		}
	}
	return title
}

func tags(doc *goquery.Document, ld linked, meta map[string]string) []string {
	var found []string
	doc.Find(`meta[property="article:tag"]`).Each(func(_ int, s *goquery.Selection) {
		found = append(found, s.AttrOr("content", ""))
	})
	if len(found) == 0 {
		found = ld.list("keywords")
	}
	if len(found) == 0 {
		found = []string{first(meta["keywords"], meta["news_keywords"])}
	}
	return SplitTags(found...)
}

// SplitTags reads tags given as lists or as one string with commas, of any
// script, keeps each once and at most twenty.
func SplitTags(given ...string) []string {
	var tags []string
	for _, some := range given {
		for tag := range strings.FieldsFuncSeq(some, func(r rune) bool { return strings.ContainsRune(",;，、；", r) }) {
			tag = strings.TrimPrefix(squeeze(tag), "#")
			if tag == "" || len(tag) > 100 || len(tags) == 20 {
				continue
			}
			if !slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(t, tag) }) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// Date reads the ways dates are written for machines; a date without a zone is
// taken as UTC. The zero time means that it is none of them.
func Date(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"2006-01-02", "2006-1-2", "2006-1-2 15:04:05", "2006-1-2 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/1/2 15:04", "2006/1/2", "2006.1.2", "20060102",
		"2006年1月2日", "2006年1月2日 15:04", "2006年1月2日15:04", "2006년 1월 2일",
		time.RFC1123Z, time.RFC1123, time.RFC850, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST",
		"January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006", "2.1.2006", "02/01/2006",
	} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1000 && t.Year() < 10000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// linked is the JSON-LD object that describes the article.
type linked map[string]any

func linkedData(doc *goquery.Document) linked {
	var best linked
	doc.Find(`script[type="application/ld+json"]`).EachWithBreak(func(_ int, s *goquery.Selection) bool {
		var data any
		if json.Unmarshal([]byte(s.Text()), &data) != nil {
			return true
		}
		best = articleIn(data, 0)
		return best == nil
	})
	return best
}

func articleIn(data any, depth int) linked {
	if depth > 4 {
		return nil
	}
	switch v := data.(type) {
	case []any:
		for _, one := range v {
			if found := articleIn(one, depth+1); found != nil {
				return found
			}
		}
	case map[string]any:
		for _, kind := range linked(v).list("@type") {
			if strings.HasSuffix(kind, "Article") || strings.HasSuffix(kind, "Posting") || kind == "Report" {
				return v
			}
		}
		return articleIn(v["@graph"], depth+1)
	}
	return nil
}

func (l linked) text(key string) string {
	s, _ := l[key].(string)
	return strings.TrimSpace(s)
}

func (l linked) list(key string) []string {
	switch v := l[key].(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// names reads a person, an organisation or a list of them.
func (l linked) names(key string) []string {
	var all []string
	add := func(v any) {
		switch v := v.(type) {
		case string:
			all = append(all, notURL(v))
		case map[string]any:
			all = append(all, linked(v).text("name"))
		}
	}
	if several, ok := l[key].([]any); ok {
		for _, one := range several {
			add(one)
		}
	} else {
		add(l[key])
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

func (l linked) image() string {
	switch v := l["image"].(type) {
	case string:
		return v
	case map[string]any:
		return linked(v).text("url")
	case []any:
		if len(v) > 0 {
			return linked{"image": v[0]}.image()
		}
	}
	return ""
}

func first(candidates ...string) string {
	for _, c := range candidates {
		if c = strings.TrimSpace(c); c != "" {
			return c
		}
	}
	return ""
}

func notURL(s string) string {
	if strings.Contains(s, "://") {
		return ""
	}
	return s
}

func attr(doc *goquery.Document, selector, name string) string {
	return strings.TrimSpace(doc.Find(selector).First().AttrOr(name, ""))
}

func absolute(ref string, base *url.URL) string {
	if ref == "" {
		return ""
	}
	u, err := url.Parse(ref)
	if err != nil {
		return ""
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	if !isWeb(u) {
		return ""
	}
	u.Fragment = ""
	return u.String()
}
