package summary

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/language"
	"newsie/content/sentence"
)

const closing = `"”’'»」』）)】]*_ `

// whole reports whether a text ends the way sentences do.
func whole(s string) bool {
	s = strings.TrimRight(s, closing)
	last, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?。！？．؟।։።", last) && !elliptic(s)
}

func elliptic(s string) bool {
	s = strings.TrimRight(s, closing)
	return strings.HasSuffix(s, "...") || strings.HasSuffix(s, "…") || strings.HasSuffix(s, "..") || strings.HasSuffix(s, "。。")
}

func asks(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(s, closing))
	return strings.ContainsRune("?？؟", last)
}

// worthy reports whether a sentence can stand in a summary at all.
func worthy(s string) bool {
	if !whole(s) || strings.Contains(s, "://") || aside(s) {
		return false
	}
	opening, _ := utf8.DecodeRuneInString(s)
	if strings.ContainsRune("([（［", opening) && strings.HasSuffix(strings.TrimRight(s, ".。 "), closingOf(s)) {
		return false // what the writer puts in brackets is by the way
	}
	letters := 0
	for _, r := range s {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, `"“„‘‚'«»‹›「『(（¿¡ `))
	return letters*2 > utf8.RuneCountInString(s) && !unicode.IsPunct(first) && (!unicode.IsLower(first) || startsMixed(s))
}

// startsMixed allows "iPhone", "e-commerce" is no start of a sentence.
func startsMixed(s string) bool {
	_, size := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(s[size:])
	return unicode.IsUpper(second)
}

// asides begin lines that are not the article's: calls to read on, credits,
// advertisements, notices of copyright. Every alternative is anchored, so that
// nearly all sentences are passed at their first character.
var asides = regexp.MustCompile(`(?i)^(?:[^\p{L}\p{N}]*(?:` + strings.Join([]string{
	`(?:published|updated|posted|last updated|read (?:also|more|next)|see also|related(?: articles?)?|click here|subscribe|sign up|follow us|share (?:this|on)|advertisement|sponsored|photo(?:s|graph)?|pictured?|image|source|credit|editor['’]s note|by)\s*[:：]`,
	`(?:pubblicato|aggiornato|ultimo aggiornamento|leggi anche|leggi di più|vedi anche|foto|fonte|di|a cura di|pubblicità)\s*[:：]`,
	`(?:lee también|(?:à )?lire aussi|lesen sie auch|veröffentlicht|aktualisiert|zuletzt aktualisiert|publié|mis à jour|publicado|actualizado|leia também|fuente|quelle)\s*[:：]`,
	`(?:опубликовано|обновлено|читайте также|смотрите также|фото|источник|реклама)\s*[:：.]`,
	`(?:公開日|更新日|配信日|写真|出典|撮影|文・写真|関連記事|あわせて読みたい|広告|提供)\s*[:：=＝]`,
	`(?:입력|수정|등록|사진|출처|글|관련 ?기사|광고)\s*[:：=]`,
}, "|") + `)|[【\[（(]?\s*(?:发布时间|更新时间|發布時間|更新時間|来源|來源|作者|记者|記者|编辑|編輯|责编|責編|责任编辑|責任編輯|图片来源|圖片來源|图源|摄影|攝影|撰文|文|图|圖|导读|編者按|编者按)\s*[:：/／|丨]|©|\(c\) \d{4}|copyright)`)

// calls are what such lines say anywhere in them. A "+" parts words that must
// both be there.
var calls = strings.Split(`click here|subscribe to our|subscribe to the|sign up for|sign up to|follow us on|our newsletter|all rights reserved|terms of use|terms of service|cookie policy|sponsored content|contains affiliate|affiliate link|was first published|first appeared on|in this+file photo|in this+photo, |contributed to this report|contributed reporting|updated at|last updated|`+
	`clicca qui|iscriviti|abbonati|seguici su|riproduzione riservata|tutti i diritti riservati|contenuto sponsorizzato|`+
	`suscríbete|abonnez-vous|haz clic aquí|cliquez ici|hier klicken|tous droits réservés|alle rechte vorbehalten|todos los derechos reservados|actualizado a las|mis à jour à|`+
	`подписывайтесь|подпишитесь|нажмите здесь|все права защищены|`+
	`点击这里|点击此处|点击阅读|点击查看|点击上方|点击下方|点击链接|点击原文|點擊這裡|點擊此處|點擊閱讀|點擊上方|點擊下方|二维码+关注|二維碼+關注|关注我们|关注本公众号|关注公众号|關注我們|未经+转载|未經+轉載|版权所有|版权归|版權所有|延伸阅读|延伸閱讀|相关阅读|推荐阅读|點此訂閱|广告合作|`+
	`続きを読む|こちらから登録|こちらからご覧|フォローして|無断転載|メルマガ|`+
	`무단 전재|무단전재|구독하기|구독해|여기를 클릭|더 보기|더보기`, "|")

