package wechattest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	longestCode   = 30 * 24 * 60 * 60 // seconds a temporary code may live
	usualCode     = 60                // when nothing is said
	mostSceneID   = 100_000           // of a permanent code
	mostSceneText = 64
	mostCodes     = 100_000 // permanent ones
)

// A qrCode is what the picture of a code leads to.
type qrCode struct {
	scene   string
	expires time.Time // zero: never
}

// qrCreate makes a code that leads to the account with a scene; a reader scans
// it by what its picture says (ScanCode), or by its scene (SubscribeBy, Scan).
func (s *Server) qrCreate(r *http.Request) any {
	var in struct {
		Expire int    `json:"expire_seconds"`
		Action string `json:"action_name"`
		Info   struct {
			Scene struct {
				ID   int64  `json:"scene_id"`
				Text string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if !s.decode(r, &in) {
		return 47001
	}
	scene := in.Info.Scene
	named := utf8.RuneCountInString(scene.Text) >= 1 && utf8.RuneCountInString(scene.Text) <= mostSceneText
	permanent := in.Action == "QR_LIMIT_SCENE" || in.Action == "QR_LIMIT_STR_SCENE"
	switch in.Action {
	case "QR_SCENE":
		if scene.ID < 1 || scene.ID > 1<<32-1 {
			return 40053
		}
	case "QR_LIMIT_SCENE":
		if scene.ID < 1 || scene.ID > mostSceneID {
			return 40053
		}
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		if !named {
			return 40053
		}
	default:
		return 40053 // "invalid action info"
	}
	if in.Expire < 0 || in.Expire > longestCode && !permanent {
		return 40052 // (m)
	}
	serial := s.serial()
	ticket := "gQ" + serial + "=="
	// What a picture says is not its ticket.
	address := "http://weixin.qq.com/q/02" + strings.Repeat("x", max(0, 20-len(serial))) + strings.TrimPrefix(serial, "gh_")
	answer := map[string]any{"ticket": ticket, "url": address}
	code := qrCode{scene: scene.Text}
	if scene.Text == "" {
		code.scene = strconv.FormatInt(scene.ID, 10)
	}
	if permanent {
		if s.counts["codes"] >= mostCodes {
			return 45029
		}
		s.counts["codes"]++
		s.codes[address] = code
		return answer
	}
	lives := in.Expire
	if lives == 0 {
		lives = usualCode
	}
	answer["expire_seconds"] = lives
	code.expires = s.now().Add(time.Duration(lives) * time.Second)
	s.codes[address] = code
	return answer
}

// ScanCode scans a picture that says address: a newcomer follows the account by
// it, a follower is heard scanning it. What is no code of this account's, or a
// temporary one that expired, is an error, and the account hears nothing.
func (r *Reader) ScanCode(address string) (Bubble, error) {
	s := r.server
	s.mu.Lock()
	code, known := s.codes[address]
	follows, now := r.follows, s.now()
	s.mu.Unlock()
	switch {
	case !known:
		return Bubble{}, fmt.Errorf("%q is no code of this account's", address)
	case !code.expires.IsZero() && !now.Before(code.expires):
		return Bubble{}, fmt.Errorf("the code with the scene %q has expired", code.scene) // "二维码已过期"
	case follows:
		return r.Scan(code.scene), nil
	}
	return r.SubscribeBy(code.scene), nil
}

// FillCodes makes n permanent codes count as made already.
func (s *Server) FillCodes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts["codes"] += n
}
