package webchat_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"newsie/bot/webchat"
	"newsie/internal/browsertest"
	"newsie/internal/database/databasetest"
)

// began is how often readers of a room began by a code.
func (n *newsroom) began(code string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	times := 0
	for _, m := range n.said {
		if m.Chat.ID != "" && m.Text == "/start "+code {
			times++
		}
	}
	return times
}

// A reader comes by a code: at once when the page is seen, not before, and once.
func TestComingByACodeInABrowser(t *testing.T) {
	tab := browsertest.Start(t, "start", "/favicon.ico")
	room := &newsroom{}
	s := serve(t, databasetest.SQLite(t), room.handle, func(c *webchat.Config) { c.Now = time.Now })

	elsewhere := strings.TrimSuffix(s.url, s.Path()) + "/media/cover.png"

	// Loaded ahead, or in a tab that nobody looks at, nothing begins.
	for _, state := range []string{"hidden", "prerendering"} {
		// The state is kept in the window's name, which outlives pages.
		tab.Do("look away", browsertest.Look(375, 812, "light"), chromedp.Navigate(elsewhere), browsertest.Run(fmt.Sprintf(`window.name = %q`, state)))
		tab.Do("load it ahead", browsertest.OnEveryPage(`for (const k of ['hidden', 'prerendering']) Object.defineProperty(document, k, { get: () => window.name === k, configurable: true })`),
			chromedp.Navigate(s.url+"?start=oAHEAD"), browsertest.Until(`document.querySelector('#start button')`))
		tab.Shoot("start-phone-before")
		if n := room.began("oAHEAD"); n != 0 || s.count(t) != 0 {
			t.Errorf("%s: it began %d times", state, n)
		}
	}
	tab.Do("look at it", browsertest.Run(`(window.name = '', document.dispatchEvent(new Event('visibilitychange')))`), browsertest.Until(says("Hello! I know")))
	// Both that a page became active and that it is seen may be told.
	tab.Do("look again", browsertest.Run(`(document.dispatchEvent(new Event('prerenderingchange')), document.dispatchEvent(new Event('visibilitychange')))`))
	check := func(what, code string, times, entries int) {
		t.Helper()
		if n := room.began(code); n != times {
			t.Errorf("%s: it began %d times, want %d", what, n, times)
		}
		if n := browsertest.Read[int](tab, `document.querySelectorAll('.entry').length`); n != entries {
			t.Errorf("%s: %d messages, want %d", what, n, entries)
		}
		if left := browsertest.Read[int](tab, `document.querySelectorAll('#start, input[name=start], .pending, .typing, .it:not([data-id])').length`); left != 0 {
			t.Errorf("%s: %d leftovers", what, left)
		}
		if at := browsertest.Read[string](tab, `location.href`); strings.Contains(at, "start=") {
			t.Errorf("%s: the address is still %s", what, at)
		}
	}
	check("a newcomer", "oAHEAD", 1, 2)
	tab.Shoot("start-phone-after")

	// Neither reloading nor going back and forth begins again.
	tab.Do("reload", chromedp.Reload(), browsertest.Until(says("Hello! I know")))
	check("reloaded", "oAHEAD", 1, 2)
	tab.Do("elsewhere and back", chromedp.Navigate(elsewhere), chromedp.NavigateBack(), browsertest.Until(says("Hello! I know")))
	check("gone back", "oAHEAD", 1, 2)

	// A known reader's code counts too, at the end of what was said.
	tab.Do("a second code", browsertest.Look(1280, 800, "dark"), chromedp.Navigate(s.url+"?start=oSHOP-2_a4711"), browsertest.Until(`document.querySelectorAll('.it[data-id]').length === 2`))
	check("a known reader", "oSHOP-2_a4711", 1, 4)
	tab.Shoot("start-desktop-known")
	tab.Do("type on", typing("commerce"), browsertest.Until(says("Forty crates")))
	check("a question", "oSHOP-2_a4711", 1, 6)

	// Without JavaScript it takes a button.
	tab.Do("without a script", browsertest.Look(375, 812, "light"), browsertest.Scripts(false), chromedp.Navigate(s.url+"?start=oPLAIN"))
	tab.Shoot("start-phone-noscript")
	if n := room.began("oPLAIN"); n != 0 {
		t.Errorf("without a script it began %d times by itself", n)
	}
	tab.Do("press the button", chromedp.Click(chromedp.CSS("#start button")), chromedp.WaitNotPresent(chromedp.CSS("#start")))
	if n, shown := room.began("oPLAIN"), browsertest.Read[int](tab, `document.querySelectorAll('.it[data-id]').length`); n != 1 || shown != 4 {
		t.Errorf("it began %d times by the button, %d answers are shown", n, shown)
	}
}
