package telegramtest

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the message as its readers see it, in characters: what is folded
// away in <details> stands below its line "▸", indented.
func (r *Rich) String() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	r.view(&b, r.root, "")
	return strings.TrimSuffix(b.String(), "\n")
}

// Links are the addresses it leads to, in order.
func (r *Rich) Links() []string {
	var links []string
	if r == nil {
		return links
	}
	r.root.walk(func(n *richNode) {
		if n.tag == "a" && checkURL(n.attrs["href"]) != "" {
			links = append(links, n.attrs["href"])
		}
	})
	return links
}

func (r *Rich) view(b *strings.Builder, n *richNode, indent string) {
	line := func(text string) {
		_, _ = fmt.Fprintln(b, strings.TrimRight(indent+strings.ReplaceAll(text, "\n", "\n"+indent), " "))
	}
	switch n.tag {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		line(strings.Repeat("#", int(n.tag[1]-'0')) + " " + n.said())
	case "p", "footer", "pre":
		line(n.said())
	case "hr":
		line("────")
	case "img":
		line(r.pictures[n.attrs["src"]].String())
	case "figcaption":
		line(n.said())
	case "tr":
		var cells []string
		for _, cell := range n.children {
			cells = append(cells, cell.said())
		}
		line("| " + strings.Join(cells, " | ") + " |")
	case "ul", "ol":
		r.viewList(b, n, indent)
	case "details":
		for i, child := range n.children {
			if i == 0 && child.tag == "summary" {
				line("▸ " + child.said())
				continue
			}
			r.view(b, child, indent+"  ")
		}
	case "blockquote":
		for _, child := range n.children {
			r.view(b, child, indent+"> ")
		}
	default: // the message, a table, a figure
		for _, child := range n.children {
			r.view(b, child, indent)
		}
	}
}

func (r *Rich) viewList(b *strings.Builder, n *richNode, indent string) {
	number := 1
	if start, ok := integer(n.attrs["start"]); ok {
		number = int(start)
	}
	for _, item := range n.children {
		mark := "• "
		if n.tag == "ol" {
			if value, ok := integer(item.attrs["value"]); ok {
				number = int(value)
			}
			mark = strconv.Itoa(number) + ". "
			number++
		}
		var inner strings.Builder
		for _, child := range item.children {
			r.view(&inner, child, "")
		}
		lines := strings.Split(strings.TrimSuffix(inner.String(), "\n"), "\n")
		for i, l := range lines {
			if i > 0 {
				mark = strings.Repeat(" ", len([]rune(mark)))
			}
			_, _ = fmt.Fprintln(b, strings.TrimRight(indent+mark+l, " "))
		}
	}
}

// said is the text of an element.
func (n *richNode) said() string {
	var b strings.Builder
	n.walk(func(n *richNode) {
		if n.tag == "br" {
			b.WriteString("\n")
		}
		b.WriteString(n.text)
	})
	return strings.TrimSpace(b.String())
}

// blocks are what the API tells of the message.
func (r *Rich) blocks(n *richNode) []map[string]any {
	list := []map[string]any{}
	for _, child := range n.children {
		switch child.tag {
		case "summary":
		case "figure":
			list = append(list, r.blocks(child)...)
		default:
			list = append(list, r.wireBlock(child))
		}
	}
	return list
}

func (r *Rich) wireBlock(n *richNode) map[string]any {
	switch n.tag {
	case "h1", "h2", "h3", "h4", "h5", "h6":
		return map[string]any{"type": "heading", "size": int(n.tag[1] - '0'), "text": wireText(n)}
	case "hr":
		return map[string]any{"type": "divider"}
	case "img":
		return map[string]any{"type": "photo", "photo": r.pictures[n.attrs["src"]].sizes()}
	case "ul", "ol":
		items := []map[string]any{}
		for i, item := range n.children {
			label := "•"
			if n.tag == "ol" {
				label = strconv.Itoa(i+1) + "."
			}
			items = append(items, map[string]any{"label": label, "blocks": r.blocks(item)})
		}
		return map[string]any{"type": "list", "items": items}
	case "details":
		out := map[string]any{"type": "details", "blocks": r.blocks(n)}
		if len(n.children) > 0 && n.children[0].tag == "summary" {
			out["summary"] = wireText(n.children[0])
		}
		return out
	case "blockquote":
		return map[string]any{"type": "blockquote", "blocks": r.blocks(n)}
	case "table":
		rows := [][]map[string]any{}
		for _, row := range n.children {
			cells := []map[string]any{}
			for _, cell := range row.children {
				cells = append(cells, map[string]any{"text": wireText(cell), "is_header": cell.tag == "th"})
			}
			rows = append(rows, cells)
		}
		return map[string]any{"type": "table", "cells": rows}
	case "footer", "pre":
		return map[string]any{"type": n.tag, "text": wireText(n)}
	case "figcaption":
		return map[string]any{"type": "caption", "text": wireText(n)}
	}
	return map[string]any{"type": "paragraph", "text": wireText(n)}
}

// wireText is a RichText: a string, an object or a list of both.
func wireText(n *richNode) any {
	parts := []any{}
	for _, child := range n.children {
		switch {
		case child.tag == "":
			parts = append(parts, child.text)
		case child.tag == "br":
			parts = append(parts, "\n")
		default:
			part := map[string]any{"type": richTypes(child.tag), "text": wireText(child)}
			if child.tag == "a" {
				part["url"] = child.attrs["href"]
			}
			parts = append(parts, part)
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

func richTypes(tag string) string {
	switch tag {
	case "a":
		return "url"
	case "mark":
		return "marked"
	case "sub":
		return "subscript"
	case "sup":
		return "superscript"
	}
	return tagTypes[tag]
}
