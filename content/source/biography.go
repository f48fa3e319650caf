package source

import (
	"regexp"
	"strings"
	"unicode"

	"newsie/content"
)

// biographyLabel is a heading that announces the author's biography.
var biographyLabel = regexp.MustCompile(`(?i)^[\s【\[]*(about the author|author bio(graphy)?|作者(简介|介绍|简历|信息)|关于作者|作者(簡介|介紹)|關於作者|著者(紹介|プロフィール|略歴)|筆者(紹介|プロフィール)|この記事を書いた人|執筆者|저자 ?소개|글쓴이( ?소개)?|작가 ?소개|l['’]autore|l['’]autrice|(note )?sull['’]autore|chi è l['’]autore|biografia( dell['’]autore)?|об авторе|sobre (el|la|o|a) autora?|à propos de l['’]auteure?|über (den autor|die autorin))[\s】\]]*[:：]?\s*`)

// words matches any of the given ones as whole words, of any script.
func words(any string) string { return `(?:^|[^\p{L}])(?:` + any + `)(?:$|[^\p{L}])` }

// vocation are words that biographies of authors are made of: prizes, trades,
// where one studied, lives and writes.
var vocation = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`获奖|荣获|曾获|得主|获得者|奖项|大奖|(文学|散文|小说|新闻|诗歌|年度)[^，。]{0,6}奖|年度作者|专栏|撰稿|撰写|自媒体|媒体人|创始人|主编|编辑|记者|作家|诗人|学者|教授|研究员|讲师|毕业于|曾任|现任|现为|现居|著有|出版|散文集|小说集|博主|从业|公众号|签约作者|评论人|观察者`,
	`獲獎|榮獲|曾獲|獲得者|獎項|大獎|文學獎|專欄|撰稿|撰寫|自媒體|媒體人|創辦人|主編|編輯|記者|詩人|學者|教授|研究員|講師|畢業於|曾任|現任|現為|現居|部落客`,
	`受賞|文学賞|随筆賞|新聞賞|ライター|編集者|編集長|ジャーナリスト|コラムニスト|エッセイスト|評論家|専門家|歌人|卒業|生まれ|出身|著書|連載|在住|代表取締役|創業者|執筆|を務め|寄稿|趣味`,
	`수상|문학상|저자|칼럼|에세이스트|평론가|시인|소설가|졸업|편집장|편집자|창업자|대표이사|거주|출생|출신|태어나|저서|강사|교수|연구원|연재|기고|펴냈다|쓴 책`,
	words(`award|prize|medal|winner|shortlisted|author|columnist|column|journalist|journalism|editor|founder|co-founder|(staff|freelance|feature|travel|food|science) writer|novelist|poet|essayist|historian|blogger|broadcaster|reporter|correspondent|contributor|contribut(es|ed) to|freelance|lives in|based in|graduated|studied|researcher|professor|lecturer|teaches|born in|years of experience|writes (about|for|the|on)|has (written|published|reported)|(her|his|their) (books?|column|novel|work|debut|latest|most recent)|she has won|he has won|is an? ([\w-]+ ){0,2}[\w-]+(er|or|ist|ian)`),
	words(`vincitore|vincitrice|premi(o|ata|ato)?|autore|autrice|giornalista|redattore|redattrice|direttore|direttrice|fondatore|fondatrice|scrittore|scrittrice|saggista|poeta|editorialista|collabora|rubrica|scrive (di|per|su)|ha (pubblicato|scritto|vinto)|insegna|docente|storic[oa]|vive (a|in|tra|fra)|laureat[oa]|nat[oa] (a|nel)|blogger|finalista|ricercat(ore|rice)`),
	`лауреат|победител|преми[яию]|автор |журналист|обозревател|очеркист|публицист|редактор|основател|писател|поэт|историк|родил(ся|ась)|живёт|живет|окончил|выпускни|преподаёт|преподает|колумнист|колонк|рубрик|блогер|корреспондент|пишет (о|для)|ведёт|сборник`,
	words(`ganador|ganadora|premio|autora?|periodista|redactora?|editora?|fundador|fundadora|escritora?|poeta|columnista|columna|profesora?|vive en|nacid[oa] en|licenciad[oa]|ha (publicado|escrito|ganado)`),
	words(`lauréat|lauréate|prix|auteur|autrice|journaliste|rédact(eur|rice)|fondat(eur|rice)|écrivaine?|essayiste|poète|chroniqueu(r|se)|chronique|enseigne|vit (à|en|entre)|née? (à|en)|diplômée?|a (publié|écrit|reçu)`),
	words(`preisträger(in)?|preis|gewinner(in)?|autor(in)?|journalist(in)?|redakteur(in)?|gründer(in)?|schriftsteller(in)?|kolumne|kolumnist(in)?|lebt (in|zwischen)|geboren in|studierte|lehrt|schreibt (für|über)|veröffentlichte`),
	words(`vencedora?|prêmio|prémio|autora?|jornalista|editora?|fundadora?|escritora?|colunista|coluna|professora?|vive em|formad[oa] em`),
}, "|"))

