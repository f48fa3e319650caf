package wechattest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	massADay      = 1 // of a subscription account
	massAMonth    = 4 // to one reader, of a service account
	massAMinute   = 60
	clientIDBytes = 64
	clientMemory  = 24 * time.Hour
	leastOpenIDs  = 2
	mostOpenIDs   = 10_000
	confirmWithin = 30 * time.Minute
)

// What the platform says in MASSSENDJOBFINISH, beside err(NUMBER) of a review.
const (
	MassSuccess    = "send success"
	MassFailure    = "send fail"
	MassRefused    = "err(40001)" // by the administrator
	MassUnanswered = "err(40002)" // by the administrator, in 30 minutes
)

// A Mass is a mass send that was accepted.
type Mass struct {
	ID       int64
	ClientID string
	Tag      int    // 0: everybody, or a list
	Readers  int    // addressed
	Status   string // as the platform tells it when asked
	Waiting  bool   // for the administrator's confirmation
	Draft    Draft  // none when it is text
	Text     string
	At       time.Time

	readers []*Reader
}

// Masses are the mass sends that were accepted, oldest first.
func (s *Server) Masses() []Mass {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Mass, len(s.masses))
	for i, m := range s.masses {
		list[i] = *m
	}
	return list
}

// Protect switches the protection of mass sends by API on or off: what is sent
// to all readers then waits for ConfirmMass, at most 30 minutes.
func (s *Server) Protect(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.protected = on
}

// ConfirmMass is the administrator's answer about the oldest mass send that
// waits for it.
func (s *Server) ConfirmMass(ok bool) error {
	s.mu.Lock()
	m := s.mass(func(m *Mass) bool { return m.Waiting })
	if m == nil {
		s.mu.Unlock()
		return errors.New("no mass send waits for a confirmation")
	}
	m.Waiting = false
	if ok {
		s.begin(m)
		s.mu.Unlock()
		return nil
	}
	e := s.finish(m, MassRefused)
	s.mu.Unlock()
	s.send(e)
	return nil
}

// FinishMass ends the oldest mass send under way as status says: MassSuccess
// puts it on the readers' phones. The account is told.
func (s *Server) FinishMass(status string) error {
	s.mu.Lock()
	m := s.mass(underWay)
	if m == nil {
		s.mu.Unlock()
		return errors.New("no mass send is under way")
	}
	e := s.finish(m, status)
	s.mu.Unlock()
	s.send(e)
	return nil
}

func underWay(m *Mass) bool { return m.Status == "SENDING" && !m.Waiting }

// mass is the oldest that is so, or nil.
func (s *Server) mass(so func(*Mass) bool) *Mass {
	for _, m := range s.masses {
		if so(m) {
			return m
		}
	}
	return nil
}

// begin starts sending; s.mu is held.
func (s *Server) begin(m *Mass) {
	if !s.auto {
		return
	}
	s.background.Go(func() {
		s.mu.Lock()
		if !underWay(m) {
			s.mu.Unlock()
			return
		}
		e := s.finish(m, MassSuccess)
		s.mu.Unlock()
		s.send(e)
	})
}

// expire ends what the administrator did not confirm in time.
func (s *Server) expire() {
	for {
		s.mu.Lock()
		late := s.now().Add(-confirmWithin)
		m := s.mass(func(m *Mass) bool { return m.Waiting && !m.At.After(late) })
		if m == nil {
			s.mu.Unlock()
			return
		}
		m.Waiting = false
		e := s.finish(m, MassUnanswered)
		s.mu.Unlock()
		s.send(e)
	}
}

