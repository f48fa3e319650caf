package wechattest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxTemplates   = 25
	dedupeTemplate = 10 * time.Minute
	clientMsgChars = 32
	mostScene      = 10_000
	onceTitle      = 15  // characters
	onceContent    = 200 // characters
	reservedBytes  = 128
)

// A Template is one the account has for notices or for template messages. Its
// Content names the fields: "Title: {{thing1.DATA}}".
type Template struct {
	ID      string // "": one of its own
	Title   string
	Content string
	// Lasting notices need one permission for good; others one for each.
	Lasting bool
}

// A Field is a value in a notice.
type Field struct{ Name, Value string }

// AddNotice gives the account a template for subscription notices, and returns
// its id.
func (s *Server) AddNotice(t Template) string { return s.addTemplate(&s.notices, t) }

// AddTemplate gives the account a template for template messages, at most 25,
// and returns its id.
func (s *Server) AddTemplate(t Template) string { return s.addTemplate(&s.templates, t) }

func (s *Server) addTemplate(list *[]Template, t Template) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(*list) >= maxTemplates {
		s.problem("a template more than %d", maxTemplates)
		return ""
	}
	if t.ID == "" {
		t.ID = "TEMPLATE_" + s.serial()
	}
	*list = append(*list, t)
	return t.ID
}

func find(list []Template, id string) (Template, bool) {
	for _, t := range list {
		if t.ID == id {
			return t, true
		}
	}
	return Template{}, false
}

func (s *Server) noticeList(*http.Request) any {
	list := []any{}
	for _, t := range s.notices {
		kind := 2
		if t.Lasting {
			kind = 3
		}
		list = append(list, map[string]any{"priTmplId": t.ID, "title": t.Title, "content": t.Content, "example": t.Content, "type": kind})
	}
	return s.success(map[string]any{"data": list})
}

func (s *Server) templateList(*http.Request) any {
	list := []any{}
	for _, t := range s.templates {
		list = append(list, map[string]any{"template_id": t.ID, "title": t.Title, "primary_industry": "IT科技",
			"deputy_industry": "互联网|电子商务", "content": t.Content, "example": t.Content})
	}
	return map[string]any{"template_list": list}
}

type noticeRequest struct {
	To       string `json:"touser"`
	Template string `json:"template_id"`
	Page     string `json:"page"`
	URL      string `json:"url"`
	ClientID string `json:"client_msg_id"`
	Scene    any    `json:"scene"`
	Title    string `json:"title"`
	Data     map[string]struct {
		Value string `json:"value"`
	} `json:"data"`
}

var placeholder = regexp.MustCompile(`\{\{\s*(\w+)\.DATA\s*\}\}`)

// fill puts the values into a template; what does not fit is named.
func (s *Server) fill(t Template, in *noticeRequest, address string) (Bubble, string) {
	b := Bubble{Who: Bot, Title: t.Title, URL: address}
	known := map[string]bool{}
	for _, m := range placeholder.FindAllStringSubmatch(t.Content, -1) {
		name, value := m[1], in.Data[m[1]].Value
		known[name] = true
		if !fits(name, value) {
			return Bubble{}, name
		}
		b.Fields = append(b.Fields, Field{name, value})
	}
	for name := range in.Data {
		if !known[name] {
			s.problem("the template %s has no field %s", t.ID, name)
		}
	}
	if address != "" && !webAddress(address) {
		s.problem("notice: a link that the app does not open: %s", address)
	}
	b.Text = placeholder.ReplaceAllStringFunc(t.Content, func(p string) string {
		return in.Data[placeholder.FindStringSubmatch(p)[1]].Value
	})
	b.Raw = b.Text
	return b, ""
}

