package wechat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"

	"newsie/bot"
)

// A Form is a template that the publisher chose on the platform, and what
// newsie writes into its fields: "thing1" -> "{topic}". The zero Form is none.
type Form struct {
	Template string // its id
	Fields   map[string]string
}

// Once is the template of one-time subscriptions. The zero Once is none.
type Once struct {
	Template string
	Scenes   int // how many messages a reader may grant ahead, 1 to 100; 0: 3
}

const (
	usualScenes = 3
	mostScenes  = 100
)

// A digest is an Outgoing as notices tell of it.
type digest struct {
	bot.Outgoing
	cards  []bot.Card
	url    string // of its first article
	values map[string]string
	now    time.Time
}

func (c *Channel) digest(o bot.Outgoing) digest {
	d := digest{Outgoing: o, cards: cardsOf(o.Reply), now: c.cfg.Now().In(c.cfg.Zone)}
	lang := o.Reply.Lang
	if lang == "" {
		lang = c.cfg.Language
	}
	reached := 0
	d.url, reached = c.landing(d)
	d.values = map[string]string{
		"name": c.cfg.Title, "topic": o.Topic, "title": d.cards[0].Title, "text": o.Reply.Text,
		"count": strconv.Itoa(reached), "date": c.cfg.Catalog.Printer(lang).Date(d.now),
	}
	return d
}

// landing is where a notice leads, and how many articles are read there: the
// page of the first one, which knows of as many others as a page lists.
func (c *Channel) landing(d digest) (address string, reached int) {
	first := d.cards[0]
	if address = c.page(first); address == "" {
		return first.URL, 1
	}
	ids := d.Articles
	if len(ids) == 0 {
		for _, card := range d.cards {
			ids = append(ids, card.Article)
		}
	}
	var others []string
	for _, id := range ids {
		if id != 0 && id != first.Article && len(others) < mostWith {
			others = append(others, strconv.FormatInt(id, 10))
		}
	}
	if len(others) > 0 {
		address += "?with=" + strings.Join(others, ".")
	}
	return address, 1 + len(others)
}

// noticeRung is a subscription notice: one for each time that the reader
// granted one.
func (c *Channel) noticeRung(d digest) rung {
	reader, period := d.To.ID, noticePeriod(c.cfg.Notice.Template)
	return rung{
		way:     quotaNotice,
		shut:    []int64{43101},
		pending: true,
		take: func(ctx context.Context) (slot, bool, error) {
			ok, err := c.grants.take(ctx, reader, period)
			return slot{
				back:  func(ctx context.Context) error { return c.grants.back(ctx, reader, period) },
				close: func(ctx context.Context) error { return c.grants.none(ctx, reader, period) },
			}, ok, err
		},
		send: func(ctx context.Context, _ slot) (string, error) {
			in := noticeMessage{To: reader, Template: c.cfg.Notice.Template, Page: d.url, Data: map[string]noticeValue{}}
			for field, value := range c.cfg.Notice.fill(d) {
				in.Data[field] = noticeValue{value}
			}
			return c.postNotice(ctx, "/cgi-bin/message/subscribe/bizsend", in)
		},
	}
}

// A noticeMessage is what two calls take: the library lacks one, and of the
// other's answer drops the number under which the result is reported.
type noticeMessage struct {
	To       string                 `json:"touser"`
	Template string                 `json:"template_id"`
	Page     string                 `json:"page,omitempty"`
	URL      string                 `json:"url,omitempty"`
	Scene    string                 `json:"scene,omitempty"`
	Title    string                 `json:"title,omitempty"`
	Data     map[string]noticeValue `json:"data"`
}

type noticeValue struct {
	Value string `json:"value"`
}

func (c *Channel) postNotice(ctx context.Context, path string, in noticeMessage) (id string, err error) {
	var out struct {
		ID json.Number `json:"msgid"` // as large as the largest integers
	}
	err = c.call(ctx, false, func(token string) error { return post(ctx, path, token, in, &out) })
	if id = out.ID.String(); id == "0" {
		id = ""
	}
	return id, err
}

