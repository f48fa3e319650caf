package wechattest

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Who speaks in a Bubble.
const (
	Reading = "reader"
	Bot     = "account"
	System  = "wechat"
)

// A Bubble is one message on the reader's phone.
type Bubble struct {
	Who    string
	Title  string // of a notice
	Kind   string // "": a message; news, mpnewsarticle, msgmenu, opened, …
	Text   string // as shown, without markup
	Raw    string // as sent
	Links  []Link // web links, as shown and where they lead
	Taps   []Link // tappable lines, as shown and what they say
	News   []News
	URL    string  // where the whole message leads
	Fields []Field // of a notice

	Response string // the HTTP body it came in, encrypted or not
}

// A Link is a word that can be touched.
type Link struct {
	Label, Target string
	ID            string // of a tappable line
}

// News is an article in a news message.
type News struct {
	Title       string `xml:"Title"`
	Description string `xml:"Description"`
	PicURL      string `xml:"PicUrl"`
	URL         string `xml:"Url"`
}

// A Reader is a person with a phone. Its methods return what the account
// answered in the response; the zero Bubble is no answer.
type Reader struct {
	OpenID string
	server *Server

	follows    bool
	said       time.Time
	clicked    time.Time
	afterSaid  int
	afterClick int
	phone      []Bubble
	last       string // the message, to be repeated
	passive    bool
	lastTap    []Link
	unseen     bool // the answer to this event is not shown
	tags       []int
	muted      bool
	name       string
	masses     map[string]int // received, by month
	scenes     []int          // of one-time subscriptions, confirmed
	grants     map[string]int // notices still allowed, by template
}

// see puts a bubble on the phone; the server's lock is held.
func (r *Reader) see(b Bubble) {
	r.phone = append(r.phone, b)
	if b.Who == Bot {
		r.lastTap = b.Taps
	}
}

// Phone is all the reader has on the phone, oldest first.
func (r *Reader) Phone() []Bubble {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return append([]Bubble(nil), r.phone...)
}

