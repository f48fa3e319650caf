package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"newsie/bot/origin"
	"newsie/internal/browsertest"
	"newsie/internal/database/databasetest"
)

// northern builds a chain of 300 shops in ten regions, with what a month brought.
func northern(t *testing.T) *chain {
	names := map[string][]string{"": {"华夏书店", "Newsletter", "Buchmesse 2026"}}
	cities := strings.Fields("北京 上海 广州 深圳 杭州 成都 武汉 西安 南京 重庆")
	names["华夏书店"] = cities
	names[""] = append(names[""], "Partner: Libreria delle Donne di Milano, Corso di Porta Ticinese")
	c := open(t, databasetest.SQLite(t), names)
	book := origin.NewBook(c.db, c.clock.now)
	for i, city := range cities {
		for shop := range 30 {
			o, err := book.Add(t.Context(), origin.Origin{Name: fmt.Sprintf("%s %d 号店", city, shop+1), Parent: c.ids[city]})
			if err != nil {
				t.Fatal(err)
			}
			c.ids[o.Name] = o.ID
			if (shop+i)%3 == 0 {
				c.total((shop*7+i)%30, o.ID, "gzh", int64((shop*13+i*29)%61), int64((shop*31+i)%90))
			}
		}
	}
	for day := range 30 {
		c.total(day, c.ids["Newsletter"], "news", int64(20+(day*day*7)%43), int64(60+day%17))
		c.total(day, c.ids["Buchmesse 2026"], "tg", int64(max(0, 60-(day-12)*(day-12)*9)), int64(day%9))
		c.total(day, origin.None, "web", int64(4+day%5), 3)
		if day%5 == 0 {
			c.total(day, origin.Invitations, "gzh", 2, 3)
		}
	}
	return c
}

