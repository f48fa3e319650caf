package telegram_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"newsie/bot/telegram"
	"newsie/bot/telegram/telegramtest"
)

func commands(word string) []telegram.Command {
	return []telegram.Command{
		{Name: "search", Groups: true, Description: func(lang string) string { return word + " " + lang }},
		{Name: "follow", Groups: true, Managers: true, Description: func(lang string) string { return "Follow " + lang }},
		{Name: "read", Description: func(lang string) string { return "Read " + lang }},
		{Name: "start"},
	}
}

func TestMenusAreSetOnceForEachScopeAndLanguage(t *testing.T) {
	with := func(list []telegram.Command) func(*telegram.Config) {
		return func(c *telegram.Config) { c.Commands = list }
	}
	r := start(t, echo, setup{config: with(commands("Search"))})
	calls := func(set, deleted int) {
		t.Helper()
		if err := r.Until(patient(t), func() bool {
			return len(r.Calls("setMyCommands")) >= set && len(r.Calls("deleteMyCommands")) >= deleted
		}); err != nil {
			t.Fatalf("%d menus set, %d deleted: %v", len(r.Calls("setMyCommands")), len(r.Calls("deleteMyCommands")), err)
		}
	}
	calls(12, 0) // three scopes; everybody else, en, zh, it
	for _, test := range []struct {
		chat *telegramtest.Chat
		want string
	}{
		{r.Chat(1).Language("it"), "/search Search it, /follow Follow it, /read Read it"},
		{r.Chat(2).Language("zh-hant"), "/search Search zh-Hans, /follow Follow zh-Hans, /read Read zh-Hans"},
		{r.Chat(3).Language("de"), "/search Search en, /follow Follow en, /read Read en"},
		{r.Supergroup(-100).Language("it"), "/search Search it"},
		{r.Supergroup(-200).Language("de"), "/search Search en"},
	} {
		if got := strings.Join(test.chat.MenuOf(77), ", "); got != test.want {
			t.Errorf("chat %d sees %s, want %s", test.chat.ID, got, test.want)
		}
	}
	if got := strings.Join(r.Supergroup(-100).Administrator(78).MenuOf(78), ", "); got != "/search Search it, /follow Follow it" {
		t.Errorf("an administrator sees %s", got)
	}
	// What was set is noted after it was.
	for ctx := patient(t); ctx.Err() == nil; runtime.Gosched() {
		if kept, _, err := r.config.Settings.Load(ctx, "telegram:tg:menus"); err != nil {
			t.Fatal(err)
		} else if kept != "" {
			break
		}
	}
	r.stop()
	again := join(t, r.Server, echo, setup{db: r.db, config: with(commands("Search"))})
	r.Chat(1).Say("ready")
	again.wait(t, r.Chat(1), 1)
	again.stop()
	if n := len(r.Calls("setMyCommands")); n != 12 {
		t.Errorf("set again without a change: %d calls", n)
	}
	// Nothing is for groups any more.
	alone := commands("Seek")
	alone[0].Groups, alone[1].Groups = false, false
	third := join(t, r.Server, echo, setup{db: r.db, config: with(alone)})
	calls(16, 8)
	third.stop()
	if left := fmt.Sprint(r.CommandsFor("all_group_chats"), r.CommandsFor("all_chat_administrators")); left != "map[] map[]" {
		t.Errorf("left in groups: %s", left)
	}
	if got := strings.Join(r.Chat(1).Menu(), ", "); got != "/search Seek it, /follow Follow it, /read Read it" {
		t.Errorf("after the change: %s", got)
	}
}

func TestBothChineseScriptsShareAMenuInTheChannelsOwn(t *testing.T) {
	r := start(t, echo, setup{config: func(c *telegram.Config) { c.Commands, c.Language = commands("Search"), "zh-Hant" }})
	if err := r.Until(patient(t), func() bool { return len(r.Calls("setMyCommands")) == 12 }); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"zh-hans", "zh-hant", "fr"} {
		if got := r.Chat(1).Language(lang).Menu()[0]; got != "/search Search zh-Hant" {
			t.Errorf("%s: %s", lang, got)
		}
	}
}

func TestMenusAreTriedUntilTheServerTakesThem(t *testing.T) {
	waits := &waiter{}
	s := telegramtest.Start(t, telegramtest.Options{})
	s.Fail("setMyCommands", telegramtest.TooMany, telegramtest.BadGateway, telegramtest.ResetBefore)
	r := join(t, s, echo, setup{config: func(c *telegram.Config) { waits.into(c); c.Commands = commands("Search") }})
	if err := s.Until(patient(t), func() bool { return len(s.CommandsFor("all_chat_administrators")) == 4 }); err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	if waits.longest() < 17*time.Second {
		t.Errorf("retry_after was not obeyed: %v", waits.all())
	}
}

func TestLongMenusAreCutToWhatTheServerTakes(t *testing.T) {
	var many []telegram.Command
	for i := range 120 {
		many = append(many, telegram.Command{Name: fmt.Sprintf("command_%d", i), Description: func(string) string { return strings.Repeat("微店😀", 100) }})
	}
	r := start(t, echo, setup{config: func(c *telegram.Config) { c.Commands = many }})
	if err := r.Until(patient(t), func() bool { return len(r.CommandsFor("all_private_chats")) == 4 }); err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	if n := len(r.Chat(1).Menu()); n != 100 {
		t.Errorf("%d commands", n)
	}
}
