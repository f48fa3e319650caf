package webchat

import (
	"cmp"
	"crypto/rand"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"newsie/bot"
	"newsie/internal/locale"
)

// maxCards is how many cards a message shows; the bot pages longer lists.
const maxCards = 5

// What the templates see. Everything is plain text there; html/template does
// the escaping.
type (
	pageView struct {
		P                           locale.Printer
		Title, Home, Base           string
		Style, Script, Icon, Stream string
		Once                        string
		Earlier                     int64 // the id before which there is more; 0: nothing
		Last                        int64
		Fresh                       bool
		Start                       string // what the reader comes by, who has not begun; "": nothing
		Entries                     []entryView
		Chips                       []actionView
		Notice                      string
		Unsent                      []field // of the form that was not taken
		Said                        string  // in it
	}
	field     struct{ Name, Value string }
	entryView struct {
		P          locale.Printer
		Base, Once string
		ID         int64
		Said       bool
		Lang       string
		At         string
		Text       []textLine
		Groups     []groupView
		Actions    []actionView
	}
	groupView struct {
		Heading string
		Cards   []cardView
	}
	cardView struct {
		bot.Card
		Entry   *entryView
		Lead    bool
		Picture string
		Link    string
		Meta    string
		Others  []piece   // where else the story is told
		Body    [][]piece // paragraphs of the snippet
	}
	actionView struct {
		Label, Tap, Link string
	}
	textLine []piece
	piece    struct {
		Text string
		Mark bool
		Link string
	}
)

// renderPage writes the whole page.
func (c *Channel) renderPage(w io.Writer, printer locale.Printer, entries []entry, fresh bool, start string) error {
	view := c.pageView(printer)
	view.Start = start
	if start != "" {
		last := &entries[len(entries)-1]
		last.reply = shown(last.reply)
	}
	if len(entries) > pageSize {
		entries = entries[len(entries)-pageSize:]
		view.Earlier = entries[0].id
	}
	if fresh && start == "" && len(c.config.Suggestions) > 0 {
		entries[0].reply.Actions = nil // what to say first is said once, by the chips
	}
	for _, e := range entries {
		view.Entries = append(view.Entries, c.entryView(printer, view.Once, e))
		view.Last = max(view.Last, e.id)
	}
	if fresh && start == "" {
		view.Chips = c.chips(printer, entries[0].reply)
	}
	return c.pages.ExecuteTemplate(w, "page", view)
}

// renderNotice writes a page that says one thing and leads back to the chat. A
// form that was not taken can be sent again: by its id it is the same message.
func (c *Channel) renderNotice(w io.Writer, printer locale.Printer, words string, form url.Values) error {
	view := c.pageView(printer)
	view.Notice = words
	for _, name := range []string{"id", "start", "zone", "tap", "label", "text"} {
		if value := form.Get(name); value != "" {
			view.Unsent, view.Said = append(view.Unsent, field{name, value}), value
		}
	}
	return c.pages.ExecuteTemplate(w, "notice", view)
}

