package telegram_test

import (
	"strings"
	"testing"
	"time"

	"newsie/bot"
	"newsie/bot/telegram/telegramtest"
)

// A club is a group in which 1 is an administrator and 2 has just joined.
type club struct {
	*house
	group  *telegramtest.Chat
	thread int64
	shown  int
}

func openClub(t *testing.T, thread int64) *club {
	h := openHouse(t, "en")
	g := h.Supergroup(-100, 5).Language("en").Administrator(1)
	return &club{house: h, group: g, thread: thread}
}

// id is how newsie calls the place.
func (c *club) id() string {
	if c.thread != 0 {
		return "-100:5"
	}
	return "-100"
}

// next is what the bot says to what is done.
func (c *club) next(do func()) telegramtest.Message {
	c.t.Helper()
	c.clock.Advance(5 * time.Second) // flooding is another matter
	do()
	c.shown++
	return c.wait(c.t, c.group, c.shown)[c.shown-1]
}

func (c *club) says(who int64, text string) telegramtest.Message {
	c.t.Helper()
	return c.next(func() { c.group.SayAs(telegramtest.Said{From: who, Thread: c.thread}, text) })
}

func (c *club) taps(who, message int64, label string) telegramtest.Message {
	c.t.Helper()
	return c.next(func() {
		if _, err := c.group.TapAs(who, message, label); err != nil {
			c.t.Fatal(err)
		}
	})
}

func (c *club) follows() string {
	c.t.Helper()
	var topics []string
	if err := c.db.Reader().NewRaw("SELECT topic || ' ' || spec FROM follows WHERE chat = ? ORDER BY 1", c.id()).Scan(c.t.Context(), &topics); err != nil {
		c.t.Fatal(err)
	}
	return strings.Join(topics, ", ")
}

const onlyAdministrators = "only its administrators"

func TestInAGroupOnlyAdministratorsDecideWhatComes(t *testing.T) {
	for place, thread := range map[string]int64{"the group": 0, "a topic": 5} {
		t.Run(place, func(t *testing.T) {
			c := openClub(t, thread)
			c.says(1, "/follow@newsie_bot commerce daily 8:00")
			c.says(1, "/follow@newsie_bot tea daily 8:00")
			list := c.says(1, "/following@newsie_bot")
			want := c.follows()
			if want != "commerce 0 8 * * *, tea 0 8 * * *" {
				t.Fatalf("the administrator follows %q", want)
			}
			refused := func(what string, m telegramtest.Message, about int64) {
				t.Helper()
				if !strings.Contains(m.Text, onlyAdministrators) || m.Thread != thread || about != 0 && m.ReplyTo != about {
					t.Errorf("%s is answered %q, to %d in topic %d", what, m.Text, m.ReplyTo, m.Thread)
				}
			}
			refused("a stranger's tap on the list", c.taps(2, list.ID, "Unfollow"), list.ID)
			for _, said := range []string{"/stop@newsie_bot", "/forget@newsie_bot", "@newsie_bot follow sport", "/start@newsie_bot fc3BvcnQ", "/quiet@newsie_bot 22-8", "/lang@newsie_bot it", "/zone@newsie_bot Tokyo"} {
				refused(said, c.says(2, said), 0)
			}
			if found := c.says(2, "/search@newsie_bot bookshop"); len(found.Buttons) == 0 {
				t.Errorf("a stranger's search finds nothing: %s", found.Text)
			} else {
				refused("a tap on a follow button", c.taps(2, found.ID, "Follow"), found.ID)
			}
			if shown := c.says(2, "/following@newsie_bot"); !strings.Contains(shown.Text, "commerce") {
				t.Errorf("a stranger asks for the follows and reads %q", shown.Text)
			}
			if got := c.follows(); got != want {
				t.Errorf("the group follows %q, want %q", got, want)
			}
			c.taps(1, list.ID, "Unfollow")
			if got := c.follows(); got == want {
				t.Error("the administrator's own tap ends nothing")
			}
			if n := c.group.Spinning(); n != 0 {
				t.Errorf("%d taps still spin", n)
			}
		})
	}
}

func TestAStandingIsAskedForOnceAMinute(t *testing.T) {
	c := openClub(t, 0)
	asked := func(want int) {
		t.Helper()
		if n := len(c.Calls("getChatMember")); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
	}
	c.says(2, "/search@newsie_bot commerce")
	asked(0) // a reader's standing is nobody's business
	for range 3 {
		c.says(2, "/stop@newsie_bot")
	}
	asked(1)
	c.says(1, "/stop@newsie_bot")
	asked(2)
	c.group.Dismiss(1)
	c.clock.Advance(time.Minute)
	if m := c.says(1, "/stop@newsie_bot"); !strings.Contains(m.Text, onlyAdministrators) {
		t.Errorf("who was an administrator is answered %q", m.Text)
	}
	asked(3)
}

func TestAnUnknownStandingIsNoneAndIsAskedForAgain(t *testing.T) {
	c := openClub(t, 0)
	unknown := func(who int64) {
		t.Helper()
		if m := c.says(who, "/follow@newsie_bot tea"); !strings.Contains(m.Text, "could not check") {
			t.Errorf("answered %q", m.Text)
		}
	}
	for _, fault := range []telegramtest.Fault{telegramtest.TooMany, telegramtest.BadGateway, telegramtest.ResetAfter, telegramtest.ServerError} {
		c.Fail("getChatMember", fault)
		unknown(1)
	}
	c.group.HideMembers()
	unknown(1)
	if got := c.follows(); got != "" {
		t.Errorf("followed %q meanwhile", got)
	}
	c.group.Rights(telegramtest.DeleteMessages) // who is one sees who is in it
	if c.says(1, "/follow@newsie_bot tea"); c.follows() == "" {
		t.Error("an administrator may not follow after the platform came back")
	}
}

func TestWhoSpeaksAsTheGroupIsAnAdministratorAndAChannelIsNone(t *testing.T) {
	c := openClub(t, 0)
	as := func(chat int64, kind string) telegramtest.Message {
		return c.next(func() {
			c.group.SayAs(telegramtest.Said{From: 1087968824, More: map[string]any{
				"sender_chat": map[string]any{"id": chat, "type": kind, "title": "x"},
			}}, "/follow@newsie_bot tea")
		})
	}
	if m := as(-200, "channel"); !strings.Contains(m.Text, onlyAdministrators) {
		t.Errorf("a channel is answered %q", m.Text)
	}
	if as(-100, "supergroup"); c.follows() == "" {
		t.Error("an anonymous administrator may not follow")
	}
	if n := len(c.Calls("getChatMember")); n != 0 {
		t.Errorf("%d calls about nobody", n)
	}
	for from, want := range map[string]bool{"": false, "-100": true, "-200": false, "x": false} {
		if got, err := c.channel.Manages(t.Context(), bot.ChatID{Channel: "tg", ID: "-100:5"}, from); got != want || err != nil {
			t.Errorf("%q manages: %v, %v", from, got, err)
		}
	}
}
