package wechattest

import (
	"net/http"
	"net/url"
	"unicode/utf8"
)

const (
	longestCode   = 30 * 24 * 60 * 60 // seconds a temporary code may live
	usualCode     = 60                // when nothing is said
	mostSceneID   = 100_000           // of a permanent code
	mostSceneText = 64
	mostCodes     = 100_000 // permanent ones
)

// qrCreate makes a code that leads to the account with a scene; a reader scans
// it with SubscribeBy or Scan.
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
	ticket := "gQ" + s.serial() + "=="
	answer := map[string]any{"ticket": ticket, "url": "http://weixin.qq.com/q/" + url.PathEscape(ticket)}
	if permanent {
		if s.counts["codes"]++; s.counts["codes"] > mostCodes {
			return 45029
		}
		return answer
	}
	answer["expire_seconds"] = in.Expire
	if in.Expire == 0 {
		answer["expire_seconds"] = usualCode
	}
	return answer
}

// FillCodes makes n permanent codes count as made already.
func (s *Server) FillCodes(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts["codes"] += n
}
