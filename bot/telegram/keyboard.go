package telegram

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"newsie/bot"
)

type button struct {
	Text string `json:"text"`
	Data string `json:"callback_data,omitempty"`
	URL  string `json:"url,omitempty"`
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
}

const (
	dataLimit  = 64  // bytes
	labelLimit = 64  // units; the rest would not be seen
	maxButtons = 100 // of a keyboard
	rowWidth   = 30  // columns that a phone shows without cutting labels
	rowButtons = 3
	numbersRow = 5
)

// choosePreview shows the best hit: small beside a list, large for the article
// that is being shown, as its cover.
func choosePreview(s sheet) preview {
	for _, b := range s.blocks {
		for _, e := range b.entries {
			if e.url == "" {
				continue
			}
			large := e.unnumbered && e.cover
			return preview{URL: e.url, Small: !large, Large: large}
		}
	}
	return preview{Disabled: true}
}

// buttons are the numbers of the cards that are shown, then the actions, as
// many in a row as can be read. The server refuses a message for one bad
// button, so those that cannot be are left out and counted.
func buttons(s sheet, cards int, actions []bot.Action) (rows [][]button, dropped int) {
	var numbers []button
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
		}
	}
	lines := (len(numbers) + numbersRow - 1) / numbersRow
	for i := range lines {
		rows = append(rows, numbers[i*len(numbers)/lines:(i+1)*len(numbers)/lines])
	}
	var row []button
	width, count := 0, len(numbers)
	for _, a := range actions {
		b := button{Text: shorten(clean(a.Label, false), labelLimit)}
		if a.URL != "" {
			b.URL = linkable(a.URL)
		} else if sendable(a.Text) {
			b.Data = a.Text
		}
		if b.Text == "" || b.URL == "" && b.Data == "" || count == maxButtons {
			dropped++
			continue
		}
		count++
		w := columns(b.Text) + 2
		if len(row) == rowButtons || len(row) > 0 && width+w > rowWidth {
			rows, row, width = append(rows, row), nil, 0
		}
		row, width = append(row, b), width+w
	}
	if len(row) > 0 {
		rows = append(rows, row)
	}
	return rows, dropped
}

// sendable reports whether a button can carry data; bytes that are no text
// would grow on the way.
func sendable(data string) bool { return len(data) <= dataLimit && utf8.ValidString(data) }

// columns estimates how wide a label is: wide scripts take two columns.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1f000 || unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			n++
		}
	}
	return n
}
