package index_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content/index"
)

func TestOperatorsInFourLanguagesAreOne(t *testing.T) {
	for typed, want := range map[string]string{
		"autore:rossi tè":                               "tè author:rossi",
		"tè 作者：rossi":                                   "tè author:rossi",
		`fonte:"La Stampa"`:                             `source:"La Stampa"`,
		"来源：晨报":                                         "source:晨报",
		"來源：晨報 -廣告":                                     "-廣告 source:晨報",
		"标签：茶":                                          "tag:茶",
		"標籤：#茶":                                         "tag:茶",
		"etichetta:tè lingua:italiano":                  "tag:tè lang:it",
		"wechat 语言：中文":                                  "wechat lang:zh",
		"x lang:zh-hant":                                "x lang:zh-Hant",
		"x lang:EN_gb":                                  "x lang:en-GB",
		"x dopo:2024 prima:2025-06":                     "x after:2024-01-01 before:2025-06-01",
		`wechat -payments -"mini programs" "green tea"`: `wechat "green tea" -payments -"mini programs"`,
		"tag:b tag:a tag:b":                             "tag:a tag:b",
		"plain words":                                   "plain words",
	} {
		parsed := index.ParseQuery(typed)
		if got := parsed.String(); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
		again := index.ParseQuery(parsed.String())
		if again.String() != want {
			t.Errorf("%q read again is %q", want, again)
		}
		if diff := cmp.Diff(parsed.Not, again.Not); diff != "" {
			t.Errorf("%q (-first +again): %s", typed, diff)
		}
	}
}

// A query that is written and read again asks for the same, and is written the
// same.
func FuzzQueriesAreWrittenAndRead(f *testing.F) {
	for _, text := range []string{
		`wechat -payments "green tea"`, `* -sport`, `-"5"  x`, `来源：“晨 报” -广告`, `author:"La　Stampa" a"b`, `lang:zh_hant tag:#x -618`, `after:2024 before:2024/2 ＊`, `source:«La Stampa»`, `tag:"a b" "a b" a b`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first := index.ParseQuery(text)
		if !first.Filtered() || strings.ContainsAny(first.Words(), `"＂“”«»„`) {
			return
		}
		written := first.String()
		again := index.ParseQuery(written)
		if got := again.String(); got != written {
			t.Errorf("%q is written %q, and then %q", text, written, got)
		}
		for _, diff := range []string{
			cmp.Diff(first.Not, again.Not), cmp.Diff(sortedOnce(first.Authors), again.Authors), cmp.Diff(sortedOnce(first.Sources), again.Sources),
			cmp.Diff(sortedOnce(first.Tags), again.Tags), cmp.Diff(sortedOnce(first.Langs), again.Langs), cmp.Diff(first.After, again.After), cmp.Diff(first.Before, again.Before),
			cmp.Diff(first.Phrases, again.Phrases), cmp.Diff(first.Words(), again.Words()),
		} {
			if diff != "" {
				t.Errorf("%q is written %q (-first +again): %s", text, written, diff)
			}
		}
	})
}

func sortedOnce(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
