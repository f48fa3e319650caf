package console

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// loginView is the page that asks who comes.
type loginView struct {
	frame
	Login string // the name that was typed
	Next  string
	Wrong string // why it was refused
}

func (c *Console) showLogin(q *request) (answer, error) {
	if q.visit.session.ID != "" {
		return answer{status: http.StatusSeeOther, to: next(q.URL.Query().Get("next"))}, nil
	}
	if q.way == unsafeWay {
		return c.notice(q, http.StatusForbidden, "unsafe")
	}
	return c.askLogin(q, http.StatusOK, "", q.URL.Query().Get("next"), "")
}

func (c *Console) askLogin(q *request, status int, login, to, wrong string) (answer, error) {
	return c.show(status, "login", loginView{frame: c.frame(q, "", q.p.T("console.login_heading")), Login: login, Next: next(to), Wrong: wrong})
}

// enterByPassword begins a session for who knows a user's password. What it says
// to others is the same whether the user exists.
func (c *Console) enterByPassword(q *request) (answer, error) {
	if q.way == unsafeWay {
		return c.notice(q, http.StatusForbidden, "unsafe")
	}
	typed, to := q.PostForm.Get("name"), q.PostForm.Get("next")
	name, err := UserName(typed)
	if err != nil {
		name = ""
	}
	wait, err := c.allow(q.Context(), name, q.visit.address)
	if err != nil {
		return answer{}, err
	}
	if wait > 0 {
		c.config.Logger.Warn("a login has to wait: there were too many", "address", q.visit.address)
		a, err := c.askLogin(q, http.StatusTooManyRequests, typed, to, c.later(q, wait))
		a.retry = wait
		return a, err
	}
	encoded, ok, err := c.config.Users.verify(q.Context(), name, q.PostForm.Get("password"))
	if err != nil {
		return answer{}, err
	}
	if ok {
		err = c.begin(q, login{user: name, password: encoded})
	}
	if !ok || errors.Is(err, errOver) {
		c.config.Logger.Warn("a login was refused", "address", q.visit.address)
		return c.askLogin(q, http.StatusUnauthorized, typed, to, q.p.T("console.login_wrong"))
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: next(to)}, nil
}

// later says when to try again.
func (c *Console) later(q *request, wait time.Duration) string {
	if s := seconds(wait); s < 120 {
		return q.p.T("console.later_seconds", "Count", s)
	}
	return q.p.T("console.later_minutes", "Count", int((wait+time.Minute-1)/time.Minute))
}

// begin begins a session under a new token, so that nobody who knew the one from
// before is in; errOver when the login is not valid any more. The session is kept
// here and not with the answer, because the answer depends on it.
func (c *Console) begin(q *request, l login) error {
	if err := c.sessions.RenewToken(q.Context()); err != nil {
		return err
	}
	by := "password"
	if l.link != "" {
		by = "link"
	}
	c.sessions.Put(q.Context(), "by", by)
	q.visit.login = &l
	token, _, err := c.sessions.Commit(q.Context())
	if err != nil {
		return err
	}
	q.visit.token = token
	q.visit.login = nil
	c.config.Logger.Info("a user logged in", "user", l.user, "by", by, "address", q.visit.address, "session", q.visit.session.ID)
	return nil
}

func (c *Console) showEnter(q *request) (answer, error) {
	if q.way == unsafeWay {
		return c.notice(q, http.StatusForbidden, "unsafe")
	}
	name, err := c.config.Users.linked(q.Context(), q.PathValue("link"))
	if err != nil {
		return answer{}, err
	}
	if name == "" {
		return c.notice(q, http.StatusGone, "link_over")
	}
	return c.show(http.StatusOK, "enter", c.frame(q, "", q.p.T("console.enter_heading")))
}

// enterByLink begins a session for who has a link that was not used yet.
func (c *Console) enterByLink(q *request) (answer, error) {
	if q.way == unsafeWay {
		return c.notice(q, http.StatusForbidden, "unsafe")
	}
	link := q.PathValue("link")
	name, err := c.config.Users.linked(q.Context(), link)
	if err != nil {
		return answer{}, err
	}
	if name != "" {
		err = c.begin(q, login{user: name, link: link})
	}
	if name == "" || errors.Is(err, errOver) {
		return c.notice(q, http.StatusGone, "link_over")
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: "account"}, nil
}

func (c *Console) logout(q *request) (answer, error) {
	user, id := q.visit.session.User, q.visit.session.ID
	if err := c.sessions.Destroy(q.Context()); err != nil {
		return answer{}, err
	}
	c.config.Logger.Info("a user logged out", "user", user, "session", id)
	return answer{status: http.StatusSeeOther, to: "login"}, nil
}

// next is a page below the console that an address may lead to; "" for any other.
func next(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || len(to) > 500 {
		return ""
	}
	clean := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(u.Path, `\`, "")), "/")
	switch first, _, _ := strings.Cut(clean, "/"); first {
	case "login", "logout", "enter", "static", "sessions":
		return ""
	}
	if u.RawQuery == "" {
		return (&url.URL{Path: clean}).EscapedPath()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return ""
	}
	return (&url.URL{Path: clean}).EscapedPath() + "?" + query.Encode()
}