var (
	fieldKind = regexp.MustCompile(`^([a-z_]+?)[0-9]*$`)
	moment    = `(?:\d{4}(?:年\d{1,2}月\d{1,2}日|[-/]\d{1,2}[-/]\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}:\d{2}(?::\d{2})?)`
	// What each kind of field takes. (m) where the platform's table has words only.
	shapes = map[string]*regexp.Regexp{
		"thing":            regexp.MustCompile(`^\PC{1,20}$`),
		"number":           regexp.MustCompile(`^[0-9.]{1,32}$`),
		"letter":           regexp.MustCompile(`^[A-Za-z]{1,32}$`),
		"symbol":           regexp.MustCompile(`^[\pP\pS]{1,5}$`),
		"character_string": regexp.MustCompile(`^[!-~ ]{1,32}$`),
		"time":             regexp.MustCompile(`^` + moment + `(?:~` + moment + `)?$`),
		"date":             regexp.MustCompile(`^\d{4}` + `(?:年\d{1,2}月\d{1,2}日|[-/]\d{1,2}[-/]\d{1,2})(?: \d{1,2}:\d{2}(?::\d{2})?)?(?:~` + moment + `)?$`),
		"amount":           regexp.MustCompile(`^\pS?[0-9.,]{1,10}元?$`),
		"phone_number":     regexp.MustCompile(`^[0-9+() -]{1,17}$`),
		"car_number":       regexp.MustCompile(`^\PC{1,8}$`),
		"name":             regexp.MustCompile(`^(?:[\p{Han}·]{1,10}|[!-~ ]{1,20})$`),
		"phrase":           regexp.MustCompile(`^\p{Han}{1,5}$`),
		"const":            regexp.MustCompile(`^\PC{1,20}$`),
	}
)

// fits tells whether a field takes a value. Fields with names of other kinds
// (first, keyword1, remark) take anything but nothing.
func fits(name, value string) bool {
	if strings.TrimSpace(value) == "" {
		return false
	}
	if m := fieldKind.FindStringSubmatch(name); m != nil && shapes[m[1]] != nil {
		return shapes[m[1]].MatchString(value)
	}
	return true
}

func (s *Server) misfit(name string) map[string]any {
	answer := s.failure(47003)
	answer["errmsg"] = strings.Replace(answer["errmsg"].(string), "!", "! data."+name+".value invalid", 1)
	return answer
}

// bizSend sends a subscription notice, which takes one permission of the reader.
func (s *Server) bizSend(r *http.Request) any {
	var in noticeRequest
	if !s.decode(r, &in) {
		return 47001
	}
	reader := s.readers[in.To]
	t, known := find(s.notices, in.Template)
	switch {
	case reader == nil:
		return 40003
	case !known:
		return 40037
	case reader.grants[t.ID] == 0:
		return 43101
	}
	b, misfit := s.fill(t, &in, in.Page)
	if misfit != "" {
		return s.misfit(misfit)
	}
	if !t.Lasting {
		reader.grants[t.ID]--
	}
	b.Kind = "notice"
	reader.see(b)
	s.messageID++
	s.queue(event{reader.OpenID, "subscribe_msg_sent_event", "<SubscribeMsgSentEvent><List>" + element("TemplateId", t.ID) +
		number("MsgID", s.messageID) + number("ErrorCode", 0) + element("ErrorStatus", "success") + "</List></SubscribeMsgSentEvent>"})
	return s.success(map[string]any{"msgid": s.messageID})
}

// What the platform says in TEMPLATESENDJOBFINISH.
const (
	TemplateSuccess = "success"
	TemplateBlocked = "failed:user block"
	TemplateFailure = "failed: system failed"
)

