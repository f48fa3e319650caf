package language

import (
	_ "embed"
	"strings"
)

//go:generate go run gen.go -dict node_modules/opencc-js/dist/esm-lib/dict -o han.txt

// hanText is made by gen.go from OpenCC's character dictionaries (Apache
// License 2.0, Copyright the OpenCC authors). Its lines that are not comments:
// pairs of a traditional character and its simplified form; pairs of a regional
// variant and the character it stands for, simplified; characters that only
// simplified texts have.
//
//go:embed han.txt
var hanText string

// hanTable is the character tables as arrays over the main block, with a map
// for the rest. It is made once, at start, and only read afterwards.
type hanTable struct {
	simple  map[rune]rune // outside of the main block
	variant map[rune]rune
	block   [0xA000 - 0x4E00]struct {
		simple, variant uint16 // 0: itself
		onlySimplified  bool
	}
}

var han = readHan(hanText)

func readHan(text string) *hanTable {
	t := &hanTable{simple: map[rune]rune{}, variant: map[rune]rune{}}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	for n, line := range lines {
		runes := []rune(line)
		switch n {
		case 0, 1:
			for i := 0; i+1 < len(runes); i += 2 {
				t.add(n, runes[i], runes[i+1])
			}
		case 2:
			for _, r := range runes {
				if inBlock(r) {
					t.block[r-0x4E00].onlySimplified = true
				}
			}
		}
	}
	return t
}

func (t *hanTable) add(line int, from, to rune) {
	switch {
	case line == 0 && inBlock(from) && inBlock(to):
		t.block[from-0x4E00].simple = uint16(to)
	case line == 0:
		t.simple[from] = to
	case inBlock(from) && inBlock(to):
		t.block[from-0x4E00].variant = uint16(to)
	default:
		t.variant[from] = to
	}
}

func inBlock(r rune) bool { return r >= 0x4E00 && r < 0xA000 }

// Simplified returns the simplified form of a traditional character, and every
// other rune as it is.
func Simplified(r rune) rune {
	if inBlock(r) {
		if s := han.block[r-0x4E00].simple; s != 0 {
			return rune(s)
		}
	}
	if r < 0x3400 {
		return r
	}
	if s, ok := han.simple[r]; ok {
		return s
	}
	return r
}

// HanKey returns the character under which a character is searched: simplified,
// and with the variants of Taiwan and Hong Kong brought together. Unlike
// [Simplified] it may join characters that a careful writer keeps apart, so it
// is for matching only.
func HanKey(r rune) rune {
	r = Simplified(r)
	if inBlock(r) {
		if v := han.block[r-0x4E00].variant; v != 0 {
			return rune(v)
		}
	} else if r >= 0x3400 {
		if v, ok := han.variant[r]; ok {
			return v
		}
	}
	return r
}

// FoldHan writes a text's traditional characters in their simplified form, one
// rune for one, so that rune offsets stay what they are.
func FoldHan(s string) string {
	changed := false
	for _, r := range s {
		if Simplified(r) != r {
			changed = true
			break
		}
	}
	if !changed {
		return s
	}
	return strings.Map(Simplified, s)
}

// Alike reports whether both scripts write a text with the same characters.
func Alike(s string) bool {
	for _, r := range s {
		if Simplified(r) != r || inBlock(r) && han.block[r-0x4E00].onlySimplified {
			return false
		}
	}
	return true
}

// chinese tells simplified from traditional by the characters that only one of
// the two has. A text without any, or with as many, counts as simplified.
func chinese(text string) string {
	simplified, traditional := 0, 0
	for _, r := range text {
		if !inBlock(r) {
			continue
		}
		switch e := han.block[r-0x4E00]; {
		case e.onlySimplified:
			simplified++
		case e.simple != 0:
			traditional++
		}
	}
	if traditional > simplified {
		return "zh-Hant"
	}
	return "zh-Hans"
}
