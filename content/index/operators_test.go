package index_test

import (
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