// templateRung is a template message, which needs no grant.
func (c *Channel) templateRung(d digest) rung {
	return rung{
		way:     quotaTemplate,
		pending: true,
		take: func(context.Context) (slot, bool, error) {
			return slot{back: func(context.Context) error { return nil }}, true, nil
		},
		send: func(ctx context.Context, _ slot) (id string, err error) {
			data := map[string]*message.TemplateDataItem{}
			for field, value := range c.cfg.Template.fill(d) {
				data[field] = &message.TemplateDataItem{Value: value}
			}
			err = c.call(ctx, false, func(string) error {
				n, err := c.template.Send(&message.TemplateMessage{
					ToUser: d.To.ID, TemplateID: c.cfg.Template.Template, URL: d.url, Data: data, ClientMsgID: d.Key,
				})
				if n != 0 {
					id = strconv.FormatInt(n, 10)
				}
				return err
			})
			return id, err
		},
	}
}

// Limits of a one-time message, in characters.
const (
	mostOnceTitle   = 15
	mostOnceContent = 200
)

// onceRung is a message that the reader granted by a link: one for each scene.
func (c *Channel) onceRung(d digest) rung {
	reader := d.To.ID
	return rung{
		way:  quotaOnce,
		shut: []int64{43101},
		take: func(ctx context.Context) (slot, bool, error) {
			for {
				scene, err := c.scene(ctx, reader, true)
				if err != nil || scene == 0 {
					return slot{}, false, err
				}
				period := oncePeriod(c.cfg.Once.Template, scene)
				// Another replica may have been faster.
				if ok, err := c.grants.take(ctx, reader, period); err != nil || ok {
					return slot{
						scene: scene,
						back:  func(ctx context.Context) error { return c.grants.back(ctx, reader, period) },
						close: func(ctx context.Context) error { return c.grants.none(ctx, reader, period) },
					}, ok, err
				}
			}
		},
		send: func(ctx context.Context, s slot) (string, error) {
			return c.postNotice(ctx, "/cgi-bin/message/template/subscribe", noticeMessage{
				To: reader, Template: c.cfg.Once.Template, URL: d.url, Scene: strconv.Itoa(s.scene),
				Title: d.onceTitle(), Data: map[string]noticeValue{"content": {d.onceContent()}},
			})
		},
	}
}

func (d digest) onceTitle() string {
	for _, text := range []string{d.Topic, d.values["name"], d.cards[0].Title} {
		if text = clip(forLine(text), mostOnceTitle); text != "" {
			return text
		}
	}
	return "…"
}

// onceContent is the digest's heading and as many of its titles as fit.
func (d digest) onceContent() string {
	text := clip(forLine(d.Reply.Text), mostOnceContent/2)
	for _, card := range d.cards {
		title := clip(forLine(card.Title), 40)
		if title == "" {
			continue
		}
		with := strings.TrimPrefix(text+"\n· "+title, "\n")
		if units(with) > mostOnceContent {
			break
		}
		text = with
	}
	if text == "" {
		return d.onceTitle()
	}
	return text
}

// opens reports whether a link can be opened in the app.
func opens(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// A FieldProblem is a mistake in the configuration of a way of sending.
type FieldProblem struct {
	Key  string // below the channel: "notice.fields.thing1"
	What string
}

// checkForms finds every mistake in the ways of sending.
func (cfg *Config) checkForms() []FieldProblem {
	problems := cfg.Notice.Check("notice", "template")
	problems = append(problems, cfg.Template.Check("template", "id")...)
	problems = append(problems, cfg.Once.Check("once")...)
	if cfg.Once.Template != "" && !opens(cfg.PublicURL) {
		problems = append(problems, FieldProblem{"once", "needs public_url, to which WeChat sends the reader back"})
	}
	return problems
}

// Check finds every mistake in a one-time subscription configured under key.
func (o Once) Check(key string) []FieldProblem {
	var problems []FieldProblem
	if o.Template == "" {
		if o.Scenes != 0 {
			problems = append(problems, FieldProblem{key + ".template", missingTemplate})
		}
		return problems
	}
	if !templateRule.MatchString(o.Template) {
		problems = append(problems, FieldProblem{key + ".template", fmt.Sprintf("%q is no template id: letters, digits, - and _", o.Template)})
	}
	if o.Scenes < 0 || o.Scenes > mostScenes {
		problems = append(problems, FieldProblem{key + ".scenes", fmt.Sprintf("%d is none of 1 to %d", o.Scenes, mostScenes)})
	}
	return problems
}
