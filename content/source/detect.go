package source

import (
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// A guess is an encoding together with what its text looks like when the guess
// is right: one language of the encoding. Decoding Czech as Western European
// gives letters too, but not the letters of any one language.
type guess struct {
	enc    encoding.Encoding
	common string // frequent characters: each speaks for the guess
	rest   string // letters that may occur: each speaks for it a little
	wide   func(r rune) bool
}

// The frequent characters of each language; only those that take more than
// ASCII. For scripts of their own they are what tells languages apart.
const (
	hans     = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运"
	hant     = "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼書非則聽白卻界達光放強即像難且權思王象完設式色路記南品住告類求據程北邊死張該交規萬取拉格望覺術領共確傳師觀清今切院讓識候帶導爭運"
	kana     = "のはをがにとでもたてしるなられかりいうあこそさよまおきくけせつやわえみめねだじどばんっゃゅょアイウエオカキクケコサシスセソタチツテトナニネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダデドバビブベボパピプペポッャュョー"
	kanji    = "日一国人年大本中出時行十上後見月分生事者会的自者社同高長間部学地業場新東対方法体明物名用前力三今内動定現何発手金目家入代問小電話作当主立平数来度市化山通"
	hangul   = "이다는의에을가고하은로한를지도기사나리인해자시있정그어들서라대만부일게전수보제아과으원안할니면없등것년주여구스장성국조상동경무거우선비중때연용관되계유개공말세요마와여치모진문방회위신학분오소발물생명운야했습내각현재간음료최트출름던적건강술민심"
	cjkSigns = "，。、；：？！「」『』《》〈〉（）【】“”‘’…—·　～％０１２３４５６７８９"

	russian   = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
	greek     = "αοιετσνηυρπκμλςδγχθφβξζψάέήίόύώϊϋΐΰ"
	hebrew    = "יוהלאתברמנשעדקחםפגטכזסןךצץף"
	arabic    = "اليمونترعدبهسفقةحكجشصطخذضزىأإآؤئثغظءًٌٍَُِّپچگکی"
	quotes    = "’‘“”…–—«»„‚°€£§©®·•¿¡´ª"
	ukrainian = "оаинівтерслкмдупязьбгйчхжїцшюєщґ’"
	bulgarian = "аоиетнрсвлдкмпзяъбугчщжцйхшюьф"
)

// western are the alphabets of Windows-1252, one language a line.
var western = []string{
	"éèàêçùîôûâëïüœæ", "äöüßé", "áéíóúñü¿¡ª", "èàìòùéî", "ãõçáéêóíâúôàü", "åäöé", "æøåé", "þðáéíóúýöæ", "éëïöüèê", "àèéíïòóúüç·",
}

func guesses() []guess {
	all := []guess{
		{simplifiedchinese.GB18030, hans, cjkSigns, unicodeHan},
		{traditionalchinese.Big5, hant, cjkSigns, unicodeHan},
		{japanese.ShiftJIS, kana + kanji, cjkSigns, unicodeHan},
		{japanese.EUCJP, kana + kanji, cjkSigns, unicodeHan},
		{korean.EUCKR, hangul, cjkSigns, unicodeHangul},
	}
	add := func(enc encoding.Encoding, common, rest string) {
		all = append(all, guess{enc, common + strings.ToUpper(common), quotes + rest, nil})
	}
	for _, letters := range western {
		add(charmap.Windows1252, letters, "")
	}
	for _, letters := range []string{"ąćęłńóśźż", "ěščřžýáíéůúťďňó", "áéíóöőúüű", "ăâîșțşţ", "čšžćđ", "áäčďéíĺľňóôŕšťúýž"} {
		add(charmap.Windows1250, letters, "")
	}
	add(charmap.Windows1254, "ğışçöüİâ", "")
	for _, letters := range []string{"āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž"} {
		add(charmap.Windows1257, letters, "")
	}
	add(charmap.Windows1258, "ăâđêôơư\u0300\u0301\u0303\u0309\u0323áàéèêíóúùý", "")
	for _, enc := range []encoding.Encoding{charmap.Windows1251, charmap.KOI8R, charmap.KOI8U, charmap.CodePage866, charmap.ISO8859_5} {
		add(enc, russian[:22], russian[22:])
	}
	for _, enc := range []encoding.Encoding{charmap.Windows1251, charmap.KOI8U} {
		add(enc, ukrainian[:28], ukrainian[28:])
	}
	add(charmap.Windows1251, bulgarian[:24], bulgarian[24:])
	add(charmap.Windows1253, greek[:24], greek[24:])
	add(charmap.Windows1255, hebrew[:24], hebrew[24:])
	add(charmap.Windows1256, arabic[:24], arabic[24:])
	add(charmap.ISO8859_2, "ąćęłńóśźż", "")
	add(charmap.ISO8859_2, "ěščřžýáíéůúťďňó", "")
	return all
}

func unicodeHan(r rune) bool    { return unicode.Is(unicode.Han, r) }
func unicodeHangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

// detect tells the encoding of text that is not UTF-8 and declares nothing, or
// nil: every guess decodes a sample, and the one whose text looks most like its
// language wins.
func detect(data []byte) encoding.Encoding {
	sample := sampleOf(data)
	var best encoding.Encoding
	bestScore := 0.3 // below this it is noise
	for _, g := range guesses() {
		text, err := g.enc.NewDecoder().Bytes(sample)
		if err != nil {
			continue
		}
		if score := g.score(string(text)); score > bestScore {
			best, bestScore = g.enc, score
		}
	}
	return best
}

// sampleOf takes the lines that are not plain ASCII, up to 8 KB of them.
func sampleOf(data []byte) []byte {
	var sample []byte
	for line := range strings.Lines(string(data)) {
		if strings.IndexFunc(line, func(r rune) bool { return r >= 0x80 }) >= 0 {
			sample = append(sample, line...)
		}
		if len(sample) > 8<<10 {
			break
		}
	}
	return sample[:min(len(sample), 8<<10)]
}

// score is the mean over the characters beyond ASCII of how much each speaks
// for the guess: 1 for a frequent one, less than 0 for one out of place.
func (g guess) score(text string) float64 {
	sum, n := 0.0, 0
	runes := []rune(text)
	for i, r := range runes {
		if r < 0x80 {
			continue
		}
		n++
		switch {
		case r == unicode.ReplacementChar:
			if i+1 < len(runes) { // the sample may end in mid-character
				sum -= 5
			}
		case strings.ContainsRune(g.common, r):
			sum += g.inPlace(runes, i)
		case strings.ContainsRune(g.rest, r):
			sum += 0.5
		case g.wide != nil && g.wide(r) && frequent(r):
			sum += 0.3
		case g.wide == nil && unicode.IsLetter(r):
			sum -= 0.2
		default:
			sum -= 1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// frequent leaves out the rare halves of the wide scripts, where wrong guesses
// land.
func frequent(r rune) bool { return r >= 0x4e00 && r <= 0x9fa5 || r >= 0xac00 && r <= 0xd7a3 }

// inPlace is 1 for a letter where it can stand; a capital after a small letter,
// or a lone wide character between Latin letters, comes from a wrong guess.
func (g guess) inPlace(runes []rune, i int) float64 {
	r := runes[i]
	if i > 0 && unicode.IsUpper(r) && unicode.IsLower(runes[i-1]) {
		return -1
	}
	if g.wide != nil && i > 0 && i+1 < len(runes) && isASCIILetter(runes[i-1]) && isASCIILetter(runes[i+1]) {
		return -1
	}
	return 1
}

func isASCIILetter(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }
