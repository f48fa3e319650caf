package bot

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"newsie/bot/origin"
	"newsie/bot/rules"
	"newsie/content"
	"newsie/content/language"
	"newsie/internal/database"
	"newsie/internal/locale"
)

// A Bot answers readers' messages. Handle is safe for concurrent use.
type Bot struct {
	db       *database.DB
	library  *content.Library
	catalog  *locale.Catalog
	chats    *Chats
	lists    *Lists
	settings *Settings
	words    []spoken // the words of all commands, longest first
	flood    *flood
	browsing browsing
	name     string
	public   string
	channels map[string]Channel
	digests  Digests
	origins  *Origins
	forget   []func(ctx context.Context, chat ChatID) error
	observe  func(channel, outcome string, took time.Duration)
	rules    atomic.Pointer[rules.Set]
	notify   func(ctx context.Context, key, text string)
	log      *slog.Logger
	now      func() time.Time
}

// Config is what a Bot needs; DB, Library and Catalog are required.
type Config struct {
	DB        *database.DB
	Library   *content.Library
	Catalog   *locale.Catalog
	Name      string             // of the publication
	PublicURL string             // of the reader pages, without a slash at the end
	Channels  map[string]Channel // by name
	Digests   Digests            // what a reader's next digests hold; may be nil
	Origins   *Origins           // where readers come from; nil: that is not counted
	Forget    []func(ctx context.Context, chat ChatID) error
	Observe   func(channel, outcome string, took time.Duration) // may be nil
	Rules     *rules.Set                                        // the publisher's own; see SetRules
	Logger    *slog.Logger
	Now       func() time.Time
	Limits    Limits // zero: the defaults
}

// A Channel is what the bot has to know of one.
type Channel struct {
	Lang          string         // of readers who gave no sign of theirs
	Zone          string         // IANA name, of readers who did not tell theirs
	Filter        content.Filter // which part of the library it serves
	MinInterval   time.Duration  // the shortest time between two digests of one follow
	FromArchive   bool           // a first digest offers what is there already
	Recency       float64        // how much newer is better in answers; see content.Query
	ForgetOnLeave bool           // a reader who leaves is to be forgotten, as WeChat demands
	Quiet         string         // hours without a sound of readers who chose none, "22:00-08:00"; "": none
	Silent        bool           // it can send without a sound
	Edits         bool           // a Reply with Replace takes the place of the message whose button was pressed

	// DeepLink is the address that opens the bot and has it hear "/start PAYLOAD"
	// (1 to 64 of A-Z a-z 0-9 _ -); "" while it is not known. nil: there is none.
	DeepLink func(payload string) string

	// Links makes the addresses by which it is counted that a reader opened an
	// article; nil: it is not counted.
	Links *origin.Links

	// InviteLink is the address that a reader's invitation passes on, in place of
	// DeepLink's; nil: DeepLink's, else the page of the code.
	InviteLink func(payload string) string

	// Manages tells whether the one who speaks in a group, its Message.From, may
	// change what concerns all of it: what it follows and when that comes, its
	// language, clock and quiet hours, and what is kept about it. nil: everybody
	// may. In a private chat nobody is asked.
	Manages func(ctx context.Context, chat ChatID, from string) (bool, error)
}

// Digests tells what is new for a chat's follows; the scheduler implements it.
type Digests interface {
	Now(ctx context.Context, chat ChatID, lang string) (Reply, error)
}

