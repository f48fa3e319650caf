package timetable

import (
	"regexp"
	"strconv"
	"strings"
)

// A reading is a time of day in words.
type reading struct {
	minutes int  // after midnight
	sure    bool // can be nothing but a time
	half    bool // says which half of the day it means
}

const (
	periods     = `凌晨|早上|早晨|清晨|上午|早|中午|正午|下午|午后|午後|傍晚|晚上|晚间|晚間|夜里|夜裡|夜间|夜間|夜晚|晚`
	number      = `\d{1,2}|[零〇一二两兩三四五六七八九十]{1,3}`
	latinNumber = `\d{1,2}|two|three|four|five|six|ten|fifteen|twenty|thirty|due|tre|quattro|cinque|sei|dieci|quindici|venti|trenta`
)

var (
	clockLatin = regexp.MustCompile(`^(at |@ ?|alle ore |alle |dalle |ore |h\.? ?)?(\d{1,2})(?: ?([:.h]) ?(\d{2})| e (mezz[ao]|un quarto|\d{2}))?( ?h| ?o'? ?clock)?(?: ?(a\.?m\.?|p\.?m\.?|am|pm))?(?: (?:in the |di |del |della |at |nel )(morning|afternoon|evening|night|mattina|mattino|pomeriggio|sera|notte))?$`)
	clockNamed = regexp.MustCompile(`^(?:at |a |alle |all')?(noon|midday|midnight|mezzogiorno|mezzanotte)$`)
	clockWords = regexp.MustCompile(`^(at |alle |all')(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|una|due|tre|quattro|cinque|sei|sette|otto|nove|dieci|undici|dodici)(?: e (mezz[ao]|un quarto))?( o'? ?clock)?(?: (?:in the |di |del |della |at )(morning|afternoon|evening|night|mattina|mattino|pomeriggio|sera|notte))?$`)
	clockZh    = regexp.MustCompile(`^(?:在|于|於)? ?(` + periods + `)? ?(` + number + `) ?(?:(:) ?(\d{2})|([点點时時])[钟鐘整]?(?: ?(半|一刻|三刻|` + number + `) ?分?)?)?$`)
)

// clock reads the whole of s, folded, as a time of day.
func clock(s string) (reading, bool) {
	if m := clockNamed.FindStringSubmatch(s); m != nil {
		minutes := 12 * 60
		if m[1] == "midnight" || m[1] == "mezzanotte" {
			minutes = 0
		}
		return reading{minutes: minutes, sure: s != m[1], half: true}, true
	}
	if m := clockLatin.FindStringSubmatch(s); m != nil {
		lead, hour, sep, minute, and, suffix, half, part := m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]
		if half == "" {
			half = part
		}
		sure := lead != "" || sep == ":" || sep == "h" || suffix != "" || half != ""
		return read(hour, minute+and, strings.ReplaceAll(half, ".", ""), sure)
	}
	if m := clockWords.FindStringSubmatch(s); m != nil {
		return read(m[2], m[3], m[5], true)
	}
	if m := clockZh.FindStringSubmatch(s); m != nil {
		sure := m[1] != "" || m[3] != "" || m[5] != ""
		return read(m[2], m[4]+m[6], m[1], sure)
	}
	return reading{}, false
}

func read(hour, minute, half string, sure bool) (reading, bool) {
	h, ok1 := value(hour)
	m, ok2 := value(minute)
	if !ok1 || !ok2 || h > 24 || m > 59 || h == 24 && m > 0 {
		return reading{}, false
	}
	h %= 24
	switch half {
	case "":
	case "am", "morning", "mattina", "mattino", "凌晨", "早上", "早晨", "清晨", "上午", "早":
		if h > 12 {
			return reading{}, false
		}
		h %= 12
	case "中午", "正午":
		if h < 10 {
			h += 12
		}
	case "pm", "afternoon", "pomeriggio", "下午", "午后", "午後":
		if h < 12 {
			h += 12
		}
	default: // of the evening and the night
		switch {
		case h == 12:
			h = 0
		case h >= 5 && h < 12:
			h += 12
		}
	}
	return reading{minutes: h*60 + m, sure: sure, half: half != ""}, true
}

// usual is the time meant by a part of the day alone.
func usual(period string) int {
	switch period {
	case "中午", "正午":
		return noon
	case "下午", "午后", "午後":
		return afternoon
	case "傍晚", "晚上", "晚间", "晚間", "夜里", "夜裡", "夜间", "夜間", "夜晚", "晚":
		return evening
	}
	return morning
}

var numberWords = map[string]int{
	"": 0, "半": 30, "一刻": 15, "三刻": 45, "mezza": 30, "mezzo": 30, "un quarto": 15,
	"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"fifteen": 15, "twenty": 20, "thirty": 30,
	"una": 1, "due": 2, "tre": 3, "quattro": 4, "cinque": 5, "sei": 6, "sette": 7, "otto": 8, "nove": 9, "dieci": 10, "undici": 11, "dodici": 12,
	"quindici": 15, "venti": 20, "trenta": 30,
}

// value reads digits, the number words above and Chinese numbers up to 99.
func value(s string) (int, bool) {
	if n, ok := numberWords[s]; ok {
		return n, true
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	total, digit, seen := 0, 0, false
	for _, r := range s {
		switch r {
		case '十':
			if !seen {
				digit = 1
			}
			total, digit, seen = digit*10, 0, true
		case '零', '〇':
			seen = true
		case '两', '兩':
			digit, seen = 2, true
		default:
			i := strings.IndexRune("一二三四五六七八九", r)
			if i < 0 {
				return 0, false
			}
			digit, seen = i/3+1, true
		}
	}
	return total + digit, seen
}
