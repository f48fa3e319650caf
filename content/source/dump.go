package source

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/content"
	"newsie/content/extract"
)

// parseDump reads a text as scraped article sites leave it. The title may stand
// twice; short lines without a full stop are headings; the author's biography
// may close the text; "<<:" and ">>:" name the neighbours; and a heading such
// as "Recommended articles" begins teasers, each a title and an excerpt that
// ends in an ellipsis. Every part but some text may be missing.
func parseDump(text string, t Text) ([]content.Draft, []string, error) {
	d := content.Draft{Source: t.Source, Key: t.Key}
	text, warnings := takeHeader(&d, text, t)
	lines := paragraphs(text)
	lines, tailed := takeTail(&d, lines)
	if d.Title == "" {
		lines = takeTitle(&d, lines)
	} else if len(lines) > 0 && sameTitle(lines[0], d.Title) {
		lines = lines[1:]
	}
	lines = takeByline(&d, lines)
	if tailed {
		lines = takeBiography(&d, lines)
	}
	d.Body = shape(lines)
	drafts, err := oneDraft(d, t)
	return drafts, warnings, err
}

var header = regexp.MustCompile(`(?i)^\s*(title|titolo|标题|標題|date|data|日期|author|autore|作者|tags?|keywords|标签|標籤)[ \t]*[:：][ \t]*(\S.*)$`)

// takeHeader takes lines such as "Title: …" and "Date: …" off the beginning of
// a text, when a title is among them.
func takeHeader(d *content.Draft, text string, t Text) (rest string, warnings []string) {
	found := *d
	rest = strings.TrimLeft(text, "\ufeff \t\r\n")
	for {
		line, after, _ := strings.Cut(rest, "\n")
		m := header.FindStringSubmatch(strings.TrimRight(line, "\r \t"))
		if m == nil {
			break
		}
		switch value := strings.TrimSpace(m[2]); strings.ToLower(m[1]) {
		case "title", "titolo", "标题", "標題":
			found.Title = value
		case "author", "autore", "作者":
			found.Author = value
		case "date", "data", "日期":
			if found.Published = extract.Date(value); found.Published.IsZero() {
				warnings = append(warnings, unreadDate(t, value))
			}
		default:
			found.Tags = extract.SplitTags(value)
		}
		rest = after
	}
	if found.Title == "" {
		return text, nil
	}
	*d = found
	return rest, warnings
}

// paragraphs splits a text at its blank lines, or, where lines are paragraphs
// of their own, at every line. Lines that were wrapped at a width are joined.
func paragraphs(text string) []string {
	var all []string
	for _, chunk := range strings.Split(blankLines.ReplaceAllString(text, "\n\n"), "\n\n") {
		var lines []string
		for line := range strings.SplitSeq(chunk, "\n") {
			if line = strings.Join(strings.Fields(line), " "); line != "" {
				lines = append(lines, line)
			}
		}
		if wrapped(lines) {
			all = append(all, unwrap(lines))
		} else {
			all = append(all, lines...)
		}
	}
	return all
}

var blankLines = regexp.MustCompile(`\n([^\S\n]*\n)+`)

// wrapped reports whether lines are one paragraph wrapped at a width: all but
// the last about equally long, and none but the last ending like a paragraph
// much more often than by chance.
func wrapped(lines []string) bool {
	if len(lines) < 2 {
		return false
	}
	longest, ends := 0, 0
	for _, line := range lines {
		longest = max(longest, weight(line))
	}
	if longest < 40 || longest > 120 {
		return false
	}
	for i, line := range lines {
		if marker.MatchString(line) || bullet.MatchString(line) {
			return false
		}
		if i == len(lines)-1 {
			break
		}
		if weight(line)*10 < longest*7 {
			return false
		}
		if endsSentence(line) {
			ends++
		}
	}
	return ends*2 < len(lines)-1 || ends == 0
}

