package wechattest

import "fmt"

// massHelper sends what concerns the account and no single reader. (m)
const massHelper = "mphelper"

// An event is what the platform will tell the account by itself.
type event struct {
	from  string
	name  string
	inner string
}

// queue keeps an event until Flush, or sends it at once (see Auto); s.mu must
// be held.
func (s *Server) queue(e event) {
	if !s.auto {
		s.queued = append(s.queued, e)
		return
	}
	s.background.Go(func() { s.send(e) })
}

// Auto makes what is left to Flush happen by itself, as on the platform: mass
// sends succeed and results are told from a goroutine, at any time after the
// call, even before its answer is read. For programs in another process.
func (s *Server) Auto() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto = true
}

// Wait waits for what Auto began.
func (s *Server) Wait() { s.background.Wait() }

// Flush lets what the platform does in the background happen: every mass send
// that waits for nobody's confirmation succeeds, and every result not yet told
// is told to the account.
func (s *Server) Flush() {
	for {
		s.mu.Lock()
		var e event
		if m := s.mass(underWay); m != nil {
			e = s.finish(m, MassSuccess)
		} else if len(s.queued) > 0 {
			e, s.queued = s.queued[0], s.queued[1:]
		} else {
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.send(e)
	}
}

// send tells the account an event that nobody waits for an answer to.
func (s *Server) send(e event) {
	r := &Reader{OpenID: e.from, server: s}
	if err := r.tell(e.name, e.inner); err != nil {
		s.mu.Lock()
		s.problem("%v", err)
		s.mu.Unlock()
	}
}

// tell delivers an event whose answer no reader would see; one that says
// something is an error.
func (r *Reader) tell(name, inner string) error {
	r.server.mu.Lock()
	r.unseen = true
	r.server.mu.Unlock()
	b := r.send("event", element("Event", name)+inner, "", false)
	r.server.mu.Lock()
	r.unseen = false
	r.server.mu.Unlock()
	switch {
	case b.Who == System:
		return nil // already a problem
	case b.Text != "" || len(b.News) > 0:
		return fmt.Errorf("an answer to %s, which nobody sees: %q", name, b.Text)
	}
	return nil
}

// Grant allows notices of templates once more each, as touching "allow" in the
// box of a page or an article does, and returns the answer to the event.
func (r *Reader) Grant(templates ...string) Bubble { return r.popup("accept", templates) }

// Refuse touches "cancel" in the box: nothing is allowed, and what was allowed
// before stays so.
func (r *Reader) Refuse(templates ...string) Bubble { return r.popup("reject", templates) }

func (r *Reader) popup(status string, templates []string) Bubble {
	if status == "accept" {
		r.server.mu.Lock()
		for _, id := range templates {
			r.grant(id)
		}
		r.server.mu.Unlock()
	}
	return r.subscription("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", status, number("PopupScene", 2), templates)
}

// Withdraw takes back, in the app's settings, all that was allowed for templates.
func (r *Reader) Withdraw(templates ...string) Bubble {
	r.server.mu.Lock()
	for _, id := range templates {
		delete(r.grants, id)
	}
	r.server.mu.Unlock()
	return r.subscription("subscribe_msg_change_event", "SubscribeMsgChangeEvent", "reject", "", templates)
}

// grant allows one more notice; the server's lock is held.
func (r *Reader) grant(template string) {
	if r.grants == nil {
		r.grants = map[string]int{}
	}
	r.grants[template]++
}

// Grants counts the notices of a template that the reader still allows; of a
// lasting one, what is not zero allows any number.
func (r *Reader) Grants(template string) int {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return r.grants[template]
}

func (r *Reader) subscription(name, root, status, more string, templates []string) Bubble {
	list := ""
	for _, id := range templates {
		list += "<List>" + element("TemplateId", id) + element("SubscribeStatusString", status) + more + "</List>"
	}
	return r.send("event", element("Event", name)+"<"+root+">"+list+"</"+root+">", "", false)
}

// Share sends a link, as the reader does when sharing a page with the account.
func (r *Reader) Share(title, description, address string) Bubble {
	return r.send("link", element("Title", title)+element("Description", description)+element("Url", address), "("+title+" "+address+")", true)
}