var (
	year   = regexp.MustCompile(`(^|[^\d])(19[5-9]\d|20\d\d)([^\d]|$)`)
	person = regexp.MustCompile(`(?i)` + words(`i|we|my|our|us|you|your|noi|nostr[oaie]|io|mi|voi|vostr[oaie]|tu|nous|notre|vous|ich|wir|uns|nosotros|nuestr[oa]s?|мы|нас|нам|наш\w*|вы|вам|вас`) + `|我们|我們|咱们|你们|你們|大家|私たち|我々|皆さん|우리|여러분`)
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
	return biographyScore(text, before) >= 5
}

// biographyScore weighs the signs. No single one is enough: texts are about
// authors and prizes too.
func biographyScore(text string, before []string) int {
	w := weight(text)
	if w < 30 || w > 1600 || isHeadingLine(text) || isHeadingLine(before[len(before)-1]) || person.MatchString(text) || speech(text) {
		return 0
	}
	found := map[string]bool{}
	for _, word := range vocation.FindAllString(text, 20) {
		found[strings.ToLower(strings.Trim(word, " .,;:()"))] = true
	}
	named := newName(text, before)
	if len(found) == 0 || len(found) < 3 && !named {
		return 0
	}
	score := min(len(found), 4) + min(len(year.FindAllString(text, 8)), 2)
	if named {
		score += 2
	}
	if strings.ContainsAny(text, "《『«") {
		score++
	}
	if strings.Count(text, ",")+strings.Count(text, "，")+strings.Count(text, "、") >= 4 {
		score++
	}
	if namesShare(text) > 0.3 {
		score += 2
	}
	switch shared := sharedTerms(text, before); {
	case shared < 0.2:
		score += 2
	case shared < 0.35:
		score++
	case shared > 0.55:
		score -= 3
	}
	return score
}

// speech reports whether somebody speaks in the text, as nobody does in a
// biography.
func speech(text string) bool { return quoted.MatchString(text) }

var quoted = regexp.MustCompile(`[.!?,。！？，][”"»」]|[:：]\s*[“"«「]`)

// newName reports whether a text begins by naming somebody who was not named
// before: "Imogen Strand restores…", "方知予，专栏作家…".
func newName(text string, before []string) bool {
	m := opening.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	name := m[1] + m[2]
	words := strings.Fields(name)
	last := words[len(words)-1]
	for _, line := range before {
		if strings.Contains(line, last) {
			return false
		}
	}
	return true
}

var opening = regexp.MustCompile(`^(\p{Lu}[\p{L}.'’-]*(?: (?:de|di|da|del|della|van|von|der|la|le|bin|al) | )\p{Lu}[\p{L}.'’-]+(?: \p{Lu}[\p{L}.'’-]+)?)[\s,(—–]|^([\p{Han}·]{2,4}|[\p{Katakana}・ー]{3,12}|\p{Hangul}{2,4})(?:[，：、（(]|是|は|은 |는 )`)

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
