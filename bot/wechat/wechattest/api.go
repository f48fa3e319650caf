package wechattest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"
)

// Paths of the API that the platform plays.
const (
	StableToken    = "/cgi-bin/stable_token"
	Token          = "/cgi-bin/token"
	CallbackIP     = "/cgi-bin/getcallbackip"
	QuotaOf        = "/cgi-bin/openapi/quota/get"
	ClearQuota     = "/cgi-bin/clear_quota"
	CustomSend     = "/cgi-bin/message/custom/send"
	CustomStaff    = "/cgi-bin/customservice/getkflist"
	TagList        = "/cgi-bin/tags/get"
	FollowerList   = "/cgi-bin/user/get"
	MenuCreate     = "/cgi-bin/menu/create"
	MenuGet        = "/cgi-bin/menu/get"
	MenuDelete     = "/cgi-bin/menu/delete"
	QRCreate       = "/cgi-bin/qrcode/create"
	MaterialAdd    = "/cgi-bin/material/add_material"
	MaterialCount  = "/cgi-bin/material/get_materialcount"
	MaterialDelete = "/cgi-bin/material/del_material"
	ImageUpload    = "/cgi-bin/media/uploadimg"
	DraftAdd       = "/cgi-bin/draft/add"
	DraftGet       = "/cgi-bin/draft/get"
	DraftDelete    = "/cgi-bin/draft/delete"
	DraftCount     = "/cgi-bin/draft/count"
	DraftBatch     = "/cgi-bin/draft/batchget"
	Publish        = "/cgi-bin/freepublish/submit"
	MassSendAll    = "/cgi-bin/message/mass/sendall"
	MassSendList   = "/cgi-bin/message/mass/send"
	MassPreview    = "/cgi-bin/message/mass/preview"
	MassGet        = "/cgi-bin/message/mass/get"
	MassDelete     = "/cgi-bin/message/mass/delete"
	MassSpeed      = "/cgi-bin/message/mass/speed/get"
	NoticeSend     = "/cgi-bin/message/subscribe/bizsend"
	NoticeList     = "/wxaapi/newtmpl/gettemplate"
	OnceSend       = "/cgi-bin/message/template/subscribe"
	TemplateSend   = "/cgi-bin/message/template/send"
	TemplateList   = "/cgi-bin/template/get_all_private_template"
)

// An endpoint is one call of the API. do answers it, with the lock held, after
// the token, the account's ability and the day's calls are checked.
type endpoint struct {
	may   func(Account) bool // nil: every account
	daily int                // calls a Beijing day; 0: not limited
	do    func(*http.Request) any
}

func verified(a Account) bool        { return a.Verified }
func verifiedService(a Account) bool { return a.Verified && a.Service }

// endpoints are the calls that need a token, by method and path. Daily limits
// are those of the platform's table of call frequencies; it shows others to
// accounts with many followers. (m)
func (s *Server) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET " + CallbackIP: {nil, 0, func(*http.Request) any {
			return map[string]any{"ip_list": []string{"203.0.113.10", "203.0.113.11"}}
		}},
		"POST " + QuotaOf:     {nil, 0, s.quotaOf},
		"POST " + ClearQuota:  {nil, 0, s.clearQuota},
		"GET " + TagList:      {verified, 1000, s.tagList},
		"GET " + FollowerList: {verified, 500, s.followerList},
		"GET " + CustomStaff:  {verified, 0, s.customStaff},
		"POST " + CustomSend:  {verified, 500_000, s.customSend},
		"POST " + MenuCreate:  {verified, 1000, s.menuCreate},
		"GET " + MenuGet:      {verified, 10_000, s.menuGet},
		"GET " + MenuDelete:   {verified, 1000, s.menuDelete},
		"GET " + SelfMenu:     {verified, 10_000, s.selfMenu},
		"POST " + QRCreate:    {verifiedService, 100_000, s.qrCreate},

		"POST " + MaterialAdd:    {nil, 1000, s.addMaterial},
		"GET " + MaterialCount:   {nil, 5000, s.materialCount},
		"POST " + MaterialDelete: {nil, 1000, s.deleteMaterial},
		"POST " + ImageUpload:    {nil, 1000, s.uploadImage},
		"POST " + DraftAdd:       {nil, 1000, s.draftAdd},
		"POST " + DraftGet:       {nil, 1000, s.draftGet},
		"POST " + DraftDelete:    {nil, 1000, s.draftDelete},
		"GET " + DraftCount:      {nil, 1000, s.draftCount},
		"POST " + DraftBatch:     {nil, 1000, s.draftBatch},
		"POST " + Publish:        {verified, 100, s.publish},

		"POST " + MassSendAll:  {verified, 100, s.massSendAll},
		"POST " + MassSendList: {verifiedService, 100, s.massSendList},
		"POST " + MassPreview:  {verified, 100, s.massPreview},
		"POST " + MassGet:      {verified, 1000, s.massGet},
		"POST " + MassDelete:   {verified, 10, s.massDelete},
		"POST " + MassSpeed:    {verified, 1000, s.massSpeed},

		"POST " + NoticeSend:   {verifiedService, 100_000, s.bizSend},
		"GET " + NoticeList:    {verifiedService, 0, s.noticeList},
		"POST " + OnceSend:     {verified, 100_000, s.once},
		"POST " + TemplateSend: {verifiedService, 100_000, s.templateSend},
		"GET " + TemplateList:  {verifiedService, 0, s.templateList},
	}
}

