package main

import (
	"io"
	"strings"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"golang.org/x/text/width"
)

// A table is what people read of a list: a row of headings, then the others, in
// columns that are as wide as what is in them.
type table struct {
	right map[int]bool // columns of numbers
	rows  [][]string
}

func newTable(headings ...string) *table {
	return &table{right: map[int]bool{}, rows: [][]string{headings}}
}

// numbers aligns columns, counted from 0, to the right.
func (t *table) numbers(columns ...int) *table {
	for _, c := range columns {
		t.right[c] = true
	}
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) error {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], columnsOf(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			space := strings.Repeat(" ", widths[i]-columnsOf(cell))
			if t.right[i] {
				cell, space = space+cell, ""
			}
			line.WriteString(cell + space)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// columnsOf is how many columns of a terminal a text takes: Chinese and emoji take
// two each.
func columnsOf(s string) int {
	n := 0
	for clusters := graphemes.FromString(s); clusters.Next(); {
		wide := 1
		for _, r := range clusters.Value() {
			if kind := width.LookupRune(r).Kind(); kind == width.EastAsianWide || kind == width.EastAsianFullwidth || r == 0xfe0f {
				wide = 2
			}
		}
		n += wide
	}
	return n
}