// finish ends a mass send and returns the event that tells it.
func (s *Server) finish(m *Mass, status string) event {
	filtered, sent := 0, 0
	m.Status = "SEND_FAIL"
	if status == MassSuccess {
		m.Status = "SEND_SUCCESS"
		id := fmt.Sprint(m.ID)
		b := show(m.Text)
		b.Kind = "mass"
		if m.Draft.ID != "" {
			b.News = s.newsOf(m.Draft, id)
			s.dropDraft(m.Draft.ID)
		}
		for _, r := range m.readers {
			if !s.mayReceive(r) {
				continue
			}
			filtered++
			if r.follows {
				r.masses[s.month()]++
				r.see(b)
				sent++
			}
		}
	}
	inner := number("MsgID", m.ID) + element("Status", status) + number("TotalCount", int64(m.Readers)) +
		number("FilterCount", int64(filtered)) + number("SentCount", int64(sent)) + number("ErrorCount", int64(filtered-sent)) +
		"<CopyrightCheckResult><Count>0</Count><ResultList></ResultList><CheckState>1</CheckState></CopyrightCheckResult>"
	return event{massHelper, "MASSSENDJOBFINISH", inner}
}

// mayReceive tells that a reader takes mass sends, and one more this month.
func (s *Server) mayReceive(r *Reader) bool {
	if r.masses == nil {
		r.masses = map[string]int{}
	}
	return !r.muted && (!s.Service || r.masses[s.month()] < massAMonth)
}

// Mute makes the reader take no mass sends and template messages, as a switch
// in the account's page does; with false the reader takes them again.
func (r *Reader) Mute(on bool) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.muted = on
}

type massRequest struct {
	Filter *struct {
		All bool `json:"is_to_all"`
		Tag int  `json:"tag_id"`
	} `json:"filter"`
	To     json.RawMessage `json:"touser"`
	WXName string          `json:"towxname"`
	Type   string          `json:"msgtype"`
	News   struct {
		ID string `json:"media_id"`
	} `json:"mpnews"`
	Text struct {
		Content string `json:"content"`
	} `json:"text"`
	ClientID string `json:"clientmsgid"`
	Reprint  int    `json:"send_ignore_reprint"`
}

// content checks what is to be sent, and fills it in.
func (s *Server) content(in *massRequest, m *Mass) int {
	switch in.Type {
	case "mpnews":
		d, ok := s.draft(in.News.ID)
		if !ok {
			return 40007
		}
		m.Draft = d
		return 0
	case "text":
		m.Text = in.Text.Content
		return checkContent(m.Text)
	}
	return 40008
}

// massSendAll sends to everybody or to a tag.
func (s *Server) massSendAll(r *http.Request) any {
	var in massRequest
	if !s.decode(r, &in) {
		return 47001
	}
	return s.massSend(&in, func(m *Mass) int {
		switch {
		case in.Filter == nil, !in.Filter.All && in.Filter.Tag == 0:
			return 40035
		case in.Filter.All:
			m.readers = s.followers(0)
			return 0
		}
		for _, t := range s.tags {
			if t.id == in.Filter.Tag {
				m.Tag, m.readers = t.id, s.followers(t.id)
				return 0
			}
		}
		return 45159
	})
}

// massSendList sends to a list of openids.
func (s *Server) massSendList(r *http.Request) any {
	var in massRequest
	var openids []string
	if !s.decode(r, &in) || json.Unmarshal(in.To, &openids) != nil {
		return 47001
	}
	slices.Sort(openids)
	openids = slices.Compact(openids)
	return s.massSend(&in, func(m *Mass) int {
		if len(openids) < leastOpenIDs || len(openids) > mostOpenIDs {
			return 40031 // (m)
		}
		for _, id := range openids {
			reader := s.readers[id]
			if reader == nil {
				return 40003
			}
			m.readers = append(m.readers, reader)
		}
		return 0
	})
}

