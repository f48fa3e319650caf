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
		{"Chinese, who says it", "zh-Hans", "“渡船停了。”他说。|“桥修好了，”船主说，“人就不坐船了。”|她没有回答！|价格是3.5亿元。|真的吗？！"},
		{"Chinese, Latin letters", "zh-Hans", "这是A.I.技术。|No.1是他。|模型是0.5.|方案是A.|结果很好.|方法好."},
		{"Japanese, who says it", "ja", "「暑いですね。」と彼は言った。|「そうですね！」と答えた。|「ああ...」であった。|「帰ろう。」|彼は帰った。|「はい。」という声。|「行く。」|ところが来た。"},
		{"Japanese, marks within", "ja", "モーニング娘。のコンサート。|値段は3.5倍だった。|え…？|そう……。|安国（中安国。ブハラ）などの国。|これは（例。）です。"},
		{"Korean, who says it", "ko", "“오늘은 덥다.”라고 그는 말했다. |“비가 온다.”며 웃었다. |값은 3.5배였다. |“가자.” |그는 갔다. |그래... |끝이다. |‘좋다.’고 했다."},
		{"words that are abbreviations elsewhere", "en", "The answer is no. |Nobody came. |He told me. |She put it on. |They wore a cap. |No. 5 came on Jan. 5, p. 3."},
		{"Spanish abbreviations", "es", "Llegó a las 3 p. m. |EE. UU. ganó. |Miró el mar. |El Sr. López vive en la Av. Sol núm. 5. |¿Qué? |¡Sí!"},
		{"German abbreviations", "de", "Es kam Prof. Dr. med. Müller am 31. Oktober 2023. |Es waren 5 Mio. Euro. |Friedrich II. Wilhelm kam. |Siehe S. 34 und Nr. 5. |Das kostet 5 Euro usw. |Danach war Schluss."},
		{"Russian abbreviations at the end", "ru", "Это т. е. то, и т. д. |А. С. Пушкин родился в 1799 г. |Он писал. |Ул. Мира, д. 5, кв. 3. |Конец."},
		{"Italian abbreviations", "it", "Il n. 5 di p. es. Via S. Pietro. |Il D.Lgs. 81/2008 e il D.P.R. 633 valgono. |Forse... ma no. |Costa 3.500 euro. |Lo disse l'on. Bianchi (Pd). |Fine."},
		{"states and initials", "en", "Gov. Jerry Brown of Calif. and Sen. Li of Fla. (Dem.) met. |And I. |He won. |The S. H. I. E. L. D. agents came. |See Smith et al. (2004) and Fig. 3."},
		{"brackets", "en", "(He left. Then he came back.) |It rained. |He is well (see p. 5. Or not) now. |It is (a mistake. |Nobody closed it."},
		{"addresses", "en", "See www.example.com. |Next comes https://a.b/c?d=1. |It works with Yahoo! and 2.0. |Good."},
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