// A fault is an answer that a test orders.
type fault struct {
	code   int // errcode
	status int // HTTP status instead
	cut    bool
}

// Fail answers the next calls of a path with error codes, one each.
func (s *Server) Fail(path string, codes ...int) {
	for _, code := range codes {
		s.order(path, fault{code: code})
	}
}

// FailStatus answers the next call of a path with an HTTP status.
func (s *Server) FailStatus(path string, status int) { s.order(path, fault{status: status}) }

// Cut takes the next call of a path and breaks the connection without an answer.
func (s *Server) Cut(path string) { s.order(path, fault{cut: true}) }

func (s *Server) order(path string, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = append(s.faults[path], f)
}

// Block takes the caller, seen as address, off the whitelist; "" puts it back.
func (s *Server) Block(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocked = address
}

// Calls counts the calls of a path.
func (s *Server) Calls(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[path]
}

// Use makes n calls of a path count as made today, as if by another program.
func (s *Server) Use(path string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[s.today(path)] += n
}

// messages are what the codes mean, as the platform words them.
var messages = map[int]string{
	-1: "system error", 0: "ok", 40001: "invalid credential, access_token is invalid or not latest", 40003: "invalid openid",
	40004: "invalid media type", 40005: "invalid file type", 40007: "invalid media_id", 40008: "invalid message type",
	40009: "invalid image size", 40012: "invalid thumb size", 40013: "invalid appid", 40014: "invalid access_token",
	40015: "invalid menu type", 40016: "invalid button size", 40017: "invalid button type", 40018: "invalid button name size",
	40019: "invalid button key size", 40020: "invalid button url size", 40022: "invalid sub button level",
	40023: "invalid sub button size", 40024: "invalid sub button type", 40025: "invalid sub button name size",
	40026: "invalid sub button key size", 40027: "invalid sub button url size", 40031: "invalid openid list size", 40035: "invalid parameter",
	40037: "invalid template_id", 40052: "invalid expire seconds", 40053: "invalid action info", 40054: "invalid sub button url domain", 40055: "invalid button url domain",
	40059: "invalid msg id", 40125: "invalid appsecret", 40132: "invalid username", 40243: "AppSecret has been frozen",
	41001: "access_token missing", 41005: "media data missing", 42001: "access_token expired", 43004: "require subscribe",
	43101: "user refuse to accept the msg", 44003: "empty news data", 44004: "empty content", 45001: "media size out of limit",
	45002: "content size out of limit", 45003: "title size out of limit", 45004: "description size out of limit",
	45005: "url size out of limit", 45008: "article size out of limit", 45009: "reach max api daily quota limit",
	45011: "api minute-quota reach limit", 45015: "response out of time limit or subscription is canceled",
	45028: "has no masssend quota", 45029: "qrcode count out of limit", 45047: "out of response count limit", 45065: "clientmsgid exist",
	45066: "same clientmsgid retry too fast", 45067: "clientmsgid size out of limit", 45110: "author size out of limit",
	45159: "invalid tag id", 46003: "menu no exist", 47001: "data format error", 47003: "argument invalid!",
	48001: "api unauthorized", 48004: "api forbidden for irregularities", 48006: "forbid to clear quota because of reaching the limit",
	50002: "user limited", 76003: "cgi_path not found, please check",
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[r.URL.Path]++
	w.Header().Set("Date", s.now().Add(s.ahead).UTC().Format(http.TimeFormat))
	if orders := s.faults[r.URL.Path]; len(orders) > 0 {
		s.faults[r.URL.Path] = orders[1:]
		s.fault(w, orders[0])
		return
	}
	var answer any
	switch name := r.Method + " " + r.URL.Path; name {
	case "POST " + StableToken:
		answer = s.stableToken(r)
	case "GET " + Token:
		answer = s.unstableToken(r)
	default:
		e, known := s.calling[name]
		if !known {
			s.problem("%s: there is no such call", name)
			http.NotFound(w, r)
			return
		}
		answer = s.call(e, r)
	}
	if code, ok := answer.(int); ok {
		answer = s.failure(code)
	}
	w.Header().Set("Content-Type", "application/json; encoding=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

// call answers a call that needs a token; an int is an error code.
func (s *Server) call(e endpoint, r *http.Request) any {
	if code := s.authorize(r); code != 0 {
		return code
	}
	if e.may != nil && !e.may(s.Account) {
		return 48001
	}
	if e.daily > 0 && !s.spend(r.URL.Path, e.daily) {
		return 45009
	}
	return e.do(r)
}

func (s *Server) fault(w http.ResponseWriter, f fault) {
	switch {
	case f.cut:
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				_ = conn.Close()
			}
		}
	case f.status != 0:
		http.Error(w, "Bad Gateway", f.status)
	default:
		_ = json.NewEncoder(w).Encode(s.failure(f.code))
	}
}

