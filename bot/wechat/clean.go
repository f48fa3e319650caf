package wechat

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"newsie/content"
)

// inXML reports whether XML 1.0 allows a character.
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// forXML drops what XML 1.0 forbids and what is not UTF-8. Clean text, the
// usual case, is returned as it is.
func forXML(text []byte) []byte {
	clean := true
	for i := 0; i < len(text) && clean; {
		r, size := utf8.DecodeRune(text[i:])
		clean = inXML(r) && (r != utf8.RuneError || size > 1)
		i += size
	}
	if clean {
		return text
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if inXML(r) && (r != utf8.RuneError || size > 1) {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
	return out
}

// lineBreaks makes all of them "\n".
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", " ")

// forText is text that the app can show: valid, without control characters
// other than line breaks. Nothing is isolated or embedded for the direction of
// writing: apps differ in what they know of that, and each line begins with its
// own direction anyway. Characters that turn the direction are dropped, because
// one left open would turn what follows.
func forText(text string) string { return strings.TrimSpace(shownRunes(text)) }

// shownRunes is forText with the spaces around.
func shownRunes(text string) string {
	text = lineBreaks.Replace(text)
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if !inXML(r) || unicode.Is(unicode.Cc, r) || r == '\uFEFF' || r == '\uFFFC' || content.Bidi(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// forLine is forText on one line.
func forLine(text string) string { return strings.Join(strings.Fields(forText(text)), " ") }

// literal keeps text from being taken for a link. <a> is the only tag the app
// knows; it shows all others as they are, and has no way to escape this one, so
// its "<" becomes the full-width form.
func literal(text string) string {
	if !strings.Contains(text, "<") {
		return text
	}
	return anchorInText.ReplaceAllStringFunc(text, func(tag string) string { return "＜" + tag[1:] })
}

var anchorInText = regexp.MustCompile(`(?i)</?a\b`)

// link is text that leads to a web address; without one that the app opens, it
// is the text alone.
func link(address, text string) string {
	text = literal(text)
	if address = webAddress(address); address == "" {
		return text
	}
	return `<a href="` + address + `">` + text + `</a>`
}

// Longer addresses would leave no room for anything else.
const maxLink = 700

// tap is text that says message for the reader. The menu id must be a number:
// the library takes no message with any other.
func tap(message, text string) string {
	return `<a href="weixin://bizmsgmenu?msgmenucontent=` + escape(message, messageUnsafe) + `&msgmenuid=1">` + literal(text) + `</a>`
}

func addressUnsafe(b byte) bool {
	return b <= ' ' || b >= 0x7F || strings.IndexByte("\"'<>\\^`{|}", b) >= 0
}

// messageUnsafe leaves letters of all scripts as they are: the app takes them,
// and escaped they would need three times the room.
func messageUnsafe(b byte) bool {
	return b <= ' ' || b == 0x7F || strings.IndexByte("\"'<>%&+#=\\", b) >= 0
}

func escape(text string, unsafe func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; unsafe(c) {
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// width is how much room a grapheme takes on a line: 2 for Chinese, Japanese,
// Korean and emoji, 1 for the rest.
func width(grapheme string) int {
	r, _ := utf8.DecodeRuneInString(grapheme)
	if r >= 0x1100 && r <= 0x115F || r >= 0x2E80 && r <= 0xA4CF || r >= 0xAC00 && r <= 0xD7A3 ||
		r >= 0xF900 && r <= 0xFAFF || r >= 0xFE30 && r <= 0xFE6F || r >= 0xFF00 && r <= 0xFF60 || r >= 0x1F300 {
		return 2
	}
	return 1
}

// maxGrapheme bounds the bytes of one character: accents can be piled up for ever.
const maxGrapheme = 64

// shorten cuts text to a width, at the end of a word where there is one, never
// inside a character, and marks the cut.
func shorten(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	used, cut, word := 0, 0, 0
	for tokens := graphemes.FromString(text); tokens.Next(); {
		g := tokens.Value()
		w := width(g)
		if len(g) > maxGrapheme {
			return strings.TrimSpace(text[:tokens.Start()]) + "…"
		}
		if used+w > limit {
			if word > cut*2/3 {
				cut = word
			}
			return strings.TrimRight(text[:cut], " \n,;:，；：、—-") + "…"
		}
		used += w
		if used < limit { // leave room for the mark
			cut = tokens.End()
		}
		if w == 2 || strings.TrimSpace(g) == "" {
			word = cut
		}
	}
	return text
}
