package telegram

import (
	"encoding/json"
	"strings"
	"time"

	"newsie/bot"
)

// Page is what sendMessage would be given for a reply.
func Page(r bot.Reply) map[string]string {
	p := fit(newSheet(r, maxCards), r.Actions)
	params := map[string]string{"text": p.text.html(), "parse_mode": "HTML"}
	if options, err := json.Marshal(p.preview); err == nil {
		params["link_preview_options"] = string(options)
	}
	if len(p.keyboard) > 0 {
		if keys, err := json.Marshal(keyboard{p.keyboard}); err == nil {
			params["reply_markup"] = string(keys)
		}
	}
	return params
}

// PageUnits is how long we take that message for.
func PageUnits(r bot.Reply) int {
	return units(strings.TrimSpace(fit(newSheet(r, maxCards), r.Actions).text.plain()))
}

// Decode reads an update as a bot called newsie_bot with the id 1 would.
func Decode(raw []byte) (bot.Message, bool, error) {
	u, err := decode(raw)
	if err != nil {
		return bot.Message{}, false, err
	}
	c := &Channel{config: Config{Name: "tg", Now: timeZero, Commands: []Command{{Name: "search"}, {Name: "help"}}}}
	s := &session{Channel: c, me: user{ID: 1, Username: "newsie_bot"}}
	in, ok := s.read(u)
	return in.message, ok, nil
}

// Overtakes tells whether an update comes before an earlier one of its chat that
// is on the shelf, when a place in hand is free.
func Overtakes() bool {
	p := newPending(9)
	take := func(id int64) *taken { return p.take(&taken{id: id, lane: "a", kept: true}, func() {}) }
	first := take(1)
	for id := range int64(handful) {
		take(2 + id)
	}
	p.done(first)
	return !take(handful + 2).shelved
}

func timeZero() time.Time { return time.Unix(0, 0) }
