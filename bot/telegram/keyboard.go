package telegram

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"newsie/bot"
)

type button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`

	role bot.Role
}

type keyboard struct {
	Rows [][]button `json:"inline_keyboard"`
}

// preview are the Bot API's LinkPreviewOptions.
type preview struct {
	Disabled bool   `json:"is_disabled,omitempty"`
	URL      string `json:"url,omitempty"`
	Small    bool   `json:"prefer_small_media,omitempty"`
	Large    bool   `json:"prefer_large_media,omitempty"`
	Above    bool   `json:"show_above_text,omitempty"`
}

const (
	dataLimit   = 64  // bytes
	maxButtons  = 100 // of a keyboard
	numbersRow  = 8   // which a thumb can still tell apart
	fewestInRow = 3   // of numbers in several rows
)

// labelColumns is how wide a label may be when as many buttons stand beside one
// another on a phone, which makes all buttons of a row equally wide.
var labelColumns = [...]int{0, 36, 17, 10}

// choosePreview shows the best hit: small beside a list, large and above it for
// the article that is being shown, as its cover.
func choosePreview(s sheet) preview {
	for _, b := range s.blocks {
		for _, e := range b.entries {
			if e.url == "" {
				continue
			}
			if s.view && e.cover != "" {
				return preview{URL: e.url, Large: true, Above: true}
			}
			return preview{URL: e.url, Small: true}
		}
	}
	return preview{Disabled: true}
}

// buttons are, of an article that is being shown, the one that leads to it,
// alone; then the numbers of the cards that are shown, then the pages of the
// list, and the other actions, as many in a row as can be read: of an article,
// those before and after it first. The server
// refuses a message for one bad button, so those that cannot be are left out and
// counted.
func buttons(s sheet, cards int, actions []bot.Action) (rows [][]button, dropped int) {
	var pages, picks, others []button
	for i, a := range actions {
		b := newButton(a)
		switch {
		case b.Text == "" || b.URL == "" && b.Data == "":
			dropped++
		case i == 0 && s.view && b.URL != "":
			rows = append(rows, []button{b})
		case b.role == bot.PageBack || b.role == bot.PageOn:
			pages = append(pages, b)
		case b.role == bot.Pick:
			picks = append(picks, b)
		default:
			others = append(others, b)
		}
	}
	if s.view { // what is before and after it comes first, in rows of its own
		slices.SortStableFunc(others, func(a, b button) int { return neighbour(b) - neighbour(a) })
	}
	numbers, bad := numbersOf(s, cards)
	dropped += bad
	pointPages(pages)
	rows = append(append(append(rows, even(append(numbers, picks...))...), packed(pages)...), packed(others)...)
	count := 0
	for i, row := range rows {
		if count += len(row); count > maxButtons {
			for _, row := range rows[i:] {
				dropped += len(row)
			}
			return rows[:i], dropped
		}
	}
	return rows, dropped
}

// neighbour is 1 for the button of another article, else 0.
func neighbour(b button) int {
	if b.role == bot.Neighbour {
		return 1
	}
	return 0
}

func newButton(a bot.Action) button {
	b := button{Text: label(clean(a.Label, false)), role: a.Role}
	if a.URL != "" {
		b.URL = a.Leads(linkable)
	} else if sendable(a.Text) {
		b.Data = a.Text
	}
	return b
}

// label shortens what a button says to what is seen of it; an arrow at its end stays.
func label(s string) string {
	const arrow = " →"
	if body, ok := strings.CutSuffix(s, arrow); ok {
		return shortenBy(body, labelColumns[1]-columns(arrow), room) + arrow
	}
	return shortenBy(s, labelColumns[1], room)
}

// pointPages has the buttons of a list's pages say which way they go, the one
// that goes back first.
func pointPages(pages []button) {
	on := func(b button) int {
		if b.role == bot.PageOn {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(pages, func(a, b button) int { return on(a) - on(b) })
	for i, b := range pages {
		if b.role == bot.PageBack {
			pages[i].Text = "‹ " + b.Text
		} else {
			pages[i].Text = b.Text + " ›"
		}
	}
}

// numbersOf are the buttons that open cards; one that is alone has room for the
// title.
func numbersOf(s sheet, cards int) (numbers []button, dropped int) {
	title := ""
	for _, b := range s.blocks {
		for _, e := range b.entries {
			if cards--; cards < 0 || e.number <= 0 || e.open == "" {
				continue
			}
			if !sendable(e.open) {
				dropped++
				continue
			}
			numbers = append(numbers, button{Text: strconv.Itoa(e.number), Data: e.open})
			title = e.title
		}
	}
	if len(numbers) == 1 {
		numbers[0].Text = label(numbers[0].Text + ". " + title)
	}
	return numbers, dropped
}

// even lays numbers out in as few rows as there must be, equally long ones
// where that can be.
func even(numbers []button) [][]button {
	n := len(numbers)
	fewest := (n + numbersRow - 1) / numbersRow
	lines := fewest
	for try := fewest; try > 0 && n/try >= fewestInRow; try++ {
		if n%try == 0 {
			lines = try
			break
		}
	}
	var rows [][]button
	for i := range lines {
		rows = append(rows, numbers[i*n/lines:(i+1)*n/lines])
	}
	return rows
}

// packed puts as many buttons in a row as can be read, keeping their order; of
// four short ones it makes two rows of two.
func packed(list []button) (rows [][]button) {
	for len(list) > 0 {
		n := 1
		for try := min(len(list), len(labelColumns)-1); try > 1; try-- {
			if readable(list[:try]) && !(try == 3 && len(list) == 4 && readable(list[2:])) {
				n = try
				break
			}
		}
		rows, list = append(rows, list[:n:n]), list[n:]
	}
	return rows
}

func readable(row []button) bool {
	for _, b := range row {
		if columns(b.Text) > labelColumns[len(row)] {
			return false
		}
	}
	return true
}

// sendable reports whether a button can carry data; bytes that are no text
// would grow on the way.
func sendable(data string) bool { return len(data) <= dataLimit && utf8.ValidString(data) }
