package wechat_test

import (
	"strings"
	"testing"

	"newsie/bot/wechat/wechattest"
)

// TestEveryMessageTypeIsAnswered drives each thing a reader can do through the
// whole of newsie. The answers' bytes are compared elsewhere; here it is told
// what each of them is.
func TestEveryMessageTypeIsAnswered(t *testing.T) {
	h := openHouse(t, "en")
	const silent = ""
	for _, test := range []struct {
		name string
		do   func(*wechattest.Reader) wechattest.Bubble
		want string // what the answer begins with
	}{
		{"text", func(r *wechattest.Reader) wechattest.Bubble { return r.Say("lockers") }, "Half an Hour at the Lockers"},
		{"a menu click", func(r *wechattest.Reader) wechattest.Bubble { return r.Click("/latest") }, "Newest"},
		{"a menu click on topics", func(r *wechattest.Reader) wechattest.Bubble { return r.Click("/topics") }, "What most articles here are about"},
		{"a menu click with words of the publisher's", func(r *wechattest.Reader) wechattest.Bubble { return r.Click("lockers") }, "Half an Hour at the Lockers"},
		{"a menu click with an unknown key", func(r *wechattest.Reader) wechattest.Bubble { return r.Click("xyzzyx") }, "Nothing found"},
		{"a menu that opens a page", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("VIEW", "https://example.org") }, silent},
		{"a menu that opens a mini program", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("view_miniprogram", "p") }, silent},
		{"a menu that opens the camera", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("pic_sysphoto", "p") }, silent},
		{"subscribe", func(r *wechattest.Reader) wechattest.Bubble { return r.Subscribe() }, "Welcome to The Lantern."},
		{"subscribe by an article's code", func(r *wechattest.Reader) wechattest.Bubble { return r.SubscribeBy("a6") }, "Half an Hour at the Lockers"},
		{"scan", func(r *wechattest.Reader) wechattest.Bubble { return r.Scan("poster-7") }, "Welcome to The Lantern."},
		{"scan of an article's code", func(r *wechattest.Reader) wechattest.Bubble { return r.Scan("a6") }, "Half an Hour at the Lockers"},
		{"image", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("image") }, "A fine picture"},
		{"voice", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("voice") }, "I cannot listen yet"},
		{"video", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("video") }, "I cannot watch"},
		{"short video", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("shortvideo") }, "I cannot watch"},
		{"location", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("location") }, "Thank you"},
		{"sticker", func(r *wechattest.Reader) wechattest.Bubble {
			return r.Say("【收到不支持的消息类型，暂无法显示】")
		}, "Nice one!"},
		{"file", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("file") }, "I understand words only"},
		{"a type of the future", func(r *wechattest.Reader) wechattest.Bubble { return r.Send("hologram") }, "I understand words only"},
		{"a link to our page", func(r *wechattest.Reader) wechattest.Bubble {
			return r.Share("x", "y", lantern+"/a/1/forty-crates?from=singlemessage")
		}, "Forty Crates of Apricots"},
		{"a link to another page", func(r *wechattest.Reader) wechattest.Bubble {
			return r.Share("About apricots", "", "https://elsewhere.example/1")
		}, "That page is none of ours. These"},
		{"a link without words", func(r *wechattest.Reader) wechattest.Bubble { return r.Share("", "", "https://elsewhere.example/1") }, "That page is none of ours. Type"},
		{"a link that is titled as a command", func(r *wechattest.Reader) wechattest.Bubble {
			return r.Share("forget me", "", "https://elsewhere.example/1")
		}, "That page is none of ours."},
		{"position on entering", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("LOCATION", "") }, silent},
		{"a template message went out", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("TEMPLATESENDJOBFINISH", "") }, silent},
		{"an article was published", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("PUBLISHJOBFINISH", "") }, silent},
		{"an event of the future", func(r *wechattest.Reader) wechattest.Bubble { return r.Event("TELEPORT", "x") }, silent},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := h.Reader("r-" + test.name)
			b := test.do(r)
			shown := b.Text
			for _, n := range b.News {
				shown = n.Title
			}
			if test.want == silent {
				if b.Response != "success" || len(r.Phone()) > 0 {
					t.Errorf("answered %q", b.Response)
				}
				return
			}
			if !strings.HasPrefix(shown, test.want) {
				t.Errorf("the reader sees:\n%s\nwant: %s…", shown, test.want)
			}
		})
	}
}

// A line that is tapped does what its words typed would do.
func TestTappedAndTypedAreTheSame(t *testing.T) {
	h := openHouse(t, "en")
	tapper, typist := h.Reader("tapper"), h.Reader("typist")
	for _, step := range []struct{ say, tap, typed string }{
		{"commerce", "[2]", "2"},
		{"commerce", "More", "more"},
		{"commerce", "Follow", "follow commerce"},
	} {
		tapper.Say(step.say)
		tapped, err := tapper.Tap(step.tap)
		if err != nil {
			t.Fatal(err)
		}
		typist.Say(step.say)
		if typed := typist.Say(step.typed); tapped.Text != typed.Text || tapped.Text == "" {
			t.Errorf("tapping %q shows\n%s\n\ntyping %q shows\n%s", step.tap, tapped.Text, step.typed, typed.Text)
		}
	}
}

func TestLeavingDeletesAReader(t *testing.T) {
	h := openHouse(t, "en")
	r, other := h.Reader("o-leaves"), h.Reader("o-stays")
	for _, reader := range []*wechattest.Reader{r, other} {
		for _, said := range []string{"language English", "commerce", "follow commerce daily 8:00", "apricots"} {
			reader.Say(said)
		}
	}
	rows := func(openid string) (n int) {
		for _, where := range []string{
			"chats WHERE id = ?", "follows WHERE chat = ?", "lists WHERE chat = ?", "deliveries WHERE chat = ?",
			"inbox WHERE chat = ? AND reply <> 'success'", // that it was heard is kept for its repetition
		} {
			var rows int
			if err := h.db.Reader().NewRaw("SELECT COUNT(*) FROM "+where, openid).Scan(t.Context(), &rows); err != nil {
				t.Fatal(err)
			}
			n += rows
		}
		return n
	}
	before := rows("o-stays")
	if rows("o-leaves") == 0 || before == 0 {
		t.Fatal("nothing was kept: nothing can be deleted")
	}
	phone := len(r.Phone())
	if b := r.Unsubscribe(); b.Response != "success" || len(r.Phone()) != phone {
		t.Errorf("a reader who left is told %q", b.Response)
	}
	if n := rows("o-leaves"); n != 0 {
		t.Errorf("%d rows of a reader who left are kept", n)
	}
	if n := rows("o-stays"); n != before {
		t.Errorf("another reader has %d rows instead of %d", n, before)
	}
}
