package wechattest_test

import (
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/officialaccount/draft"

	"newsie/bot/wechat/wechattest"
)

// article is a good article, changed by pairs of field and value.
func article(thumb string, changes ...any) object {
	a := object{"title": "T", "content": "<p>text</p>", "thumb_media_id": thumb}
	for i := 0; i < len(changes); i += 2 {
		a[changes[i].(string)] = changes[i+1]
	}
	return a
}

// drafted adds a draft of n articles and returns its media_id.
func (a *api) drafted(n int) string {
	a.t.Helper()
	code, answer := a.post(wechattest.DraftAdd, object{"articles": many(n, article(a.cover(), "digest", "D"))})
	a.want("draft", code, 0)
	id, _ := answer["media_id"].(string)
	return id
}

func TestDraftLimits(t *testing.T) {
	long := func(n int) string { return strings.Repeat("微", n) }
	for name, test := range map[string]struct {
		n       int
		changes []any
		code    int
		problem string
	}{
		"eight articles":       {8, nil, 0, ""},
		"nine articles":        {9, nil, 45008, ""},
		"no articles":          {0, nil, 44003, ""},
		"title of 32":          {1, []any{"title", long(32)}, 0, ""},
		"title of 33":          {1, []any{"title", long(33)}, 45003, ""},
		"emoji are one each":   {1, []any{"title", strings.Repeat("😀", 32)}, 0, ""},
		"no title":             {1, []any{"title", " "}, 44003, ""},
		"author of 16":         {1, []any{"author", long(16)}, 0, ""},
		"author of 17":         {1, []any{"author", long(17)}, 45110, ""},
		"digest of 128":        {1, []any{"digest", long(128)}, 0, ""},
		"digest of 129":        {1, []any{"digest", long(129)}, 45004, ""},
		"content of 19,999":    {1, []any{"content", long(19_999)}, 0, ""},
		"content of 20,000":    {1, []any{"content", long(20_000)}, 45002, ""},
		"no content":           {1, []any{"content", ""}, 44003, ""},
		"only a script":        {1, []any{"content", "<script>x</script>"}, 44003, ""},
		"source of 1024":       {1, []any{"content_source_url", "https://e.org/" + strings.Repeat("x", 1010)}, 0, ""},
		"source of 1025":       {1, []any{"content_source_url", "https://e.org/" + strings.Repeat("x", 1011)}, 45005, ""},
		"strange source":       {1, []any{"content_source_url", "/x"}, 0, "does not open"},
		"unknown thumb":        {1, []any{"thumb_media_id", "x"}, 40007, ""},
		"no thumb":             {1, []any{"thumb_media_id", ""}, 40007, ""},
		"a foreign picture":    {1, []any{"content", `<p>a<img src="https://e.org/1.png"/></p>`}, 0, "not on mmbiz.qpic.cn"},
		"a picture of others":  {1, []any{"content", `<p>a<img src="https://mmbiz.qpic.cn/x/0"/></p>`}, 0, "not on mmbiz.qpic.cn"},
		"not closed":           {1, []any{"content", "<p>a<b>b</b>"}, 0, "[p] is not closed"},
		"a script, not closed": {1, []any{"content", "<p>a</p><script>b"}, 0, "[script] is not closed"},
		"closed in disorder":   {1, []any{"content", "<p><b>a</p></b>"}, 0, "closes nothing"},
		"closed without":       {1, []any{"content", "a</p>"}, 0, "closes nothing"},
		"a loose <":            {1, []any{"content", "<p>a < b</p>"}, 0, "a loose <"},
		"entities":             {1, []any{"content", "<p>a &lt; b &amp; c<br>d</p>"}, 0, ""},
		"line breaks, closed":  {1, []any{"content", "a<br/>b<hr />c"}, 0, ""},
		"a comment is dropped": {1, []any{"content", "a<!-- b -->"}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, wechattest.Account{})
			code, _ := a.post(wechattest.DraftAdd, object{"articles": many(test.n, article(a.cover(), test.changes...))})
			a.want(name, code, test.code)
			a.problem(name, test.problem)
			if (len(a.Drafts()) == 1) != (test.code == 0) {
				t.Errorf("kept: %+v", a.Drafts())
			}
		})
	}
	a := start(t, wechattest.Account{})
	for _, path := range []string{wechattest.DraftAdd, wechattest.DraftGet, wechattest.DraftDelete, wechattest.DraftBatch, wechattest.MaterialDelete} {
		code, _ := a.post(path, []int{1})
		a.want("of no shape: "+path, code, 47001)
	}
	a.post(wechattest.DraftAdd, object{"articles": []object{article(a.cover(), "content", "<p>"+long(55)+"</p>")}})
	if got := a.Drafts()[0].Articles[0].Digest; got != long(54) {
		t.Errorf("digest of the body: %q", got)
	}
}

