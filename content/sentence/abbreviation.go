package sentence

import "strings"

// abbreviations are words whose full stop does not end a sentence, by language;
// "" is for every language and for texts of which none is known. A word of one
// language is an abbreviation in another ("me", "on", "no", "cap"), so only the
// text's own count. Words that often do end one (etc, Inc, ecc) are left out;
// the annex then decides by the case of the next letter.
var abbreviations = byLanguage(map[string]string{
	"":   `mr mrs ms dr prof st vs cf ph e.g i.e al messrs gen col capt lt sgt gov sen`,
	"en": `rev hon sr jr rep pres approx dept`,
	"it": `sig sigg sig.ra sig.na dott dott.ssa prof.ssa ing avv arch rag geom on egr gent spett s.e mons p.es d.c`,
	"de": `hr fr frl dipl z.b d.h u.a o.ä bzw evtl ggf inkl exkl str geb gest vgl sog bspw u.s.w i.d.r med phil jur rer nat habil h.c`,
	"fr": `m mm mme mmes mlle mlles me mgr p.ex c.-à-d env av bd`,
	"es": `sr sra srta dra ud uds ee av avda p.ej ej aprox`,
	"pt": `sr sra dra exmo exma av`,
	"nl": `dhr mevr drs bijv o.a m.b.t d.w.z`,
	"ru": `д-р проф акад доц гр г-н г-жа им ул пр пл т.е т.к т.н напр см ср и.о ред изд обл р-н пос м-р`,
	"uk": `д-р проф акад доц гр ім вул пл т.зв напр див обл р-н`,
	"pl": `np tzn tzw ul prof inż mgr hab`,
	"cs": `tj např tzv`,
	"sk": `tj napr tzv`,
	"sv": `bl.a t.ex d.v.s`,
	"da": `bl.a f.eks`,
	"nb": `bl.a f.eks`,
	"no": `bl.a f.eks`,
})

// numbered are abbreviations only before a number: “No. 5”, but “She said no.”
var numbered = set(`
	no nos p pp fig figs vol voll est ch sec jan feb mar apr jun jul aug sep sept oct nov dec
	art artt cap capp pag pagg figg tel cfr n nn ca nr núm pág kap bd s bl abs aufl
	ст стр рис табл гл кв д стр п пп разд
`)

// units may end a sentence and may stand within one: “in 1990 г. Москва grew”.
// They end it before a word that begins sentences.
var units = byLanguage(map[string]string{
	"":   ``,
	"en": `calif fla ariz conn mich minn mont neb nev okla tenn tex wis wyo colo`,
	"it": `a.c d.c`,
	"de": `mio mrd tsd jh jhd`,
	"es": `ee.uu uu`,
	"ru": `г гг в вв руб коп тыс млн млрд н.э до.н.э т.о`,
	"uk": `р рр ст грн коп тис млн млрд`,
	"pl": `r w tys mln mld zł`,
})

// lists end sentences more often than not, also written with a space within.
var lists = set(`etc ecc usw т.д т.п др a.m p.m`)

// ordinals are languages that write an ordinal as a number and a full stop.
var ordinals = set(`de da nb no fi hu cs sk sl hr sr et lv tr`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// byLanguage gives every language the words of all as well.
func byLanguage(words map[string]string) map[string]map[string]bool {
	m := map[string]map[string]bool{}
	for lang, own := range words {
		m[lang] = set(words[""] + " " + own)
	}
	return m
}

// has looks a word up in the list of a language, or of none.
func has(lists map[string]map[string]bool, lang, word string) bool {
	if own, known := lists[lang]; known {
		return own[word]
	}
	return lists[""][word]
}
