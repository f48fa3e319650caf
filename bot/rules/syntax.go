package rules

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	syntaxRule = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)
	// The YAML reader counts the lines of these complaints from 0, all others
	// from 1, and of the first two tells where the block begins that has the fault.
	structureRule = regexp.MustCompile(`^did not find expected (key|'-' indicator|node content|',' or '[\]}]'|<document start>)$`)
	blockRule     = regexp.MustCompile(`^did not find expected (key|'-' indicator)$`)
	flowRule      = regexp.MustCompile(`^did not find expected ',' or '[\]}]'$`)
	// What a line may have before the block that begins on it.
	leadRule = regexp.MustCompile(`^ *(?:[-?] +)*`)
)

// Syntax makes a problem of the YAML reader's complaint about data, with the
// line of the fault; where that is not known, with the line of the block or the
// brackets that have it.
func Syntax(data []byte, err error) Problem {
	line, what := complaint(err)
	switch {
	case blockRule.MatchString(what):
		if fault, ok := faultLine(data, line, what); ok {
			return Problem{Line: fault, What: what + ": this line does not belong to what stands before it; look at how far it is indented"}
		}
		return Problem{Line: line, What: what + " in the block that begins here"}
	case flowRule.MatchString(what):
		return Problem{Line: line, What: what + " to what begins here"}
	}
	return Problem{Line: line, What: what}
}

// complaint is what the reader says, and the line, counted from 1.
func complaint(err error) (int, string) {
	text, _, _ := strings.Cut(err.Error(), "\n")
	m := syntaxRule.FindStringSubmatch(text)
	line, err := strconv.Atoi(m[1])
	if err == nil && structureRule.MatchString(m[2]) {
		line++
	}
	return max(line, 1), m[2]
}

// faultLine finds the line that ends a block wrongly. The reader tells the line
// of the block's beginning, unless that is the first of the file: then the
// fault's. So the file is read from there.
func faultLine(data []byte, begin int, what string) (int, bool) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	if begin > len(lines) {
		return 0, false
	}
	var document yaml.Node
	if err := yaml.Unmarshal(bytes.Join(lines[:begin], nil), &document); err != nil {
		if line, same := complaint(err); line == begin && same == what {
			return begin, true
		}
	}
	rest := bytes.Join(lines[begin-1:], nil)
	lead := leadRule.Find(rest)
	// The block begins after the last "- " of its line, unless it is their list.
	for end := len(lead); end >= 0; end-- {
		if end > 0 && end < len(lead) && lead[end-1] != ' ' {
			continue
		}
		text := append(bytes.Repeat([]byte(" "), end), rest[end:]...)
		err := yaml.Unmarshal(text, &document)
		if err == nil {
			continue
		}
		if line, same := complaint(err); same == what && line > 1 && begin+line-1 <= len(lines) {
			return begin + line - 1, true
		}
	}
	return 0, false
}
