package wechattest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
)

const (
	maxArticles   = 8
	maxTitle      = 32 // characters
	maxAuthor     = 16
	maxDigest     = 128
	maxContent    = 20_000
	maxSourceURL  = 1024 // bytes
	digestFromOwn = 54   // characters of the body, when no digest is given
)

// An Article is one of a draft, as kept: Content has lost what the platform
// takes out, which Lost tells.
type Article struct {
	Title     string `json:"title"`
	Author    string `json:"author"`
	Digest    string `json:"digest"`
	Content   string `json:"content"`
	SourceURL string `json:"content_source_url"`
	Thumb     string `json:"thumb_media_id"`
	ShowCover int    `json:"show_cover_pic"`
	Comments  int    `json:"need_open_comment"`
	FansOnly  int    `json:"only_fans_can_comment"`

	Lost []string `json:"-"`
}

// A Draft is a draft in the account's box.
type Draft struct {
	ID       string
	Articles []Article
	Updated  int64
}

// Drafts are the drafts in the box, oldest first. A mass send takes its draft
// out of the box.
func (s *Server) Drafts() []Draft {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.drafts)
}

func (s *Server) draft(id string) (Draft, bool) {
	for _, d := range s.drafts {
		if d.ID == id {
			return d, true
		}
	}
	return Draft{}, false
}

func (s *Server) draftAdd(r *http.Request) any {
	var in struct {
		Articles []Article `json:"articles"`
	}
	if !s.decode(r, &in) {
		return 47001
	}
	switch n := len(in.Articles); {
	case n == 0:
		return 44003
	case n > maxArticles:
		return 45008
	}
	for i := range in.Articles {
		if code := s.checkArticle(&in.Articles[i], len(in.Articles) == 1); code != 0 {
			return code
		}
	}
	d := Draft{ID: "DRAFT_" + s.serial(), Articles: in.Articles, Updated: s.now().Unix()}
	s.drafts = append(s.drafts, d)
	return map[string]any{"media_id": d.ID}
}

func (s *Server) checkArticle(a *Article, only bool) int {
	thumb, kept := s.material(a.Thumb)
	switch {
	case strings.TrimSpace(a.Title) == "":
		return 44003 // (m)
	case utf8.RuneCountInString(a.Title) > maxTitle:
		return 45003
	case utf8.RuneCountInString(a.Author) > maxAuthor:
		return 45110
	case utf8.RuneCountInString(a.Digest) > maxDigest:
		return 45004
	case utf8.RuneCountInString(a.Content) >= maxContent: // which is less than 1 MB
		return 45002
	case len(a.SourceURL) > maxSourceURL:
		return 45005 // (m)
	case !kept || thumb.ID == "":
		return 40007
	}
	if a.SourceURL != "" && !webAddress(a.SourceURL) {
		s.problem("draft: a link that the app does not open: %s", a.SourceURL)
	}
	s.clean(a)
	switch {
	case strings.TrimSpace(a.Content) == "":
		return 44003
	case a.Digest == "" && only:
		text := []rune(plainText(a.Content))
		a.Digest = string(text[:min(len(text), digestFromOwn)])
	}
	return 0
}

var (
	voids    = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
	stripped = []string{"script", "iframe", "form", "object", "embed", "link", "meta", "base"} // (m) beside script
	handlers = regexp.MustCompile(`(?i)^on[a-z]+$`)
)

// clean takes out of an article what the platform takes out, and notes as
// problems what the sender cannot have meant: markup that is not well formed,
// and pictures from elsewhere, which readers do not see.
func (s *Server) clean(a *Article) {
	var out strings.Builder
	var open []string
	dropping := "" // the element whose content is taken out
	z := html.NewTokenizer(strings.NewReader(a.Content))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		raw := string(z.Raw()) // z.Token spoils it
		t := z.Token()
		if dropping != "" {
			if kind == html.EndTagToken && t.Data == dropping {
				dropping = ""
			}
			continue
		}
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			if slices.Contains(stripped, t.Data) {
				a.Lost = append(a.Lost, t.Data)
				if kind == html.StartTagToken && !slices.Contains(voids, t.Data) {
					dropping = t.Data
				}
				continue
			}
			kept := s.cleanTag(a, &t)
			if kept {
				out.WriteString(t.String())
			}
			if kind == html.StartTagToken && !slices.Contains(voids, t.Data) {
				open = append(open, t.Data)
			}
		case html.EndTagToken:
			if n := len(open); n > 0 && open[n-1] == t.Data {
				open = open[:n-1]
			} else {
				s.problem("draft %q: </%s> closes nothing (open: %v)", a.Title, t.Data, open)
			}
			out.WriteString(raw)
		case html.TextToken:
			if strings.ContainsRune(raw, '<') {
				s.problem("draft %q: a loose < in %.60q", a.Title, raw)
			}
			out.WriteString(raw)
		case html.CommentToken, html.DoctypeToken:
			a.Lost = append(a.Lost, "comment")
		}
	}
	if dropping != "" {
		open = append(open, dropping)
	}
	if len(open) > 0 {
		s.problem("draft %q: %v is not closed", a.Title, open)
	}
	a.Content = out.String()
}

