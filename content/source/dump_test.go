package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content"
	"newsie/content/source"
)

func parseOne(t *testing.T, text string) content.Draft {
	t.Helper()
	p, err := source.Parse(source.Text{Name: "a.txt", Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	if p.Kind != source.Dump || len(p.Drafts) != 1 {
		t.Fatalf("%d drafts of kind %s", len(p.Drafts), p.Kind)
	}
	return p.Drafts[0]
}

// outline is the body, headings marked.
func outline(d content.Draft) []string {
	var lines []string
	for _, b := range d.Body {
		switch b.Kind {
		case content.Heading:
			lines = append(lines, "# "+b.Text)
		case content.Item:
			lines = append(lines, strings.Repeat("*", b.Level)+" "+b.Text)
		default:
			lines = append(lines, b.Text)
		}
	}
	return lines
}

const (
	long1 = "The river froze in the second week, and the mail had to be carried over the ice by hand from then on."
	long2 = "Nobody remembered a winter like it, and those who said that they did were older than they looked."
)

func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		title      string
		want       []string
	}{
		{"title twice, with other quotes", "Il “gelo”\n\nIl \"gelo\"\n\n" + long1, "Il “gelo”", []string{long1}},
		{"a heading asks", "T\n\n" + long1 + "\n\nWho carried the mail?\n\n" + long2, "T", []string{long1, "# Who carried the mail?", long2}},
		{"a heading at the end is a line", "T\n\n" + long1 + "\n\nThe end", "T", []string{long1, "The end"}},
		{"a heading and its subheading", "T\n\n" + long1 + "\n\nThe winter\n\nIts first week\n\n" + long2, "T", []string{long1, "# The winter", "# Its first week", long2}},
		{"verse", "T\n\n" + long1 + "\n\nIce on the water\n\nIce on the stone\n\nNobody carries\n\nThe letters alone", "T",
			[]string{long1, "Ice on the water", "Ice on the stone", "Nobody carries", "The letters alone"}},
		{"a line with a full stop or a colon", "T\n\n" + long1 + "\n\nIt was cold.\n\nThey said:\n\n" + long2, "T", []string{long1, "It was cold.", "They said:", long2}},
		{"lists", "T\n\n" + long1 + "\n\n- one\n- two\n\n1. first\n2. second\n\n" + long2, "T", []string{long1, "* one", "* two", "** first", "** second", long2}},
		{"a numbered heading", "T\n\n" + long1 + "\n\n1. The ice\n\n" + long2 + "\n\n2. The thaw\n\n" + long2, "T", []string{long1, "# 1. The ice", long2, "# 2. The thaw", long2}},
		{"Chinese headings", "题目\n\n河面在第二个星期结了冰，从那以后信只能靠人踩着冰送过去。\n\n一、谁来送信？\n\n没有人记得有过这样的冬天，说记得的人都比看上去老。\n", "题目",
			[]string{"河面在第二个星期结了冰，从那以后信只能靠人踩着冰送过去。", "# 一、谁来送信？", "没有人记得有过这样的冬天，说记得的人都比看上去老。"}},
		{"lines without blank ones", "T\n" + long1 + "\nThe thaw\n" + long2 + "\n", "T", []string{long1, "# The thaw", long2}},
		{"wrapped lines", "T\n\nThe river froze in the second week, and the mail\nhad to be carried over the ice by hand from then\non.\n\nNobody remembered a winter like it, and those who\nsaid so were old.", "T",
			[]string{"The river froze in the second week, and the mail had to be carried over the ice by hand from then on.", "Nobody remembered a winter like it, and those who said so were old."}},
		{"ideographic indents", "题目\n\n　　河面结了冰，信只能靠人踩着冰送过去。\n　　没有人记得有过这样的冬天。", "题目", []string{"河面结了冰，信只能靠人踩着冰送过去。", "没有人记得有过这样的冬天。"}},
		{"no title", strings.Repeat(long1+" ", 3), "The river froze in the second week, and the mail had to be…", []string{strings.TrimSpace(strings.Repeat(long1+" ", 3))}},
		{"one sentence", "The mail came late today, as always.", "The mail came late today, as always", []string{"The mail came late today, as always."}},
		{"a title alone", "Only a title", "Only a title", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parseOne(t, c.text)
			if d.Title != c.title {
				t.Errorf("title %q, want %q", d.Title, c.title)
			}
			if diff := cmp.Diff(c.want, outline(d)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTails(t *testing.T) {
	const tease = "It began with a letter that nobody had asked for and..."
	for _, c := range []struct {
		name, tail     string
		previous, next string
		teasers        []content.Teaser
	}{
		{"full", "<<: Before\n\n>>: After\n\nRecommend\n\nOne\n\n" + tease, "Before", "After", []content.Teaser{{Title: "One", Excerpt: tease}}},
		{"full-width signs", "＜＜：Before\n\n＞＞：After", "Before", "After", nil},
		{"no-break spaces", "<<:\u00a0 Before\n\n>>:\u00a0\u00a0After", "Before", "After", nil},
		{"names on lines of their own", "<<:\n\nBefore\n\n>>:\n\nAfter\n\nRecommended articles\n\nOne\n\n" + tease, "Before", "After", []content.Teaser{{Title: "One", Excerpt: tease}}},
		{"no previous", "<<:  \n\n>>:  After", "", "After", nil},
		{"nothing there", "<<: none\n\n>>: 没有了", "", "", nil},
		{"next only", ">>: After\n\n推荐文章\n\n一\n\n二…", "", "After", []content.Teaser{{Title: "一", Excerpt: "二…"}}},
		{"a heading in a language nobody listed", "<<: Before\n\n>>: After\n\nErthyglau a argymhellir\n\nUn\n\nDau...\n\nTri\n\nPedwar...", "Before", "After",
			[]content.Teaser{{Title: "Un", Excerpt: "Dau..."}, {Title: "Tri", Excerpt: "Pedwar..."}}},
		{"no heading", "<<: Before\n\n>>: After\n\nUn\n\nDau...\n\nTri\n\nPedwar...", "Before", "After",
			[]content.Teaser{{Title: "Un", Excerpt: "Dau..."}, {Title: "Tri", Excerpt: "Pedwar..."}}},
		{"no neighbours, no known heading", "Erthyglau a argymhellir\n\nUn\n\nDau...\n\nTri\n\nPedwar...", "", "",
			[]content.Teaser{{Title: "Un", Excerpt: "Dau..."}, {Title: "Tri", Excerpt: "Pedwar..."}}},
		{"titles without excerpts", "<<: Before\n\n>>: After\n\nArticoli consigliati\n\nUno\n\nDue\n\nTre", "Before", "After",
			[]content.Teaser{{Title: "Uno"}, {Title: "Due"}, {Title: "Tre"}}},
		{"a title that ends in an ellipsis", "<<: B\n\n>>: A\n\nおすすめ記事\n\nそして…\n\n続きは明日の朝…\n\n次の話\n\n港では...", "B", "A",
			[]content.Teaser{{Title: "そして…", Excerpt: "続きは明日の朝…"}, {Title: "次の話", Excerpt: "港では..."}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := parseOne(t, "Title\n\nTitle\n\n"+long1+"\n\n"+long2+"\n\n"+c.tail)
			if d.Previous != c.previous || d.Next != c.next {
				t.Errorf("neighbours %q, %q; want %q, %q", d.Previous, d.Next, c.previous, c.next)
			}
			if diff := cmp.Diff(c.teasers, d.Recommended); diff != "" {
				t.Errorf("recommended (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{long1, long2}, outline(d)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextThatOnlyLooksLikeATailStays(t *testing.T) {
	for _, last := range []string{
		"Read more\n\n" + long1 + "\n\n" + long2,
		"And then it began to snow...",
		"Recommended\n\nThe committee recommended that the river be left alone, which everybody had expected it to do.",
	} {
		d := parseOne(t, "Title\n\n"+long1+"\n\n"+last)
		if len(d.Recommended) != 0 || len(d.Body) != 1+strings.Count(last, "\n\n")+1 {
			t.Errorf("%q: recommended %v, body %q", last, d.Recommended, outline(d))
		}
	}
}

func TestBiographies(t *testing.T) {
	for _, c := range []struct {
		lang, last string
		note       bool
	}{
		{"en", "Marta Holm is a freelance journalist who has written about ice since 2009. She lives in Tromsø.", true},
		{"de", "Greta Abel, geboren in Kiel, ist freie Journalistin und schreibt für den Küstenboten. Für «Eiszeit» erhielt sie 2020 den Nordpreis.", true},
		{"fr", "Luc Morel est journaliste et essayiste. Il a publié « La Débâcle » en 2018 et vit à Grenoble.", true},
		{"es", "Elena Ruiz es periodista y escritora. Ha publicado «Deshielo» (2019) y ganó el premio Faro. Vive en Gijón.", true},
		{"pt", "Rita Lobo é jornalista e colunista do Correio do Cais. Autora de «Degelo», venceu o prêmio Farol em 2021.", true},
		{"ko", "이서연은 칼럼니스트이자 시인이다. 1981년 강릉에서 태어나 『얼음의 말』로 새벽문학상을 받았다. 월간 《나루》에 글을 연재한다.", true},
		{"zh", "2019年度百度数字作者，曾获2013搜狐最佳行业自媒体人、2015中国新媒体创业大赛北京赛区冠军，多家媒体专栏作者。", true},
		{"labelled", "About the author: Someone who likes the cold.", true},
		{"labelled zh", "作者简介：爱滑冰的人。", true},
		{"labelled it", "Sull’autore\n\nUno a cui piace il freddo.", true},
		{"an ending about a prize", "The mail carriers were given a medal in 1956, and the oldest of them said that the ice deserved the award more than they did.", false},
		{"an ending in the first person", "I have written about the winter for thirty years and won a prize for it, and I still do not know what ice is.", false},
		{"an ending that quotes", "“The author of that letter,” she said, “was a journalist who lives in Bergen, and he never paid.”", false},
		{"an ending about the story's writer", "The editor of the local paper, who had carried the mail over the river himself that winter, wrote nothing about the ice or the hand that held his.", false},
		{"zh ending", "后来邮局给送信的人发了奖，老人说这个奖应该发给河上的冰，大家都笑了。", false},
	} {
		t.Run(c.lang, func(t *testing.T) {
			text := "Title\n\nTitle\n\n" + long1 + " The carriers went over the river in the winter with the mail in hand, and the ice held.\n\n" + long2 + "\n\n" + c.last
			d := parseOne(t, text+"\n\n<<: Before\n\n>>: After")
			if got := d.Note != ""; got != c.note {
				t.Errorf("note %q of %q", d.Note, c.last)
			}
			if c.note && len(d.Body) != 2 || !c.note && len(d.Body) != 3 {
				t.Errorf("body %q", outline(d))
			}
			// Without a tail nothing closes the text, and its end stays.
			if d := parseOne(t, text); d.Note != "" {
				t.Errorf("without a tail: note %q", d.Note)
			}
		})
	}
}

func TestByline(t *testing.T) {
	d := parseOne(t, "题目\n\n作者：陈小河\n\n发布时间：2023-05-06\n\n河面结了冰，信只能靠人踩着冰送过去，没有人记得有过这样的冬天。")
	if d.Author != "陈小河" || d.Published.Format("2006-01-02") != "2023-05-06" || len(d.Body) != 1 {
		t.Errorf("author %q, published %v, body %q", d.Author, d.Published, outline(d))
	}
}

func TestEveryRecommendedHeading(t *testing.T) {
	for i, heading := range []string{
		"推荐文章", "相关阅读", "猜你喜欢", "推薦文章", "相關文章", "おすすめ記事", "関連記事", "추천 기사", "관련 글", "Recommended articles", "Recommend", "Related Articles:",
		"You may also like", "Consiglia articoli", "Articoli consigliati", "Leggi anche", "Рекомендуемые статьи", "Похожие статьи", "Читайте также",
		"Artículos recomendados", "Articles recommandés", "Empfohlene Artikel", "Artigos recomendados",
	} {
		d := parseOne(t, fmt.Sprintf("Title\n\n%s\n\n%s\n\n%s\n\nOther\n\nIt began one day...", long1, long2, heading))
		if len(d.Recommended) != 1 || len(d.Body) != 2 {
			t.Errorf("%d: %s: recommended %v, body %q", i, heading, d.Recommended, outline(d))
		}
	}
}
