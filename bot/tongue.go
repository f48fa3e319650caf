package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"newsie/content/language"
)

// tongueFor is how long a conversation goes on in the language of the words
// that a reader typed last.
const tongueFor = 24 * time.Hour

// tongueStale is how old what is kept of it may become before it is kept anew.
const tongueStale = time.Hour

// A tongue is the language of an answer to typed words.
type tongue struct {
	speaks string // of the answer itself
	wants  string // of the articles to put first
	since  time.Time
}

// A heard tongue is what a message changes of the one that is kept.
type heard struct {
	tongue
	forget bool // it is what the platform says: nothing need be kept
}

// listen chooses the languages of a turn: what the reader chose, else what the
// words typed show, else those of the last answer to words that did, else the
// platform's. Somebody who was answered in Chinese and taps a button, types a
// number or sends a sticker is not suddenly spoken to in the language of their
// phone. It returns what is to be kept of that, nil when it is nothing new.
func (b *Bot) listen(ctx context.Context, t *turn, c command, arg string) (*heard, error) {
	if t.chat.Lang != "" || t.Kind == Leave {
		t.speakAs(b, "")
		return nil, nil
	}
	kept, ok, err := b.tongue(ctx, t)
	if err != nil {
		return nil, err
	}
	said, own := t.saidIn(c, arg)
	if !own {
		if said, err = b.turned(ctx, t, c, arg); err != nil {
			return nil, err
		}
	}
	shown := t.guess(said)
	english := own && shown == "" && c.tongue == "en" // which many write whose platform speaks another language
	if own && shown == "" && !english {
		shown = c.tongue
	}
	goesOn := ok && !english && (!own && shown == "" || kept.takes(said, shown))
	if t.speakAs(b, shown); goesOn {
		t.Printer, t.wants = b.catalog.Printer(kept.speaks), kept.wants
	}
	if !own || goesOn && shown == "" {
		return nil, nil
	}
	return b.changed(t, kept, ok), nil
}

// speakAs makes the turn one in the language that words show, "" when they show none.
func (t *turn) speakAs(b *Bot, shown string) {
	t.Printer = b.catalog.Printer(b.speak(t, shown))
	t.wants = b.reads(t, shown)
}

// changed is what is to be kept of the languages that a turn was given.
func (b *Bot) changed(t *turn, kept tongue, ok bool) *heard {
	now := heard{tongue: tongue{speaks: t.Printer.Lang(), wants: t.wants, since: b.now()}}
	assumed := *t
	assumed.speakAs(b, "")
	switch {
	case now.speaks == assumed.Printer.Lang() && now.wants == assumed.wants:
		if !ok {
			return nil
		}
		now.forget = true
	case ok && now.speaks == kept.speaks && now.wants == kept.wants && now.since.Sub(kept.since) < tongueStale:
		return nil
	}
	return &now
}

// takes reports whether words may be said in a conversation in k without a
// change of language: characters that both Chinese scripts write alike, and a
// word or two in Latin letters, "sport", that show no language by themselves.
func (k tongue) takes(said, shown string) bool {
	switch base := language.Base(k.speaks); {
	case base == "zh":
		return language.Base(shown) == "zh" && language.Alike(said)
	default:
		return shown == "" && language.Base(k.wants) == base && latin(said)
	}
}

// latin reports whether a text has letters, all of them Latin.
func latin(text string) bool {
	return strings.ContainsFunc(text, unicode.IsLetter) &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) })
}

// saidIn are the reader's own words, whose language a message is answered in:
// what was typed but for addresses and for a command's topic ("follow 电商" is
// English), and what /search is given. own is false when there are none.
func (t *turn) saidIn(c command, arg string) (said string, own bool) {
	switch {
	case t.Kind != Text:
		return "", false
	case c.name == "search" && strings.HasPrefix(t.Text, "/"):
		said = arg
	default:
		said = strings.TrimSuffix(t.Text, arg)
	}
	said = addressRule.ReplaceAllString(said, " ")
	if strings.HasPrefix(said, "/") || !strings.ContainsFunc(said, unicode.IsLetter) {
		return "", false
	}
	return said, true
}