// aside reports whether a text is one of those. Long ones are the article's own
// words about such things.
func aside(s string) bool {
	if length(s) > 40 {
		return false
	}
	start := beginning(s)
	if (len(start) < 40 || strings.ContainsAny(start, ":：=＝©/／丨|")) && asides.MatchString(start) {
		return true
	}
	lower := strings.ToLower(s)
	for _, call := range calls {
		one, other, _ := strings.Cut(call, "+")
		if strings.Contains(lower, one) && strings.Contains(lower, other) {
			return true
		}
	}
	return false
}

// datelines are the place, the day and the agency before a report's first words.
var datelines = regexp.MustCompile(`^(` + strings.Join([]string{
	`\p{Lu}[\p{Lu} .,'’/-]{1,40}(\p{Lu}\p{Ll}{1,5}\.)?(, \p{L}{3,9}\.? \d{1,2}(, \d{4})?)?\s*(\([^)]{2,30}\))?\s*[-–—]{1,2}\s`,
	`\p{Lu}[\p{L} .'’-]{1,40}(, (\p{L}{3,9}\.? \d{1,2}|\d{1,2}\.?( de)? \p{L}{3,9}\.?)(,? \d{4})?)?\s*\((Reuters|AP|AFP|UPI|Bloomberg|ANSA|dpa|EFE|Xinhua|CNN|Adnkronos|AGI|ТАСС|РИА[^)]*)\)\.?\s*[-–—]{0,2}\s*`,
	`\((Reuters|AP|AFP|ANSA|Adnkronos|AGI|dpa|EFE)\)\s*[-–—]\s*(\p{Lu}[\p{Lu} .,'’-]{1,30}(, \d{1,2} \p{L}{3,9}\.?)?\s*[-–—]\s)?`,
	`\p{Lu}[\p{Lu}\p{L} -]{1,30}, \d{1,2} \p{L}{3,9}\.?( \d{4})?( г\.)?\s*(\([^)]{2,30}\)|[/–—-]\s*(ТАСС|РИА Новости|Интерфакс)\s*/?)?\s*[-–—.]\s*`,
	`[\p{Han}]{0,12}(\d{4}年)?(\d{1,2}月\d{1,2}日)[\p{Han}]{0,10}[电電讯訊](\s*[（(][^）)]{1,40}[）)])?[，,：:]?\s*`,
	`[\p{Han}]{2,10}(网|網|社|报|報|日报|晚报)?(讯|訊)(\s*[（(][^）)]{1,40}[）)])?[：:\s　]+`,
	`日期[:：]\s*(\d{4}年)?\d{1,2}月\d{1,2}日[，,]?\s*`,
	`[（(【\[](本报|本報|本网|新华社|新華社|中新社|记者|記者|중앙|서울|[\p{Han}]{1,6}[=＝])[^）)】\]]{0,40}[）)】\]]\s*`,
	`[（(【\[][^）)】\]]{1,20}[=＝][^）)】\]]{1,20}(기자|記者|통신)[）)】\]]\s*`,
	`【[^】]{1,20}[=＝]?[^】]{0,20}】\s*`,
}, "|") + `)`)

// withoutDateline takes a dateline off a paragraph, unless nothing else is there.
func withoutDateline(s string) string {
	at := datelines.FindStringIndex(s)
	if at == nil || at[1]*2 > len(s) {
		return s
	}
	return strings.TrimSpace(s[at[1]:])
}

