package extract_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"newsie/content"
	"newsie/content/extract"
)

func address(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// lines writes blocks, a block a line, marks in braces.
func lines(body []content.Block) []string {
	var all []string
	for _, b := range body {
		s := fmt.Sprintf("%s%s %s", b.Kind, strings.Repeat("+", b.Level), b.Text)
		if b.URL != "" {
			s += " <" + b.URL + ">"
		}
		for _, m := range b.Marks {
			s += strings.TrimSuffix(fmt.Sprintf(" {%s %s %s", m.Style, b.Text[m.Start:m.End], m.URL), " ") + "}"
		}
		all = append(all, s)
	}
	return all
}

func TestFragments(t *testing.T) {
	for _, c := range []struct {
		name, html string
		want       []string
	}{
		{"white space", "<p>\n one\n\t two&nbsp;three </p>", []string{"paragraph one two three"}},
		{"marks nest", "<p>a <b>b <i>c</i></b> d</p>", []string{"paragraph a b c d {strong b c} {em c}"}},
		{"marks lose outer space", "<p>a<b> b </b>c</p>", []string{"paragraph a b c {strong b}"}},
		{"a mark over paragraphs", "<b><p>one</p><p>two</p></b>", []string{"paragraph one {strong one}", "paragraph two {strong two}"}},
		{"text between blocks", "one<p>two</p>three", []string{"paragraph one", "paragraph two", "paragraph three"}},
		{"headings", "<h1>A</h1><h3>B</h3><h6>C <b>d</b></h6>", []string{"heading++ A", "heading+++ B", "heading++++ C d"}},
		{"lists", "<ul><li>a<ol><li>b</li></ol></li><li><p>c</p><p>d</p></li></ul>", []string{"item+ a", "item++ b", "item+ c", "paragraph d"}},
		{"quotes", "<blockquote>a<p>b</p></blockquote>", []string{"quote a", "quote b"}},
		{"code", "<pre><code>if a {\n\tb()\n}\n</code></pre><p><code>c</code></p>", []string{"code if a {\n\tb()\n}", "paragraph c {code c}"}},
		{"a single break is a space", "<p>a<br>b</p>", []string{"paragraph a b"}},
		{"two breaks part paragraphs", "a<br><br>b<br/><br/><br/>c", []string{"paragraph a", "paragraph b", "paragraph c"}},
		{"long lines are paragraphs", strings.Repeat(strings.Repeat("word ", 15)+"<br>", 3), []string{
			"paragraph " + strings.TrimSpace(strings.Repeat("word ", 15)), "paragraph " + strings.TrimSpace(strings.Repeat("word ", 15)), "paragraph " + strings.TrimSpace(strings.Repeat("word ", 15)),
		}},
		{"links", `<a href="/a">a</a> <a href="https://b.example/x">b</a> <a href="mailto:c@d.example">c</a> <a href="javascript:alert(1)">d</a> <a href=" JaVaScRiPt:x">e</a> <a href="data:text/html,x">f</a> <a href="#g">g</a> <a href="file:///etc">h</a>`,
			[]string{"paragraph a b c d e f g h {link a https://base.example/a} {link b https://b.example/x} {link c mailto:c@d.example}"}},
		{"what runs is dropped", `<p onclick="x()">a<script>b</script><style>c</style><iframe src="d">e</iframe><noscript>f</noscript><template>g</template><svg><text>h</text></svg><object>i</object></p><form>j<input value="k"><button>l</button></form>`,
			[]string{"paragraph a"}},
		{"what is hidden is dropped", `<p hidden>a</p><p style="display: none">b</p><span aria-hidden="true">c</span><p>d</p>`, []string{"paragraph d"}},
		{"comments", "<p>a<!-- b -->c</p>", []string{"paragraph ac"}},
		{"pictures", `<p>a <img src="/x.png" alt=" An x "> b</p><img data-src="y.png" src="data:image/gif;base64,R0"><img srcset="s.png 1x, l.png 2x"><img src="javascript:x"><img src="">`,
			[]string{"paragraph a b", "picture An x <https://base.example/x.png>", "picture  <https://base.example/y.png>", "picture  <https://base.example/l.png>"}},
		{"a picture before its text", `<p><img src="/x.png">text</p>`, []string{"picture  <https://base.example/x.png>", "paragraph text"}},
		{"tracking pixels", `<p>a</p><img src="https://t.example/o.gif" width="1" height="1"><img src="https://pixel.wp.com/b.gif"><img src="https://x.example/pixel?u=1">`, []string{"paragraph a"}},
		{"figures", `<figure><picture><img src="/x.png" alt="x"></picture><figcaption>The <b>x</b></figcaption></figure><figure><blockquote>q</blockquote></figure>`,
			[]string{"picture The x <https://base.example/x.png>", "quote q"}},
		{"tables", "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", []string{"paragraph a | b", "paragraph 1 | 2"}},
		{"references", `<p>a<sup><a href="#n1">1</a></sup> m<sup>2</sup></p>`, []string{"paragraph a m2"}},
		{"joiners and emoji stay, layout characters go", "<p>👨\u200d👩\u200d👧 so\u00adft ze\u200bro</p>", []string{"paragraph 👨\u200d👩\u200d👧 soft zero"}},
		{"only text", "a &amp; b", []string{"paragraph a & b"}},
		{"nothing", " <p> </p> ", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lines(extract.Fragment(c.html, address(t, "https://base.example/dir/page")))
			want := c.want
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "https://base.example/y.png", "https://base.example/dir/y.png")
				want[i] = strings.ReplaceAll(want[i], "https://base.example/l.png", "https://base.example/dir/l.png")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRelativeAddressesWithoutABase(t *testing.T) {
	got := lines(extract.Fragment(`<p><a href="/a">a</a> <img src="../pics/with%20space.png?v=1"></p>`, nil))
	if diff := cmp.Diff([]string{"paragraph a", "picture  <../pics/with space.png>"}, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

const prose = "<p>The ferry crossed at six, at noon and at nine, and whoever missed the last one slept in the boat house, where there was a stove and, most nights, a story.</p>"

func TestMetadata(t *testing.T) {
	for _, c := range []struct {
		name, head, body string
		want             extract.Page
	}{
		{"title and a short name", `<title>The last ferry of the year | Shore Paper</title>`, "", extract.Page{Title: "The last ferry of the year"}},
		{"title and site", `<title>The ferry - The Shore Paper</title><meta property="og:site_name" content="The Shore Paper">`, "", extract.Page{Title: "The ferry"}},
		{"title without a site", `<title>The ferry - a story of three crossings told by the keeper</title>`, "", extract.Page{Title: "The ferry - a story of three crossings told by the keeper"}},
		{"heading before title", `<title>Shore Paper: the ferry</title>`, "<h1>The ferry</h1>", extract.Page{Title: "The ferry"}},
		{"Open Graph", `<meta property="og:title" content="The ferry"><meta property="og:description" content="A story."><meta property="article:published_time" content="2024-05-06T07:08:09+02:00"><meta property="og:image" content="/f.png"><meta property="article:author" content="https://social.example/una"><meta name="author" content="Una Crane"><meta property="og:locale" content="it_IT">`, "",
			extract.Page{Title: "The ferry", Description: "A story.", Published: time.Date(2024, 5, 6, 5, 8, 9, 0, time.UTC), Cover: "https://base.example/f.png", Author: "Una Crane", Lang: "it-IT"}},
		{"JSON-LD", `<script type="application/ld+json">not json</script><script type="application/ld+json">[{"@type":["Thing"]},{"@type":["BlogPosting"],"headline":"The ferry","author":{"@type":"Person","name":"Una Crane"},"datePublished":"2024-05-06","keywords":"sea, boats","image":[{"url":"https://i.example/f.png"}],"inLanguage":"de"}]</script>`, "",
			extract.Page{Title: "The ferry", Author: "Una Crane", Published: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), Tags: []string{"sea", "boats"}, Cover: "https://i.example/f.png", Lang: "de"}},
		{"canonical", `<title>T</title><link rel="canonical" href="/ferry#top"><meta name="keywords" content="船，海、河">`, "", extract.Page{Title: "T", Canonical: "https://base.example/ferry", Tags: []string{"船", "海", "河"}}},
		{"a canonical address that is none", `<title>T</title><link rel="canonical" href="javascript:x">`, "", extract.Page{Title: "T"}},
		{"time element", `<title>T</title>`, `<time datetime="2024-05-06">6 May</time>`, extract.Page{Title: "T", Published: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := extract.Article("<html><head>"+c.head+"</head><body><article>"+c.body+prose+"</article></body></html>", address(t, "https://base.example/x"))
			if err != nil {
				t.Fatal(err)
			}
			got.Body = nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("page (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesWithoutStructure(t *testing.T) {
	for name, page := range map[string]string{
		"plain":  "<title>T</title><p>Short.</p><p>Text.</p>",
		"chrome": "<title>T</title><nav>Home</nav><header><nav>x</nav></header><div><p>Short.</p><p>Text.</p></div><footer>© us</footer>",
		"main":   "<title>T</title><div>Menu</div><main><p>Short.</p><p>Text.</p></main>",
	} {
		got, err := extract.Article(page, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"paragraph Short.", "paragraph Text."}, lines(got.Body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHostilePages(t *testing.T) {
	for name, page := range map[string]string{
		"deep":      strings.Repeat("<div>", 100_000) + "x",
		"wide":      strings.Repeat("<b></b>", 400_000),
		"unclosed":  strings.Repeat("<a href=x><b><i>", 2000),
		"nothing":   "",
		"frameset":  "<frameset><frame src=x></frameset>",
		"only head": "<head><title>x</title></head>",
	} {
		page, err := extract.Article(page, nil)
		t.Logf("%s: %d blocks, %v", name, len(page.Body), err)
	}
}

func TestDate(t *testing.T) {
	for s, want := range map[string]string{
		"2024-05-06": "2024-05-06T00:00:00Z", "2024-05-06T07:08:09.123Z": "2024-05-06T07:08:09Z", "2024-05-06 07:08": "2024-05-06T07:08:00Z", "2024/5/6": "2024-05-06T00:00:00Z",
		"2024年5月6日": "2024-05-06T00:00:00Z", "Mon, 6 May 2024 07:08:09 +0200": "2024-05-06T05:08:09Z", "May 6, 2024": "2024-05-06T00:00:00Z", "2024-05-06T07:08:09+0200": "2024-05-06T05:08:09Z",
		"": "0001-01-01T00:00:00Z", "yesterday": "0001-01-01T00:00:00Z", "2024-13-40": "0001-01-01T00:00:00Z", "0000-00-00": "0001-01-01T00:00:00Z",
	} {
		if got := extract.Date(s).Truncate(time.Second).Format(time.RFC3339); got != want {
			t.Errorf("%q: got %s, want %s", s, got, want)
		}
	}
}
