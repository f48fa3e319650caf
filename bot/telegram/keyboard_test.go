package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"newsie/bot"
	"newsie/bot/bottest"
	"newsie/bot/telegram/telegramtest"
)

// rows are a keyboard's labels, rows between bars.
func rows(m telegramtest.Message) string {
	var lines []string
	for _, row := range m.Buttons {
		var labels []string
		for _, b := range row {
			labels = append(labels, b.Text)
		}
		lines = append(lines, strings.Join(labels, " "))
	}
	return strings.Join(lines, "|")
}

func TestNumbersStandInEvenRows(t *testing.T) {
	for n, want := range map[int]string{
		2: "1 2", 5: "1 2 3 4 5", 7: "1 2 3 4 5 6 7", 8: "1 2 3 4 5 6 7 8",
		9: "1 2 3|4 5 6|7 8 9", 10: "1 2 3 4 5|6 7 8 9 10", 11: "1 2 3 4 5|6 7 8 9 10 11", 12: "1 2 3 4 5 6|7 8 9 10 11 12",
	} {
		r := bottest.List(n, "T", "s")
		r.Actions = nil
		m, _, _, _ := sent(t, r)
		if got := rows(m); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	r := bottest.List(1, "The only one that was found, and a long title besides", "s")
	r.Actions = nil
	if m, _, _, _ := sent(t, r); rows(m) != "1. The only one that was found, and…" {
		t.Errorf("one: %s", rows(m))
	}
}

// All buttons of a row are equally wide: the longest label decides how many fit.
func TestLabelsAreNeverCutByTheApp(t *testing.T) {
	for _, test := range []struct {
		labels []string
		want   string
	}{
		{[]string{"Save", "Share", "Back"}, "Save Share Back"},
		{[]string{"Save", "Share", "Back", "Help"}, "Save Share|Back Help"},
		{[]string{"Save", "Share", "Back", "Help", "More"}, "Save Share Back|Help More"},
		{[]string{"Seventeen letters", "Short"}, "Seventeen letters Short"},
		{[]string{"Eighteen  letters!", "Short", "Other"}, "Eighteen letters! Short|Other"},
		{[]string{"Eighteen letters!!", "Short", "Other"}, "Eighteen letters!!|Short Other"},
		{[]string{"停止推送", "修改时间", "我的关注"}, "停止推送 修改时间 我的关注"},
		{[]string{"取消关注“电商”", "我的关注", "分享"}, "取消关注“电商” 我的关注|分享"},
		{[]string{"👨‍👩‍👧‍👦🇮🇹🇮🇹", "👍🏽", "é́"}, "👨‍👩‍👧‍👦🇮🇹🇮🇹 👍🏽 é́"},
		{[]string{strings.Repeat("word ", 20)}, strings.TrimSpace(strings.Repeat("word ", 7)) + "…"},
		{[]string{strings.Repeat("word ", 20) + "→"}, strings.TrimSpace(strings.Repeat("word ", 6)) + "… →"},
		{[]string{strings.Repeat("微店", 20)}, strings.Repeat("微店", 8) + "微…"},
		{[]string{strings.Repeat("🇮🇹", 20)}, strings.Repeat("🇮🇹", 8) + "…"},
	} {
		r := bot.Reply{Text: "x"}
		for i, label := range test.labels {
			r.Actions = append(r.Actions, bot.Action{Label: label, Text: fmt.Sprintf("/x %d", i)})
		}
		m, _, _, _ := sent(t, r)
		if got := rows(m); got != test.want || !utf8.ValidString(got) {
			t.Errorf("%q:\ngot  %s\nwant %s", test.labels, got, test.want)
		}
	}
}

func TestPagesSayWhichWayTheyGo(t *testing.T) {
	back := func(page int) bot.Action {
		return bot.Action{Label: "Back", Text: fmt.Sprintf("/more 93 %d tea & milk", page), Role: bot.PageBack}
	}
	more := func(page int) bot.Action {
		return bot.Action{Label: "More", Text: fmt.Sprintf("/more 93 %d 7 words", page), Role: bot.PageOn}
	}
	for _, test := range []struct {
		name    string
		first   int
		actions []bot.Action
		want    string
	}{
		{"the first page", 1, []bot.Action{more(2)}, "More ›"},
		{"the first page, whose first articles were withdrawn", 3, []bot.Action{more(2)}, "More ›"},
		{"in the middle", 6, []bot.Action{back(1), more(3)}, "‹ Back More ›"},
		{"in the middle, the other way round", 6, []bot.Action{more(3), back(1)}, "‹ Back More ›"},
		{"the last of two", 6, []bot.Action{back(1)}, "‹ Back"},
		{"the last of many", 41, []bot.Action{back(8)}, "‹ Back"},
	} {
		r := bottest.List(2, "T", "s")
		r.Groups[0].Cards[0].Number, r.Groups[0].Cards[1].Number = test.first, test.first+1
		r.Actions = append([]bot.Action{{Label: "Follow", Text: "/follow tea"}}, test.actions...)
		m, _, _, _ := sent(t, r)
		if want := fmt.Sprintf("%d %d|%s|Follow", test.first, test.first+1, test.want); rows(m) != want {
			t.Errorf("%s: %s, want %s", test.name, rows(m), want)
		}
	}
}

func TestAnArticlesButtonsBeginWithReadingOn(t *testing.T) {
	r := shown("")
	r.Groups[1].Cards = append(r.Groups[1].Cards, bot.Card{Number: 2, Title: "Altro", Open: "/read 9"})
	r.Actions = []bot.Action{
		{Label: "Continua", URL: "https://example.org/a/7"}, {Label: "Salva", Text: "/save 7 v"}, {Label: "Condividi", URL: "https://t.me/share/url?url=x"},
		{Label: "← Prima", Text: "/read 6", Role: bot.Neighbour}, {Label: "Dopo →", Text: "/read 8", Role: bot.Neighbour}, {Label: "Elenco", Text: "/back 3"},
	}
	m, _, _, _ := sent(t, r)
	if got, want := rows(m), "Continua|1 2|← Prima Dopo → Salva|Condividi Elenco"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestButtonsStandWhereTheirRolesPutThem(t *testing.T) {
	r := bot.Reply{Lang: "en", Text: "Which article?"}
	for i := range 5 {
		r.Actions = append(r.Actions, bot.Action{Label: fmt.Sprint(i + 1), Text: fmt.Sprintf("/save %d", 40+i), Role: bot.Pick})
	}
	// What a command says is no business of the keyboard.
	r.Actions = append(r.Actions, bot.Action{Label: "More", Text: "/on 2", Role: bot.PageOn}, bot.Action{Label: "All", Text: "/more 1 2"}, bot.Action{Label: "Back", Text: "/on 1", Role: bot.PageBack})
	m, _, _, _ := sent(t, r)
	if got, want := rows(m), "1 2 3 4 5|‹ Back More ›|All"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