// linking are words that tie a sentence to the one before it.
var linking = regexp.MustCompile(`(?i)^(but|however|and|so|thus|therefore|yet|still|moreover|furthermore|meanwhile|also|plus|then|instead|otherwise|thankfully|both of|he|she|they|it|this|that|these|those|such|his|her|their|its|here|there|ma|però|tuttavia|inoltre|quindi|così|infatti|dunque|invece|anche|poi|allora|ecco|eppure|per questo|questo|questa|questi|queste|quello|quella|ciò|egli|essa|lui|lei|loro|qui|но|однако|поэтому|также|кроме|зато|ведь|затем|при этом|тем не менее|к тому же|он|она|они|оно|его|её|ее|их|это|этот|эта|эти|тогда|там|здесь|pero|sin embargo|además|entonces|así|también|eso|por eso|de esta manera|este|esta|estos|estas|ese|esa|su|sus|mais|cependant|donc|ainsi|pourtant|puis|il|elle|ils|elles|ce|cette|ces|cela|aber|doch|jedoch|außerdem|zudem|deshalb|daher|darum|trotzdem|dennoch|allerdings|dabei|damit|dazu|denn|dann|er|sie|es|dies|diese[rsmn]?|hier)($|[^\p{L}])|^(但|但是|然而|不过|不過|因此|所以|于是|於是|而且|可是|却|卻|随后|隨後|之后|之後|接着|接著|为此|為此|对此|對此|此外|另外|同时|同時|与此同时|與此同時|例如|比如|比方|他|她|它|这|這|那|其中|しかし|だが|でも|ところが|つまり|そこで|すると|こうし|そんな|その後|そして|また|そのため|それ|これ|その|この|彼|彼女|一方|ただし|ただ|なお|それでも|さらに|그러나|하지만|그런|이런|이러한|그 |이 |그리고|또한|그래서|따라서|이는|그는|그녀는|다만|반면|이어서|이에|그런데|때문에)|^.{0,12}彼女?[はがのもを]|^.{1,24}[，、](这|這)(句|件|个|個|种|種|项|項|番|家|座|位)`)

func dangles(s string) bool { return linking.MatchString(beginning(s)) }

