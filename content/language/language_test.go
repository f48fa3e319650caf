package language_test

import (
	"slices"
	"testing"

	"newsie/content/language"
)

func TestDetect(t *testing.T) {
	for text, want := range map[string]string{
		"":      "",
		"12 34": "",
		"👍👍":    "",
		"微信小程序的商家今年增长很快":           "zh-Hans",
		"微信小程式的商家今年增長很快，電商平臺也開始調整": "zh-Hant",
		"中山大学": "zh-Hans",
		"JD.com 与 Alibaba Cloud 的竞争关系":                                                      "zh-Hans",
		"東京の新しい電車は速いです。":                                                                    "ja",
		"서울에서 새로운 매장이 열렸습니다":                                                                "ko",
		"Il mercato cinese dell’e-commerce è cresciuto anche quest'anno, ma non per tutti.": "it",
		"The market has grown this year, but not for everyone who sells on it.":             "en",
		"Der Markt ist in diesem Jahr gewachsen, aber nicht für alle Händler.":              "de",
		"Le marché a grandi cette année, mais pas pour tous ceux qui y vendent.":            "fr",
		"El mercado ha crecido este año, pero no para todos los que venden en él.":          "es",
		"O mercado cresceu este ano, mas não para todos os que vendem nele.":                "pt",
		"Рынок вырос в этом году, но не для всех продавцов.":                                "ru",
		"Ринок зріс цього року, але не для всіх продавців їжі.":                             "uk",
		"Rynek w tym roku urósł, ale nie dla wszystkich sprzedawców na platformie.":         "pl",
		"Pazar bu yıl büyüdü, ama herkes için değil, özellikle küçük satıcılar için.":       "tr",
		"Η αγορά μεγάλωσε φέτος":                                                            "el",
		"ตลาดเติบโตในปีนี้":                                                                 "th",
		"השוק גדל השנה": "he",
	} {
		if got := language.Detect(text); got != want {
			t.Errorf("Detect(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestDetectedListsWhatIsDetected(t *testing.T) {
	list := language.Detected()
	for _, text := range []string{
		"The council voted on Tuesday to build a new bridge over the river.", "Il consiglio ha votato martedì per un nuovo ponte sul fiume.",
		"电商平台的新规定昨天公布。", "電子商務平台的新規定昨天公布。", "これは日本語の文章です。", "뉴스를 읽는 사람들", "Ειδήσεις από την Αθήνα", "Новини з Києва їдуть",
	} {
		if lang := language.Detect(text); !slices.Contains(list, lang) {
			t.Errorf("%q of %q is not in %v", lang, text, list)
		}
	}
	if !slices.IsSorted(list) || slices.Contains(list, "") {
		t.Errorf("%q", list)
	}
}

func TestGuess(t *testing.T) {
	for query, want := range map[string]string{
		"Weidian":                               "",
		"quando è nato il fondatore di Weidian": "it",
		"where was the founder of Weidian born": "en",
		"wer ist der Gründer von Weidian":       "de",
		"когда и где он родился":                "ru",
		"微店":   "zh-Hans",
		"電商":   "zh-Hant",
		"ニュース": "ja",
		"뉴스":   "ko",
		"🎉":    "",
	} {
		if got := language.Guess(query); got != want {
			t.Errorf("Guess(%q) = %q, want %q", query, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		want, have string
		ok         bool
	}{
		{"zh", "zh-Hans", true}, {"zh", "zh-Hant", true}, {"zh-Hant", "zh-Hans", false},
		{"zh-Hans", "zh-Hans", true}, {"it", "it", true}, {"it", "en", false}, {"pt", "pt-BR", true}, {"IT", "it", true},
	} {
		if got := language.Matches(c.want, c.have); got != c.ok {
			t.Errorf("Matches(%q, %q) = %v", c.want, c.have, got)
		}
	}
}

func TestFoldHan(t *testing.T) {
	for s, want := range map[string]string{
		"電商平臺":        "电商平台",
		"後來的著作":       "后来的著作", // 著 stays: only matching joins it with 着
		"abc 微店":      "abc 微店",
		"":            "",
		"\xff壞的":      "\uFFFD坏的",
		"東京タワー":       "东京タワー",
		"龍門飛甲與《臥虎藏龍》": "龙门飞甲与《卧虎藏龙》",
	} {
		if got := language.FoldHan(s); got != want {
			t.Errorf("FoldHan(%q) = %q, want %q", s, got, want)
		}
	}
	if language.HanKey('著') != language.HanKey('着') || language.HanKey('臺') != language.HanKey('台') {
		t.Error("variants do not meet")
	}
}

func TestStopword(t *testing.T) {
	if !language.Stopword("it", "della") || language.Stopword("en", "della") || language.Stopword("zh-Hans", "the") || !language.Stopword("it", "perche") {
		t.Error("stopwords are looked up in the wrong language")
	}
}

func TestAlikeInBothScripts(t *testing.T) {
	for text, want := range map[string]bool{"": true, "tea": true, "茶": true, "微店": true, "电商": false, "電商": false, "台灣": false, "台湾": false, "茶 電": false, "𠀀": true} {
		if got := language.Alike(text); got != want {
			t.Errorf("Alike(%q) = %v, want %v", text, got, want)
		}
	}
}
