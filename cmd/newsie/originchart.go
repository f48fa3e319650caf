package main

import (
	"fmt"
	"slices"
	"strings"

	"newsie/bot/origin"
)

// reportChart draws who came, in so many columns of a terminal: over time as columns
// that stand, else as bars that lie. It is "" when nobody did, or there is one row
// alone.
func reportChart(r origin.Report, columns int) string {
	if len(r.Rows) < 2 || !slices.ContainsFunc(r.Rows, func(row origin.Row) bool { return row.Came.N > 0 }) {
		return ""
	}
	if r.By == origin.ByDay || r.By == origin.ByWeek {
		return timeChart(r, columns)
	}
	return barChart(r, columns)
}

const (
	chartHeight  = 8
	widestColumn = 4 // and one between two
)

// timeChart has a column for each day or week, or for several of them, as high as
// how many came then.
func timeChart(r origin.Report, columns int) string {
	// What the axis takes depends on the sums, which depend on how many fit beside it.
	var sums []int64
	var together, axis int
	for axis = 1; ; axis++ {
		room := max(columns-axis-2, 1)
		together = (len(r.Rows) + room - 1) / room
		if sums = sumsOf(r, together); len(fmt.Sprint(slices.Max(sums))) <= axis {
			break
		}
	}
	room, most := max(columns-axis-2, 1), slices.Max(sums)
	wide, gap := min(room/len(sums), widestColumn+1), 0
	if wide > 1 {
		wide, gap = wide-1, 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n", timeHeading(r, together, columns))
	for line := chartHeight; line > 0; line-- {
		mark := ""
		if line == chartHeight {
			mark = fmt.Sprint(most)
		}
		text := fmt.Sprintf("%*s │", axis, mark)
		for _, n := range sums {
			text += strings.Repeat(standing(n, most, line), wide) + strings.Repeat(" ", gap)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	width := len(sums)*(wide+gap) - gap
	fmt.Fprintf(&b, "%*d └%s\n", axis, 0, strings.Repeat("─", width))
	first, last := r.Rows[0].Label, r.Rows[len(r.Rows)-1].Label
	width = min(max(width, len(first)+1+len(last)), max(columns-axis-2, 0))
	if space := width - len(first) - len(last); space > 0 {
		first += strings.Repeat(" ", space) + last
	}
	fmt.Fprintf(&b, "%*s  %s\n", axis, "", first)
	return b.String()
}

// timeHeading tells what the columns stand for.
func timeHeading(r origin.Report, together, columns int) string {
	heading := fmt.Sprintf("came by %s", r.By)
	if together > 1 {
		heading += fmt.Sprintf(", %d %ss a column", together, r.By)
	}
	if !slices.ContainsFunc(r.Rows, func(row origin.Row) bool { return row.Came.Hidden }) {
		return heading
	}
	note := "(<5 is drawn as 0)"
	if len(heading)+1+len(note) > columns {
		return heading + "\n" + note
	}
	return heading + " " + note
}

// sumsOf adds up who came in so many days or weeks at a time; of the last there may
// be fewer.
func sumsOf(r origin.Report, together int) []int64 {
	sums := make([]int64, 0, len(r.Rows)/together+1)
	for rows := range slices.Chunk(r.Rows, together) {
		sum := int64(0)
		for _, row := range rows {
			sum += row.Came.N
		}
		sums = append(sums, sum)
	}
	return sums
}

// standing is what a line of the chart, counted from below, shows of a column.
func standing(n, most int64, line int) string {
	eighths := (n*chartHeight*8 + most/2) / most
	if n > 0 {
		eighths = max(eighths, 1)
	}
	part := min(max(eighths-int64(line-1)*8, 0), 8)
	return string([]rune(" ▁▂▃▄▅▆▇█")[part])
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
