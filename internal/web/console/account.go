package console

import (
	"errors"
	"net/http"
	"time"
)

// linkTrust is how long after coming by a link a user may set a password without
// the one before: a forgotten one is what links are for.
const linkTrust = 15 * time.Minute

// accountView is a user's own page.
type accountView struct {
	frame
	Password bool   // there is one
	Current  bool   // it is asked for before another is set
	Wrong    string // why the new one was refused
	Sessions []sessionView
	Shortest int
}

type sessionView struct {
	Session
	Device     string
	Here       bool
	Since, Was string // in words
}

func (c *Console) home(*request) (answer, error) {
	if c.config.Reports != nil && c.config.Book != nil {
		return answer{status: http.StatusSeeOther, to: "origins"}, nil
	}
	return answer{status: http.StatusSeeOther, to: "account"}, nil
}

func (c *Console) showAccount(q *request) (answer, error) {
	return c.account(q, http.StatusOK, "")
}

func (c *Console) account(q *request, status int, wrong string) (answer, error) {
	sessions, err := c.config.Users.Sessions(q.Context(), q.visit.session.User)
	if err != nil {
		return answer{}, err
	}
	has, current, err := c.asks(q)
	if err != nil {
		return answer{}, err
	}
	view := accountView{frame: c.frame(q, "account", q.p.T("console.account")), Password: has, Current: current, Wrong: wrong, Shortest: shortest}
	for _, s := range sessions {
		view.Sessions = append(view.Sessions, sessionView{
			Session: s, Device: c.device(q, s.Agent), Here: s.ID == q.visit.session.ID, Since: c.moment(q, s.Created), Was: c.moment(q, s.Seen),
		})
	}
	return c.show(status, "account", view)
}

// asks tells whether a user has a password, and whether it has to be given before
// another is set.
func (c *Console) asks(q *request) (has, current bool, err error) {
	encoded, err := c.config.Users.password(q.Context(), q.visit.session.User)
	if err != nil {
		return false, false, err
	}
	trusted := c.sessions.GetString(q.Context(), "by") == "link" && c.config.Now().Sub(q.visit.session.Created) < linkTrust
	return encoded != "", encoded != "" && !trusted, nil
}

func (c *Console) device(q *request, agent string) string {
	browser, system := device(agent)
	switch {
	case browser != "" && system != "":
		return q.p.T("console.device", "Browser", browser, "System", system)
	case browser+system != "":
		return browser + system
	}
	return q.p.T("console.device_unknown")
}

// moment is a time as the publisher reads it.
func (c *Console) moment(q *request, at time.Time) string {
	at = at.In(c.config.Zone)
	return q.p.Date(at) + ", " + at.Format("15:04")
}

// changePassword sets a password; all other sessions of the user end, and this one
// goes on under another token.
func (c *Console) changePassword(q *request) (answer, error) {
	user, password := q.visit.session.User, q.PostForm.Get("password")
	_, current, err := c.asks(q)
	if err != nil {
		return answer{}, err
	}
	if password != q.PostForm.Get("again") {
		return c.account(q, http.StatusUnprocessableEntity, q.p.T("console.password_differs"))
	}
	if current {
		wait, err := c.allow(q.Context(), user, q.visit.address)
		if err != nil {
			return answer{}, err
		}
		if wait > 0 {
			a, err := c.account(q, http.StatusTooManyRequests, c.later(q, wait))
			a.retry = wait
			return a, err
		}
		if _, ok, err := c.config.Users.verify(q.Context(), user, q.PostForm.Get("current")); err != nil {
			return answer{}, err
		} else if !ok {
			return c.account(q, http.StatusUnprocessableEntity, q.p.T("console.password_wrong"))
		}
	}
	var weak *WeakError
	switch err := c.config.Users.SetPassword(q.Context(), user, password); {
	case errors.As(err, &weak):
		return c.account(q, http.StatusUnprocessableEntity, q.p.T(weak.Key, "Count", shortest))
	case err != nil:
		return answer{}, err
	}
	encoded, err := c.config.Users.password(q.Context(), user)
	if err != nil {
		return answer{}, err
	}
	c.say(q, "console.password_set")
	switch err := c.begin(q, login{user: user, password: encoded}); {
	case errors.Is(err, errOver): // somebody set another at this moment
		return answer{status: http.StatusSeeOther, to: "login"}, nil
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: "account"}, nil
}

// revoke ends one of the user's sessions, or all others.
func (c *Console) revoke(q *request) (answer, error) {
	id, mine := q.PostForm.Get("id"), q.visit.session
	if id == mine.ID {
		return c.logout(q)
	}
	var err error
	if id == "others" {
		_, err = c.config.Users.RevokeAll(q.Context(), mine.User, mine.ID)
	} else {
		_, err = c.config.Users.end(q.Context(), "id = ? AND user_name = ?", id, mine.User)
	}
	if err != nil {
		return answer{}, err
	}
	c.say(q, "console.revoked")
	return answer{status: http.StatusSeeOther, to: "account"}, nil
}
