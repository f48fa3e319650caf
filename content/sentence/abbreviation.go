package sentence

import "strings"

// abbreviations are words whose full stop does not end a sentence, of all
// languages together: few of them are words of another. Words that often do
// end one (etc, Inc, ecc, т.д) are left out; the annex then decides by the
// case of the next letter.
var abbreviations = set(`
	mr mrs ms dr prof rev hon st sr jr gen col capt lt sgt gov sen rep pres messrs vs cf approx dept est fig figs vol no nos pp
	ph e.g i.e al jan feb mar apr jun jul aug sep sept oct nov dec
	sig sigg sig.ra sig.na dott dott.ssa prof.ssa ing avv arch rag geom on egr gent spett s.e mons art artt cap capp
	pag pagg vol voll fig figg tel cfr n nn p.es a.c d.c ca
	hr fr frl dipl z.b d.h u.a o.ä bzw ca evtl ggf inkl exkl nr str mio mrd tsd geb gest jh jhd vgl sog bspw u.s.w i.d.r
	m mm mme mmes mlle mlles me mgr p.ex c.-à-d env av bd
	sra srta dra ud uds ee.uu pág núm aprox ej p.ej av avda
	dhr mevr drs bijv o.a m.b.t d.w.z
	г гг в вв д-р проф акад доц гр г-н г-жа им ул пр пл стр руб коп тыс млн млрд т.е т.к т.н т.о напр см ср св н.э до.н.э
	и.о ред изд рис табл обл р-н пос м-р
	np tzn tzw ul prof dr inż mgr hab tys mln mld
	tj např tzv
	bl.a t.ex d.v.s f.eks
`)

// lists end sentences more often than not.
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
