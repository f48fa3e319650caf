package summary_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"newsie/content"
	"newsie/content/sentence"
	"newsie/content/summary"
)

// What a reader would not want to begin with, or not without the sentence
// before it.
func TestChosen(t *testing.T) {
	for _, c := range []struct {
		name, lang  string
		body        []content.Block
		has, hasNot []string
	}{
		{"what an article is for", "en", body(
			"Rivers have been crossed in many ways since people settled on their banks, and every way of crossing rivers has had its friends on the banks. The people of the banks of rivers have crossed them by bridges, by boats and by ferries in all kinds of weather.",
			"This article shows who paid for boats and ferries in the valley of the Ember. Sources are few."),
			[]string{"This article shows who paid"}, nil},
		{"what somebody reports is not it", "en", body(
			"The rowing ferry on the Ember stopped this week after a hundred years, because the new bridge took its passengers.",
			"The council of the town will keep the ferry and its boat as a monument to the passengers of a hundred years on the bank of the Ember.",
			"Nobody is in the square at noon, when the shops close for two hours. A visitor may read this article on the door of the town hall, which was opened last year by a minister."),
			[]string{"The rowing ferry"}, []string{"on the door"}},
		{"the same in Chinese", "zh-Hans", body("江河两岸的人们自古以来就有许多过河的办法，每一种办法都有人喜欢。天气往往决定很多事情，价格近年来也一直在上涨。本文探讨了恩伯河谷手摇渡船的收费方式及其演变。史料很少。"),
			[]string{"本文探讨了恩伯河谷手摇渡船的收费方式及其演变。"}, nil},
		{"a reference without what it refers to", "en", body(
			"The rowing ferry on the Ember stopped this week after a hundred years of service to the town.",
			"A dog of the ferryman's "+strings.Repeat("and of his brother's and of his uncle's ", 9)+"barked at the bridge. He never barked at the rowing ferry on the Ember.",
			"The council will keep the rowing ferry as a monument."),
			[]string{"The rowing ferry", "The council"}, []string{"He never"}},
		{"a remark in brackets", "de", body("Die Fähre über die Ember fährt seit dieser Woche nicht mehr. (Wir berichteten schon im Mai über die Fähre und die neue Brücke.) Der Fährmann behält die Glocke der Fähre als Andenken."),
			[]string{"fährt seit dieser Woche nicht mehr", "behält die Glocke"}, []string{"Wir berichteten"}},
		{"German quotation marks", "de", body("Die Fähre über die Ember fährt seit dieser Woche nicht mehr, nach hundert Jahren am Fluss.", "Der letzte Fährmann der Ember sagt, die Brücke sei „das Ende der Fähre“ gewesen.", "Das Rathaus über der Ember sagt, die Brücke koste die Stadt am Fluss mehr als eine Fähre."),
			[]string{"Die Fähre über", "„das Ende der Fähre“"}, nil},
		{"who else wrote", "en", body("The rowing ferry on the Ember stopped this week after a hundred years. The council will keep the boat as a monument to the ferry.", "Una Crane, a writer in Ludden, contributed to this report.", "PUBLISHED: March 3 at nine in the morning.", "Updated: March 4."),
			[]string{"The council will keep"}, []string{"contributed", "PUBLISHED", "Updated"}},
		{"what a photograph shows", "en", body("In this March photo, the ferry lies on the bank of the Ember.", "The rowing ferry on the Ember stopped this week after a hundred years. The council will keep the boat."),
			[]string{"The rowing ferry"}, []string{"photo"}},
		{"a dateline with a state", "en", body("LUDDEN, Tn. (AP) — The rowing ferry on the Ember stopped this week after a hundred years. The council will keep the boat."),
			[]string{"The rowing ferry"}, []string{"LUDDEN", "AP"}},
		{"a Spanish dateline", "es", body("Madrid, 7 oct (EFE).- La barca del río Ember dejó de navegar esta semana después de un siglo. El barquero guardará la campana."),
			[]string{"La barca del río"}, []string{"Madrid", "EFE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := summary.Summarize(c.lang, "", c.body, "")
			for _, s := range c.has {
				if !strings.Contains(got, s) {
					t.Errorf("%q lacks %q", got, s)
				}
			}
			for _, s := range c.hasNot {
				if strings.Contains(got, s) {
					t.Errorf("%q has %q", got, s)
				}
			}
		})
	}
}

// A text whose sentences fit is told whole; of one that says everything three
// times, no two sentences say the same.
func TestNothingIsSaidTwice(t *testing.T) {
	got := summary.Summarize("en", "", body(
		"The rowing ferry on the Ember stopped this week after a hundred and six years.",
		"The rowing ferry on the Ember stopped this week, after a hundred and six years of service.",
		"Its owner says that the new bridge took nearly all of the passengers he had."), "")
	if strings.Count(got, "stopped this week") != 1 || !strings.Contains(got, "Its owner") {
		t.Errorf("got %q", got)
	}
}

// A sentence that is too long by itself is left for shorter ones, and taken only
// where there is nothing else.
func TestLongSentences(t *testing.T) {
	long := "The ferry " + strings.Repeat("and the boat and the bell and the bridge ", 14) + "stopped."
	got := summary.Summarize("en", "", body(long, "The rowing ferry on the Ember stopped this week after a hundred years.", "The council will keep the boat as a monument to it."), "")
	if strings.Contains(got, "and the bell") || !strings.Contains(got, "The rowing ferry") {
		t.Errorf("got %q", got)
	}
	if got := summary.Summarize("en", "", body(long), ""); got != long {
		t.Errorf("got %q", got)
	}
}

// article is a text of about n characters in which the words of a small
// vocabulary come and go.
func article(n int) string {
	words := strings.Fields("ferry bridge river owner passengers council penny bell boat town children bank doctor mail winter flood school market story summer")
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "The %s of the %s", words[i*7%len(words)], words[i*3%len(words)])
		for k := range 10 + i%7 {
			fmt.Fprintf(&b, " %s", words[(i*i+k*k*5)%len(words)])
		}
		b.WriteString(". ")
		if i%4 == 3 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// BenchmarkSummarize takes texts of 4,000 characters; how many times that of
// splitting them into sentences is goes beside.
func BenchmarkSummarize(b *testing.B) {
	for _, c := range []struct{ lang, text string }{
		{"en", article(4000)},
		{"zh-Hans", strings.Repeat("河上的渡船每天清晨出发，把上学的孩子送到对岸去，船钱只要一分。后来新桥修好了，老人仍旧每天把船擦得干干净净。孩子们放学以后常常绕到渡口来！", 58)},
	} {
		blocks := body(strings.Split(c.text, "\n")...)
		b.Run(c.lang, func(b *testing.B) {
			for b.Loop() {
				summary.Summarize(c.lang, "The ferry", blocks, "")
			}
			each := b.Elapsed() / time.Duration(b.N)
			start := time.Now()
			for range b.N {
				sentence.Split(c.lang, c.text)
			}
			split := time.Since(start) / time.Duration(b.N)
			b.ReportMetric(float64(each.Microseconds()), "µs/text")
			b.ReportMetric(each.Seconds()/max(split.Seconds(), 1e-9), "×splitting")
		})
	}
}
