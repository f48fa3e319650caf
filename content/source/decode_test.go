package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/unicode/norm"

	"newsie/content"
	"newsie/content/source"
)

const (
	chinese     = "渡口的船\n\n老人每天清晨把船划到河对岸，接上学的孩子。船钱是一分钱，孩子们常常忘了带，他也从来不要。\n\n后来桥修好了，船还在，孩子们放学以后仍旧绕到渡口来坐一坐。"
	traditional = "渡口的船\n\n老人每天清晨把船划到河對岸，接上學的孩子。船錢是一分錢，孩子們常常忘了帶，他也從來不要。\n\n後來橋修好了，船還在，孩子們放學以後仍舊繞到渡口來坐一坐。"
	japaneseT   = "渡し場の舟\n\n老人は毎朝、川の向こうまで舟を出して、学校へ行く子どもたちを乗せる。渡し賃は一銭だが、子どもはたいてい忘れてくる。\n\n橋ができてからも、舟はまだそこにある。"
	koreanT     = "나루터의 배\n\n노인은 매일 아침 강 건너편까지 배를 저어 학교에 가는 아이들을 태운다. 뱃삯은 한 푼이지만 아이들은 늘 잊어버린다.\n\n다리가 생긴 뒤에도 배는 아직 그 자리에 있다."
	russianT    = "Лодка у переправы\n\nСтарик каждое утро перевозит через реку детей, которые идут в школу. Перевоз стоит копейку, но дети её вечно забывают.\n\nКогда построили мост, лодка осталась на своём месте."
	french      = "Le bac du village\n\nChaque matin, le vieux passeur traverse la rivière pour chercher les élèves. Le trajet coûte un centime, mais les enfants l’oublient toujours.\n\nDepuis qu’on a bâti le pont, la barque est restée là."
	german      = "Die Fähre im Dorf\n\nJeden Morgen rudert der alte Mann über den Fluss und holt die Schüler ab. Die Überfahrt kostet einen Groschen, den die Kinder für gewöhnlich vergessen.\n\nSeit die Brücke fertig ist, liegt das Boot noch immer da."
	italian     = "La barca del guado\n\nOgni mattina il vecchio attraversa il fiume e porta i bambini a scuola. Il passaggio costa un soldo, però nessuno se lo ricorda. È così da sempre.\n\nOra c’è il ponte, ma la barca è ancora lì, e così sarà finché potrà."
	spanish     = "La barca del vado\n\nCada mañana el anciano cruza el río y lleva a los niños a la escuela. El viaje cuesta un céntimo, que los niños olvidan siempre. ¿Quién lo paga? ¡Nadie!\n\nDespués construyeron el puente."
	polish      = "Łódź przy brodzie\n\nCo rano staruszek przepływa rzekę i wozi dzieci do szkoły. Przewóz kosztuje grosz, którego dzieci zwykle zapominają.\n\nOdkąd stoi most, łódź wciąż czeka, aż ktoś ją znów spuści na wodę."
	czech       = "Loďka u brodu\n\nKaždé ráno převáží stařec přes řeku děti do školy. Jízda stojí haléř, ale děti ho většinou zapomenou.\n\nOd té doby, co stojí most, loďka pořád ještě čeká u břehu."
	hungarian   = "A révész csónakja\n\nAz öreg minden reggel átevez a folyón, és iskolába viszi a gyerekeket. Az út egy fillérbe kerül, de ők rendszerint elfelejtik.\n\nAmióta megépült a híd, a csónak üresen áll, és senki sem nyúl hozzá többé. Őszre eltűnik."
	turkish     = "Geçitteki kayık\n\nYaşlı adam her sabah ırmağı geçip çocukları okula götürür. Yolculuk bir kuruştur, ama çocuklar çoğu kez unutur.\n\nKöprü yapıldıktan sonra da kayık olduğu yerde kaldı."
	greekT      = "Η βάρκα στο πέρασμα\n\nΚάθε πρωί ο γέρος περνά το ποτάμι και πηγαίνει τα παιδιά στο σχολείο. Το πέρασμα κοστίζει μια δεκάρα, μα τα παιδιά πάντα την ξεχνούν.\n\nΤώρα υπάρχει γέφυρα, αλλά η βάρκα είναι ακόμη εκεί."
	hebrewT     = "הסירה במעבר\n\nבכל בוקר חוצה הזקן את הנהר ולוקח את הילדים לבית הספר. ההפלגה עולה פרוטה, אבל הילדים תמיד שוכחים אותה.\n\nמאז שנבנה הגשר הסירה עדיין שם."
	arabicT     = "القارب عند المعبر\n\nكل صباح يعبر الشيخ النهر ويأخذ الأطفال إلى المدرسة. ثمن الرحلة قرش واحد، لكن الأطفال ينسونه دائما.\n\nومنذ أن بني الجسر ما زال القارب هناك."
	lithuanian  = "Valtis prie brastos\n\nKiekvieną rytą senukas perplaukia upę ir veža vaikus į mokyklą. Kelionė kainuoja skatiką, bet vaikai jį dažniausiai pamiršta.\n\nNuo tada, kai pastatė tiltą, valtis vis dar čia, ant kranto, ir niekas jos nebeima."
	vietnamese  = "Con đò bên bến\n\nMỗi sáng ông lão chèo đò qua sông đưa lũ trẻ đến trường. Tiền đò chỉ một xu, nhưng bọn trẻ luôn quên mang theo.\n\nTừ khi có cầu, con đò vẫn nằm ở đó."
	ukrainianT  = "Човен біля переправи\n\nСтарий щоранку перевозить через річку дітей, які йдуть до школи. Дорога коштує копійку, але діти її завжди забувають.\n\nВідколи збудували міст, човен і досі стоїть на своєму місці, їм уже ніхто не їздить."
	english     = "The ferry\n\nEvery morning the old man rows the children to school. “It’s a penny,” he says – and doesn’t take it. They’ve never paid.\n\nNow there’s a bridge, and the boat’s still there."
)

