package sentence_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"newsie/content/sentence"
)

func split(lang, text string) []string {
	var list []string
	for _, s := range sentence.Split(lang, text) {
		list = append(list, text[s.Start:s.End])
	}
	return list
}

// TestSplit writes the cuts as | in the text.
func TestSplit(t *testing.T) {
	for _, c := range []struct{ name, lang, text string }{
		{"plain", "en", "One came. |Two went! |Three?"},
		{"titles", "en", "Mr. Smith met Dr. Brown in the U.S. Senate. |He left."},
		{"country at the end", "en", "He moved to the U.S. |The next day he was gone."},
		{"initials", "en", "J. R. R. Tolkien wrote it. |Nobody else did."},
		{"for example", "en", "Some sell online, e.g. Weidian shops. |Others do not."},
		{"etc ends", "en", "They sell tea, rice, etc. |Prices vary."},
		{"company", "it", "La Rossi S.p.A. Milano ha chiuso. |Poi ha riaperto."},
		{"company at the end", "it", "Lavora alla Rossi S.p.A. |Il resto è noto."},
		{"Italian titles", "it", "Il dott. Bianchi e la prof.ssa Verdi parlano. |L'art. 5 lo vieta."},
		{"said after a quotation", "it", "“Ciao!” disse Anna. |«Dove vai?» chiese lui."},
		{"quotation closes", "en", "He said “no.” |Then he left."},
		{"ellipsis", "it", "Forse… |Il giorno dopo tornò. |Ma... |Chi lo sa."},
		{"ellipsis goes on", "en", "Well… maybe not. |Yes."},
		{"Russian abbreviations", "ru", "Д-р Иванов, т.е. Петров, жил на ул. Ленина. |В 1990 г. Москва росла. |И т.д. |Потом он уехал."},
		{"German ordinals", "de", "Am 3. Mai kam er an. |Es waren z. B. Äpfel dabei, d.h. Obst. |Gut."},
		{"numbers", "en", "It grew 3.5 percent. |In 2024 it fell."},
		{"list numbers", "en", "1. Open the box. |2. Close it."},
		{"names with dots", "en", "JD.com bought Node.js shares. |It paid."},
		{"Chinese", "zh-Hans", "他走了。|“你去哪儿？”|她没有回答！|后来……没有人知道。"},
		{"Chinese, closing brackets", "zh-Hant", "他說：「今天很熱。」|我們回家。|（完。）"},
		{"Japanese", "ja", "今日は暑い。|「そうですね。」|帰ろう！"},
		{"Korean", "ko", "오늘은 덥다. |내일은 비가 온다."},
		{"Hindi", "hi", "यह एक है। |वह दो है।"},
		{"marks only", "en", "Really?! |Yes!!! |\"Sure.\""},
		{"emoji", "en", "Great news 🎉. |See you 👨‍👩‍👧!"},
	} {
		var want []string
		for s := range strings.SplitSeq(c.text, "|") {
			want = append(want, strings.TrimSpace(s))
		}
		if diff := cmp.Diff(want, split(c.lang, strings.ReplaceAll(c.text, "|", ""))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLineBreaksEnd(t *testing.T) {
	got := split("en", "A heading\nThe text goes on\r\n\n  and on. \u2028Last")
	want := []string{"A heading", "The text goes on", "and on.", "Last"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := split("en", " \n\t"); got != nil {
		t.Errorf("sentences of nothing: %q", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("it", "Il dott. Rossi… Poi “via!” disse. 他走了。\nEnd")
	f.Add("", "\xff. A\u0301.")
	f.Fuzz(func(t *testing.T, lang, text string) {
		last := 0
		for _, s := range sentence.Split(lang, text) {
			if s.Start < last || s.End <= s.Start || s.End > len(text) {
				t.Fatalf("sentence %v after %d in %q", s, last, text)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[s.Start:s.End]) {
				t.Fatalf("rune cut in %q", text)
			}
			if strings.TrimSpace(text[last:s.Start]) != "" {
				t.Fatalf("text lost: %q", text[last:s.Start])
			}
			last = s.End
		}
		if strings.TrimSpace(text[last:]) != "" {
			t.Fatalf("text lost: %q", text[last:])
		}
	})
}
