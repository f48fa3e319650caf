package wechattest

import (
	"net/http"
	"strings"
	"time"
)

type customMessage struct {
	To   string `json:"touser"`
	Type string `json:"msgtype"`
	Text struct {
		Content string `json:"content"`
	} `json:"text"`
	News struct {
		Articles []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			URL         string `json:"url"`
			PicURL      string `json:"picurl"`
		} `json:"articles"`
	} `json:"news"`
	Article struct {
		ID string `json:"article_id"`
	} `json:"mpnewsarticle"`
	Menu struct {
		Head string `json:"head_content"`
		List []struct {
			ID      string `json:"id"`
			Content string `json:"content"`
		} `json:"list"`
		Tail string `json:"tail_content"`
	} `json:"msgmenu"`
}

func (s *Server) customSend(r *http.Request) any {
	var in customMessage
	if !s.decode(r, &in) {
		return 47001
	}
	reader := s.readers[in.To]
	switch {
	case reader == nil:
		return 40003
	case !reader.follows:
		return 43004
	}
	bubble, code := s.customBubble(&in)
	if code == 0 {
		code = reader.spend(s.now())
	}
	if code != 0 {
		return code
	}
	for _, p := range checkText(bubble.Raw) {
		s.problem("customer message: %s", p)
	}
	reader.see(bubble)
	return 0
}

// customBubble is what the reader will see of a customer message, or a code.
func (s *Server) customBubble(in *customMessage) (Bubble, int) {
	switch in.Type {
	case "text":
		content := in.Text.Content
		if code := checkContent(content); code != 0 {
			return Bubble{}, code
		}
		return show(content), 0
	case "news":
		// One article since 2018; before, up to eight.
		switch n := len(in.News.Articles); {
		case n == 0:
			return Bubble{}, 44003
		case n > 1:
			return Bubble{}, 45008
		}
		a := in.News.Articles[0]
		if strings.TrimSpace(a.Title) == "" {
			s.problem("customer message: a news card without a title")
		}
		for _, address := range []string{a.URL, a.PicURL} {
			if address != "" && !webAddress(address) {
				s.problem("customer message: a link that the app does not open: %s", address)
			}
		}
		return Bubble{Who: Bot, Kind: "news", News: []News{{a.Title, a.Description, a.PicURL, a.URL}}}, 0
	case "mpnewsarticle":
		a, ok := s.published[in.Article.ID]
		if !ok {
			return Bubble{}, 40007 // (m)
		}
		return Bubble{Who: Bot, Kind: "mpnewsarticle", News: a}, 0
	case "msgmenu":
		return s.menuBubble(in)
	}
	return Bubble{}, 40008
}

func (s *Server) menuBubble(in *customMessage) (Bubble, int) {
	b := Bubble{Who: Bot, Kind: "msgmenu"}
	lines := []string{in.Menu.Head}
	for _, item := range in.Menu.List {
		if !numeric.MatchString(item.ID) || strings.TrimSpace(item.Content) == "" {
			return Bubble{}, 40035 // (m): the code is a guess, the refusal is not
		}
		lines = append(lines, item.Content)
		b.Taps = append(b.Taps, Link{Label: item.Content, Target: item.Content, ID: item.ID})
	}
	if len(b.Taps) == 0 {
		return Bubble{}, 44004
	}
	b.Text = strings.Trim(strings.Join(append(lines, in.Menu.Tail), "\n"), "\n")
	b.Raw = b.Text
	return b, checkContent(b.Text)
}

func checkContent(content string) int {
	switch {
	case strings.TrimSpace(content) == "":
		return 44004
	case len(content) > MaxText:
		return 45002
	}
	return 0
}

// spend takes a customer message from the reader's open windows.
func (r *Reader) spend(now time.Time) int {
	said, click := now.Sub(r.said) < saidWindow, now.Sub(r.clicked) < clickWindow
	switch {
	case click && r.afterClick < clickMessages:
		r.afterClick++
	case said && r.afterSaid < saidMessages:
		r.afterSaid++
	case said || click:
		return 45047
	default:
		return 45015
	}
	return 0
}