func TestEncodings(t *testing.T) {
	for _, c := range []struct {
		name string
		enc  encoding.Encoding
		text string
	}{
		{"UTF-8", unicode.UTF8, chinese},
		{"UTF-8 with a mark", unicode.UTF8BOM, italian},
		{"UTF-16LE with a mark", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), chinese},
		{"UTF-16BE with a mark", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), russianT},
		{"UTF-32 with a mark", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), japaneseT},
		{"GB18030", simplifiedchinese.GB18030, chinese},
		{"GBK", simplifiedchinese.GBK, chinese},
		{"Big5", traditionalchinese.Big5, traditional},
		{"Shift-JIS", japanese.ShiftJIS, japaneseT},
		{"EUC-JP", japanese.EUCJP, japaneseT},
		{"ISO-2022-JP", japanese.ISO2022JP, japaneseT},
		{"EUC-KR", korean.EUCKR, koreanT},
		{"Windows-1251", charmap.Windows1251, russianT},
		{"Windows-1251 Ukrainian", charmap.Windows1251, ukrainianT},
		{"KOI8-R", charmap.KOI8R, russianT},
		{"KOI8-U", charmap.KOI8U, ukrainianT},
		{"CP866", charmap.CodePage866, russianT},
		{"ISO-8859-5", charmap.ISO8859_5, russianT},
		{"Windows-1252 French", charmap.Windows1252, french},
		{"Windows-1252 German", charmap.Windows1252, german},
		{"Windows-1252 Italian", charmap.Windows1252, italian},
		{"Windows-1252 Spanish", charmap.Windows1252, spanish},
		{"Windows-1252 English quotes", charmap.Windows1252, english},
		{"Windows-1250 Polish", charmap.Windows1250, polish},
		{"Windows-1250 Czech", charmap.Windows1250, czech},
		{"Windows-1250 Hungarian", charmap.Windows1250, hungarian},
		{"ISO-8859-2 Polish", charmap.ISO8859_2, polish},
		{"Windows-1253", charmap.Windows1253, greekT},
		{"Windows-1254", charmap.Windows1254, turkish},
		{"Windows-1255", charmap.Windows1255, hebrewT},
		{"Windows-1256", charmap.Windows1256, arabicT},
		{"Windows-1257", charmap.Windows1257, lithuanian},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := c.enc.NewEncoder().Bytes([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := reading(t, data, ""); got != c.text {
				t.Errorf("got  %s\nwant %s", got, c.text)
			}
			// One paragraph is enough to go by.
			paragraph := strings.Split(c.text, "\n\n")[1]
			if data, err = c.enc.NewEncoder().Bytes([]byte(paragraph)); err != nil {
				t.Fatal(err)
			}
			if got := reading(t, data, ""); !strings.Contains(got, paragraph) {
				t.Errorf("one paragraph: got %s\nwant %s", got, paragraph)
			}
		})
	}
}

// Windows-1258 writes the tones of Vietnamese after the letters.
func TestVietnamese(t *testing.T) {
	var apart []rune
	for _, r := range vietnamese {
		marks := []rune(norm.NFD.String(string(r)))
		letter := marks[:1]
		var tone []rune
		for _, m := range marks[1:] {
			if strings.ContainsRune("\u0302\u0306\u031b", m) {
				letter = []rune(norm.NFC.String(string(letter) + string(m)))
			} else {
				tone = append(tone, m)
			}
		}
		apart = append(append(apart, letter...), tone...)
	}
	data, err := charmap.Windows1258.NewEncoder().Bytes([]byte(string(apart)))
	if err != nil {
		t.Fatal(err)
	}
	if got := reading(t, data, ""); got != vietnamese {
		t.Errorf("got  %s\nwant %s", got, vietnamese)
	}
}