// New makes a Bot.
func New(c Config) *Bot {
	b := &Bot{
		db: c.DB, library: c.Library, catalog: c.Catalog, name: c.Name, public: strings.TrimRight(c.PublicURL, "/"),
		digests: c.Digests, origins: c.Origins, forget: c.Forget, observe: c.Observe,
		log: c.Logger, now: c.Now,
	}
	if b.channels = maps.Clone(c.Channels); b.channels == nil {
		b.channels = map[string]Channel{}
	}
	b.rules.Store(c.Rules)
	if b.now == nil {
		b.now = time.Now
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.observe == nil {
		b.observe = func(string, string, time.Duration) {}
	}
	b.notify = func(context.Context, string, string) {}
	b.chats = &Chats{db: c.DB, now: b.now}
	b.lists = &Lists{db: c.DB, now: b.now}
	b.settings = &Settings{db: c.DB, now: b.now}
	b.words = vocabulary(c.Catalog)
	b.flood = newFlood(c.Limits, b.now)
	return b
}

// UseDigests sets what "my digest" shows; the scheduler that knows it is made
// after the bot whose cards it shows. Call it before the first message.
func (b *Bot) UseDigests(d Digests) { b.digests = d }

// Forgets adds what else is to be deleted when a reader asks to be forgotten.
// Call it before the first message.
func (b *Bot) Forgets(f func(ctx context.Context, chat ChatID) error) { b.forget = append(b.forget, f) }

// DeepLinks sets how a channel makes addresses that open it; see
// Channel.DeepLink. Call it before the first message.
func (b *Bot) DeepLinks(channel string, link func(payload string) string) {
	c := b.channels[channel]
	c.DeepLink = link
	b.channels[channel] = c
}

// CountOpens sets how it is counted which articles the readers of a channel
// open; see Channel.Links. Call it before the first message.
func (b *Bot) CountOpens(channel string, links *origin.Links) {
	c := b.channels[channel]
	c.Links = links
	b.channels[channel] = c
}

// InviteLinks sets how a channel makes the addresses of readers' invitations; see
// Channel.InviteLink. Call it before the first message.
func (b *Bot) InviteLinks(channel string, link func(payload string) string) {
	c := b.channels[channel]
	c.InviteLink = link
	b.channels[channel] = c
}

// Notifies sets how the publisher is told what must be known; what has one key
// is told once a day. Call it before the first message.
func (b *Bot) Notifies(f func(ctx context.Context, key, text string)) { b.notify = f }

// A turn is one message on its way to its reply.
type turn struct {
	Message
	channel Channel
	chat    Chat
	locale.Printer
	wants   string // the language of articles to put first
	outcome string

	here     presence
	came     origin.Origin // by which this message came; zero: by none that is known
	newcomer bool          // never seen before this message
	scanned  bool          // it is a code, though it reads like a command

	defaulted bool // the publisher's default is being said, which has no default
}

// longest is how many characters a question may have; what is longer is no
// keyword and costs more than it finds.
const longest = 300

// Handle answers one message. It implements Handler.
func (b *Bot) Handle(ctx context.Context, m Message) (Reply, error) {
	start := b.now()
	t := &turn{Message: m, channel: b.channels[m.Chat.Channel], outcome: "command"}
	t.Text = clean(m.Text)
	reply, err := b.reply(ctx, t)
	if err != nil {
		t.outcome = "error"
	}
	if reply.Lang == "" {
		reply.Lang = t.Printer.Lang()
	}
	b.observe(m.Chat.Channel, t.outcome, b.now().Sub(start))
	if err == nil && t.outcome == "silent" {
		return Reply{}, nil
	}
	return b.Counted(m.Chat, reply), err
}

func (b *Bot) reply(ctx context.Context, t *turn) (Reply, error) {
	var err error
	if t.chat, t.here, err = b.chats.load(ctx, t.Chat); err != nil {
		return Reply{}, err
	}
	command, arg, ok := b.command(t)
	heard, err := b.listen(ctx, t, command, arg)
	if err != nil {
		return Reply{}, err
	}
	if t.Kind == Leave {
		t.outcome = "silent"
		return Reply{}, b.leave(ctx, t)
	}
	if t.chat.State == "suspended" { // a digest did not reach this reader, who is here again
		if err := b.chats.Resume(ctx, t.Chat); err != nil {
			return Reply{}, err
		}
		t.chat.State = ""
	}
	if err := b.attribute(ctx, t, command, arg, ok); err != nil {
		return Reply{}, err
	}
	ok = ok && !t.scanned
	rule, quiet := b.ruling(t, command, arg, ok)
	if quiet {
		t.outcome = "silent"
		return Reply{}, b.unspoken(ctx, t)
	}
	if !ok || !command.always {
		if warning, is := b.tooMuch(t); is {
			return warning, nil
		}
	}
	b.keepTongue(ctx, t, heard)
	if rule.Rule != nil {
		if reply, said, err := b.ruled(ctx, t, rule); said || err != nil {
			return reply, err
		}
	}
	switch {
	case (t.Kind == Join || t.Kind == Scan) && !ok:
		return b.start(ctx, t, t.Text)
	case t.Kind == Media:
		t.outcome = "media"
		return b.media(ctx, t)
	case ok:
		return b.do(ctx, t, command, arg)
	}
	return b.question(ctx, t)
}

// question answers what is no command.
func (b *Bot) question(ctx context.Context, t *turn) (Reply, error) {
	switch {
	case t.Text == "":
		return b.unfit(ctx, t, t.T("bot.empty"))
	case utf8.RuneCountInString(t.Text) > longest:
		return b.unfit(ctx, t, t.T("bot.too_long", "Count", longest))
	case !strings.ContainsFunc(t.Text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return b.unfit(ctx, t, t.T("bot.no_words"))
	}
	if address := addressRule.FindString(t.Text); address != "" {
		return b.pasted(ctx, t, address)
	}
	if id, ok := b.ownPage(t.Text); ok && !strings.Contains(t.Text, " ") { // as browsers show it
		return b.open(ctx, t, id)
	}
	return b.search(ctx, t, t.Text, false)
}

// speak chooses the reply's language: what the reader chose, else the one that
// the words typed show, if they do, else what the platform says, else the
// channel's.
func (b *Bot) speak(t *turn, guess string) string {
	if t.chat.Lang != "" {
		return t.chat.Lang
	}
	if base := language.Base(guess); guess != "" && (base != "en" || t.Message.Lang == "") {
		if lang := b.catalog.Match(guess); language.Base(lang) == base {
			return lang
		}
	}
	return b.catalog.Match(t.Message.Lang, t.channel.Lang)
}

// reads is the language of the articles a reader wants, which need not be one
// that newsie speaks.
func (b *Bot) reads(t *turn, guess string) string {
	if foreign := language.Base(guess) != "en" && language.Base(guess) != language.Base(t.Printer.Lang()); t.chat.Lang == "" && guess != "" && foreign {
		return guess
	}
	if base := language.Base(t.Message.Lang); t.chat.Lang == "" && base != "" && guess == "" && !slices.Contains([]string{"zh", "en", language.Base(t.Printer.Lang())}, base) {
		return base
	}
	return t.Printer.Lang()
}

// guess is the language of what was typed, "" when it shows none. Characters
// that Chinese shares with Japanese and Korean show nothing of a reader whose
// platform speaks one of those, and characters that both Chinese scripts write
// alike leave the choice to the platform.
func (t *turn) guess(typed string) string {
	guess, platform := language.Guess(typed), language.Base(t.Message.Lang)
	if language.Base(guess) != "zh" {
		return guess
	}
	switch {
	case platform == "ja" || platform == "ko":
		return ""
	case language.FoldHan(typed) != typed:
		return "zh-Hant"
	case platform == "zh":
		return t.Message.Lang
	}
	return guess
}

// clean makes one line of what a reader typed, in composed characters.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r), r == '\ufeff', r == '\u200b', r == '\u2060', content.Bidi(r):
			return -1
		}
		return r
	}, text)
	return norm.NFC.String(strings.Join(strings.Fields(text), " "))
}

// plain folds a text for comparing it with the words of commands.
func plain(text string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(text)))
}
