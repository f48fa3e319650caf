// Package problem is what is wrong with a file that the publisher writes: the
// configuration's rules, the synonyms.
package problem

import (
	"fmt"
	"strings"
)

// A Problem is one line that is wrong, or may not mean what it says.
type Problem struct {
	Line int // from 1
	What string
}

// Problems are all of a file at once, in the order of lines.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = fmt.Sprintf("line %d: %s", problem.Line, problem.What)
	}
	return strings.Join(lines, "\n")
}
