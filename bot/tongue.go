package bot

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// tongueFor is how long what a reader searched for tells the language of what
// shows none: taps, numbers, commands.
const tongueFor = 24 * time.Hour

// typed are the words whose language a message is answered in: those of the
// reader but for a command's topic, what /search is given, or, where these show
// nothing, what the conversation is about: the list whose page is turned, in a
// private chat what was searched for last. Somebody who asked 微店 and taps a
// button is not suddenly spoken to in the language of their phone.
func (b *Bot) typed(ctx context.Context, t *turn, c command, arg string) (string, error) {
	said := strings.TrimSuffix(t.Text, arg)
	switch {
	case t.Kind != Text:
		said = ""
	case c.name == "search" && strings.HasPrefix(t.Text, "/"):
		said = arg
	}
	words := !strings.HasPrefix(said, "/") && strings.ContainsFunc(said, unicode.IsLetter)
	if words || t.chat.Lang != "" || t.Kind != Text && t.Kind != Tap {
		return said, nil
	}
	if t.Public {
		if c.name != "more" {
			return said, nil // the last search was another's, perhaps
		}
		first, _, _ := strings.Cut(arg, " ")
		id, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return said, nil
		}
		list, _, err := b.lists.byID(ctx, t.Chat, id)
		if list.Kind != "search" {
			return said, err
		}
		return list.Query, err
	}
	list, ok, err := b.lists.one(ctx, "channel = ? AND chat = ? AND kind = 'search' AND created_at > ? ORDER BY created_at DESC, id DESC LIMIT 1",
		t.Chat.Channel, t.Chat.ID, b.now().Add(-tongueFor).UnixMilli())
	if !ok {
		return said, err
	}
	return list.Query, err
}