func unwrap(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			last, _ := utf8.DecodeLastRuneInString(lines[i-1])
			next, _ := utf8.DecodeRuneInString(line)
			if !wide(last) || !wide(next) || unicode.Is(unicode.Hangul, last) {
				b.WriteByte(' ')
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

var (
	marker = regexp.MustCompile(`^(<<|>>|＜＜|＞＞|«|»)\s*[:：]\s*(.*)$`)
	bullet = regexp.MustCompile(`^([-*•·●○▪■◆‣]|[–—] )\s*\S`)
	number = regexp.MustCompile(`^[(（]?\d{1,2}([.)、．]|）)\s*\S`)
)

// takeTail takes the neighbours and recommendations off the end and reports
// whether there were any.
func takeTail(d *content.Draft, lines []string) (body []string, found bool) {
	begin := len(lines)
	for i := range lines {
		if marker.MatchString(lines[i]) {
			begin = i
			break
		}
	}
	if begin == len(lines) {
		heading := recommendedAt(lines)
		if heading < 0 {
			return lines, false
		}
		d.Recommended = teasers(lines[heading+1:])
		return lines[:heading], true
	}
	rest := begin
	for i := begin; i < len(lines); i++ {
		m := marker.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		rest = i + 1
		name := m[2]
		if name == "" && nameBelow(lines, i+1) {
			name, rest = lines[i+1], i+2
		}
		if none.MatchString(name) {
			name = ""
		}
		if strings.HasPrefix(m[1], "<") || m[1] == "＜＜" || m[1] == "«" {
			d.Previous = name
		} else {
			d.Next = name
		}
	}
	tail := lines[rest:]
	// Whatever language it is in, the first line after the neighbours is the
	// heading of the teasers, unless it is a teaser itself.
	if len(tail) > 0 && (recommendedWords.MatchString(tail[0]) || len(tail) > 1 && !isEllipsis(tail[1])) {
		tail = tail[1:]
	}
	d.Recommended = teasers(tail)
	return lines[:begin], true
}

// nameBelow reports whether line i, which follows a sign without a name, is the
// name: one line before the next part.
func nameBelow(lines []string, i int) bool {
	ends := func(j int) bool {
		return j == len(lines) || marker.MatchString(lines[j]) || recommendedWords.MatchString(lines[j])
	}
	return !ends(i) && ends(i+1)
}

// none is what some sites write where there is no neighbour.
var none = regexp.MustCompile(`(?i)^(没有了|沒有了|无|無|none|nessuno|nessuna|なし|ありません|없음|нет|[-–—]+)$`)

// recommendedWords are headings of teasers in the languages we know.
var recommendedWords = regexp.MustCompile(`(?i)^[\s【\[「]*(` + strings.Join([]string{
	`推荐(文章|阅读|内容|资讯)?`, `(文章|精彩|热门|编辑|为您|为你)推荐`, `(相关|热门)(推荐|文章|阅读|资讯)`, `猜你喜欢`, `延伸阅读`, `更多(文章|推荐)`,
	`推薦(文章|閱讀|內容)?`, `(文章|精彩|熱門|編輯|為您|為你)推薦`, `(相關|熱門)(推薦|文章|閱讀)`, `猜你喜歡`, `延伸閱讀`,
	`(おすすめ|オススメ|お薦め)(の)?(記事|コンテンツ)?`, `(関連|推奨)(する)?記事`, `あわせて読みたい`,
	`추천\s*(기사|글|문서|게시물|콘텐츠)?`, `관련\s*(기사|글)`, `함께 (읽으면|보면) 좋은 (글|기사)`,
	`(recommend(ed)?|related|suggested|similar|popular|more) (articles?|reading|stories|posts?|content)`, `recommend(ed|ations)?( for you)?`, `you may also like`, `read (next|more)`,
	`consiglia articoli`, `articoli (consigliati|correlati|raccomandati|suggeriti)`, `(ti )?consigliamo`, `(leggi|da leggere) anche`, `potrebbe(ro)? interessarti( anche)?`, `consigliati`,
	`(рекомендуемые|похожие|рекомендованные|связанные) (статьи|материалы)`, `рекоменду(ем|емое)( статьи| почитать)?`, `читайте также`, `рекомендации`, `рекомендовать статьи`,
	`art[ií]culos (recomendados|relacionados)`, `recomendar art[ií]culos`, `te puede interesar`, `lee tambi[eé]n`,
	`articles (recommandés|similaires|connexes|liés)`, `recommander des articles`, `(à )?lire aussi`,
	`empfohlene (artikel|beiträge)`, `(ähnliche|verwandte) artikel`, `artikel empfehlen`, `das könnte (dich|sie) (auch )?interessieren`,
	`artigos (recomendados|relacionados)`, `recomendar artigos`, `leia (também|mais)`,
	`bài viết (được )?(đề xuất|liên quan)`, `artikel (yang )?(disarankan|terkait|rekomendasi)`, `önerilen (makaleler|yazılar)`, `polecane artykuły`, `مقالات (موصى بها|ذات صلة)`, `แนะนำบทความ|บทความแนะนำ`,
}, "|") + `)[\s】\]」]*[:：]?\s*$`)

// recommendedAt finds the heading of teasers in a text without neighbours: a
// line that says so and that nothing but teasers follows, or, in a language we
// do not know, a short line before at least two pairs of title and excerpt.
func recommendedAt(lines []string) int {
	for i := len(lines) - 1; i > 0; i-- {
		if recommendedWords.MatchString(lines[i]) && onlyTeasers(lines[i+1:]) {
			return i
		}
	}
	first := len(lines)
	for first-2 > 0 && isEllipsis(lines[first-1]) && isTeaserTitle(lines[first-2]) {
		first -= 2
	}
	if len(lines)-first >= 4 && first > 1 && isHeadingLine(lines[first-1]) {
		return first - 1
	}
	return -1
}

func onlyTeasers(lines []string) bool {
	long := 0
	for _, line := range lines {
		if !isEllipsis(line) && !isTeaserTitle(line) {
			long++
		}
	}
	return long == 0
}

func isTeaserTitle(line string) bool { return weight(line) <= 200 && !endsWithStop(line) }

func isEllipsis(line string) bool {
	return strings.HasSuffix(line, "...") || strings.HasSuffix(line, "…") || strings.HasSuffix(line, "[…]") || strings.HasSuffix(line, "[...]") || strings.HasSuffix(line, "。。。")
}

// teasers pairs each title with the excerpt that may follow it.
func teasers(lines []string) []content.Teaser {
	var all []content.Teaser
	for i := 0; i < len(lines); i++ {
		teaser := content.Teaser{Title: lines[i]}
		if i+1 < len(lines) && isEllipsis(lines[i+1]) {
			i++
			teaser.Excerpt = lines[i]
		} else if weight(teaser.Title) > 300 || isEllipsis(teaser.Title) && len(all) > 0 {
			continue // an excerpt that lost its title
		}
		if len(all) < 30 {
			all = append(all, teaser)
		}
	}
	return all
}

// takeTitle takes the title, and its repetition, off the beginning.
func takeTitle(d *content.Draft, lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	title := lines[0]
	repeated := len(lines) > 1 && sameTitle(lines[0], lines[1])
	switch {
	case repeated:
		lines = lines[1:]
	case weight(title) > 200, weight(title) > 120 && endsWithStop(title):
		return lines // the text begins at once
	case len(lines) == 1 && endsWithStop(title):
		return lines
	}
	d.Title = strings.TrimSuffix(strings.TrimPrefix(title, "# "), "。")
	rest := lines[1:]
	for len(rest) > 0 && sameTitle(rest[0], d.Title) {
		rest = rest[1:]
	}
	return rest
}

var byline = regexp.MustCompile(`(?i)^(作者|文|撰文|记者|記者|著者|筆者|author|by|written by|autore|di|autor|par|von|автор|글|기자)\s*[:：/|｜]\s*(.{2,60})$|^(by|written by)\s+(\p{Lu}[^.]{2,50})$`)

var dateline = regexp.MustCompile(`(?i)^((发布|發佈|發布|更新)?(时间|時間|日期)|date|published|posted|data|pubblicato|公開日|投稿日|дата|опубликовано|게시일|작성일)\s*[:：]\s*(.+)$`)

// takeByline takes lines that only name the author or the date off the
// beginning of the text.
func takeByline(d *content.Draft, lines []string) []string {
	for range 4 {
		if len(lines) < 2 {
			break
		}
		if m := byline.FindStringSubmatch(lines[0]); m != nil && d.Author == "" {
			d.Author = strings.TrimSpace(m[2] + m[4])
		} else if m := dateline.FindStringSubmatch(lines[0]); m != nil && d.Published.IsZero() && !extract.Date(m[4]).IsZero() {
			d.Published = extract.Date(m[4])
		} else if when := extract.Date(lines[0]); d.Published.IsZero() && !when.IsZero() {
			d.Published = when
		} else {
			break
		}
		lines = lines[1:]
	}
	return lines
}

// shape turns lines into headings, items of lists and paragraphs.
func shape(lines []string) []content.Block {
	var body []content.Block
	for i, line := range lines {
		switch {
		case bullet.MatchString(line) && (near(lines, i, bullet) || !strings.HasPrefix(line, "—")):
			text := strings.TrimLeft(line, "-*•·●○▪■◆‣–— ")
			if text == "" {
				continue
			}
			body = append(body, content.Block{Kind: content.Item, Level: 1, Text: text})
		case number.MatchString(line) && near(lines, i, number):
			text := strings.TrimSpace(numberOnly.ReplaceAllString(line, ""))
			body = append(body, content.Block{Kind: content.Item, Level: 2, Text: text})
		case isHeading(lines, i):
			body = append(body, content.Block{Kind: content.Heading, Level: 2, Text: line})
		default:
			body = append(body, content.Block{Kind: content.Paragraph, Text: line})
		}
	}
	return body
}

var numberOnly = regexp.MustCompile(`^[(（]?\d{1,2}([.)、．]|）)\s*`)

// near reports whether a line beside line i is of the same shape.
func near(lines []string, i int, shape *regexp.Regexp) bool {
	return i > 0 && shape.MatchString(lines[i-1]) || i+1 < len(lines) && shape.MatchString(lines[i+1])
}

// isHeading reports whether line i is a section's heading: short, without a
// full stop, and followed by the text it heads. Of several short lines in a
// row, as in verse, only the last or last two can be.
func isHeading(lines []string, i int) bool {
	if !isHeadingLine(lines[i]) || i+1 == len(lines) {
		return false
	}
	next := lines[i+1]
	if isHeadingLine(next) { // a heading and its first subheading
		return i+2 < len(lines) && !isHeadingLine(lines[i+2]) && heads(next, lines[i+2]) && (i == 0 || !isHeadingLine(lines[i-1]))
	}
	if !heads(lines[i], next) {
		return false
	}
	return i < 2 || !isHeadingLine(lines[i-1]) || !isHeadingLine(lines[i-2])
}

// heads reports whether text can be what a heading heads.
func heads(heading, text string) bool {
	return weight(text) > weight(heading) || endsSentence(text) || bullet.MatchString(text) || number.MatchString(text)
}

// isHeadingLine reports whether a line looks like a heading by itself.
func isHeadingLine(line string) bool {
	if weight(line) > 100 || endsWithStop(line) || letters(line) == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(line)
	last, _ := utf8.DecodeLastRuneInString(line)
	switch {
	case strings.ContainsRune("-•·—–*(（[［…", first) && !strings.HasSuffix(line, "】"):
		return false
	case strings.ContainsRune(`"”»」』`, last) && strings.ContainsRune(`"“«「『„`, first):
		return false // a quotation on its own
	case unicode.IsLower(first):
		// "iPhone" begins a heading, a small letter alone does not
		second := []rune(line)[min(1, utf8.RuneCountInString(line)-1)]
		return unicode.IsUpper(second)
	}
	return !slices.ContainsFunc([]string{"://", "www."}, func(s string) bool { return strings.Contains(line, s) })
}

// endsWithStop reports whether a line ends the way headings do not. Headings
// may ask or exclaim.
func endsWithStop(line string) bool {
	line = strings.TrimRight(line, `"”’'»」』)）】 `)
	last, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune(".。．,，、;；:：…~", last)
}

func endsSentence(line string) bool {
	line = strings.TrimRight(line, `"”’'»」』)） `)
	last, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune(".。．!！?？…؟।", last)
}
