package wechat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/util"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/thumbnail"
)

// What the platform takes. A cover's square for the smaller places is cut out of
// it by the app.
const (
	coverWidth, coverHeight = 900, 500
	imageWidth              = 1080
	maxImage                = 1<<20 - 1 // "less than 1 MB", JPEG or PNG
	maxImages               = 20        // in one draft
	pictureTime             = 5 * time.Second
	plainCovers             = 24 // different ones, for articles without a picture
	keepMaterial            = 400 * 24 * time.Hour
)

// remembered is the setting that an uploaded picture is remembered under.
func (c *Channel) remembered(kind, address string) string {
	sum := sha256.Sum256([]byte(address))
	return "wechat/" + c.cfg.Name + "/" + kind + "/" + hex.EncodeToString(sum[:16])
}

// A thumb is a cover that the platform has.
type thumb struct{ setting, mediaID string }

// thumb is an article's cover on the platform: its own picture, else the
// channel's, else plain colours that the article decides.
func (c *Channel) thumb(ctx context.Context, article content.Article, k *campaign) (thumb, error) {
	if article.Cover != "" && !k.Left[article.Cover] {
		found, err := c.upload(ctx, c.remembered("cover", article.Cover), func(ctx context.Context) ([]byte, error) {
			data, err := c.picture(ctx, article.Cover)
			if err != nil {
				return nil, err
			}
			return thumbnail.Cover(data, coverWidth, coverHeight)
		})
		if err == nil || pressing(err) && !c.tired(k, err) {
			return found, err
		}
		c.leave(k, article.Cover, err)
	}
	if own := c.cfg.Mass.Cover; own != nil {
		sum := sha256.Sum256(own)
		return c.upload(ctx, c.remembered("cover", "own:"+hex.EncodeToString(sum[:])), func(context.Context) ([]byte, error) {
			return thumbnail.Cover(own, coverWidth, coverHeight)
		})
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(article.Hash + article.Title))
	seed := "plain:" + strconv.Itoa(int(h.Sum32()%plainCovers))
	return c.upload(ctx, c.remembered("cover", seed), func(context.Context) ([]byte, error) {
		return thumbnail.Plain(seed, coverWidth, coverHeight)
	})
}

// upload makes a picture a permanent material, once.
func (c *Channel) upload(ctx context.Context, setting string, get func(context.Context) ([]byte, error)) (thumb, error) {
	if id, ok, err := c.cfg.Settings.Load(ctx, setting); err != nil || ok {
		if err != nil {
			err = storeError(err)
		}
		return thumb{setting, id}, err
	}
	data, err := get(ctx)
	if err != nil {
		return thumb{}, err
	}
	if err := enough(ctx); err != nil {
		return thumb{}, err
	}
	var id string
	// Twice is a picture too many in the account's collection, and no harm.
	err = c.call(ctx, true, func(string) error {
		var err error
		id, _, err = c.material.AddMaterialFromReader(material.MediaType(material.PermanentMaterialTypeImage), "cover.jpg", bytes.NewReader(data))
		if err == nil && id == "" {
			err = errNoID
		}
		return err
	})
	if err != nil {
		return thumb{}, c.massError(ctx, "upload a cover", err)
	}
	if err := c.cfg.Settings.Save(ctx, setting, id, keepMaterial); err != nil {
		return thumb{}, storeError(err)
	}
	return thumb{setting, id}, nil
}

// images gives the addresses that the platform shows the articles' pictures
// under. A picture that cannot be had is left out, never its article.
func (c *Channel) images(ctx context.Context, articles []content.Article, k *campaign) (map[string]string, error) {
	shown := map[string]string{}
	for _, article := range articles {
		for _, block := range article.Body {
			if block.Kind != content.Picture || block.URL == "" || shown[block.URL] != "" || k.Left[block.URL] {
				continue
			}
			if len(shown) == maxImages {
				return shown, nil
			}
			address, err := c.image(ctx, block.URL)
			switch {
			case err == nil:
				shown[block.URL] = address
			case pressing(err) && !c.tired(k, err):
				return nil, err
			default:
				c.leave(k, block.URL, err)
			}
		}
	}
	return shown, nil
}

// leave notes a picture that cannot be had, so that the next try does not wait for it.
func (c *Channel) leave(k *campaign, address string, err error) {
	c.log.Info("a picture is left out of the mass send", "error", err)
	if k.Left == nil {
		k.Left = map[string]bool{}
	}
	k.Left[address] = true
}

// pressing: the error concerns more than one picture.
func pressing(err error) bool {
	var retry *bot.RetryError
	var wrong *bot.ConfigError
	return errors.As(err, &retry) || errors.As(err, &wrong)
}

// mostTroubles is how often a picture may hold up the whole mass send.
const mostTroubles = 3

// tired reports whether the platform's trouble with a picture has held up the
// mass send too often.
func (c *Channel) tired(k *campaign, err error) bool {
	var retry *bot.RetryError
	if !errors.As(err, &retry) || errors.Is(err, errUnready) || errors.Is(err, errStore) {
		return false
	}
	k.Troubles++
	return k.Troubles > mostTroubles
}

// image uploads a picture of a text, once.
func (c *Channel) image(ctx context.Context, address string) (string, error) {
	setting := c.remembered("image", address)
	if shown, ok, err := c.cfg.Settings.Load(ctx, setting); err != nil || ok {
		if err != nil {
			err = storeError(err)
		}
		return shown, err
	}
	data, err := c.picture(ctx, address)
	if err != nil {
		return "", err
	}
	name := "image.jpg"
	switch kind := http.DetectContentType(data); {
	case len(data) <= maxImage && kind == "image/jpeg":
	case len(data) <= maxImage && kind == "image/png":
		name = "image.png"
	default:
		if data, err = thumbnail.Within(data, imageWidth, maxImage); err != nil {
			return "", err
		}
	}
	if err := enough(ctx); err != nil {
		return "", err
	}
	var answer struct {
		URL string `json:"url"`
	}
	err = c.call(ctx, true, func(token string) error {
		return postPicture(ctx, "/cgi-bin/media/uploadimg", token, name, data, &answer)
	})
	if err != nil {
		if n, _ := code(err); n == 45009 || n == 45011 || n == 45028 {
			return "", fmt.Errorf("upload a picture: %s", redact(err.Error())) // the text need not wait for it
		}
		return "", c.massError(ctx, "upload a picture", err)
	}
	if answer.URL == "" {
		return "", errors.New("the platform gave a picture no address")
	}
	if err := c.cfg.Settings.Save(ctx, setting, answer.URL, keepMaterial); err != nil {
		return "", storeError(err)
	}
	return answer.URL, nil
}

// picture gets a picture, within the time that one picture may take.
func (c *Channel) picture(ctx context.Context, address string) ([]byte, error) {
	if c.cfg.Picture == nil {
		return nil, errors.New("there are no pictures here")
	}
	if err := enough(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	data, err := c.cfg.Picture(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("get a picture: %w", err)
	}
	return data, nil
}

// postPicture posts a file. The library can only upload those on disk here.
func postPicture(ctx context.Context, path, token, name string, data []byte, out any) error {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("media", name)
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	answer, err := util.HTTPPostContext(ctx, apiHost+path+"?access_token="+url.QueryEscape(token), form.Bytes(),
		map[string]string{"Content-Type": w.FormDataContentType()})
	if err != nil {
		return err
	}
	return decode(path, answer, out)
}
