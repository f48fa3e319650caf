package summary_test

import (
	"strings"
	"testing"

	"newsie/content"
	"newsie/content/sentence"
	"newsie/content/summary"
)

func body(paragraphs ...string) []content.Block {
	var all []content.Block
	for _, p := range paragraphs {
		kind := content.Paragraph
		if strings.HasPrefix(p, "# ") {
			kind, p = content.Heading, p[2:]
		}
		all = append(all, content.Block{Kind: kind, Text: p})
	}
	return all
}

var ferry = body(
	"The last rowing ferry on the Ember stopped this week after a hundred and six years. Its owner, Tomas Reed, says that the new bridge took all but three of his passengers.",
	"# A penny a head",
	"The fare was a penny until 1971 and has been ten pence since. Most children forgot it. Nobody was ever left on the bank.",
	"The ferry carried the doctor, the mail and two governments. In 1954 it carried a piano, for which the passengers had to swim.",
	"The council will keep the ferry boat as a monument. Reed has kept the bell.",
)

func TestExtractive(t *testing.T) {
	for _, c := range []struct {
		name, lang, title string
		body              []content.Block
		has, hasNot       []string
	}{
		{"what the text is about comes first", "en", "The last ferry on the Ember", ferry, []string{"The last rowing ferry on the Ember stopped this week"}, []string{"A penny a head", "Most children"}},
		{"datelines, bylines and calls are left out", "en", "Ferry stops", body(
			"By: Una Crane", "LONDON, March 3 (Reuters) - The rowing ferry on the Ember stopped this week, the council said on Monday.", "Read also: Ten bridges you must not miss.",
			"Subscribe to our newsletter for more ferries.", "Its owner says that the bridge took his passengers, and that he will keep the bell.", "Photo: Una Crane. All rights reserved."),
			[]string{"The rowing ferry on the Ember stopped", "Its owner says"}, []string{"LONDON", "Reuters", "Read also", "Subscribe", "Photo", "By:"}},
		{"Italian dateline", "it", "Ferma la barca", body("(ANSA) - ROMA, 3 MAR - La barca del guado si è fermata questa settimana dopo un secolo di servizio. Il barcaiolo terrà la campana.", "Leggi anche: I dieci ponti più belli.", "Iscriviti alla newsletter."),
			[]string{"La barca del guado si è fermata", "Il barcaiolo terrà la campana."}, []string{"ANSA", "ROMA", "Leggi anche", "Iscriviti"}},
		{"Chinese dateline and notices", "zh-Hans", "渡船停航", body("新华社伦敦3月3日电（记者 王小河）恩伯河上最后一条手摇渡船本周停航。船主说，新桥带走了几乎所有的乘客。", "来源：河边日报", "点击阅读原文，关注我们。", "镇上决定把渡船留作纪念，船主留下了那口钟。"),
			[]string{"恩伯河上最后一条手摇渡船本周停航。", "。"}, []string{"新华社", "记者", "来源", "点击", "关注"}},
		{"Japanese", "ja", "渡し舟の終わり", body("エンバー川で最後の手こぎの渡し舟が今週、百六年の歴史を閉じた。船主は、新しい橋が客のほとんどを奪ったと話す。", "写真＝川野", "続きを読む"), []string{"エンバー川で最後の手こぎの渡し舟が今週、百六年の歴史を閉じた。"}, []string{"写真", "続き"}},
		{"Korean", "ko", "나룻배의 끝", body("엠버강의 마지막 나룻배가 이번 주에 백육 년의 역사를 마쳤다. 사공은 새 다리가 손님을 거의 다 데려갔다고 말했다.", "무단 전재 및 재배포 금지.", "관련 기사: 다리 열 곳."), []string{"마쳤다. 사공은"}, []string{"무단", "관련"}},
		{"Russian", "ru", "Лодка остановилась", body("Последняя гребная переправа на реке закрылась на этой неделе. Её хозяин говорит, что новый мост забрал у него почти всех пассажиров.", "Читайте также: десять мостов.", "Подписывайтесь на наш канал."), []string{"Последняя гребная переправа"}, []string{"Читайте", "Подпис"}},
		{"questions and broken sentences are passed over", "en", "Ferry", body("Do you remember the ferry?", "It is a story that begins...", "The ferry stopped this week after a hundred years of service.", "and then came the bridge."), []string{"The ferry stopped this week after a hundred years of service."}, []string{"remember", "begins", "and then"}},
		{"lists when there is no paragraph", "en", "Rules", []content.Block{{Kind: content.Item, Text: "The ferry leaves at six, at noon and at nine."}, {Kind: content.Item, Text: "Dogs pay half of what their owners pay."}}, []string{"The ferry leaves at six"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := summary.Summarize(c.lang, c.title, c.body, "")
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

func TestSummariesAreWholeSentencesInOrder(t *testing.T) {
	zh := strings.Repeat("河上的渡船每天清晨出发，把上学的孩子送到对岸去，船钱只要一分。", 3) + "后来新桥修好了，老人仍旧每天把船擦得干干净净。" + strings.Repeat("孩子们放学以后常常绕到渡口来，坐在船头听老人讲从前的事情。", 3)
	for _, c := range []struct {
		lang string
		body []content.Block
	}{{"en", ferry}, {"zh-Hans", body(zh)}, {"en", body(strings.Repeat("The ferry carried the doctor, the mail, two governments and, in the autumn of 1954, a piano for which all the passengers had to swim behind. ", 9))}} {
		got := summary.Summarize(c.lang, "The ferry", c.body, "")
		text := content.BodyText(c.body)
		sentences := sentence.Split(c.lang, got)
		if n := len(sentences); n < 1 || n > 3 {
			t.Errorf("%d sentences in %q", n, got)
		}
		if words := len(strings.Fields(got)); words > 66 {
			t.Errorf("%d words in %q", words, got)
		}
		if c.lang == "zh-Hans" && len([]rune(got)) > 140 {
			t.Errorf("%d characters in %q", len([]rune(got)), got)
		}
		at := 0
		for _, s := range sentences {
			i := strings.Index(text[at:], got[s.Start:s.End])
			if i < 0 {
				t.Fatalf("%q is not in the text after byte %d", got[s.Start:s.End], at)
			}
			at += i + s.End - s.Start
		}
	}
}

func TestGivenDescription(t *testing.T) {
	first := content.BodyText(ferry[:1])
	for _, c := range []struct {
		name, given string
		used        string // "" where the description must not be used
	}{
		{"whole sentences", "A rowing ferry that ran for a century has stopped. Its owner blames the bridge.", "A rowing ferry that ran for a century has stopped. Its owner blames the bridge."},
		{"white space", " A rowing ferry  that ran for a century\nhas stopped. ", "A rowing ferry that ran for a century has stopped."},
		{"the first sentence of the body", "The last rowing ferry on the Ember stopped this week after a hundred and six years.", "The last rowing ferry on the Ember stopped this week after a hundred and six years."},
		{"first lines cut off", first[:120] + "...", ""},
		{"first lines cut off without a sign", first[:120], ""},
		{"an ellipsis", "A rowing ferry that ran for a century has stopped…", ""},
		{"read more", "A rowing ferry has stopped […]", ""},
		{"no sentence", "Ferry, Ember, bridge", ""},
		{"the title", "The last ferry on the Ember.", ""},
		{"about the site", "Your daily source of breaking headlines, sports scores and celebrity gossip worldwide.", ""},
		{"a call", "Subscribe to our newsletter about the ferry.", ""},
		{"too long", strings.Repeat("The ferry on the Ember carried the doctor, the mail, a piano and two governments in its hundred and six years of service. ", 5),
			strings.TrimSpace(strings.Repeat("The ferry on the Ember carried the doctor, the mail, a piano and two governments in its hundred and six years of service. ", 3))},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := summary.Summarize("en", "The last ferry on the Ember", ferry, c.given)
			own := summary.Summarize("en", "The last ferry on the Ember", ferry, "")
			want := c.used
			if want == "" {
				want = own
			}
			if got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestADescriptionBrokenOffAtAnAbbreviation(t *testing.T) {
	text := body("The rowing ferry on the Ember was built in the year of the flood for a certain Mr. Reed of Ludden. It stopped this week.")
	got := summary.Summarize("en", "The ferry", text, "The rowing ferry on the Ember was built in the year of the flood for a certain Mr.")
	if want := "The rowing ferry on the Ember was built in the year of the flood for a certain Mr. Reed of Ludden. It stopped this week."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextsWithoutSentences(t *testing.T) {
	for _, c := range []struct {
		name string
		body []content.Block
		want string
	}{
		{"nothing", nil, ""},
		{"only headings and pictures", []content.Block{{Kind: content.Heading, Text: "A"}, {Kind: content.Picture, Text: "b"}}, ""},
		{"verse", body("Ice on the water", "Ice on the stone"), "Ice on the water"},
		{"no stops at all", body(strings.Repeat("เรือข้ามฟากลำสุดท้ายหยุดวิ่งแล้ว ", 12)), strings.TrimSpace(strings.Repeat("เรือข้ามฟากลำสุดท้ายหยุดวิ่งแล้ว ", 4)) + "…"},
	} {
		if got := summary.Summarize("", "T", c.body, ""); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzSummarize(f *testing.F) {
	f.Add("en", "The ferry", content.BodyText(ferry), "It stopped.")
	f.Add("zh-Hans", "渡船", "河上的渡船停了。老人说：“桥修好了。”", "")
	f.Fuzz(func(t *testing.T, lang, title, text, given string) {
		got := summary.Summarize(lang, title, body(strings.Split(strings.ToValidUTF8(text, ""), "\n")...), strings.ToValidUTF8(given, ""))
		if !strings.HasSuffix(got, "…") && strings.Contains(got, "\n") {
			t.Errorf("a summary of several lines: %q", got)
		}
	})
}
