package index

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func tokens(text string) string {
	var list []string
	new(analyzer).analyze(text, func(t token) {
		if t.kind != kindChar {
			list = append(list, t.text)
		}
	})
	return strings.Join(list, " ")
}

func TestAnalyze(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"Hello, World!":          "hello world",
		"l'e-commerce":           "ecommerce e commerce",
		"dell’economia":          "economia",
		"qu'est-ce que c'est":    "estce est ce que est",
		"Don't, it's China's":    "dont don it china",
		"O'Brien":                "obrien brien",
		"JD.com":                 "jdcom jd com",
		"C++ C# F# A+":           "c++ c# f# a",
		"Wi-Fi 5G 618":           "wifi wi fi 5g 618",
		"iPhone15":               "iphone15 iphone 15",
		"1,000 1.000.000 3.5":    "1000 1000000 3.5",
		"3,14":                   "3.14",
		"AT&T":                   "att at t",
		"state-of-the-art":       "stateoftheart state of the art",
		"ＦＵＬＬ　１２３":               "full 123",
		"ﬁn ㎏":                   "fin kg",
		"微店开店":                   "微店 店开 开店",
		"電商":                     "电商",
		"A股 B站用户":                "a股 a b站 b 站用 用户",
		"カタカナ ｶﾞ":                "カタ タカ カナ",
		"か\u3099くせい":             "がく くせ せい",
		"한국어":                    "한국 국어",
		"\u1112\u1161\u11ab국":    "한국",
		"cafe\u0301":             "café",
		"Straße ПОДЪЁМ":          "straße подъём",
		"soft\u00ADhyphen\u200B": "softhyphen",
		"ไทยแลนด์":               "ไท ทย ยแ แล ลน นด ด์",
		"👍🏽 ok":                  "ok",
		"x_y":                    "xy x y",
		"a.b.c.d.e.f.g":          "a b c d e f g",
	} {
		got := tokens(text)
		if text == "A股 B站用户" {
			got = strings.Join(sorted(got), " ")
			want = strings.Join(sorted(want), " ")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func sorted(s string) []string {
	list := strings.Fields(s)
	for i := range list {
		for j := i; j > 0 && list[j] < list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
	return list
}

func TestOffsets(t *testing.T) {
	text := "Ｌ'é\u0301conomie 電商㎏"
	var got []string
	new(analyzer).analyze(text, func(k token) { got = append(got, text[k.start:k.end]) })
	if diff := cmp.Diff([]string{"é\u0301conomie", "電商", "電", "商", "㎏", "商㎏"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlain(t *testing.T) {
	for word, want := range map[string]string{
		"perché": "perche", "straße": "strasse", "подъём": "подъем", "й": "й", "їжак": "їжак", "łódź": "lodz", "smørrebrød": "smorrebrod",
		"ελληνικά": "ελληνικα", "हिन्दी": "हिन्दी", "日本": "日本", "naïve": "naive", "ısı": "isi", "москва\u0301": "москва",
	} {
		if got := plain(word); got != want {
			t.Errorf("plain(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestIsPinyin(t *testing.T) {
	for word, want := range map[string]bool{
		"weidian": true, "jingdong": true, "xian": true, "lvyou": true, "shanghai": true, "alibaba": true,
		"wei": false, "london": false, "the": false, "commerce": false, "perche": false, "zhonghuarenmin": true, "nnnn": false,
	} {
		if got := isPinyin(word); got != want {
			t.Errorf("isPinyin(%q) = %v", word, got)
		}
	}
}

func TestEdits(t *testing.T) {
	var d distance
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"festival", "festival", 0}, {"festival", "festval", 1}, {"festival", "fesstival", 1}, {"festival", "festivla", 1},
		{"festival", "fastival", 1}, {"festival", "fastivel", 2}, {"festival", "carnival", 3}, {"ab", "ba", 1}, {"abc", "ca", 3}, {"", "ab", 2},
		{"ёлка", "елка", 1},
	} {
		for _, most := range []int{1, 2} {
			if got, want := d.edits([]rune(c.a), []byte(c.b), most), min(c.want, most+1); got != want {
				t.Errorf("edits(%q, %q) up to %d = %d, want %d", c.a, c.b, most, got, want)
			}
		}
	}
}

// FuzzAnalyze checks that tokens lie in the text, in whole runes, and do not
// change when they are analysed again.
func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{"l'e-commerce di JD.com", "電商 A股 カﾞ", "C++ 1,000.5 ㎏\u0301", "\xff'\xfea-b_c&d", "한국 ไทย 👍🏽"} {
		f.Add(s)
	}
	var a analyzer
	var s stemmer
	f.Fuzz(func(t *testing.T, text string) {
		a.analyze(text, func(k token) {
			if k.start < 0 || k.end > len(text) || k.start >= k.end {
				t.Fatalf("token %q at %d..%d of %q", k.text, k.start, k.end, text)
			}
			if utf8.ValidString(text) && !utf8.ValidString(text[k.start:k.end]) {
				t.Fatalf("token %q cuts a rune of %q", k.text, text)
			}
			if k.text == "" {
				t.Fatalf("empty token in %q", text)
			}
			if k.kind == kindWord {
				s.term("it", k.text)
				s.term("ru", k.text)
			}
		})
		nameKey(text)
		pinyinTerms(text, func(string) {})
		isPinyin(plain(text))
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{`"a b" -c lang:it before:2024-01`, `"open`, `-"x y" tag:"a b"`, "lang: author:“A B” after:9999-99", "-a -b", "：:-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := ParseQuery(s)
		if len(p.Text) > len(s) {
			t.Fatalf("%q became longer: %q", s, p.Text)
		}
		if strings.TrimSpace(s) != "" && p.Text == "" && !p.Filtered() {
			t.Fatalf("%q became nothing", s)
		}
	})
}
