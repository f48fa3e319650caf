package origin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// How long what the publisher writes may be, in characters.
const (
	longestName    = 80
	longestNotes   = 1000
	longestWelcome = 600 // which leaves room for an article
	longestTopic   = 100
)

// mostLevels is how deep origins may stand: chain, region, town, shop, counter and
// some more.
const mostLevels = 12

// An InvalidError tells what is wrong with one part of an origin.
type InvalidError struct {
	Field   string // name, code, parent, notes, ends, welcome, article, topic
	Problem string // for the publisher
}

func (e *InvalidError) Error() string { return e.Problem }

func invalid(field, format string, args ...any) error {
	return &InvalidError{field, fmt.Sprintf(format, args...)}
}

// tidy is an origin as it is kept.
func tidy(o Origin) Origin {
	o.Name, o.Code = cleanName(o.Name), strings.TrimSpace(o.Code)
	o.Notes, o.Welcome.Text, o.Welcome.Topic = cleanText(o.Notes), cleanText(o.Welcome.Text), cleanName(o.Welcome.Topic)
	return o
}

// check finds what is wrong with an origin by itself, all of it at once.
func check(o Origin) error {
	var problems []error
	add := func(field, format string, args ...any) { problems = append(problems, invalid(field, format, args...)) }
	if err := checkName(o.Name); err != nil {
		problems = append(problems, err)
	}
	if !ValidCode(o.Code) {
		add("code", "the code %q is not 1 to 32 of A-Z a-z 0-9 -", o.Code)
	}
	if !o.Ends.IsZero() && !o.Ends.After(o.Starts) {
		add("ends", "it would end before it starts")
	}
	if o.Welcome.Article < 0 {
		add("article", "%d is no article's number", o.Welcome.Article)
	}
	for _, text := range []struct {
		field, text string
		longest     int
	}{{"notes", o.Notes, longestNotes}, {"welcome", o.Welcome.Text, longestWelcome}, {"topic", o.Welcome.Topic, longestTopic}} {
		switch n := utf8.RuneCountInString(text.text); {
		case n > text.longest:
			add(text.field, "its %s has %d characters: %d at most", text.field, n, text.longest)
		case hasControls(text.text, text.field != "topic"):
			add(text.field, "its %s has characters that cannot be shown", text.field)
		}
	}
	return errors.Join(problems...)
}

func checkName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return invalid("name", "it has no name")
	case n > longestName:
		return invalid("name", "its name has %d characters: %d at most", n, longestName)
	case strings.Contains(name, "/"):
		return invalid("name", "the name %q has a /, which stands between the names of a path", name)
	case hasControls(name, false):
		return invalid("name", "the name %q has characters that cannot be shown", name)
	}
	return nil
}

// hasControls finds what no reader sees: control characters, broken UTF-8, and
// marks that turn the direction of what follows them.
func hasControls(text string, lines bool) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && (!lines || r != '\n' && r != '\t') || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) || r == 0xfeff || r == 0x2028 || r == 0x2029
	})
}

// cleanText is a text with one kind of line ends and none around it.
func cleanText(text string) string {
	return strings.TrimSpace(composed(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)))
}

// composed writes letters with accents as one character, so that equal names are.
func composed(text string) string { return norm.NFC.String(text) }

// checkPlace finds what is wrong with where an origin of the tree, or a new one
// with the id 0, is to stand. levels is how many the new one or those below it take.
func (t Tree) checkPlace(o Origin) error {
	levels := 1
	if o.ID != 0 {
		depth := t.depth[t.place[o.ID]]
		for _, below := range t.Below(o.ID) {
			levels = max(levels, t.depth[t.place[below.ID]]-depth+1)
		}
	}
	if o.Parent != None {
		parent, ok := t.ByID(o.Parent)
		if !ok {
			return invalid("parent", "there is no origin %d to be its parent", o.Parent)
		}
		if o.ID != 0 && slices.ContainsFunc(t.Below(o.ID), func(below Origin) bool { return below.ID == parent.ID }) {
			return invalid("parent", "%s cannot stand below itself: %s is part of it", o.Name, t.Path(parent.ID))
		}
		levels += t.depth[t.place[parent.ID]] + 1
	}
	if levels > mostLevels {
		return invalid("parent", "origins stand %d deep at most", mostLevels)
	}
	for _, other := range t.list {
		if other.ID != o.ID && other.Name == o.Name && other.Parent == o.Parent {
			return invalid("name", "there is %s already, with the code %s", t.Path(other.ID), other.Code)
		}
	}
	return nil
}
