package bot

import (
	"context"
	"sort"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"newsie/internal/locale"
	"newsie/scheduler/timetable"
)

// argument says what a command's words may be followed by.
type argument int

const (
	none   argument = iota // nothing: "more songs" is a question
	number                 // a number, or nothing
	hours                  // hours of the day, on or off, or nothing
	words                  // anything, or nothing
)

// A command is one thing a reader can say. Its words are in the catalogs, under
// command.NAME.words, separated by |; its help under command.NAME.help.
type command struct {
	name   string
	arg    argument
	run    func(b *Bot, ctx context.Context, t *turn, arg string) (Reply, error)
	always bool // not held up by the flood limits
	hidden bool // a button's, not for help
	silent bool // of channels that can send without a sound

	tongue string // of the words it was said with, where the alphabet alone does not tell it

	changes changing // what concerns the whole chat, so that not everybody in a group may
}

// commands is the table that answers, help and the platforms' menus are made
// from, in the order of help.
func commands() []command {
	return []command{
		{name: "search", arg: words, run: (*Bot).searchCommand},
		{name: "exact", arg: words, run: (*Bot).exactCommand, hidden: true},
		{name: "latest", run: (*Bot).latest},
		{name: "topics", run: (*Bot).topicsCommand},
		{name: "read", arg: number, run: (*Bot).read},
		{name: "more", run: (*Bot).more},
		{name: "back", run: (*Bot).back},
		{name: "related", arg: number, run: (*Bot).relatedCommand},
		{name: "save", arg: number, run: (*Bot).save},
		{name: "saved", run: (*Bot).saved},
		{name: "unsave", arg: number, run: (*Bot).unsave, hidden: true}, // the list of saved ones tells of it
		{name: "share", arg: number, run: (*Bot).share},
		{name: "invite", run: (*Bot).invite},
		{name: "follow", arg: words, run: (*Bot).follow, changes: anyway},
		{name: "following", run: (*Bot).following},
		{name: "unfollow", arg: words, run: (*Bot).unfollow, changes: anyway},
		{name: "pause", arg: words, run: (*Bot).pause, changes: given},
		{name: "resume", arg: words, run: (*Bot).resume, changes: anyway},
		{name: "upcoming", run: (*Bot).upcoming},
		{name: "digest", run: (*Bot).digest},
		{name: "lang", arg: words, run: (*Bot).language, changes: anyway},
		{name: "zone", arg: words, run: (*Bot).zone, changes: given},
		{name: "quiet", arg: hours, run: (*Bot).quiet, silent: true, changes: given},
		{name: "help", run: (*Bot).help},
		{name: "start", run: (*Bot).start, hidden: true},
		{name: "thanks", run: (*Bot).thanks, hidden: true},
		{name: "when", run: (*Bot).when, hidden: true, changes: anyway},
		{name: "stop", run: (*Bot).stop, always: true, changes: anyway},
		{name: "forget", run: (*Bot).forgetMe, always: true, changes: anyway},
	}
}

// A spoken word starts a command.
type spoken struct {
	word    string
	command command
}

// vocabulary lists the words of the commands in all languages, longest first,
// so that "forget me" is not taken for "forget".
func vocabulary(catalog *locale.Catalog) []spoken {
	var list []spoken
	seen := map[string]bool{}
	for _, c := range commands() {
		for _, lang := range locale.Languages() {
			for _, word := range strings.Split(catalog.Printer(lang).T("command."+c.name+".words"), "|") {
				if word = plain(word); word == "" || seen[word] {
					continue
				}
				seen[word] = true
				if c.tongue = ""; latin(word) {
					c.tongue = lang
				}
				list = append(list, spoken{word, c})
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return len(list[i].word) > len(list[j].word) })
	return list
}

// command finds the command a message is, and what follows its words.
func (b *Bot) command(t *turn) (command, string, bool) {
	if strings.HasPrefix(t.Text, "/") {
		name, arg, _ := strings.Cut(t.Text[1:], " ")
		name, _, _ = strings.Cut(name, "@")
		for _, c := range commands() {
			if c.name == strings.ToLower(name) {
				return c, strings.TrimSpace(arg), true
			}
		}
	}
	text := plain(t.Text)
	if n, ok := position(text); ok {
		return find("read"), strconv.Itoa(n), true
	}
	text = strings.TrimRight(text, " .!?。！？")
	for _, s := range b.words {
		rest, ok := strings.CutPrefix(text, s.word)
		if !ok {
			continue
		}
		arg, ok := argumentOf(s, rest)
		if !ok {
			continue
		}
		if s.command.arg == words || s.command.arg == hours {
			arg = asTyped(t.Text, arg)
		}
		return s.command, arg, true
	}
	return command{}, "", false
}

// argumentOf checks what follows a command's word. Chinese needs no space
// before the topic of a follow (关注电商) or before a number (看2); other words
// do, so that 订阅号 and 搜索引擎 stay questions.
func argumentOf(s spoken, rest string) (string, bool) {
	arg := strings.TrimSpace(rest)
	if arg == "" {
		return "", true
	}
	last, _ := utf8.DecodeLastRuneInString(s.word)
	first, _ := utf8.DecodeRuneInString(rest)
	if first != ' ' && s.command.arg != number {
		joined := s.command.name == "follow" || s.command.name == "unfollow" || s.command.arg == hours ||
			s.command.name == "pause" && (timetable.Pauses(arg) || farRule.FindString(arg) == arg)
		if !joined || !unicode.Is(unicode.Han, last) || utf8.RuneCountInString(arg) < 2 {
			return "", false
		}
	}
	if s.word == "zona" { // is no more of a clock than 区: only before a place that has one
		_, ok := parseZone(arg)
		return arg, ok
	}
	switch s.command.arg {
	case words:
		return arg, true
	case hours:
		return arg, isHours(arg)
	case number:
		n, ok := position(strings.TrimRight(strings.TrimPrefix(arg, "第"), "篇条條个個"))
		return strconv.Itoa(n), ok
	}
	return "", false
}

// asTyped gives the end of the text as the reader wrote it, which folding for
// comparison has changed.
func asTyped(text, folded string) string {
	want := utf8.RuneCountInString(folded)
	trimmed := []rune(strings.TrimSpace(text))
	if len(trimmed) < want || plain(string(trimmed[len(trimmed)-want:])) != folded {
		return folded
	}
	return string(trimmed[len(trimmed)-want:])
}

func find(name string) command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return command{}
}

// position reads a number of a list: 1 to 99, also "2." and "#2".
func position(text string) (int, bool) {
	text = strings.TrimRight(strings.TrimLeft(text, "#№"), ".)、。")
	if len(text) == 0 || len(text) > 2 {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0
}

// Commands lists the commands for a platform's menu, with their descriptions
// in one language. A menu sends the bare command, which help shows with what
// may follow: where that makes a difference its description is command.NAME.menu.
func (b *Bot) Commands(lang string) [][2]string {
	p := b.catalog.Printer(lang)
	var list [][2]string
	for _, c := range commands() {
		if !c.hidden {
			description := "command." + c.name + ".help"
			if menu := "command." + c.name + ".menu"; p.T(menu) != menu {
				description = menu
			}
			list = append(list, [2]string{c.name, p.T(description)})
		}
	}
	return list
}
