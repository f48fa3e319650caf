package telegram

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// How long it is remembered what the server calls a picture, that it does not
// take one, and how often it could not fetch one.
const (
	keepPhoto    = 30 * 24 * time.Hour
	keepRefusal  = 24 * time.Hour
	keepFailures = 7 * 24 * time.Hour
)

// A knownPhoto is what is known of the picture at an address. The zero value is
// one that the server has not been shown.
type knownPhoto struct {
	fileID  string
	refused bool // for what it is; it is forgotten after keepRefusal

	failures int       // how often running it could not be fetched
	until    time.Time // when it is worth another try
}

// avoided reports whether there is no use in trying the picture now.
func (k knownPhoto) avoided(now time.Time) bool { return k.refused || now.Before(k.until) }

// fetchPause is how long a picture is left alone that could not be fetched so
// often: its host may be back in a minute, or never.
func fetchPause(failures int) time.Duration {
	switch failures {
	case 1:
		return 10 * time.Minute
	case 2:
		return time.Hour
	case 3:
		return 6 * time.Hour
	}
	return 24 * time.Hour
}

// unfetched reports whether the server could not fetch a picture, which says
// nothing of the picture itself.
func unfetched(err error) bool {
	return refused(err, "failed to get HTTP URL content", "WEBPAGE_CURL_FAILED", "WEBPAGE_MEDIA_EMPTY")
}

// photoFailed notes that the server did not take a picture, of which was was known.
func (c *Channel) photoFailed(ctx context.Context, address string, was knownPhoto, err error) {
	c.count("photo_refused")
	now, next := knownPhoto{refused: true}, keepRefusal
	if unfetched(err) {
		next = fetchPause(was.failures + 1)
		now = knownPhoto{failures: was.failures + 1, until: c.config.Now().Add(next)}
	}
	c.log.Warn("telegram does not take a cover: the article goes without it", "for", next, "cover", address, "error", err)
	c.rememberPhoto(ctx, address, now)
}

func (c *Channel) photoKey(address string) string {
	sum := sha256.Sum256([]byte(address))
	return c.bucket() + ":photo:" + hex.EncodeToString(sum[:12])
}

// Kept values: a file_id; nothing for a picture that was refused; and, with a
// sign that no file_id has, how often it failed and until when to wait.
const failedPhoto = "!%d %d"

func (c *Channel) knownPhoto(ctx context.Context, address string) (k knownPhoto) {
	kept, ok, err := c.config.Settings.Load(ctx, c.photoKey(address))
	if err != nil {
		c.log.Warn("a cover is sent as if it were new", "error", err)
	}
	var until int64
	switch {
	case !ok:
	case kept == "":
		k.refused = true
	case !strings.HasPrefix(kept, "!"):
		k.fileID = kept
	default:
		if n, _ := fmt.Sscanf(kept, failedPhoto, &k.failures, &until); n == 2 {
			k.until = time.UnixMilli(until)
		}
	}
	return k
}

func (c *Channel) rememberPhoto(ctx context.Context, address string, k knownPhoto) {
	value, ttl := k.fileID, keepPhoto
	switch {
	case k.refused:
		ttl = keepRefusal
	case k.failures > 0:
		value, ttl = fmt.Sprintf(failedPhoto, k.failures, k.until.UnixMilli()), keepFailures
	}
	if err := c.config.Settings.Save(context.WithoutCancel(ctx), c.photoKey(address), value, ttl); err != nil {
		c.log.Warn("what telegram says of a cover is forgotten", "error", err)
	}
}