// cleanTag changes a start tag to what the platform keeps of it, and reports
// whether it keeps it.
func (s *Server) cleanTag(a *Article, t *html.Token) bool {
	kept := t.Attr[:0]
	for _, attribute := range t.Attr {
		switch {
		case handlers.MatchString(attribute.Key):
			a.Lost = append(a.Lost, attribute.Key)
			continue
		case t.Data == "img" && (attribute.Key == "src" || attribute.Key == "data-src"):
			if !s.own(attribute.Val) {
				a.Lost = append(a.Lost, "img "+attribute.Val)
				s.problem("draft %q: the picture %s is not on mmbiz.qpic.cn and is taken out", a.Title, attribute.Val)
				return false
			}
		case t.Data == "a" && attribute.Key == "href" && !ownPage(attribute.Val):
			// Links elsewhere lose their address, but for accounts with WeChat Pay. (m)
			a.Lost = append(a.Lost, "href "+attribute.Val)
			continue
		}
		kept = append(kept, attribute)
	}
	t.Attr = kept
	return true
}

// own reports whether a picture was uploaded by this account.
func (s *Server) own(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host != "mmbiz.qpic.cn" {
		return false
	}
	u.Scheme = "http"
	return slices.ContainsFunc(s.materials, func(m Material) bool { return m.URL == u.String() })
}

func ownPage(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host == "mp.weixin.qq.com"
}

// plainText is the text of markup.
func plainText(content string) string {
	var out strings.Builder
	z := html.NewTokenizer(strings.NewReader(content))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		if kind == html.TextToken {
			out.WriteString(z.Token().Data)
		}
	}
	return strings.TrimSpace(out.String())
}

func (s *Server) draftGet(r *http.Request) any {
	id, ok := s.mediaID(r)
	if !ok {
		return 47001
	}
	d, ok := s.draft(id)
	if !ok {
		return 40007
	}
	return map[string]any{"news_item": s.items(d), "create_time": d.Updated, "update_time": d.Updated}
}

// items are a draft's articles as the platform lists them.
func (s *Server) items(d Draft) []any {
	type item struct {
		Article
		ThumbURL string `json:"thumb_url"`
		URL      string `json:"url"`
	}
	list := []any{}
	for i, a := range d.Articles {
		thumb, _ := s.material(a.Thumb)
		list = append(list, item{a, thumb.URL, articleURL("temp_"+d.ID, i)})
	}
	return list
}

func (s *Server) draftDelete(r *http.Request) any {
	id, ok := s.mediaID(r)
	if !ok {
		return 47001
	}
	if _, ok := s.draft(id); !ok {
		return 40007
	}
	s.dropDraft(id)
	return 0
}

func (s *Server) dropDraft(id string) {
	s.drafts = slices.DeleteFunc(s.drafts, func(d Draft) bool { return d.ID == id })
}

func (s *Server) draftCount(*http.Request) any {
	return map[string]any{"total_count": len(s.drafts)}
}

const batchMost = 20

func (s *Server) draftBatch(r *http.Request) any {
	var in struct {
		Offset    int `json:"offset"`
		Count     int `json:"count"`
		NoContent any `json:"no_content"` // 0 or 1; the library sends a bool
	}
	switch {
	case !s.decode(r, &in):
		return 47001
	case in.Count < 1 || in.Count > batchMost || in.Offset < 0:
		return 40035 // (m)
	}
	latest := slices.Clone(s.drafts)
	slices.Reverse(latest)
	page := []any{}
	for i := in.Offset; i < min(len(latest), in.Offset+in.Count); i++ {
		d := latest[i]
		if in.NoContent == true || in.NoContent == 1.0 {
			d.Articles = slices.Clone(d.Articles)
			for j := range d.Articles {
				d.Articles[j].Content = ""
			}
		}
		page = append(page, map[string]any{"media_id": d.ID, "content": map[string]any{"news_item": s.items(d)}, "update_time": d.Updated})
	}
	return map[string]any{"total_count": len(latest), "item_count": len(page), "item": page}
}

// newsOf is how a phone shows articles that went out.
func (s *Server) newsOf(d Draft, id string) []News {
	var list []News
	for i, a := range d.Articles {
		thumb, _ := s.material(a.Thumb)
		list = append(list, News{Title: a.Title, Description: a.Digest, PicURL: thumb.URL, URL: articleURL(id, i)})
	}
	return list
}

func articleURL(id string, index int) string {
	return "http://mp.weixin.qq.com/s?" + url.Values{"__biz": {"MzA"}, "mid": {id}, "idx": {string(rune('1' + index))}}.Encode()
}
