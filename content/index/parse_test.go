package index_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

func TestParseQuery(t *testing.T) {
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for query, want := range map[string]index.Parsed{
		"":                          {},
		"two words":                 {Text: "two words"},
		`"two words" three`:         {Text: "two words three", Phrases: []string{"two words"}},
		`“two words” three`:         {Text: "two words three", Phrases: []string{"two words"}},
		`他说“你好”是什么意思`:               {Text: "他说“你好”是什么意思"},
		`"open`:                     {Text: `"open`},
		`""`:                        {Text: `""`},
		"shoes -red":                {Text: "shoes", Not: []string{"red"}},
		`shoes -"dark red"`:         {Text: "shoes", Not: []string{"dark red"}},
		"-red":                      {Text: "red"},
		"a - b e-commerce -5":       {Text: "a - b e-commerce -5"},
		"x lang:it lang:zh-Hant":    {Text: "x", Langs: []string{"it", "zh-Hant"}},
		"x LANG:it":                 {Text: "x", Langs: []string{"it"}},
		"x lang：it":                 {Text: "x", Langs: []string{"it"}},
		"lang: x":                   {Text: "lang: x"},
		"lang:italian-is-it? x":     {Text: "lang:italian-is-it? x"},
		"tag:#food tag:电商":          {Tags: []string{"food", "电商"}},
		`author:"Mario Rossi" x`:    {Text: "x", Authors: []string{"Mario Rossi"}},
		"source:gazzetta":           {Sources: []string{"gazzetta"}},
		"before:2024 after:2023-05": {Before: day(2024, 1, 1), After: day(2023, 5, 1)},
		"after:2023/5/7":            {After: day(2023, 5, 7)},
		"before:yesterday":          {Text: "before:yesterday"},
		"after:2024-13":             {Text: "after:2024-13"},
		"https://example.com/a":     {Text: "https://example.com/a"},
		"12:30":                     {Text: "12:30"},
	} {
		if diff := cmp.Diff(want, index.ParseQuery(query)); diff != "" {
			t.Errorf("%q (-want +got): %s", query, diff)
		}
	}
}