// FailTemplates makes the next n template messages, though accepted, fail in
// the platform.
func (s *Server) FailTemplates(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

type sentTemplate struct {
	id int64
	at time.Time
}

// templateSend sends a template message. The same client_msg_id to the same
// reader within ten minutes is accepted and not sent again.
func (s *Server) templateSend(r *http.Request) any {
	var in noticeRequest
	if !s.decode(r, &in) {
		return 47001
	}
	reader := s.readers[in.To]
	t, known := find(s.templates, in.Template)
	switch {
	case reader == nil:
		return 40003
	case !known:
		return 40037
	case !reader.follows:
		return 43004
	case utf8.RuneCountInString(in.ClientID) > clientMsgChars:
		return 40035 // (m)
	}
	before, sent := s.sentTemplates[in.To+" "+in.ClientID]
	if sent && in.ClientID != "" && s.now().Sub(before.at) < dedupeTemplate {
		return s.success(map[string]any{"msgid": before.id}) // (m): whether it tells so is not documented
	}
	b, misfit := s.fill(t, &in, in.URL)
	if misfit != "" {
		return s.misfit(misfit)
	}
	s.messageID++
	s.sentTemplates[in.To+" "+in.ClientID] = sentTemplate{s.messageID, s.now()}
	status := TemplateSuccess
	switch {
	case reader.muted:
		status = TemplateBlocked
	case s.failing > 0:
		s.failing--
		status = TemplateFailure
	default:
		b.Kind = "template"
		reader.see(b)
	}
	s.queue(event{reader.OpenID, "TEMPLATESENDJOBFINISH", number("MsgID", s.messageID) + element("Status", status)})
	return s.success(map[string]any{"msgid": s.messageID})
}

// once sends a one-time subscription message, for which the reader, who need
// not be a follower, confirmed a scene on a page (see Confirm).
func (s *Server) once(r *http.Request) any {
	var in noticeRequest
	if !s.decode(r, &in) {
		return 47001
	}
	reader := s.readers[in.To]
	content := in.Data["content"].Value
	scene, err := strconv.Atoi(fmt.Sprint(in.Scene))
	switch {
	case reader == nil:
		return 40003
	case in.Template != s.OneTime:
		return 40037
	case err != nil || scene < 0 || scene > mostScene:
		return 40035 // (m)
	case strings.TrimSpace(in.Title) == "", strings.TrimSpace(content) == "":
		return 47003 // (m)
	case utf8.RuneCountInString(in.Title) > onceTitle:
		return 45003 // (m)
	case utf8.RuneCountInString(content) > onceContent:
		return 45002 // (m)
	case !slices.Contains(reader.scenes, scene):
		return 43101
	}
	if in.URL != "" && !webAddress(in.URL) {
		s.problem("one-time subscription: a link that the app does not open: %s", in.URL)
	}
	reader.scenes = slices.DeleteFunc(reader.scenes, func(n int) bool { return n == scene })
	reader.see(Bubble{Who: Bot, Kind: "once", Title: in.Title, Text: content, Raw: content, URL: in.URL, Fields: []Field{{"content", content}}})
	return 0
}

var reserved = regexp.MustCompile(`^[A-Za-z0-9]*$`)

// Confirm opens a link for a one-time subscription and touches "confirm" or
// "cancel". It returns where the app then goes: back to the account's page.
func (r *Reader) Confirm(link string, ok bool) (string, error) {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	q := u.Query()
	scene, err := strconv.Atoi(q.Get("scene"))
	back, parseErr := url.Parse(q.Get("redirect_url"))
	switch {
	case u.Scheme != "https" || u.Host != "mp.weixin.qq.com" || u.Path != "/mp/subscribemsg" || q.Get("action") != "get_confirm" || u.Fragment != "wechat_redirect":
		return "", fmt.Errorf("no link for a one-time subscription: %s", link)
	case q.Get("appid") != s.AppID || q.Get("template_id") != s.OneTime:
		return "", fmt.Errorf("of another account or template: %s", link)
	case err != nil || scene < 0 || scene > mostScene:
		return "", fmt.Errorf("scene %q", q.Get("scene"))
	case parseErr != nil || !webAddress(back.String()):
		return "", fmt.Errorf("redirect_url %q", q.Get("redirect_url"))
	case len(q.Get("reserved")) > reservedBytes || !reserved.MatchString(q.Get("reserved")):
		return "", fmt.Errorf("reserved %q", q.Get("reserved"))
	}
	answer := back.Query()
	answer.Set("template_id", s.OneTime)
	answer.Set("scene", strconv.Itoa(scene))
	answer.Set("reserved", q.Get("reserved"))
	answer.Set("action", "cancel")
	if ok {
		answer.Set("action", "confirm")
		answer.Set("openid", r.OpenID)
		if !slices.Contains(r.scenes, scene) {
			r.scenes = append(r.scenes, scene)
		}
	}
	back.RawQuery = answer.Encode()
	return back.String(), nil
}