// turned are the words that a list in a group was asked for with: whoever turns
// its page, it stays in the language it was asked in.
func (b *Bot) turned(ctx context.Context, t *turn, c command, arg string) (string, error) {
	if !t.Public || t.Kind != Tap || c.name != "more" {
		return "", nil
	}
	first, _, _ := strings.Cut(arg, " ")
	id, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return "", nil
	}
	list, _, err := b.lists.byID(ctx, t.Chat, id)
	if list.Kind != "search" && list.Kind != "repaired" {
		return "", err
	}
	return list.Query, err
}

// tongues begins the names of the settings that keep tongues. Only readers who
// were answered in another language than their platform's have one, for a day.
const tongues = "tongue:"

// tongueOf is under which name a reader's tongue is kept: in a group each has
// their own.
func tongueOf(t *turn) string {
	name := tongues + t.Chat.String()
	if t.Public {
		name += " " + t.From
	}
	return name
}

// tongue is that of the reader's last typed words, while it lasts.
func (b *Bot) tongue(ctx context.Context, t *turn) (tongue, bool, error) {
	value, ok, err := b.settings.Load(ctx, tongueOf(t))
	if !ok || err != nil {
		return tongue{}, false, err
	}
	speaks, rest, _ := strings.Cut(value, " ")
	wants, since, _ := strings.Cut(rest, " ")
	ms, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return tongue{}, false, nil
	}
	return tongue{speaks, wants, time.UnixMilli(ms)}, true, nil
}

// keepTongue keeps what listen found to be new. Readers who write as their
// phones speak, most of them, cost no write, and others one an hour. Without it
// the next answer may be in another language, but this one need not be lost.
func (b *Bot) keepTongue(ctx context.Context, t *turn, h *heard) {
	if h == nil {
		return
	}
	var err error
	if h.forget {
		err = b.settings.DeleteAll(ctx, tongueOf(t))
	} else {
		value := h.speaks + " " + h.wants + " " + strconv.FormatInt(h.since.UnixMilli(), 10)
		err = b.settings.SaveAll(ctx, map[string]string{tongueOf(t): value}, tongueFor+tongueStale)
	}
	if err != nil {
		b.log.Warn("the language of a conversation is not kept", "channel", t.Chat.Channel, "error", err)
	}
}

// ofTongues matches the names under which the tongues of a chat are kept: its
// own, or those of each reader of a group.
const ofTongues = "(name = ? OR substr(name, 1, ?) = ?)"

func ofTonguesArgs(chat ChatID) []any {
	name := tongues + chat.String()
	return []any{name, utf8.RuneCountInString(name) + 1, name + " "}
}

// tonguesOf lists the names under which the tongues of a chat are kept.
func tonguesOf(ctx context.Context, db bun.IDB, chat ChatID) ([]string, error) {
	var names []string
	if err := db.NewRaw("SELECT name FROM settings WHERE "+ofTongues, ofTonguesArgs(chat)...).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("look for the languages spoken in %s: %w", chat, err)
	}
	return names, nil
}

func forgetTongues(ctx context.Context, tx bun.IDB, names []string) error {
	for part := range slices.Chunk(names, 500) {
		if _, err := tx.ExecContext(ctx, "DELETE FROM settings WHERE name IN (?)", bun.List(part)); err != nil {
			return fmt.Errorf("forget the languages spoken in a chat: %w", err)
		}
	}
	return nil
}

// MoveTongues gives the languages that are spoken in a chat to its new id,
// where what was said already counts.
func MoveTongues(ctx context.Context, tx bun.IDB, from, to ChatID) error {
	names, err := tonguesOf(ctx, tx, from)
	if err != nil {
		return err
	}
	old, moved := tongues+from.String(), tongues+to.String()
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, "INSERT INTO settings (name, value, expires_at) SELECT ?, value, expires_at FROM settings WHERE name = ? ON CONFLICT (name) DO NOTHING",
			moved+strings.TrimPrefix(name, old), name); err != nil {
			return fmt.Errorf("move the languages spoken in %s: %w", from, err)
		}
	}
	return forgetTongues(ctx, tx, names)
}