// String is the phone as text.
func (r *Reader) String() string {
	var b strings.Builder
	for _, bubble := range r.Phone() {
		fmt.Fprintf(&b, "[%s]\n", strings.TrimSpace(bubble.Who+" "+bubble.Kind))
		for _, line := range []string{bubble.Title, bubble.Text, bubble.URL} {
			if line != "" {
				fmt.Fprintln(&b, line)
			}
		}
		for _, n := range bubble.News {
			fmt.Fprintf(&b, "%s\n%s\n(%s)\n", n.Title, n.Description, n.URL)
		}
		for _, l := range bubble.Links {
			fmt.Fprintf(&b, "  (%s: %s)\n", l.Label, l.Target)
		}
		for _, l := range bubble.Taps {
			fmt.Fprintf(&b, "  <%s>\n", l.Label)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// send delivers a message or event from this reader.
func (r *Reader) send(kind, inner string, shown string, said bool) Bubble {
	s := r.server
	s.mu.Lock()
	now := s.now()
	message := element("ToUserName", s.ID) + element("FromUserName", r.OpenID) + number("CreateTime", now.Unix()) + element("MsgType", kind) + inner
	if kind != "event" {
		s.messageID++
		message += number("MsgId", s.messageID)
		r.follows = true
	}
	if said {
		r.said, r.afterSaid = now, 0
	}
	if shown != "" {
		r.see(Bubble{Who: Reading, Text: shown})
	}
	r.last, r.passive = message, kind != "event"
	s.mu.Unlock()
	return s.deliver(r, message, kind != "event")
}

// event delivers an event; opens tells that it opens the one-minute window.
func (r *Reader) event(name, key string, opens bool) Bubble {
	if opens {
		r.server.mu.Lock()
		r.clicked, r.afterClick = r.server.now(), 0
		r.server.mu.Unlock()
	}
	return r.send("event", element("Event", name)+element("EventKey", key), "", false)
}

// Say types text.
func (r *Reader) Say(text string) Bubble { return r.send("text", element("Content", text), text, true) }

// Tap touches the line of the last answer whose label contains label, which
// says its text for the reader.
func (r *Reader) Tap(label string) (Bubble, error) {
	r.server.mu.Lock()
	taps := r.lastTap
	r.server.mu.Unlock()
	for _, tap := range taps {
		if strings.Contains(tap.Label, label) {
			return r.send("text", element("Content", tap.Target)+"<bizmsgmenuid>"+tap.ID+"</bizmsgmenuid>", tap.Target, true), nil
		}
	}
	return Bubble{}, fmt.Errorf("no line %q to tap among %v", label, taps)
}

// Subscribe follows the account.
func (r *Reader) Subscribe() Bubble { return r.SubscribeBy("") }

// SubscribeBy follows the account by its QR code with a scene.
func (r *Reader) SubscribeBy(scene string) Bubble {
	r.server.mu.Lock()
	r.follows = true
	r.server.mu.Unlock()
	if scene != "" {
		scene = "qrscene_" + scene
	}
	return r.event("subscribe", scene, true)
}

// Unsubscribe leaves the account.
func (r *Reader) Unsubscribe() Bubble {
	r.server.mu.Lock()
	r.follows = false
	r.server.mu.Unlock()
	return r.event("unsubscribe", "", false)
}

// Scan scans the account's QR code with a scene, as a follower.
func (r *Reader) Scan(scene string) Bubble { return r.event("SCAN", scene, true) }

// Click touches the account's menu.
func (r *Reader) Click(key string) Bubble { return r.event("CLICK", key, true) }

// Event delivers any other event.
func (r *Reader) Event(name, key string) Bubble { return r.event(name, key, false) }

// Send sends a message of another type: image, voice, video, location, link, ….
func (r *Reader) Send(kind string) Bubble {
	inner := map[string]string{
		"image":      element("PicUrl", "http://mmbiz.qpic.cn/x/0") + element("MediaId", "m1"),
		"voice":      element("MediaId", "m2") + element("Format", "amr") + element("Recognition", ""),
		"video":      element("MediaId", "m3") + element("ThumbMediaId", "m4"),
		"shortvideo": element("MediaId", "m3") + element("ThumbMediaId", "m4"),
		"location":   "<Location_X>23.134521</Location_X><Location_Y>113.358803</Location_Y><Scale>20</Scale>" + element("Label", "somewhere"),
		"link":       element("Title", "A page") + element("Description", "about") + element("Url", "https://example.org/a"),
	}[kind]
	return r.send(kind, inner, "("+kind+")", true)
}

// Repeat delivers the last message once more, as the platform does when the
// answer was late.
func (r *Reader) Repeat() Bubble {
	r.server.mu.Lock()
	message, passive := r.last, r.passive
	r.server.mu.Unlock()
	r.server.advance(retryAfter)
	return r.server.deliver(r, message, passive)
}

// Last is the XML inside the root element of the reader's last message.
func (r *Reader) Last() string {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	return r.last
}

var (
	anchor  = regexp.MustCompile(`(?s)<a href=(?:"([^"<>]*)"|'([^'<>]*)')>(.*?)</a>`)
	menu    = regexp.MustCompile(`^weixin://bizmsgmenu\?msgmenucontent=([^&]*)&msgmenuid=([^&]*)$`)
	numeric = regexp.MustCompile(`^[0-9]+$`)
	stray   = regexp.MustCompile(`(?i)</?a\b`)
	control = regexp.MustCompile(`[\x00-\x08\x0B-\x1F\x7F]`)
)

// show is text as the app shows it.
func show(content string) Bubble {
	b := Bubble{Who: Bot, Raw: content}
	b.Text = anchor.ReplaceAllStringFunc(content, func(tag string) string {
		m := anchor.FindStringSubmatch(tag)
		target, label := m[1]+m[2], m[3]
		if tap := menu.FindStringSubmatch(target); tap != nil {
			said, err := url.PathUnescape(tap[1])
			if err != nil {
				said = tap[1]
			}
			b.Taps = append(b.Taps, Link{label, said, tap[2]})
		} else {
			b.Links = append(b.Links, Link{Label: label, Target: target})
		}
		return label
	})
	return b
}

// checkText tells what is wrong with text that the app would show.
func checkText(content string) []string {
	var problems []string
	if control.MatchString(content) {
		problems = append(problems, "control characters in the text")
	}
	rest := anchor.ReplaceAllString(content, "$3")
	if stray.MatchString(rest) {
		problems = append(problems, "a broken link in: "+rest)
	}
	for _, m := range anchor.FindAllStringSubmatch(content, -1) {
		target := m[1] + m[2]
		if tap := menu.FindStringSubmatch(target); tap != nil {
			if !numeric.MatchString(tap[2]) {
				problems = append(problems, "the menu id "+tap[2]+" is not a number")
			}
			if said, err := url.PathUnescape(tap[1]); err != nil || strings.TrimSpace(said) == "" {
				problems = append(problems, "a menu line that says nothing: "+target)
			}
			continue
		}
		if u, err := url.Parse(target); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			problems = append(problems, "a link that the app does not open: "+target)
		}
		if strings.TrimSpace(m[3]) == "" {
			problems = append(problems, "a link without words")
		}
	}
	return problems
}