// renderEntries writes messages as they stand in the page.
func (c *Channel) renderEntries(w io.Writer, printer locale.Printer, entries []entry) error {
	once := rand.Text()
	for _, e := range entries {
		if err := c.pages.ExecuteTemplate(w, "entry", c.entryView(printer, once, e)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Channel) pageView(printer locale.Printer) pageView {
	return pageView{
		P: printer, Title: c.config.Title, Home: c.config.Home, Base: c.link(""), Once: rand.Text(),
		Style: c.link(c.assets.names["chat.css"]), Script: c.link(c.assets.names["chat.js"]), Icon: c.link(c.assets.names["icon.svg"]),
		Stream: c.link("events"),
	}
}

// chips are what an empty chat offers to say first: the publisher's words and
// what every library can answer, or nothing when the welcome's buttons do it.
func (c *Channel) chips(printer locale.Printer, welcome bot.Reply) []actionView {
	var chips []actionView
	for _, word := range c.config.Suggestions {
		chips = append(chips, actionView{Label: word, Tap: word})
	}
	if len(chips) > 0 || len(welcome.Actions) == 0 {
		chips = append(chips, actionView{Label: printer.T("webchat.newest"), Tap: "/latest"})
	}
	return chips
}

func (c *Channel) entryView(printer locale.Printer, once string, e entry) entryView {
	view := entryView{
		P: printer, Base: c.link(""), Once: once, ID: e.id, Said: e.said,
		At: e.at.UTC().Format(time.RFC3339), Lang: e.reply.Lang,
	}
	if e.said {
		view.Text = lines([]bot.Piece{{Text: e.text}}, nil)
		return view
	}
	e.reply = plainReply(e.reply)
	if e.reply.Lang != "" {
		view.P = c.config.Catalog.Printer(e.reply.Lang)
	}
	view.Text = lines(bot.Pieces(e.reply.Text, e.reply.Links), c.visible)
	left := maxCards
	for _, group := range e.reply.Groups {
		cards := group.Cards[:min(left, len(group.Cards))]
		left -= len(cards)
		if len(cards) == 0 {
			continue
		}
		g := groupView{Heading: group.Heading}
		for _, card := range cards {
			g.Cards = append(g.Cards, c.cardView(card, &view))
		}
		view.Groups = append(view.Groups, g)
	}
	for _, action := range e.reply.Actions {
		a := actionView{Label: action.Label, Tap: action.Text, Link: action.Leads(c.visible)}
		if a.Label != "" && (a.Tap != "" || a.Link != "") && !view.leads(a.Link) {
			view.Actions = append(view.Actions, a)
		}
	}
	return view
}

// leads reports whether an article shown whole has a button to this address.
func (v entryView) leads(link string) bool {
	for _, group := range v.Groups {
		for _, card := range group.Cards {
			if card.Lead && card.Link != "" && card.Link == link {
				return true
			}
		}
	}
	return false
}

func (c *Channel) cardView(card bot.Card, in *entryView) cardView {
	view := cardView{
		Card: card, Entry: in, Lead: card.Number == 0, Link: card.Leads(c.visible), Picture: c.picture(card.Cover),
		Body: paragraphs(card.Snippet),
	}
	switch {
	case card.Source != "" && card.Date != "":
		view.Meta = card.Source + " · " + card.Date
	default:
		view.Meta = cmp.Or(card.Source, card.Date)
	}
	for i, place := range card.Also.Places {
		before := card.Also.Comma
		if i == 0 {
			before = card.Also.Label
		}
		view.Others = append(view.Others, piece{Text: before}, piece{Text: place.Name, Link: place.Leads(c.visible)})
	}
	return view
}

// visible is where an address leads, nowhere unless it is on the web. Our own are
// made relative to the host: the reader may have come by another name than the
// public one, which need not work for them and which the page's policy would
// not load pictures from.
func (c *Channel) visible(address string) string {
	if rest, ok := strings.CutPrefix(address, c.config.PublicURL+"/"); ok && c.public.Host != "" {
		return strings.TrimRight(c.public.EscapedPath(), "/") + "/" + strings.TrimLeft(rest, `/\`)
	}
	return safeLink(address)
}

// picture is a cover's address. The page's policy lets other sites' pictures
// through by https only, and so do browsers on an https page.
func (c *Channel) picture(cover string) string {
	cover = c.visible(cover)
	if rest, ok := strings.CutPrefix(cover, "http://"); ok && c.public.Scheme == "https" {
		return "https://" + rest
	}
	return cover
}

// safeLink is an absolute web address, or nothing.
func safeLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return address
}

// paragraphs cuts a snippet into lines of marked and plain pieces. Spans that
// do not fit the text are left out rather than breaking a character.
func paragraphs(s bot.Snippet) [][]piece {
	var all [][]piece
	var line []piece
	put := func(text string, mark bool) {
		for i, part := range strings.Split(text, "\n") {
			if i > 0 && len(line) > 0 {
				all, line = append(all, line), nil
			}
			if part != "" {
				line = append(line, piece{Text: part, Mark: mark})
			}
		}
	}
	at := 0
	for _, span := range s.Marks {
		if span.Start < at || span.End <= span.Start || span.End > len(s.Text) || !boundary(s.Text, span.Start) || !boundary(s.Text, span.End) {
			continue
		}
		put(s.Text[at:span.Start], false)
		put(s.Text[span.Start:span.End], true)
		at = span.End
	}
	put(s.Text[at:], false)
	if len(line) > 0 {
		all = append(all, line)
	}
	return all
}

func boundary(text string, at int) bool { return at == len(text) || utf8.RuneStart(text[at]) }

var address = regexp.MustCompile(`https?://[^\s<>"'“”‘’「」『』《》（）【】，。！？；、]+`)

// lines cuts a text into its lines, with its links and those that link makes of
// addresses in it; without link there are none.
func lines(parts []bot.Piece, link func(string) string) []textLine {
	all := []textLine{nil}
	for _, part := range parts {
		to := ""
		if part.URL != "" && link != nil {
			to = link(part.URL)
		}
		for i, text := range strings.Split(part.Text, "\n") {
			if i > 0 {
				all = append(all, nil)
			}
			line := &all[len(all)-1]
			switch {
			case text == "":
			case to != "":
				*line = append(*line, piece{Text: text, Link: to})
			default:
				*line = append(*line, addresses(text, link)...)
			}
		}
	}
	var shown []textLine
	for _, line := range all {
		if line = line.trim(); len(line) > 0 {
			shown = append(shown, line)
		}
	}
	return shown
}

// trim leaves the spaces out that a line begins or ends with.
func (l textLine) trim() textLine {
	for len(l) > 0 {
		if l[0].Text = strings.TrimLeftFunc(l[0].Text, unicode.IsSpace); l[0].Text != "" {
			break
		}
		l = l[1:]
	}
	for len(l) > 0 {
		last := &l[len(l)-1]
		if last.Text = strings.TrimRightFunc(last.Text, unicode.IsSpace); last.Text != "" {
			break
		}
		l = l[:len(l)-1]
	}
	return l
}

// addresses are the pieces of a line whose addresses are links.
func addresses(line string, link func(string) string) textLine {
	var pieces textLine
	at := 0
	if link != nil {
		for _, found := range address.FindAllStringIndex(line, -1) {
			shown := trimAddress(line[found[0]:found[1]])
			to := link(shown)
			if to == "" {
				continue
			}
			if found[0] > at {
				pieces = append(pieces, piece{Text: line[at:found[0]]})
			}
			at = found[0] + len(shown)
			pieces = append(pieces, piece{Text: shown, Link: to})
		}
	}
	if at < len(line) {
		pieces = append(pieces, piece{Text: line[at:]})
	}
	return pieces
}

// trimAddress leaves the sentence's punctuation out of an address.
func trimAddress(link string) string {
	for {
		short := strings.TrimRight(link, ".,;:!?*_~")
		if strings.HasSuffix(short, ")") && strings.Count(short, ")") > strings.Count(short, "(") {
			short = strings.TrimSuffix(short, ")")
		}
		if short == link {
			return link
		}
		link = short
	}
}
