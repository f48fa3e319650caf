package console_test

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"newsie/bot/origin"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/web/console"
)

// drawn is what fake codes draw.
type drawn struct {
	made    []string
	refused error
}

func (d *drawn) Ways(_ context.Context, o origin.Origin) ([]console.Way, error) {
	ways := []console.Way{{URL: "https://news.example/o/" + o.Code}, {Channel: "gzh", Kind: "wechat"}, {Channel: "tg", Kind: "telegram", URL: "https://t.me/bot?start=o" + o.Code}}
	for _, channel := range d.made {
		if channel == "gzh" {
			ways[1].URL = "http://weixin.qq.com/q/x"
		}
	}
	return ways, d.refused
}

func (d *drawn) Make(_ context.Context, _ origin.Origin, channel string) error {
	if errors.Is(d.refused, console.ErrNoAddress) {
		return d.refused
	}
	if channel != "gzh" {
		return errors.New("SECRET")
	}
	d.made = append(d.made, channel)
	return nil
}

func (d *drawn) Draw(_ context.Context, w io.Writer, o origin.Origin, way console.Way, format, lang string) error {
	if format == "svg" {
		_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 60 70"><rect x="6" y="6" width="48" height="48" fill="#000"/><rect x="14" y="14" width="32" height="32" fill="#fff"/><text x="30" y="65" font-size="7" text-anchor="middle">%s</text></svg>`, o.Code)
		return err
	}
	_, err := fmt.Fprintf(w, "%s of %s for %q in %s", format, o.Name, way.Channel, lang)
	return err
}

func (d *drawn) Sheet(_ context.Context, w io.Writer, list []origin.Origin, channel, _ string) error {
	if errors.Is(d.refused, console.ErrNoAddress) {
		return d.refused
	}
	for _, o := range list {
		_, _ = fmt.Fprintf(w, "%s %s\n", o.Name, channel)
	}
	return nil
}

// A chain is a house with origins: ids by name.
type chain struct {
	*house
	ids   map[string]int64
	codes *drawn
}

// open builds a chain of shops in regions. What is to be counted of an origin is a
// row of totals.
func open(t *testing.T, db *database.DB, names map[string][]string, change ...func(*console.Config)) *chain {
	t.Helper()
	clock := newClock()
	book := origin.NewBook(db, clock.now)
	c := &chain{ids: map[string]int64{}, codes: &drawn{}}
	change = append([]func(*console.Config){func(config *console.Config) {
		config.Reports, config.Book, config.Codes = origin.NewReports(db, time.UTC, clock.now), book, c.codes
	}}, change...)
	c.house = build(t, db, clock, "", change...)
	c.add("anna", secret)
	for _, parent := range append([]string{""}, names[""]...) {
		for _, name := range names[parent] {
			o, err := book.Add(t.Context(), origin.Origin{Name: name, Parent: c.ids[parent]})
			if err != nil {
				t.Fatal(err)
			}
			c.ids[name] = o.ID
		}
	}
	return c
}

