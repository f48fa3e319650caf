package rules

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A keyword is one that a text may hold.
type keyword struct {
	text        string // folded
	length      int    // in characters
	left, right bool   // its first or last character is of a word, which must begin or end there
	uses        []use
}

// A use is a rule that has a keyword.
type use struct {
	rule   int32
	prefix bool
}

func newKeyword(text string) keyword {
	first, _ := utf8.DecodeRuneInString(text)
	last, _ := utf8.DecodeLastRuneInString(text)
	return keyword{text: text, length: utf8.RuneCountInString(text), left: wordly(first), right: wordly(last)}
}

// stands tells whether the keyword found from start to end is no part of a
// longer word.
func (k *keyword) stands(text string, start, end int) bool {
	if k.left && start > 0 {
		if r, _ := utf8.DecodeLastRuneInString(text[:start]); wordly(r) {
			return false
		}
	}
	if k.right && end < len(text) {
		if r, _ := utf8.DecodeRuneInString(text[end:]); wordly(r) {
			return false
		}
	}
	return true
}

// An automaton finds all keywords of a text in one pass over its bytes, however
// many keywords there are (Aho and Corasick, 1975). The children of a node lie
// side by side, since nodes are numbered by depth, and a byte each is all that
// an edge takes. Node 0 is the root.
type automaton struct {
	child    []int32 // the first child of each node; those of the next node follow
	label    []byte  // by which a node is reached
	fail     []int32 // the longest proper end of what leads to a node that leads to one too
	next     []int32 // the nearest node on the way of fail, itself included, where a keyword ends
	ends     []int32 // which keyword ends at a node; -1 is none
	root     [256]int32
	keywords []keyword
}

func (a *automaton) empty() bool { return len(a.keywords) == 0 }

// newAutomaton makes one of keywords that are all different and not empty.
func newAutomaton(keywords []keyword) automaton {
	slices.SortFunc(keywords, func(a, b keyword) int { return strings.Compare(a.text, b.text) })
	a := automaton{keywords: keywords}
	// A node is the keywords from..to that begin alike for depth bytes.
	type node struct{ from, to, depth int }
	nodes := []node{{0, len(keywords), 0}}
	parent := []int32{0}
	a.label = []byte{0}
	for n := 0; n < len(nodes); n++ {
		at := nodes[n]
		a.child = append(a.child, int32(len(nodes)))
		a.ends = append(a.ends, -1)
		if at.from < at.to && len(keywords[at.from].text) == at.depth { // a shorter one sorts first
			a.ends[n] = int32(at.from)
			at.from++
		}
		for at.from < at.to {
			b, to := keywords[at.from].text[at.depth], at.from+1
			for to < at.to && keywords[to].text[at.depth] == b {
				to++
			}
			nodes = append(nodes, node{at.from, to, at.depth + 1})
			parent, a.label = append(parent, int32(n)), append(a.label, b)
			at.from = to
		}
	}
	a.child = append(a.child, int32(len(nodes)))
	for c := a.child[0]; c < a.child[1]; c++ {
		a.root[a.label[c]] = c
	}
	a.fail, a.next = make([]int32, len(nodes)), make([]int32, len(nodes))
	for n := 1; n < len(nodes); n++ {
		if parent[n] != 0 {
			a.fail[n] = a.step(a.fail[parent[n]], a.label[n])
		}
		a.next[n] = a.next[a.fail[n]]
		if a.ends[n] >= 0 {
			a.next[n] = int32(n)
		}
	}
	return a
}

// step follows a byte from a node.
func (a *automaton) step(n int32, b byte) int32 {
	for n != 0 {
		for c := a.child[n]; c < a.child[n+1]; c++ {
			if a.label[c] == b {
				return c
			}
		}
		n = a.fail[n]
	}
	return a.root[b]
}

// visit calls found for every place of the text where a keyword ends.
func (a *automaton) visit(text string, found func(end int, k *keyword)) {
	n := int32(0)
	for i := 0; i < len(text); i++ {
		n = a.step(n, text[i])
		for hit := a.next[n]; hit != 0; hit = a.next[a.fail[hit]] {
			found(i+1, &a.keywords[a.ends[hit]])
		}
	}
}
