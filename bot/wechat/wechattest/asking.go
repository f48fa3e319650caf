package wechattest

import (
	"net/http"
	"slices"
	"strings"
)

const (
	followersAPage = 10_000
	clearsAMonth   = 10
	starred        = 2 // the tag every account has, "starred"
)

// quotaOf tells how often a call may still be made today.
func (s *Server) quotaOf(r *http.Request) any {
	var in struct {
		Path string `json:"cgi_path"`
	}
	if !s.decode(r, &in) {
		return 47001
	}
	for _, method := range []string{"GET ", "POST "} {
		e, known := s.calling[method+in.Path]
		if !known || e.daily == 0 {
			continue
		}
		if e.may != nil && !e.may(s.Account) {
			return 48001 // (m)
		}
		used := s.counts[s.today(in.Path)]
		return s.success(map[string]any{"quota": map[string]int{"daily_limit": e.daily, "used": used, "remain": max(e.daily-used, 0)}})
	}
	return 76003
}

// clearQuota forgets today's calls, ten times a month.
func (s *Server) clearQuota(r *http.Request) any {
	var in struct {
		AppID string `json:"appid"`
	}
	switch {
	case !s.decode(r, &in):
		return 47001
	case in.AppID != s.AppID:
		return 40013
	}
	month := "clear " + s.month()
	if s.counts[month] >= clearsAMonth {
		return 48006
	}
	s.counts[month]++
	for name := range s.calling {
		_, path, _ := strings.Cut(name, " ")
		delete(s.counts, s.today(path))
	}
	return 0
}

func (s *Server) month() string { return s.now().In(beijing()).Format("2006-01") }

func (s *Server) customStaff(*http.Request) any {
	return map[string]any{"kf_list": []map[string]any{{"kf_account": "editor@" + s.ID, "kf_nick": "Editor", "kf_id": "1001"}}}
}

// A tag is a group of followers.
type tag struct {
	id   int
	name string
}

// AddTag makes a tag, as the publisher may in the platform's admin pages, and
// returns its number.
func (s *Server) AddTag(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := 100 + len(s.tags)
	s.tags = append(s.tags, tag{id, name})
	return id
}

// Tag puts the reader into tags.
func (r *Reader) Tag(ids ...int) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, id := range ids {
		if !slices.Contains(r.tags, id) {
			r.tags = append(r.tags, id)
		}
	}
}

func (s *Server) tagList(*http.Request) any {
	list := []map[string]any{}
	for _, t := range s.tags {
		list = append(list, map[string]any{"id": t.id, "name": t.name, "count": len(s.followers(t.id))})
	}
	return map[string]any{"tags": list}
}

// followers are those in a tag, or with 0 all, by openid.
func (s *Server) followers(tag int) []*Reader {
	var list []*Reader
	for _, r := range s.readers {
		if r.follows && (tag == 0 || slices.Contains(r.tags, tag)) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b *Reader) int { return strings.Compare(a.OpenID, b.OpenID) })
	return list
}

func (s *Server) followerList(r *http.Request) any {
	all := s.followers(0)
	next := r.URL.Query().Get("next_openid")
	var page []string
	for _, reader := range all {
		if reader.OpenID > next && len(page) < followersAPage {
			page = append(page, reader.OpenID)
		}
	}
	answer := map[string]any{"total": len(all), "count": len(page), "next_openid": ""}
	if len(page) > 0 {
		answer["data"] = map[string]any{"openid": page}
		answer["next_openid"] = page[len(page)-1]
	}
	return answer
}