// total keeps what an origin brought on a day, so many days ago.
func (c *chain) total(ago int, id int64, channel string, came, opens int64) {
	c.t.Helper()
	at := c.clock.now().UTC().AddDate(0, 0, -ago)
	day := int64(at.Year())*10000 + int64(at.Month())*100 + int64(at.Day())
	for touch := 1; touch <= 2; touch++ {
		_, err := c.db.ExecContext(c.t.Context(), `INSERT INTO origin_totals (touch, day, origin, channel, scans, came, stayed7, opens, openers, openers_new, questions, askers, askers_new) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			touch, day, id, channel, came+came/3, came*int64(touch), came/2, opens, opens/2, opens/3, opens/2, opens/3, opens/4)
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *chain) anna() *person {
	c.t.Helper()
	anna := c.person("203.0.113.7")
	anna.mustLogin("anna", secret)
	return anna
}

// rows are those of the page's table, cells by a bar.
func rows(t *testing.T, html string) (list []string) {
	t.Helper()
	page, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	page.Find("table tr").Each(func(_ int, row *goquery.Selection) {
		var cells []string
		row.Find("th, td").Each(func(_ int, cell *goquery.Selection) {
			cells = append(cells, strings.Join(strings.Fields(cell.Text()), " "))
		})
		list = append(list, strings.Join(cells, "|"))
	})
	return list
}

var shops = map[string][]string{"": {"连锁店", "Newsletter"}, "连锁店": {"北京朝阳门店", "上海徐汇旗舰店", "=HYPERLINK(\"x\")"}}

func TestThePageShowsWhatTheReportSays(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		c := open(t, db, shops)
		c.total(0, c.ids["北京朝阳门店"], "gzh", 1200, 40)
		c.total(3, c.ids["北京朝阳门店"], "gzh", 30, 0)
		c.total(1, c.ids["上海徐汇旗舰店"], "tg", 3, 0)
		c.total(1, c.ids["连锁店"], "tg", 7, 0)
		c.total(1, c.ids["Newsletter"], "web", 20, 30)
		c.total(1, origin.None, "web", 9, 0)
		c.total(40, c.ids["Newsletter"], "web", 500, 0)
		anna := c.anna()
		if got := anna.get("/console/"); got.status != http.StatusSeeOther || got.to() != "/console/origins" {
			t.Errorf("the console begins with %d at %s", got.status, got.to())
		}
		got := anna.get("/console/origins")
		if got.status != http.StatusOK {
			t.Fatalf("the page answers %d: %s", got.status, got.body)
		}
		report, err := origin.NewReports(db, time.UTC, c.clock.now).Report(t.Context(), origin.Query{})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, row := range report.Rows {
			name := map[int64]string{origin.None: "Without a code", origin.Unknown: "Unknown code", origin.Invitations: "Readers’ invitations"}[row.Origin] + row.Label
			want = append(want, name+"|"+cells(row.Figures))
		}
		want = append(want, "Total|"+cells(report.Total))
		list := rows(t, got.body)
		if diff := cmp.Diff(want, list[1:]); diff != "" {
			t.Errorf("the table differs from the report: %s", diff)
		}
		if joined := strings.Join(list, "\n"); !strings.Contains(joined, "1,230") || !strings.Contains(joined, "<5") {
			t.Errorf("the rows are\n%s", joined)
		}
		if !strings.Contains(got.body, "fewer than five readers") || !strings.Contains(got.body, "25 October 2026 to 23 November 2026") {
			t.Error("the page does not say what “<5” means, or of which days it is")
		}
		for query, want := range map[string]string{
			"by=channel":                    "gzh|1,640|1,230|615|0|0|0|20|40|0",
			"by=day&range=7":                "23 November 2026|1,600|1,200|600|0|0|0|20|40|0",
			"by=week&range=7":               "2026-W48 23 November 2026|1,600|1,200|600|0|0|0|20|40|0",
			"range=90":                      "Newsletter|692|520|260|0|0|0|15|30|0",
			"from=2026-10-14&to=2026-10-14": "Newsletter|666|500|250|0|0|0|0|0|0",
			"touch=last":                    "Newsletter|26|40|10|0|0|0|15|30|0",
			"by=nonsense&touch=x&range=12&show=%3Cb%3E": "Newsletter|26|20|10|0|0|0|15|30|0",
		} {
			if list := rows(t, anna.get("/console/origins?"+query).body); !strings.Contains("\n"+strings.Join(list, "\n")+"\n", "\n"+want+"\n") {
				t.Errorf("%s lacks %q:\n%s", query, want, strings.Join(list, "\n"))
			}
		}
		below := anna.get(fmt.Sprintf("/console/origins/%d?range=7", c.ids["连锁店"]))
		if list := strings.Join(rows(t, below.body), "\n"); strings.Contains(list, "Newsletter") || strings.Contains(list, "Without") || !strings.Contains(list, "北京朝阳门店|1,640|1,230|") {
			t.Errorf("what is below the chain is\n%s", list)
		}
	})
}

// cells are a row's figures as the page has them.
func cells(f origin.Figures) string {
	var list []string
	for _, figure := range f.All() {
		text := figure.String()
		if !figure.Hidden {
			text = strconv.FormatInt(figure.N, 10)
		}
		if figure.N >= 1000 {
			text = text[:len(text)-3] + "," + text[len(text)-3:]
		}
		list = append(list, text)
	}
	return strings.Join(list, "|")
}

func TestTheReportIsSavedForSpreadsheets(t *testing.T) {
	c := open(t, databasetest.SQLite(t), shops)
	c.total(0, c.ids["北京朝阳门店"], "gzh", 1200, 40)
	c.total(0, c.ids["上海徐汇旗舰店"], "gzh", 3, 0)
	anna := c.anna()
	anna.header.Set("Accept-Language", "zh-CN")
	got := anna.get("/console/origins.csv?range=7")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/csv; charset=utf-8" || got.header.Get("Content-Disposition") != `attachment; filename="origins 2026-11-17 2026-11-23 by origin.csv"; filename*=UTF-8''origins%202026-11-17%202026-11-23%20by%20origin.csv` {
		t.Fatalf("answered with %d, %v", got.status, got.header)
	}
	text, ok := strings.CutPrefix(got.body, "\ufeff来源,路径,代码,扫码,新读者,")
	if !ok || !strings.Contains(text, "\r\n") {
		t.Errorf("the file begins with %.60q", got.body)
	}
	records, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(got.body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string][]string{}
	for _, record := range records[1:] {
		seen[record[0]] = record
		for _, cell := range record {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") || strings.HasPrefix(cell, "+") {
				t.Errorf("a spreadsheet would reckon with %q", cell)
			}
		}
	}
	if got := seen["北京朝阳门店"]; len(got) != 12 || got[1] != "连锁店/北京朝阳门店" || !origin.ValidCode(got[2]) || got[4] != "1200" {
		t.Errorf("a shop is %q", got)
	}
	if seen["'=HYPERLINK(\"x\")"] == nil || seen["上海徐汇旗舰店"][4] != "<5" || seen["合计"] == nil {
		t.Errorf("the rows are %q", records)
	}
	if got := anna.get(fmt.Sprintf("/console/origins/%d/report.csv?by=day&range=7", c.ids["连锁店"])); len(strings.Split(strings.TrimSpace(got.body), "\r\n")) != 9 {
		t.Errorf("a week of the chain is %q", got.body)
	}
}

func TestChartsAreDrawn(t *testing.T) {
	c := open(t, databasetest.SQLite(t), map[string][]string{"": {"连锁店", "<script>alert(1)&", strings.Repeat("很长的名字", 12)}})
	c.total(0, c.ids["连锁店"], "gzh", 1200, 40)
	c.total(2, c.ids["<script>alert(1)&"], "gzh", 55, 0)
	c.total(2, c.ids[strings.Repeat("很长的名字", 12)], "gzh", 3, 0)
	anna := c.anna()
	for query, want := range map[string][]string{
		"kind=time":                               {">25 Oct<", ">1,200<"},
		"kind=time&range=365&form=dark":           {"Nov<", "rgb(99,201,180)"},
		"kind=time&range=7&form=small":            {">17 Nov<", `viewBox="0 0 360 220"`},
		"kind=time&show=opens":                    {">40<"},
		"kind=origins":                            {">连锁店<", ">1,200<", "…<", "&lt;script&gt;", "rgb(183,211,204)"},
		"kind=origins&form=small-dark":            {">连锁店<"},
		"kind=origins&show=lost":                  {"<svg"},
		"kind=time&show=lost&range=7":             {"<svg"},
		"kind=time&from=2026-11-23&to=2026-11-23": {">23 Nov<"},
	} {
		got := anna.get("/console/origins/chart.svg?" + query)
		if got.status != http.StatusOK || got.header.Get("Content-Type") != "image/svg+xml" || got.header.Get("Content-Security-Policy") != "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'" {
			t.Fatalf("%s is answered with %d, %v", query, got.status, got.header)
		}
		for decoder := xml.NewDecoder(strings.NewReader(got.body)); ; {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", query, err)
			}
		}
		if strings.Contains(got.body, "<script") {
			t.Errorf("%s has a script in it", query)
		}
		for _, part := range want {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s lacks %q: %s", query, part, got.body)
			}
		}
	}
	// Dates stand at even steps, and figures end where the bars do.
	var days []string
	for _, found := range regexp.MustCompile(`>(\d+ [A-Z][a-z][a-z])<`).FindAllStringSubmatch(anna.get("/console/origins/chart.svg?kind=time").body, -1) {
		days = append(days, found[1])
	}
	if diff := cmp.Diff([]string{"25 Oct", "30 Oct", "4 Nov", "9 Nov", "14 Nov", "19 Nov"}, days); diff != "" {
		t.Errorf("the dates are not even: %s", diff)
	}
	for query, right := range map[string]int{"": 356, "&form=wide": 716, "&form=small": 356} {
		got := anna.get("/console/origins/chart.svg?kind=origins" + query).body
		if n := strings.Count(got, fmt.Sprintf(`text-anchor="end" x="%d"`, right)); n != 3 {
			t.Errorf("%q: %d of three figures end at the right: %s", query, n, got)
		}
	}
	// A year is drawn by weeks.
	if n := strings.Count(anna.get("/console/origins/chart.svg?kind=time&range=365").body, "<path"); n > 200 {
		t.Errorf("a year has %d lines and bars", n)
	}
	// A figure that is hidden is not in the picture either.
	if got := anna.get("/console/origins/chart.svg?kind=origins"); strings.Contains(got.body, ">3<") {
		t.Error("the chart tells a figure that is hidden")
	}
	for _, query := range []string{"", "kind=x", "kind=time&from=2026-13-01&to=2026-12-01", "kind=time&from=2026-11-02&to=2026-11-01"} {
		if got := anna.get("/console/origins/chart.svg?" + query); got.status != http.StatusNotFound {
			t.Errorf("%q is answered with %d", query, got.status)
		}
	}
}

func TestCodesAreShownAndMade(t *testing.T) {
	c := open(t, databasetest.SQLite(t), shops)
	anna := c.anna()
	at := fmt.Sprintf("/console/origins/%d", c.ids["北京朝阳门店"])
	page := anna.get(at)
	for _, want := range []string{at + "/code.svg", at + "/code.pdf?channel=tg&amp;keep=1", "https://t.me/bot?start=o", "Have it made", "https://news.example/o/"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page of a shop lacks %q", want)
		}
	}
	if strings.Contains(page.body, "channel=gzh") || strings.Contains(page.body, "sheet.pdf") {
		t.Error("the page offers a code that is not made, or a sheet of one")
	}
	for path, want := range map[string]string{
		"/code.svg": "image/svg+xml ", "/code.png?channel=tg": "image/png ",
		"/code.pdf":                   `application/pdf attachment; filename="______.pdf"; filename*=UTF-8''%E5%8C%97%E4%BA%AC%E6%9C%9D%E9%98%B3%E9%97%A8%E5%BA%97.pdf`,
		"/code.png?keep=1&channel=tg": `image/png attachment; filename="______ tg.png"; filename*=UTF-8''%E5%8C%97%E4%BA%AC%E6%9C%9D%E9%98%B3%E9%97%A8%E5%BA%97%20tg.png`,
	} {
		got := anna.get(at + path)
		if header := got.header.Get("Content-Type") + " " + got.header.Get("Content-Disposition"); got.status != http.StatusOK || header != want {
			t.Errorf("%s is answered with %d %q, want %q", path, got.status, header, want)
		}
	}
	for _, path := range []string{"/code.svg?channel=gzh", "/code.svg?channel=x", "/code.exe", "/x.svg", "/code."} {
		if got := anna.get(at + path); got.status != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, got.status)
		}
	}
	if got := anna.post(at+"/codes", "channel", "gzh"); got.status != http.StatusSeeOther || got.to() != at {
		t.Errorf("making a code answers %d to %s", got.status, got.to())
	}
	if page := anna.get(at).body; !strings.Contains(page, "WeChat has made the code.") || !strings.Contains(page, "channel=gzh") {
		t.Error("the code that was made is not there")
	}
	anna.post(at+"/codes", "channel", "tg")
	if page := anna.get(at).body; !strings.Contains(page, "WeChat did not make the code.") || strings.Contains(page, "SECRET") {
		t.Error("a code that was refused is not told of, or why")
	}
	all := fmt.Sprintf("/console/origins/%d/sheet.pdf", c.ids["连锁店"])
	sheet := anna.post(all, "channel", "gzh")
	if want := "连锁店 gzh\n=HYPERLINK(\"x\") gzh\n上海徐汇旗舰店 gzh\n北京朝阳门店 gzh\n"; sheet.body != want || sheet.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the sheet has %q, want %q", sheet.body, want)
	}
	if got := anna.get(all); got.status != http.StatusNotFound { // platforms may have to make codes for it
		t.Errorf("a sheet is there for the taking: %d", got.status)
	}
	c.codes.refused = errors.New("SECRET")
	if page := anna.get(at); page.status != http.StatusOK || strings.Contains(page.body, "SECRET") || !strings.Contains(page.body, "codes can’t be shown") {
		t.Errorf("without its codes the page is answered with %d", page.status)
	}
	for _, path := range []string{"999", "0", "-1", "01", "x", "1e3", "999/chart.svg?kind=time", "999/report.csv", "999/code.svg"} {
		if got := anna.get("/console/origins/" + path); got.status != http.StatusNotFound {
			t.Errorf("%s is answered with %d", path, got.status)
		}
	}
}

// How newsie was set up is told to who can change it, and is no trouble for the log.
func TestCodesWithoutAnAddressSayHowToGiveOne(t *testing.T) {
	c := open(t, databasetest.SQLite(t), shops)
	c.codes.refused = fmt.Errorf("the page: %w", console.ErrNoAddress)
	anna := c.anna()
	at := fmt.Sprintf("/console/origins/%d", c.ids["连锁店"])
	before := c.log.String()
	for lang, want := range map[string]string{"en": "and start newsie again", "it": "riavvia newsie", "zh-CN": "然后重启", "zh-TW": "然後重新啟動"} {
		anna.header.Set("Accept-Language", lang)
		if got := anna.get(at); got.status != http.StatusOK || !strings.Contains(got.body, want) || !strings.Contains(got.body, "public_url: https://") || strings.Contains(got.body, "sheet.pdf") {
			t.Errorf("%s: the page does not say what codes need", lang)
		}
		for what, got := range map[string]page{
			"a code": anna.get(at + "/code.pdf"), "a picture": anna.get(at + "/code.svg?channel=tg"), "a sheet": anna.post(at+"/sheet.pdf", "channel", ""), "making one": anna.post(at+"/codes", "channel", "gzh"),
		} {
			if got.status != http.StatusConflict || !strings.Contains(got.body, want) {
				t.Errorf("%s: %s is answered with %d: %.300s", lang, what, got.status, got.body)
			}
		}
	}
	if more := strings.TrimPrefix(c.log.String(), before); more != "" {
		t.Errorf("the log has %s", more)
	}
}

func TestWhatOriginsBroughtIsForUsersAlone(t *testing.T) {
	c := open(t, databasetest.SQLite(t), shops)
	c.total(0, c.ids["北京朝阳门店"], "gzh", 1200, 40)
	stranger := c.person("198.51.100.1")
	at := fmt.Sprintf("/console/origins/%d", c.ids["北京朝阳门店"])
	for _, path := range []string{"/console/origins", "/console/origins.csv", "/console/origins/chart.svg?kind=time", at, at + "/code.svg", at + "/report.csv", at + "/chart.svg?kind=time"} {
		got := stranger.get(path)
		if got.status != http.StatusSeeOther || !strings.HasPrefix(got.to(), "/console/login?next=origins") || got.body != "" {
			t.Errorf("%s is answered with %d to %s", path, got.status, got.to())
		}
		for header, want := range map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"} {
			if got := got.header.Get(header); got != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		anna := c.anna()
		if got := anna.get(path); got.header.Get("Cache-Control") != "no-store" || got.header.Get("X-Content-Type-Options") != "nosniff" || len(got.header.Values("Content-Security-Policy")) != 1 {
			t.Errorf("%s may be kept: %v", path, got.header)
		}
		c.clock.move(time.Minute)
	}
	if got := stranger.post(at+"/codes", "channel", "gzh"); got.to() != "/console/login" || len(c.codes.made) != 0 {
		t.Errorf("a stranger's code is answered with %d; made: %v", got.status, c.codes.made)
	}
	// A wrong period says so, and shows another.
	if got := c.anna().get("/console/origins?from=2026-02-30&to=2026-03-01"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "give two days") || !strings.Contains(got.body, "北京朝阳门店") {
		t.Errorf("a day that never was is answered with %d", got.status)
	}
	if got := c.anna().get("/console/origins?below=" + fmt.Sprint(c.ids["连锁店"]) + "&by=day&range=7"); got.to() != fmt.Sprintf("/console/origins/%d?by=day&range=7", c.ids["连锁店"]) {
		t.Errorf("the chosen origin leads to %q", got.to())
	}
}

func TestTheConsoleSpeaksEachLanguage(t *testing.T) {
	c := open(t, databasetest.SQLite(t), shops)
	c.total(0, c.ids["北京朝阳门店"], "gzh", 1200, 40)
	anna := c.anna()
	for lang, want := range map[string][]string{
		"zh-TW": {`<html lang="zh-Hant">`, "來源", "登出", "新讀者", "1,200"}, "zh-CN": {`<html lang="zh-Hans">`, "来源", "退出登录", "1,200"},
		"it-IT": {`<html lang="it">`, "Provenienze", "Esci", "1.200", "dal 25 ottobre 2026 al 23 novembre 2026"}, "ja": {`<html lang="en">`, "New readers"},
	} {
		anna.header.Set("Accept-Language", lang)
		for _, path := range []string{"/console/origins", fmt.Sprintf("/console/origins/%d", c.ids["北京朝阳门店"]), "/console/account", "/console/nowhere"} {
			body := anna.get(path).body
			if strings.Contains(body, "console.") && !strings.Contains(body, "console.css") || strings.Contains(body, ">console.") || strings.Contains(body, `"console.`) || strings.Contains(body, "{{") {
				t.Errorf("%s: %s has words missing", lang, path)
			}
			if path == "/console/origins" {
				for _, word := range want {
					if !strings.Contains(body, word) {
						t.Errorf("%s: the page lacks %q", lang, word)
					}
				}
			}
		}
	}
}

// What an address asks for never breaks the page, and what is read is written so.
func FuzzAsk(f *testing.F) {
	for _, seed := range []string{"", "range=7&by=day", "from=2026-11-01&to=2026-11-23", "from=x", "show=opens&touch=last&below=3", "from=0000-01-01&to=9999-12-31"} {
		f.Add(seed, int64(3))
	}
	f.Fuzz(func(t *testing.T, query string, below int64) {
		values, err := url.ParseQuery(query)
		if err != nil || below < 0 {
			return
		}
		console.Ask(t, values, below)
	})
}
