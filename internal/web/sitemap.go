package web

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"newsie/content"
)

// A sitemap holds at most 50,000 addresses, https://www.sitemaps.org/protocol.html;
// one place in the first is the front page's.
const (
	sitemapSize  = 50_000 - 1
	sitemapBatch = 5000
)

type (
	sitemapSet struct {
		XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []sitemapItem `xml:"url"`
	}
	sitemapIndex struct {
		XMLName xml.Name      `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Maps    []sitemapItem `xml:"sitemap"`
	}
	sitemapItem struct {
		Loc     string `xml:"loc"`
		LastMod string `xml:"lastmod,omitempty"`
	}
)

// sitemap lists every article whose page here is its canonical one, and an
// index of several lists when there are too many for one.
func (s *site) sitemap(w http.ResponseWriter, r *http.Request) {
	n, err := s.Library.Count(r.Context(), content.Filter{})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	parts := max(1, (n+sitemapSize-1)/sitemapSize)
	given := r.URL.Query().Get("part")
	if given == "" && parts > 1 {
		var index sitemapIndex
		for i := 1; i <= parts; i++ {
			index.Maps = append(index.Maps, sitemapItem{Loc: fmt.Sprintf("%s/sitemap.xml?part=%d", s.PublicURL, i)})
		}
		s.showXML(w, r, "application/xml; charset=utf-8", index)
		return
	}
	part := 1
	if given != "" {
		if part, err = strconv.Atoi(given); err != nil || part < 1 || part > parts {
			s.notFound(w, r)
			return
		}
	}
	var set sitemapSet
	if part == 1 {
		set.URLs = append(set.URLs, sitemapItem{Loc: s.PublicURL + "/"})
	}
	first := (part - 1) * sitemapSize
	for offset := first; offset < min(n, first+sitemapSize); offset += sitemapBatch {
		articles, err := s.Library.Latest(r.Context(), content.Filter{}, min(sitemapBatch, first+sitemapSize-offset), offset)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		for _, a := range articles {
			if webAddress(a.URL) != "" {
				continue
			}
			item := sitemapItem{Loc: s.PublicURL + path(a)}
			if !a.Added.IsZero() {
				item.LastMod = a.Added.UTC().Format(time.DateOnly)
			}
			set.URLs = append(set.URLs, item)
		}
	}
	s.showXML(w, r, "application/xml; charset=utf-8", set)
}

func (s *site) robots(w http.ResponseWriter, r *http.Request) {
	s.keep(w, r, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: "+s.root+"/chat/\nDisallow: "+s.root+"/console/\nDisallow: "+s.root+"/hooks/\nDisallow: "+s.root+"/r/\nSitemap: "+s.PublicURL+"/sitemap.xml\n"))
}
