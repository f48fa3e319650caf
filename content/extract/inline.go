package extract

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
)

// inline collects the text of one block with its marks, white space folded.
type inline struct {
	text  []byte
	marks []content.Mark
	// Marks begun and not ended yet. They go on over the end of a block: in
	// <b><p>one</p><p>two</p></b> both paragraphs are bold.
	pending []content.Mark
	space   bool // white space was read and not written yet
}

type paragraph struct {
	text  string
	marks []content.Mark
}

func (in *inline) empty() bool { return len(in.text) == 0 }

// lineBegins reports whether a block could end here without breaking a line.
func (in *inline) lineBegins() bool { return in.empty() || in.text[len(in.text)-1] == '\n' }

func (in *inline) write(s string) {
	for _, r := range s {
		switch {
		case r == utf8.RuneError || r == '\u00ad' || r == '\ufeff' || r == '\u200b' || unicode.IsControl(r) && !unicode.IsSpace(r):
			// soft hyphens and the like are for layout
		case unicode.IsSpace(r):
			in.space = true
		default:
			if in.space && len(in.text) > 0 && in.text[len(in.text)-1] != '\n' {
				in.text = append(in.text, ' ')
			}
			in.space = false
			in.text = utf8.AppendRune(in.text, r)
		}
	}
}

func (in *inline) newline() {
	in.space = false
	if len(in.text) > 0 {
		in.text = append(in.text, '\n')
	}
}

func (in *inline) open(style, target string) {
	if in.space && len(in.text) > 0 && in.text[len(in.text)-1] != '\n' {
		in.text = append(in.text, ' ')
		in.space = false
	}
	in.pending = append(in.pending, content.Mark{Start: len(in.text), Style: style, URL: target})
}

func (in *inline) close() {
	last := len(in.pending) - 1
	m := in.pending[last]
	in.pending = in.pending[:last]
	m.End = len(in.text)
	in.marks = append(in.marks, m)
}

// paragraphs ends the block under way and returns it: usually one paragraph,
// several where line breaks stand for paragraphs, none where there is no text.
func (in *inline) paragraphs() []paragraph {
	text, marks := string(in.text), slices.Clone(in.marks)
	for i := range in.pending {
		m := in.pending[i]
		m.End = len(text)
		marks = append(marks, m)
		in.pending[i].Start = 0
	}
	in.text, in.marks, in.space = in.text[:0], in.marks[:0], false

	var all []paragraph
	if !linesAreParagraphs(text) {
		text = joinLines(text)
	}
	for start := 0; start < len(text); {
		end := start + strings.IndexByte(text[start:], '\n')
		if end < start {
			end = len(text)
		}
		if p := cut(text, start, end, marks); p.text != "" {
			all = append(all, p)
		}
		start = end + 1
	}
	return all
}

// linesAreParagraphs: some pages know no paragraphs, only line breaks. Long
// lines are paragraphs; short ones are an address or a verse.
func linesAreParagraphs(text string) bool {
	lines := strings.Count(strings.TrimSpace(text), "\n") + 1
	return lines > 2 && utf8.RuneCountInString(text)/lines >= 60
}

// joinLines turns single line breaks into spaces and keeps double ones. It
// leaves every byte in its place.
func joinLines(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c == '\n' && (i == 0 || text[i-1] != '\n') && (i+1 == len(b) || text[i+1] != '\n') {
			b[i] = ' '
		}
	}
	return string(b)
}

func cut(text string, start, end int, marks []content.Mark) paragraph {
	for start < end && (text[start] == ' ' || text[start] == '\n') {
		start++
	}
	for end > start && (text[end-1] == ' ' || text[end-1] == '\n') {
		end--
	}
	p := paragraph{text: text[start:end]}
	for _, m := range marks {
		m.Start, m.End = max(m.Start, start)-start, min(m.End, end)-start
		for m.Start < m.End && p.text[m.Start] == ' ' {
			m.Start++
		}
		for m.Start < m.End && p.text[m.End-1] == ' ' {
			m.End--
		}
		if m.Start < m.End && !slices.Contains(p.marks, m) {
			p.marks = append(p.marks, m)
		}
	}
	slices.SortStableFunc(p.marks, func(a, b content.Mark) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	return p
}