func TestDraftsAreCleaned(t *testing.T) {
	a := subscription(t)
	_, answer := a.upload(wechattest.ImageUpload, "media", "a.png", picture(t, "png", 2, 2, 0))
	own := answer["url"].(string)
	content := `<p onclick="x()" style="color: red">a <b>&amp; b</b><script>alert("<p>")</script><img src="` + own + `"/><img src="https://e.org/x.png"/>` +
		`<a href="https://e.org/">c</a><a href="https://mp.weixin.qq.com/s?a=1&amp;b=2">d</a></p>`
	a.post(wechattest.DraftAdd, object{"articles": []object{article(a.cover(), "content", content)}})
	a.problem("cleaning", "https://e.org/x.png")
	got := a.Drafts()[0].Articles[0]
	want := `<p style="color: red">a <b>&amp; b</b><img src="` + own + `"/><a>c</a><a href="https://mp.weixin.qq.com/s?a=1&amp;b=2">d</a></p>`
	if got.Content != want {
		t.Errorf("kept\n%s\nwant\n%s", got.Content, want)
	}
	if lost := strings.Join(got.Lost, ", "); lost != "onclick, script, img https://e.org/x.png, href https://e.org/" {
		t.Errorf("lost: %s", lost)
	}
	if got.Digest != "a & bcd" {
		t.Errorf("digest %q", got.Digest)
	}
}

func TestDraftsOfTheLibrary(t *testing.T) {
	a := subscription(t)
	d := library(t, a.Server).GetDraft()
	id, err := d.AddDraft([]*draft.Article{{Title: "标题 <1> & 2", Author: "作者", Digest: "摘要", Content: "<p>a &lt; b</p>", ThumbMediaID: a.cover(), ContentSourceURL: "https://e.org/?a=1&b=2"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.GetDraft(id)
	if err != nil || len(got) != 1 || got[0].Title != "标题 <1> & 2" || got[0].Content != "<p>a &lt; b</p>" || got[0].ContentSourceURL != "https://e.org/?a=1&b=2" {
		t.Errorf("%+v %v", got, err)
	}
	if n, err := d.CountDraft(); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	list, err := d.PaginateDraft(0, 20, true)
	if err != nil || list.TotalCount != 1 || list.Item[0].MediaID != id || list.Item[0].Content.NewsItem[0].Title != "标题 <1> & 2" || list.Item[0].Content.NewsItem[0].Content != "" {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := d.PaginateDraft(0, 21, true); err == nil || !strings.Contains(err.Error(), "errcode=40035") {
		t.Errorf("a page of 21: %v", err)
	}
	if err := d.DeleteDraft(id); err != nil {
		t.Error(err)
	}
	if err := d.DeleteDraft(id); err == nil || !strings.Contains(err.Error(), "errcode=40007") {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := d.GetDraft(id); err == nil || !strings.Contains(err.Error(), "errcode=40007") {
		t.Errorf("a deleted draft: %v", err)
	}
}

func TestPublishing(t *testing.T) {
	a := subscription(t)
	id := a.drafted(1)
	code, answer := a.post(wechattest.Publish, object{"media_id": id})
	a.want("publish", code, 0)
	if len(a.Drafts()) != 0 {
		t.Error("the draft stays")
	}
	a.Reader("r1").Say("hi")
	code, _ = a.post(wechattest.CustomSend, object{"touser": "r1", "msgtype": "mpnewsarticle", "mpnewsarticle": object{"article_id": answer["publish_id"]}})
	a.want("send it", code, 0)
	if phone := a.Reader("r1").Phone(); len(phone) != 2 || phone[1].News[0].Title != "T" {
		t.Errorf("%+v", phone)
	}
	code, _ = a.post(wechattest.Publish, object{"media_id": id})
	a.want("twice", code, 40007)
	a = start(t, wechattest.Account{})
	code, _ = a.post(wechattest.Publish, object{"media_id": id})
	a.want("not verified", code, 48001)
}