// reading is what a text of title and paragraphs comes out as.
func reading(t *testing.T, data []byte, charset string) string {
	t.Helper()
	p, err := source.Parse(source.Text{Name: "a.txt", Data: data, Charset: charset})
	if err != nil {
		t.Fatal(err)
	}
	return p.Drafts[0].Title + "\n\n" + strings.ReplaceAll(content.BodyText(p.Drafts[0].Body), "\n", "\n\n")
}

func TestDeclaredEncodingIsUsed(t *testing.T) {
	page := `<html><head><meta charset="windows-1252"><title>Caf` + "\xe9" + `</title></head><body><p>Un caf` + "\xe9" + `.</p></body></html>`
	if got, want := reading(t, []byte(page), ""), "Café\n\nUn café."; got != want {
		t.Errorf("meta: got %q, want %q", got, want)
	}
	if got, want := reading(t, []byte("Na\xefve\n\nUn caf\xe9."), "iso-8859-1"), "Naïve\n\nUn café."; got != want {
		t.Errorf("header: got %q, want %q", got, want)
	}
	feed, err := simplifiedchinese.GBK.NewEncoder().String(`<?xml version="1.0" encoding="GB2312"?><rss version="2.0"><channel><title>报</title><item><title>渡口的船</title><description>桥修好了。</description></item></channel></rss>`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reading(t, []byte(feed), ""), "渡口的船\n\n桥修好了。"; got != want {
		t.Errorf("XML: got %q, want %q", got, want)
	}
	// A declaration that is wrong does not win over text that is plainly UTF-8.
	if got, want := reading(t, []byte("Naïve\n\nUn café."), "gbk"), "Naïve\n\nUn café."; got != want {
		t.Errorf("wrong: got %q, want %q", got, want)
	}
}

func TestLineEndsAndComposition(t *testing.T) {
	got := reading(t, []byte("Il caffe\u0300\r\n\r\nE\u0300 buono.\r\rDavvero.\x01"), "")
	if want := "Il caffè\n\nÈ buono.\n\nDavvero."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDamagedUTF8IsStillUTF8(t *testing.T) {
	data := []byte(chinese)
	got := reading(t, data[:len(data)-2], "") // cut in mid-character
	if want := strings.TrimSuffix(chinese, "。"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRefusals(t *testing.T) {
	noise := make([]byte, 4000)
	state := uint32(7)
	for i := range noise {
		state = state*1664525 + 1013904223
		noise[i] = byte(state>>24) | 1
		if noise[i] < 32 {
			noise[i] += 0x80
		}
	}
	for _, c := range []struct {
		name string
		data string
		want error
	}{
		{"no-encoding.txt", string(noise), source.ErrEncoding},
		{"broken-utf16.txt", "\xff\xfea\x00\x00\xd8\x00\xd8\x00\xd8\x00\xd8\x00\xd8b", source.ErrEncoding},
		{"zeros.txt", "text\x00with\x00zeros", source.ErrBinary},
		{"picture.txt", "\x89PNG\r\n\x1a\n0000000000", source.ErrBinary},
		{"document.txt", "%PDF-1.7\n1 0 obj", source.ErrBinary},
		{"archive.txt", "PK\x03\x04aaaaaaaaaaaaaaa", source.ErrBinary},
		{"controls.txt", strings.Repeat("\x01\x02ab", 50), source.ErrBinary},
		{"empty.txt", "", source.ErrEmpty},
		{"blank.md", " \n\t\n\u3000\ufeff", source.ErrEmpty},
		{"large.txt", strings.Repeat("word ", source.MaxSize/5+1), source.ErrTooLarge},
		{"hollow.html", "<html><head></head><body><script>x()</script></body></html>", source.ErrNoArticle},
		{"hollow.md", "---\nlang: en\n---\n\n", source.ErrNoArticle},
		{"rule.txt", "<<:  \n\n>>:  ", source.ErrNoArticle},
		{"bad.md", "---\ntitle: [unclosed\nlang: {\n---\n\nText.", source.ErrMalformed},
		{"bad.rss", `<rss version="2.0"><channel><item><title>x</channel>`, source.ErrMalformed},
		{"data.json", `{"name": "not an article"}`, source.ErrNoArticle},
		{"map.xml", `<?xml version="1.0"?><urlset><url/></urlset>`, source.ErrNoArticle},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
				t.Fatal(err)
			}
			files, refused, err := source.Walk(t.Context(), []string{path})
			if err != nil || len(files) != 1 || len(refused) != 0 {
				t.Fatalf("walk: %d files, %v, %v", len(files), refused, err)
			}
			p, err := source.ReadFile(files[0], "", "")
			if !errors.Is(err, c.want) {
				t.Fatalf("got %d drafts and error %v, want %v", len(p.Drafts), err, c.want)
			}
			var refusal *source.RefusedError
			if !errors.As(err, &refusal) || refusal.Path != path {
				t.Errorf("the error does not name the file: %v", err)
			}
		})
	}
}
