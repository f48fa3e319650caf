package wechat

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/silenceper/wechat/v2/officialaccount/draft"

	"newsie/bot"
	"newsie/content"
)

// maxSource is the longest address that "read the original" may lead to.
const maxSource = 1024

var errNoID = errors.New("the platform's answer has no media_id")

// errNoArticles: nothing is left to be sent.
var errNoArticles = errors.New("its articles are not there any more")

// makeDraft makes the draft of a mass send, unless there is one of just these
// articles.
func (c *Channel) makeDraft(ctx context.Context, o bot.Outgoing, k *campaign) error {
	articles, links, err := c.newsArticles(ctx, o.Reply)
	if err != nil {
		return err
	}
	made := c.madeOf(articles, links)
	if k.Draft != "" && k.Made == made {
		return nil
	}
	if k.Draft != "" { // an article was withdrawn or changed since
		if err := c.deleteDraft(ctx, k.Draft); err != nil {
			c.log.Warn("delete a draft", "error", err)
		}
		k.Draft = ""
	}
	if err := c.keep(ctx, k); err != nil {
		return err
	}
	id, err := c.addDraft(ctx, articles, links, o.Reply.Lang, k)
	if err != nil {
		// What this try found out about pictures spares the next one.
		return errors.Join(err, c.keep(ctx, k))
	}
	k.Draft, k.Made = id, made
	return c.keep(ctx, k)
}

// newsArticles loads the articles of a digest, as many as are sent, and where
// each is read.
func (c *Channel) newsArticles(ctx context.Context, r bot.Reply) ([]content.Article, map[int64]string, error) {
	var ids []int64
	links := map[int64]string{}
	for _, group := range r.Groups {
		for _, card := range group.Cards {
			if card.Article != 0 && links[card.Article] == "" {
				ids = append(ids, card.Article)
				links[card.Article] = card.URL
			}
		}
	}
	most := c.cfg.Mass.Articles
	if most <= 0 || most > MostNews {
		most = MostNews
	}
	var articles []content.Article
	for len(ids) > 0 && len(articles) < most {
		n := min(most-len(articles), len(ids))
		list, err := c.cfg.Articles(ctx, ids[:n])
		if err != nil {
			return nil, nil, storeError(err)
		}
		articles, ids = append(articles, list...), ids[n:]
	}
	if len(articles) == 0 {
		return nil, nil, errNoArticles
	}
	return articles, links, nil
}

// madeOf changes with whatever a draft is made of: a word for each article.
func (c *Channel) madeOf(articles []content.Article, links map[int64]string) string {
	var words []string
	for _, a := range articles {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q %t", a.ID, a.Hash, a.Title, links[a.ID], c.cfg.Mass.Summary))
		words = append(words, hex.EncodeToString(sum[:16]))
	}
	return strings.Join(words, " ")
}

// addDraft puts a draft together and gives its media id.
func (c *Channel) addDraft(ctx context.Context, articles []content.Article, links map[int64]string, lang string, k *campaign) (string, error) {
	for attempt := 0; ; attempt++ {
		covers := make([]thumb, len(articles))
		for i, article := range articles {
			var err error
			if covers[i], err = c.thumb(ctx, article, k); err != nil {
				return "", err
			}
		}
		var pictures map[string]string
		if !c.cfg.Mass.Summary {
			var err error
			if pictures, err = c.images(ctx, articles, k); err != nil {
				return "", err
			}
		}
		if err := enough(ctx); err != nil {
			return "", err
		}
		sheets := c.sheets(articles, links, covers, pictures, lang)
		var id string
		// A draft too many is no harm.
		err := c.call(ctx, true, func(string) error {
			var err error
			if id, err = c.draft.AddDraft(sheets); err == nil && id == "" {
				err = errNoID
			}
			return err
		})
		if err == nil {
			return id, nil
		}
		if n, _ := code(err); n != 40007 || attempt > 0 {
			return "", c.massError(ctx, "make the draft", err)
		}
		// Somebody deleted a cover on the platform: they are uploaded anew.
		for _, cover := range covers {
			if err := c.cfg.Settings.Delete(ctx, cover.setting); err != nil {
				return "", storeError(err)
			}
		}
	}
}

// sheets are the articles as the platform takes them.
func (c *Channel) sheets(articles []content.Article, links map[int64]string, covers []thumb, pictures map[string]string, lang string) []*draft.Article {
	words := c.cfg.Catalog.Printer(lang)
	var list []*draft.Article
	for i, a := range articles {
		sheet := &draft.Article{
			Title: abridge(a.Title, maxNewsTitle), Author: abridge(a.Author, maxNewsAuthor), ThumbMediaID: covers[i].mediaID,
		}
		sheet.Title = cmp.Or(sheet.Title, abridge(a.Summary, maxNewsTitle), abridge(a.Text(), maxNewsTitle), c.cfg.Name)
		if len(articles) == 1 { // of several, the app shows none
			sheet.Digest = abridge(a.Summary, maxNewsDigest)
		}
		end, more := "", words.T("wechat.mass_cut")
		if link := links[a.ID]; link != "" && len(link) <= maxSource {
			sheet.ContentSourceURL = link
			end, more = words.T("wechat.mass_original"), words.T("wechat.mass_more")
		}
		if c.cfg.Mass.Summary && a.Summary != "" {
			if sheet.ContentSourceURL != "" {
				end = more
			}
			sheet.Content = summaryBody(a, end)
		} else {
			sheet.Content = newsBody(a, pictures, end, more)
		}
		list = append(list, sheet)
	}
	return list
}

// deleteDraft deletes a draft, if it is still there.
func (c *Channel) deleteDraft(ctx context.Context, id string) error {
	err := c.call(ctx, true, func(string) error { return c.draft.DeleteDraft(id) })
	if n, _ := code(err); n == 40007 {
		return nil
	}
	return err
}
