package telegram

import (
	"encoding/json"
	"sync"

	"newsie/bot"
)

// A layout is a reply as a text, all but its buttons.
type layout struct {
	sheet sheet
	page  page // not before fit; without the buttons
	cards int  // that are shown
}

func (l *layout) fit() {
	if l.page.text == nil {
		*l = *lay(l.sheet)
	}
}

// short reports whether something was left out that there was no room for.
func (l *layout) short() bool {
	l.fit()
	return l.page.short
}

// with adds the buttons.
func (l *layout) with(actions []bot.Action) page {
	l.fit()
	p := l.page
	p.keyboard, p.dropped = buttons(l.sheet, l.cards, actions)
	return p
}

// layouts remember how digests were laid out: thousands of readers get the same
// one, but for its buttons, and laying it out is most of the work of a message.
type layouts struct {
	mu   sync.Mutex
	kept map[string]*layout
}

// mostLayouts are some megabytes.
const mostLayouts = 256

// layOut lays a message out, or takes the layout of a digest that says the same.
func (c *Channel) layOut(o outgoing) *layout {
	s := func() sheet {
		s := newSheet(o.reply, maxCards)
		s.titled = o.titled || severalTopics(s)
		return s
	}
	if !o.titled {
		return &layout{sheet: s()}
	}
	shared := o.reply
	shared.Actions = nil
	text, err := json.Marshal(shared)
	if err != nil {
		return &layout{sheet: s()}
	}
	key := string(text)
	if l := c.layouts.find(key); l != nil {
		return l
	}
	l := lay(s())
	c.layouts.keep(key, l)
	return l
}

func (k *layouts) find(key string) *layout {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[key]
}

func (k *layouts) keep(key string, l *layout) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil || len(k.kept) >= mostLayouts {
		k.kept = map[string]*layout{}
	}
	k.kept[key] = l
}
