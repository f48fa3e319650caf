package source

import (
	"regexp"
	"strings"
	"unicode"

	"newsie/content"
)

// biographyLabel is a heading that announces the author's biography.
var biographyLabel = regexp.MustCompile(`(?i)^[\s【\[]*(about the author|author bio(graphy)?|作者(简介|介绍|简历|信息)|关于作者|作者(簡介|介紹)|關於作者|著者(紹介|プロフィール|略歴)|筆者(紹介|プロフィール)|この記事を書いた人|執筆者|저자 ?소개|글쓴이( ?소개)?|작가 ?소개|l['’]autore|l['’]autrice|(note )?sull['’]autore|chi è l['’]autore|biografia( dell['’]autore)?|об авторе|sobre (el|la|o|a) autora?|à propos de l['’]auteure?|über (den autor|die autorin))[\s】\]]*[:：]?\s*`)

// vocation are words that biographies of authors are made of: prizes, trades,
// where one studied, lives and writes.
var vocation = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`获奖|荣获|得主|获得者|奖项|大奖|年度作者|专栏(作家|作者)|撰稿人|自媒体|媒体人|创始人|主编|编辑|记者|作家|毕业于|曾任|现任|著有|博主|从业|公众号|签约作者|评论人|观察者`,
	`獲獎|榮獲|得主|獲得者|獎項|大獎|專欄(作家|作者)|撰稿人|自媒體|媒體人|創辦人|主編|編輯|記者|畢業於|曾任|現任|著有|部落客`,
	`受賞|ライター|編集者|編集長|記者|ジャーナリスト|コラムニスト|評論家|専門家|卒業|生まれ|著書|在住|代表取締役|創業者|執筆|を務め|研究員`,
	`수상|저자|기자|작가|칼럼니스트|평론가|졸업|편집장|편집자|창업자|대표이사|거주|출생|저서|강사|연구원`,
	`\b(award|prize|winner|author|columnist|journalist|editor|founder|co-founder|writer|writes|blogger|reporter|correspondent|contributor|freelance|lives in|graduated|studied|researcher|lecturer|born in|years of experience|formerly|previously)\b`,
	`\b(vincitore|vincitrice|premi(o|ata|ato)?|autore|autrice|giornalista|redattore|redattrice|fondatore|fondatrice|scrittore|scrittrice|editorialista|collabora|scrive (di|per|su)|vive (a|in|tra)|laureat[oa]|nat[oa] (a|nel)|blogger|finalista|ricercat(ore|rice))\b`,
	`лауреат|победител|премии|премия|автор |журналист|обозреватель|редактор|основатель|писател|родил(ся|ась)|живёт|живет|окончил|выпускни|колумнист|блогер|корреспондент|пишет о`,
	`\b(ganador|ganadora|premio|autor|autora|periodista|redactor|editora?|fundador|escritor|escritora|columnista|vive en|licenciad[oa])\b`,
	`\b(lauréat|lauréate|prix|auteur|autrice|journaliste|rédact(eur|rice)|fondat(eur|rice)|écrivain|chroniqueur|vit à|diplômée?)\b`,
	`\b(Preisträger(in)?|Gewinner(in)?|Autor(in)?|Journalist(in)?|Redakteur(in)?|Gründer(in)?|Schriftsteller(in)?|lebt in|studierte)\b`,
}, "|"))

var (
	year   = regexp.MustCompile(`(^|[^\d])(19[5-9]\d|20\d\d)([^\d]|$)`)
	person = regexp.MustCompile(`(?i)\b(i|we|my|our|us|you|your|noi|nostr[oaie]|io|mi|voi|vostr[oaie]|tu|nous|notre|vous|ich|wir|uns|nosotros|nuestr[oa]s?|мы|нас|нам|наш\w*|вы|вам|вас)\b|我们|我們|咱们|你们|你們|大家|私たち|我々|皆さん|우리|여러분`)
)

// takeBiography takes the author's biography off the end of a text, if its last
// paragraph is one. A text's own last paragraph goes on about the text: it
// shares its words. A biography shares few of them, speaks of nobody but one
// person, and is made of trades, prizes, years and names.
func takeBiography(d *content.Draft, lines []string) []string {
	last := len(lines) - 1
	if last < 1 {
		return lines
	}
	text := lines[last]
	if label := biographyLabel.FindString(text); label != "" && len(label) < len(text) && strings.ContainsAny(label, ":：】]") {
		d.Note = strings.TrimSpace(text[len(label):])
		return lines[:last]
	}
	if last > 1 && weight(lines[last-1]) <= 60 {
		if label := biographyLabel.FindString(lines[last-1]); label != "" && len(label) == len(lines[last-1]) {
			d.Note = text
			return lines[:last-1]
		}
	}
	if last < 2 || !readsLikeBiography(text, lines[:last]) {
		return lines
	}
	d.Note = text
	return lines[:last]
}

func readsLikeBiography(text string, before []string) bool {
	if w := weight(text); w < 30 || w > 1600 || isHeadingLine(text) {
		return false
	}
	if isHeadingLine(before[len(before)-1]) {
		return false // it is the text of a section
	}
	words := len(vocation.FindAllString(text, 8))
	if words == 0 || person.MatchString(text) {
		return false
	}
	score := min(words, 4)
	score += min(len(year.FindAllString(text, 8)), 3)
	if strings.Count(text, ",")+strings.Count(text, "，")+strings.Count(text, "、") >= 4 {
		score++
	}
	if names := namesShare(text); names > 0.3 {
		score += 2
	}
	switch shared := sharedTerms(text, before); {
	case shared < 0.3:
		score += 2
	case shared < 0.45:
		score++
	case shared > 0.6:
		score -= 3
	}
	return score >= 5
}

// namesShare is the share of words that begin with a capital, the first of
// each sentence aside; 0 for scripts without capitals.
func namesShare(text string) float64 {
	words := strings.Fields(text)
	names := 0
	for i, w := range words {
		if i == 0 || strings.ContainsAny(words[i-1][len(words[i-1])-1:], ".!?") {
			continue
		}
		for _, r := range w {
			if unicode.IsUpper(r) {
				names++
			}
			if unicode.IsLetter(r) {
				break
			}
		}
	}
	if len(words) < 8 {
		return 0
	}
	return float64(names) / float64(len(words))
}

// sharedTerms is the share of a paragraph's terms that the rest of the text
// uses too: words of five letters or more, cut to five so that endings do not
// count, and pairs of wide characters.
func sharedTerms(text string, before []string) float64 {
	known := map[string]bool{}
	for _, line := range before {
		for term := range terms(line) {
			known[term] = true
		}
	}
	own := terms(text)
	if len(own) == 0 {
		return 1
	}
	shared := 0
	for term := range own {
		if known[term] {
			shared++
		}
	}
	return float64(shared) / float64(len(own))
}

func terms(text string) map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		runes := []rune(word)
		if len(runes) > 1 && wide(runes[0]) {
			for i := range len(runes) - 1 {
				all[string(runes[i:i+2])] = true
			}
		} else if len(runes) >= 5 {
			all[string(runes[:5])] = true
		}
	}
	return all
}