func (s *Server) failure(code int) map[string]any {
	text := messages[code]
	if code == 0 {
		return map[string]any{"errcode": 0, "errmsg": text}
	}
	if code == 40164 {
		address := s.blocked
		if address == "" {
			address = "198.51.100.7"
		}
		text = fmt.Sprintf("invalid ip %s ipv6 ::ffff:%s, not in whitelist", address, address)
	}
	return map[string]any{"errcode": code, "errmsg": text + " rid: 67a1b2c3-0d4e5f60-11223344"}
}

// success is an answer with more than its code.
func (s *Server) success(more map[string]any) map[string]any {
	more["errcode"], more["errmsg"] = 0, "ok"
	return more
}

const maxBody = 16 << 20

// escaped finds characters that need no escaping in JSON but came escaped: the
// platform is known to keep and show them so. (m)
var escaped = regexp.MustCompile(`(?:^|[^\\])\\u(?:003[cCeE]|0026|[4-9][0-9a-fA-F]{3})`)

// decode reads the body of a call.
func (s *Server) decode(r *http.Request, in any) bool {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil || !utf8.Valid(body) || json.NewDecoder(bytes.NewReader(body)).Decode(in) != nil {
		return false
	}
	if found := escaped.Find(body); found != nil {
		s.problem("%s: %q is shown to readers as it is: send it unescaped", r.URL.Path, found)
	}
	return true
}

func beijing() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// today is the key under which the calls of the Beijing day are counted.
func (s *Server) today(what string) string {
	return what + s.now().In(beijing()).Format(" 2006-01-02")
}

// spend counts a call against what is allowed a Beijing day.
func (s *Server) spend(what string, allowed int) bool {
	day := s.today(what)
	if s.counts[day] >= allowed {
		return false
	}
	s.counts[day]++
	return true
}

// ForceToken replaces the stable token, as another program may, and returns it.
func (s *Server) ForceToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stable = s.newToken()
	return s.stable.value
}

// Distrust refuses the stable token from now on, and goes on giving it to
// whoever asks without force, as the platform has been seen to do.
func (s *Server) Distrust() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = s.stable.value
}

func (s *Server) authorize(r *http.Request) int {
	given := r.URL.Query().Get("access_token")
	switch {
	case given == "":
		return 41001
	case given != s.stable.value && given != s.unstable.value || given == s.refused:
		return 40001
	}
	for _, t := range []token{s.stable, s.unstable} {
		if given == t.value && !s.now().Before(t.expires) {
			return 42001
		}
	}
	return 0
}
