package telegram

import (
	"context"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
)

// ownCover is the size in which the reader pages offer covers: a JPEG that the
// server takes, whatever the picture was.
const ownCover = "?cover=900x500"

// inputMedia is the Bot API's InputMediaPhoto.
type inputMedia struct {
	Type      string `json:"type"`
	Media     string `json:"media"`
	Caption   string `json:"caption"`
	ParseMode string `json:"parse_mode,omitempty"`
}

// putPhoto sends an article that is being shown as a picture with its caption,
// or changes one. tried is false where it must go as a text instead: there is no
// picture that the server can fetch, a caption is too small, the message to be
// changed is a text, or the server refused the picture.
func (c *Channel) putPhoto(ctx context.Context, o outgoing, s sheet) (id int64, tried bool, err error) {
	if !s.view || o.place != 0 && !o.onPhoto {
		return 0, false, nil
	}
	address := c.photoAddress(s.blocks[0].entries[0].cover)
	if address == "" {
		return 0, false, nil
	}
	page, ok := fitCaption(s, o.reply.Actions)
	if !ok {
		return 0, false, nil
	}
	was := c.knownPhoto(ctx, address)
	if was.avoided(c.config.Now()) {
		return 0, false, nil
	}
	known, html := was.fileID, true
	for range 4 { // each of the ways below, once
		photo := address
		if known != "" {
			photo = known
		}
		var fileID string
		id, fileID, err = c.postPhoto(ctx, o, page, photo, html)
		switch {
		case err == nil:
			if fileID != "" && fileID != known {
				c.rememberPhoto(ctx, address, knownPhoto{fileID: fileID})
			}
			c.arrived(page, o.begun)
			return id, true, nil
		case html && refused(err, "can't parse entities"):
			c.htmlRefused(err)
			html = false
		case known != "" && photoRefused(err):
			known = "" // of another bot, or forgotten by the server
		case photoRefused(err):
			c.photoFailed(ctx, address, was, err)
			return 0, false, nil
		case o.place != 0 && refused(err, notModified):
			return o.place, true, nil
		case o.place != 0 && notReplaceable(err):
			o.place = 0
		case noPictures(err) || c.fault(err, o.to):
			return 0, false, nil // it may go as a text
		default:
			return 0, true, c.sendError(err, o.to)
		}
	}
	return 0, true, c.sendError(err, o.to)
}

// photoRefused reports whether the server refused a call for its picture.
func photoRefused(err error) bool {
	return refused(err, "wrong file identifier", "wrong remote file identifier", "FILE_REFERENCE", "failed to get HTTP URL content",
		"wrong type of the web page content", "WEBPAGE_", "IMAGE_PROCESS_FAILED", "PHOTO_", "MEDIA_EMPTY", "too big for a photo",
		"wrong type of the file", "can't use file of type", "no photo in the request")
}

func (c *Channel) postPhoto(ctx context.Context, o outgoing, page page, photo string, html bool) (id int64, fileID string, err error) {
	method, params, err := c.destination(o, "sendPhoto", "editMessageMedia")
	if err != nil {
		return 0, "", err
	}
	caption, mode := page.text.plain(), ""
	if html {
		caption, mode = page.text.html(), "HTML"
	}
	if o.place != 0 {
		if err := addJSON(params, "media", inputMedia{"photo", photo, caption, mode}); err != nil {
			return 0, "", err
		}
	} else {
		params["photo"], params["caption"] = photo, caption
		params.AddNonEmpty("parse_mode", mode)
	}
	if err := addKeyboard(params, page.keyboard); err != nil {
		return 0, "", err
	}
	var raw json.RawMessage
	if err := c.client.call(ctx, method, params, sendTimeout, &raw); err != nil {
		return 0, "", err
	}
	var sent struct {
		ID    int64 `json:"message_id"`
		Photo []struct {
			FileID string `json:"file_id"`
			Width  int    `json:"width"`
		} `json:"photo"`
	}
	// The message is out, whatever the server tells of it.
	if json.Unmarshal(raw, &sent) != nil || sent.ID == 0 {
		return o.place, "", nil
	}
	widest := 0
	for _, size := range sent.Photo {
		if size.Width >= widest {
			widest, fileID = size.Width, size.FileID
		}
	}
	return sent.ID, fileID, nil
}

// photoAddress is where the server can fetch a cover; "" where it cannot. Our
// own pictures it gets in a size that it takes.
func (c *Channel) photoAddress(cover string) string {
	if cover == "" || !public(cover) {
		return ""
	}
	own := strings.TrimRight(c.config.PublicURL, "/") + "/media/"
	if c.config.PublicURL != "" && strings.HasPrefix(cover, own) && !strings.ContainsAny(cover, "?#") {
		return cover + ownCover
	}
	return cover
}

// public reports whether an address looks like one of the public internet: the
// server fetches pictures from no other.
func public(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsGlobalUnicast() && !ip.IsPrivate()
	}
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 {
		return false
	}
	switch host[dot+1:] {
	case "local", "localhost", "internal", "lan", "home", "intranet", "arpa", "invalid":
		return false
	}
	return true
}