func (s *Server) massSend(in *massRequest, address func(*Mass) int) any {
	minute := "mass " + s.now().Format("2006-01-02 15:04")
	s.counts[minute]++
	if s.counts[minute] > massAMinute {
		return 45011
	}
	m := &Mass{ClientID: in.ClientID, Status: "SENDING", At: s.now()}
	if len(m.ClientID) > clientIDBytes {
		return 45067
	}
	if m.ClientID == "" {
		// The platform then takes a digest of whom and what.
		m.ClientID = fmt.Sprintf("digest of %v %s %s %s", in.Filter, in.To, in.News.ID, in.Text.Content)
		if in.Filter != nil {
			m.ClientID = fmt.Sprintf("digest of %v %s %s", *in.Filter, in.News.ID, in.Text.Content)
		}
	}
	if before := s.mass(func(b *Mass) bool { return b.ClientID == m.ClientID && m.At.Sub(b.At) < clientMemory }); before != nil {
		answer := s.failure(45065)
		answer["msg_id"], answer["msg_data_id"] = before.ID, before.ID+1
		return answer
	}
	if code := s.content(in, m); code != 0 {
		return code
	}
	if code := address(m); code != 0 {
		return code
	}
	if !s.massQuota(m) {
		return 45028
	}
	m.Readers = len(m.readers)
	m.ID = 3_147_483_647 + int64(2*len(s.masses)) // does not fit 32 bits
	m.Waiting = s.protected && in.Filter != nil && in.Filter.All
	s.masses = append(s.masses, m)
	if !m.Waiting {
		s.begin(m)
	}
	return map[string]any{"errcode": 0, "errmsg": "send job submission success", "msg_id": m.ID, "msg_data_id": m.ID + 1}
}

// massQuota takes one mass send from what the account has left. One that fails
// later is not given back. (m)
func (s *Server) massQuota(m *Mass) bool {
	if !s.Service {
		return s.spend("mass", massADay)
	}
	for _, r := range m.readers {
		if s.mayReceive(r) {
			return true
		}
	}
	return len(m.readers) == 0 // (m): nobody has anything left
}

// Named gives the reader a WeChat name, which previews may be sent to.
func (r *Reader) Named(name string) *Reader {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	r.name = name
	return r
}

func (s *Server) massPreview(r *http.Request) any {
	var in massRequest
	var openid string
	if !s.decode(r, &in) || in.To != nil && json.Unmarshal(in.To, &openid) != nil {
		return 47001
	}
	reader, unknown := s.readers[openid], 40003
	if in.WXName != "" { // which goes before touser
		reader, unknown = nil, 40132
		for _, candidate := range s.readers {
			if candidate.name == in.WXName {
				reader = candidate
			}
		}
	}
	switch {
	case reader == nil:
		return unknown
	case !reader.follows:
		return 43004
	}
	var m Mass
	if code := s.content(&in, &m); code != 0 {
		return code
	}
	b := show(m.Text)
	b.Kind = "preview"
	if m.Draft.ID != "" {
		b.News = s.newsOf(m.Draft, "preview_"+m.Draft.ID)
	}
	reader.see(b)
	return s.success(map[string]any{"msg_id": 34182})
}

// theMass is the mass send that a call names, by number or its digits.
func (s *Server) theMass(r *http.Request) (*Mass, int) {
	var in struct {
		ID    json.Number `json:"msg_id"`
		Index int         `json:"article_idx"`
	}
	if !s.decode(r, &in) {
		return nil, 47001
	}
	id, err := in.ID.Int64()
	m := s.mass(func(m *Mass) bool { return m.ID == id })
	switch {
	case err != nil || m == nil:
		return nil, 40059 // (m)
	case in.Index < 0 || in.Index > max(len(m.Draft.Articles), 1):
		return nil, 40035 // (m)
	}
	return m, 0
}

func (s *Server) massGet(r *http.Request) any {
	m, code := s.theMass(r)
	if code != 0 {
		return code
	}
	return map[string]any{"msg_id": m.ID, "msg_status": m.Status}
}

// massDelete takes back what was sent: readers keep a card that leads nowhere.
func (s *Server) massDelete(r *http.Request) any {
	m, code := s.theMass(r)
	switch {
	case code != 0:
		return code
	case m.Status != "SEND_SUCCESS":
		return 40059 // (m): only what was sent can be deleted
	}
	m.Status = "DELETE"
	for _, reader := range m.readers {
		for i, b := range reader.phone {
			if len(b.News) > 0 && strings.Contains(b.News[0].URL, fmt.Sprintf("mid=%d", m.ID)) {
				reader.phone[i].Kind = "deleted"
			}
		}
	}
	return 0
}

func (s *Server) massSpeed(*http.Request) any {
	return map[string]any{"speed": 3, "realspeed": 15}
}