// beginning is as much of a sentence as tells how it begins; the rest would
// only cost time.
func beginning(s string) string {
	const enough = 100 // bytes
	if len(s) <= enough {
		return s
	}
	end := enough
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// toReader are words of sentences that talk to the reader rather than tell; the
// last of them only begin such sentences.
var (
	toReader       = strings.Split(`you|your|yours|please|dear reader|chissà|cari lettori|immaginate|let's|let’s|вы|вам|вас|ваш|ваши|дорогие читатели|usted|ustedes|vous|votre|ihr|euch`, "|")
	toReaderBefore = strings.Split(`大家好|各位|亲爱的|親愛的|你|您|みなさん|皆さん|あなた|여러분|당신`, "|")
)

func addresses(s string) bool {
	return says(strings.ToLower(s), toReader) || slices.ContainsFunc(toReaderBefore, func(w string) bool { return strings.HasPrefix(s, w) })
}

// says reports whether a text in lower case has any of the words: letters of an
// alphabet must not go on before or after them, wide characters may.
func says(lower string, words []string) bool {
	for _, word := range words {
		first, _ := utf8.DecodeRuneInString(word)
		wide := language.IsHan(first) || language.IsKana(first) || language.IsHangul(first)
		for from := 0; ; {
			i := strings.Index(lower[from:], word)
			if i < 0 {
				break
			}
			from += i
			before, _ := utf8.DecodeLastRuneInString(lower[:from])
			from += len(word)
			after, _ := utf8.DecodeRuneInString(lower[from:])
			if wide || !unicode.IsLetter(before) && !unicode.IsLetter(after) {
				return true
			}
		}
	}
	return false
}

// quotes reports whether a sentence begins with somebody's words, which are hard
// to follow alone.
func quotes(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return strings.ContainsRune(`"“„«「『`, first)
}

// closingOf is the mark that closes the quotation or bracket that a sentence
// begins with.
func closingOf(s string) string {
	for open, closing := range map[string]string{"„": "“", "“": "”", "«": "»", "»": "«", "「": "」", "『": "』", "(": ")", "（": "）", "[": "]", "［": "］"} {
		if strings.HasPrefix(s, open) {
			return closing
		}
	}
	return `"`
}

// balanced reports whether what is opened is closed: a sentence out of the
// middle of a longer quotation reads oddly alone.
func balanced(s string) bool {
	for _, pair := range []string{"«»", "「」", "『』", "（）", "()", "《》"} {
		runes := []rune(pair)
		if strings.Count(s, string(runes[0])) != strings.Count(s, string(runes[1])) {
			return false
		}
	}
	low, left, right := strings.Count(s, "„"), strings.Count(s, "“"), strings.Count(s, "”")
	switch {
	case low > 0: // „German“, „Polish”
		return low == left+right
	case left == 0: // ”Swedish”
		return right%2 == 0 && strings.Count(s, `"`)%2 == 0
	}
	return left == right && strings.Count(s, `"`)%2 == 0
}

// purposes are words by which a text says what it is for; aims are those that
// others use too, to say what somebody wants or shows.
var (
	purposes = strings.Split(`in this paper|in this article|in this study|in this work|in this review|in this report|this paper|this study|this article shows|this article explains|this article describes|this article looks at|this article explores|this article discusses|this article examines|this article presents|the present paper|the present study|our paper|`+
		`questo articolo|questo studio|questo saggio|il presente articolo|il presente studio|il presente lavoro|`+
		`dieser artikel zeigt|in diesem artikel|in diesem beitrag|dieser beitrag|in dieser arbeit|die vorliegende arbeit|diese studie|in dieser studie|`+
		`cet article|cette étude|le présent article|este artículo|este estudio|el presente trabajo|`+
		`этой статье|данной статье|данной работе|настоящей статье|настоящей работе|в статье рас|в работе рас|`+
		`本文|本研究|该文|該文|综述|綜述|本稿|本論文|本記事|`+
		`이 논문|본 논문|본 연구|이 글에서`, "|")
	aims = strings.Split(`we propose|we present|we introduce|we study|we investigate|we examine|we describe|lo studio|l’articolo|l'articolo|предложен|рассмотрен|`+
		`文章|提出|探讨|探討|介绍了|介紹了|旨在|提案|제안`, "|")
)

// purpose is 1 for a sentence that says what the text is for, a part of it for
// one that may.
func purpose(s string) float64 {
	switch lower := strings.ToLower(s); {
	case says(lower, purposes):
		return 1
	case says(lower, aims):
		return 0.4
	}
	return 0
}

// description is the source's own description, cut to whole sentences, when it
// can be used: it must be whole, be about this article, and not be the first
// lines of the body broken off.
func description(lang, title string, body []content.Block, given string, all []*candidate) string {
	given = strings.Join(strings.Fields(given), " ")
	if given == "" || !whole(given) || aside(given) || length(given) < 6 || same(given, title) || brokenOff(lang, body, given) {
		return ""
	}
	if !about(lang, title, given, all) {
		return ""
	}
	given = withoutDateline(given)
	end, used := 0, 0.0
	for i, s := range sentence.Split(lang, given) {
		used += length(given[s.Start:s.End])
		if i == maxSentences || used > maxLength*1.2 && i > 0 || used > maxLength*1.8 {
			break
		}
		end = s.End
	}
	if !balanced(given[:end]) {
		return ""
	}
	return given[:end]
}

// brokenOff: the description is how the body begins, and ends where no sentence
// of the body ends.
func brokenOff(lang string, body []content.Block, given string) bool {
	text := strings.Join(strings.Fields(content.BodyText(body)), " ")
	if !strings.HasPrefix(text, given) || text == given {
		return false
	}
	for _, s := range sentence.Split(lang, text[:min(len(text), len(given)+2000)]) {
		if s.End == len(given) {
			return false
		}
	}
	return true
}

// about: a description that has no word in common with title and text is the
// site's, not the article's.
func about(lang, title, given string, all []*candidate) bool {
	known := terms(lang, title)
	for _, c := range all {
		for term := range terms(lang, c.text) {
			known[term]++
		}
	}
	if len(all) == 0 {
		return true
	}
	own := terms(lang, given)
	return shared(own, known) >= 0.2
}

func same(a, b string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsNumber(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, s)
	}
	return letters(a) == letters(b)
}