func TestTheConsoleInABrowser(t *testing.T) {
	tab := browsertest.Start(t, "console", "/console/login")
	c := northern(t)
	wide := int64(0)
	look := func(width, height int64, scheme string) {
		wide = width
		tab.Do("look", browsertest.Look(width, height, scheme))
	}
	fits := func(what string) {
		t.Helper()
		if got := browsertest.Read[int64](tab, `document.documentElement.scrollWidth`); got > wide {
			t.Errorf("%s: the page is %d wide, the window %d", what, got, wide)
		}
	}
	// Pictures are there, and those that this window and these colours want.
	drawn := browsertest.Until(`[...document.images].every(i => i.loading === 'lazy' || i.complete && i.naturalWidth > 0 &&
		i.currentSrc === new URL([...i.parentElement.querySelectorAll('source')].find(s => matchMedia(s.media).matches)?.getAttribute('srcset') ?? i.getAttribute('src'), location).href)`)
	look(1280, 900, "light")
	tab.Do("a stranger", chromedp.Navigate(c.server.URL+"/console/origins"), browsertest.Until(`document.querySelector('#password')`))
	tab.Shoot("console-login-desktop-light")
	tab.Do("a wrong password", chromedp.SendKeys("#name", "anna"), chromedp.SendKeys("#password", "not this one"), chromedp.Click("button"), chromedp.WaitVisible(".wrong"))
	look(390, 844, "dark")
	tab.Shoot("console-login-phone-dark")
	fits("the login on a phone")
	look(1280, 900, "light")
	tab.Do("the right one", chromedp.SendKeys("#password", secret), chromedp.Click("button"), chromedp.WaitVisible("table"), drawn)
	if cookie := browsertest.Read[string](tab, `document.cookie`); cookie != "" {
		t.Errorf("scripts see the cookie %q", cookie)
	}
	// A long tree begins folded, and unfolds.
	shown := `[...document.querySelectorAll('tbody tr')].filter(r => !r.hidden).length`
	if n := browsertest.Read[int](tab, shown); n < 10 || n > 40 {
		t.Errorf("the tree begins with %d rows", n)
	}
	for _, scheme := range []string{"light", "dark"} {
		look(1280, 900, scheme)
		tab.Do("charts", drawn)
		tab.Shoot("console-origins-desktop-" + scheme)
		fits("the report on a desk")
		look(390, 844, scheme)
		tab.Do("charts", drawn)
		tab.Shoot("console-origins-phone-" + scheme)
		tab.Do("below", browsertest.Run(`document.querySelector('.charts').scrollIntoView()`), drawn)
		tab.Shoot("console-origins-phone-charts-" + scheme)
		tab.Do("below", browsertest.Run(`document.querySelector('table').scrollIntoView()`), browsertest.Run(`document.querySelector('.scroll').scrollTo(180, 0)`))
		tab.Shoot("console-origins-phone-table-" + scheme)
		fits("the report on a phone")
		if left := browsertest.Read[float64](tab, `document.querySelector('tbody th').getBoundingClientRect().left`); left < 0 || left > 40 {
			t.Errorf("the first column is at %v when the figures are scrolled", left)
		}
		tab.Do("back", browsertest.Run(`scrollTo(0, 0)`))
	}
	// Whatever the window and the language, all of it can be read and reached, and
	// letters of one kind are as large in all charts.
	outside := `[...document.querySelectorAll('.name span, .top nav a, .top nav button, .title *, .pills a, .dates, .tiles a, .tiles span, figcaption, .charts img, .tabs a, .save a, .save button, .foot')]
		.filter(e => e.offsetParent && e.tagName !== 'OPTION' && (e.getBoundingClientRect().right > innerWidth - 8 || e.getBoundingClientRect().left < 8 || e.matches('span, a') && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0))
		.map(e => e.textContent || e.className).join(', ')`
	inCard := `[...document.querySelectorAll('.tabs a')].every(e => e.getBoundingClientRect().right <= e.closest('.panel').getBoundingClientRect().right - 8)`
	scales := `(l => Math.max(...l) / Math.min(...l))([...document.querySelectorAll('.charts img')].map(i => i.clientWidth / (i.currentSrc.match(/kind=origins/) && !i.currentSrc.match(/form=wide/) || i.currentSrc.match(/form=small/) ? 360 : 720)))`
	holes := `(l => l.length % getComputedStyle(document.querySelector('.tiles')).gridTemplateColumns.split(' ').length)([...document.querySelectorAll('.tiles li')])`
	for _, lang := range []string{"en", "it", "zh-CN", "zh-TW"} {
		tab.Do("speak "+lang, browsertest.Speak(lang), chromedp.Navigate(c.server.URL+"/console/origins?by=week"), chromedp.WaitVisible("table"))
		for _, width := range []int64{320, 390, 768, 900, 1280} {
			scheme := "light"
			if width%3 == 0 {
				scheme = "dark"
			}
			look(width, 900, scheme)
			tab.Do("charts", drawn)
			what := fmt.Sprintf("%s at %d", lang, width)
			tab.Shoot(fmt.Sprintf("console-origins-%s-%d", lang, width))
			fits(what)
			if got := browsertest.Read[string](tab, outside); got != "" {
				t.Errorf("%s: cut off are %s", what, got)
			}
			if !browsertest.Read[bool](tab, inCard) {
				t.Errorf("%s: tabs leave their card", what)
			}
			if got := browsertest.Read[float64](tab, scales); got > 1.25 {
				t.Errorf("%s: letters of one chart are %.2f times those of another", what, got)
			}
			if got := browsertest.Read[int](tab, holes); got != 0 {
				t.Errorf("%s: the last row of figures has %d", what, got)
			}
		}
		look(390, 844, "light")
		tab.Do("weeks", browsertest.Run(`document.querySelector('table').scrollIntoView()`))
		tab.Shoot("console-weeks-" + lang)
		// A Chinese date is on one line.
		if got := browsertest.Read[int](tab, `[...document.querySelectorAll('.note')].map(e => e.getClientRects().length && Math.round(e.getBoundingClientRect().height / 24)).reduce((a, b) => Math.max(a, b))`); got > 2 && strings.HasPrefix(lang, "zh") {
			t.Errorf("%s: a week takes %d lines", lang, got)
		}
	}
	tab.Do("English again", browsertest.Speak("en"), chromedp.Navigate(c.server.URL+"/console/origins"), drawn)
	look(1280, 900, "light")
	tab.Do("unfold", browsertest.Run(`document.querySelectorAll('.fold')[1].click()`), browsertest.Run(`document.querySelector('table').scrollIntoView()`))
	tab.Shoot("console-origins-desktop-tree")
	if n := browsertest.Read[int](tab, shown); n < 40 {
		t.Errorf("unfolded the tree has %d rows", n)
	}
	tab.Do("by day", chromedp.Navigate(c.server.URL+"/console/origins?by=day&range=90&show=opens"), drawn)
	tab.Shoot("console-origins-desktop-days")
	tab.Do("one", chromedp.Navigate(fmt.Sprintf("%s/console/origins/%d", c.server.URL, c.ids["北京"])), drawn)
	tab.Do("codes", browsertest.Run(`document.querySelector('.codes').open = true`), browsertest.Until(`document.querySelector('.picture img').complete`))
	tab.Shoot("console-origin-desktop-light")
	fits("an origin on a desk")
	look(390, 844, "light")
	tab.Shoot("console-origin-phone-light")
	fits("an origin on a phone")
	tab.Do("choose", browsertest.Run(fmt.Sprintf(`(s => { s.value = %d; s.dispatchEvent(new Event('change')) })(document.querySelector('select'))`, c.ids["Newsletter"])),
		chromedp.WaitReady(fmt.Sprintf(`option[selected][value="%d"]`, c.ids["Newsletter"])))
	tab.Do("account", chromedp.Navigate(c.server.URL+"/console/account"), browsertest.Until(`document.querySelector('.sessions')`))
	tab.Shoot("console-account-phone-light")
	fits("the account on a phone")
	look(1280, 900, "dark")
	tab.Shoot("console-account-desktop-dark")
	tab.Do("sign out", chromedp.Click("nav button"), chromedp.WaitVisible("#password"))
	tab.Do("back", chromedp.Navigate(c.server.URL+"/console/origins"), browsertest.Until(`location.pathname === '/console/login'`))
}
