package label

import (
	"strings"

	"github.com/go-text/typesetting/segmenter"
)

const ellipsis = "…"

// wrap sets a text in at most so many lines of a width, of equal length where it
// takes two, and shortens the last with an ellipsis when it does not fit.
func (s *setter) wrap(words string, width float64, lines int) ([]text, error) {
	if words == "" {
		return nil, nil
	}
	whole, err := s.set(words)
	if err != nil {
		return nil, err // a character that is missing is told even if it would be left out
	}
	if whole.width <= width {
		return []text{whole}, nil
	}
	if lines < 2 {
		last, err := s.shorten(words, width)
		return []text{last}, err
	}
	first, rest, err := s.divide(words, width)
	if err != nil {
		return nil, err
	}
	top, err := s.set(first)
	if err != nil {
		return nil, err
	}
	below, err := s.wrap(rest, width, lines-1)
	return append([]text{top}, below...), err
}

// divide takes the first line off: where both come closest in length if the rest
// fits into one line, else as much as fits.
func (s *setter) divide(words string, width float64) (first, rest string, err error) {
	var breaks segmenter.Segmenter
	runes := []rune(words)
	breaks.Init(runes)
	least := 0.0
	for each := breaks.LineIterator(); each.Next(); {
		end := each.Line().Offset + len(each.Line().Text)
		if end >= len(runes) {
			break
		}
		a, b := strings.TrimSpace(string(runes[:end])), strings.TrimSpace(string(runes[end:]))
		top, err := s.set(a)
		if err != nil {
			return "", "", err
		}
		if top.width > width {
			break
		}
		below, err := s.set(b)
		if err != nil {
			return "", "", err
		}
		longer := max(top.width, below.width)
		if first == "" || longer < least {
			first, rest, least = a, b, longer
		}
	}
	if first != "" {
		return first, rest, nil
	}
	// One word that is longer than a line.
	end, err := s.most(runes, width, "")
	return string(runes[:end]), strings.TrimSpace(string(runes[end:])), err
}

// shorten leaves out what does not fit, by whole characters.
func (s *setter) shorten(words string, width float64) (text, error) {
	runes := []rune(words)
	end, err := s.most(runes, width, ellipsis)
	if err != nil {
		return text{}, err
	}
	return s.set(strings.TrimSpace(string(runes[:end])) + ellipsis)
}

// most is how many of the runes fit with a tail; one character fits always.
func (s *setter) most(runes []rune, width float64, tail string) (int, error) {
	ends := []int{}
	for _, to := range clusters(runes, 0, len(runes)) {
		ends = append(ends, to)
	}
	low, high := 0, len(ends)-1 // ends[low] fits
	for low < high {
		middle := (low + high + 1) / 2
		t, err := s.set(strings.TrimSpace(string(runes[:ends[middle]])) + tail)
		if err != nil {
			return 0, err
		}
		if t.width <= width {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return ends[low], nil
}
