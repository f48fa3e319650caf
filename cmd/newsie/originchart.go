package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guptarohit/asciigraph"

	"newsie/bot/origin"
)

// reportChart draws who came, in so many columns of a terminal: over time as a
// line, else as bars. It is "" when nobody did, or there is one row alone.
func reportChart(r origin.Report, columns int) string {
	if len(r.Rows) < 2 || !slices.ContainsFunc(r.Rows, func(row origin.Row) bool { return row.Came.N > 0 }) {
		return ""
	}
	if r.By == origin.ByDay || r.By == origin.ByWeek {
		return lineChart(r, columns)
	}
	return barChart(r, columns)
}

const chartHeight = 8

func lineChart(r origin.Report, columns int) string {
	most := int64(0)
	points := make([]float64, len(r.Rows))
	hidden := false
	for i, row := range r.Rows {
		most, points[i], hidden = max(most, row.Came.N), float64(row.Came.N), hidden || row.Came.Hidden
	}
	axis := max(len(fmt.Sprint(most)), 1)
	width := max(columns-axis-3, 10)
	options := []asciigraph.Option{
		asciigraph.Height(chartHeight), asciigraph.Precision(0), asciigraph.LowerBound(0),
		asciigraph.YAxisValueFormatter(func(v float64) string { return fmt.Sprintf("%*.0f", axis, v) }),
	}
	if len(points) > width {
		points = highest(points, width)
	}
	if width/(len(points)-1) > 1 { // else each point has a column of its own
		options = append(options, asciigraph.Width(min(width, (len(points)-1)*6+1)))
		width = min(width, (len(points)-1)*6+1)
	}
	width = max(min(width, columns), len(points))
	chart := asciigraph.Plot(points, options...)
	first, last := r.Rows[0].Label, r.Rows[len(r.Rows)-1].Label
	note := ""
	if hidden {
		note = " (<5 is drawn as 0)"
	}
	space := strings.Repeat(" ", max(1, width-len(first)-len(last)))
	return fmt.Sprintf("\ncame by %s%s\n%s\n%s%s%s%s\n", r.By, note, chart, strings.Repeat(" ", axis+2), first, space, last)
}

// highest makes fewer of many points: of those that fall together the highest.
func highest(points []float64, n int) []float64 {
	out := make([]float64, n)
	for i, v := range points {
		at := i * n / len(points)
		out[at] = max(out[at], v)
	}
	return out
}

// mostBars is how many rows a chart has at most.
const mostBars = 20

func barChart(r origin.Report, columns int) string {
	rows := topRows(r)
	all := len(rows)
	if all > mostBars {
		slices.SortStableFunc(rows, func(a, b origin.Row) int { return int(min(max(b.Came.N-a.Came.N, -1), 1)) })
		rows = rows[:mostBars]
	}
	most, labels, figures := int64(1), 0, 0
	for _, row := range rows {
		most, labels, figures = max(most, row.Came.N), max(labels, columnsOf(rowLabel(row))), max(figures, len(row.Came.String()))
	}
	labels = min(labels, max(leastLabel, columns/3))
	width := max(columns-labels-figures-4, 10)
	var b strings.Builder
	fmt.Fprintf(&b, "\ncame by %s\n", r.By)
	for _, row := range rows {
		label := shortened(rowLabel(row), labels)
		line := fmt.Sprintf("%s%s  %*s  %s", label, strings.Repeat(" ", labels-columnsOf(label)), figures, row.Came, bar(row.Came.N, most, width))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if all > len(rows) {
		fmt.Fprintf(&b, "… and %d with fewer\n", all-len(rows))
	}
	return b.String()
}

// topRows are the rows of one level, the highest that has more than one origin, with
// those that are no origins of the publisher's.
func topRows(r origin.Report) []origin.Row {
	if r.By != origin.ByOrigin {
		return slices.Clone(r.Rows)
	}
	others := slices.Clone(r.Rows)
	others = slices.DeleteFunc(others, func(row origin.Row) bool { return row.Origin > 0 })
	for depth := 0; ; depth++ {
		level := slices.DeleteFunc(slices.Clone(r.Rows), func(row origin.Row) bool { return row.Origin <= 0 || row.Depth != depth })
		if len(level) == 0 { // a chain of one under one
			return append(slices.DeleteFunc(slices.Clone(r.Rows), func(row origin.Row) bool { return row.Origin <= 0 }), others...)
		}
		if len(level) > 1 {
			return append(level, others...)
		}
	}
}

// bar is as long as a part of the most, in eighths of a column.
func bar(n, most int64, width int) string {
	eighths := n * int64(width) * 8 / most
	if n > 0 {
		eighths = max(eighths, 1)
	}
	text := strings.Repeat("█", int(eighths/8))
	if part := eighths % 8; part > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[part-1])
	}
	return text
}
