package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"newsie/internal/web/console"
)

func userCommand(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "user", Short: "Say who may see the publisher's console, and see who is logged in",
		Long: `User keeps the people who may see the publisher's console, the pages below
/console/ of a serving newsie. While there is nobody the console is off: its
pages are not there.

A user logs in with a password, of which only an argon2id hash is kept, or by a
link that lets in once, within 15 minutes. A password is asked for, or read from
the standard input with --password-stdin; it is never an argument.`,
		Example: `  newsie user add anna
  newsie user add anna --link
  newsie user sessions anna`,
	}
	c.AddCommand(userAdd(p), userList(p), userPassword(p), userLink(p), userRemove(p), userSessions(p), userRevoke(p))
	return c
}

func (in *installation) users() *console.Users { return console.NewUsers(in.db, time.Now) }

func userAdd(p *program) *cobra.Command {
	var byLink, stdin, asJSON bool
	c := &cobra.Command{
		Use: "add NAME", Short: "Let somebody into the console, by a password or a link",
		Long: `Add makes a user. The password is asked for twice, has ten characters or more,
and is none of those that are guessed first. With --link there is none yet: a
link that lets in once is printed, and the user may set a password then.`,
		Args: one("what the user is called"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if byLink && stdin {
				return errors.New("--link or --password-stdin, not both")
			}
			name, err := console.UserName(args[0])
			if err != nil {
				return fmt.Errorf("%q: %w", args[0], err)
			}
			password := ""
			if !byLink {
				if password, err = p.password(name, stdin); err != nil {
					return err
				}
			}
			return p.withAny(cmd, func(in *installation) error {
				if _, err := in.users().Add(cmd.Context(), name, password); err != nil {
					return userError(name, err)
				}
				if byLink {
					return p.printLink(cmd.Context(), in, name, "was added. This link lets in once", asJSON)
				}
				if asJSON {
					return p.printJSON(map[string]string{"name": name})
				}
				address, guessed := in.servedAt(cmd.Context())
				_, err := fmt.Fprintf(p.stdout, "%s was added and may log in at %s/console/\n%s", name, address, sayGuessed(guessed))
				return err
			})
		},
	}
	c.Flags().BoolVar(&byLink, "link", false, "print a link that lets in once, instead of asking for a password")
	c.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from the standard input")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func userPassword(p *program) *cobra.Command {
	var stdin bool
	c := &cobra.Command{
		Use: "password NAME", Short: "Give a user another password, which logs the user out everywhere",
		Args: one("whose; newsie user list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := console.UserName(args[0])
			if err != nil {
				return userError(args[0], console.ErrNoUser)
			}
			password, err := p.password(name, stdin)
			if err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error {
				if err := in.users().SetPassword(cmd.Context(), name, password); err != nil {
					return userError(name, err)
				}
				_, err := fmt.Fprintf(p.stdout, "%s has another password and was logged out everywhere.\n", name)
				return err
			})
		},
	}
	c.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from the standard input")
	return c
}

// A linkJSON is a link that lets in once, for programs.
type linkJSON struct {
	Name  string    `json:"name"`
	URL   string    `json:"url"`
	Until time.Time `json:"until"`
}

func userLink(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "link NAME", Short: "Print a link that lets a user in once, within 15 minutes",
		Long: `Link prints an address that lets a user in once, within 15 minutes, and then asks
for nothing to set another password. The link before, if there was one, does not
work any more.`,
		Args: one("for whom; newsie user list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				return p.printLink(cmd.Context(), in, args[0], "comes in by this link, once", asJSON)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) printLink(ctx context.Context, in *installation, typed, what string, asJSON bool) error {
	token, until, err := in.users().Link(ctx, typed)
	if err != nil {
		return userError(typed, err)
	}
	name, err := console.UserName(typed)
	if err != nil {
		return err
	}
	address, guessed := in.servedAt(ctx)
	address += console.EnterPath(token)
	if asJSON {
		return p.printJSON(linkJSON{name, address, until.UTC().Truncate(time.Second)})
	}
	_, err = fmt.Fprintf(p.stdout, "%s %s, until %s:\n%s\n%s", name, what, said(until.UTC()), address, sayGuessed(guessed))
	return err
}

// sayGuessed says that an address is only where newsie would be.
func sayGuessed(guessed bool) string {
	if !guessed {
		return ""
	}
	return "No newsie serves this data folder now: that is where one will be, unless it is started with another --listen.\n"
}

// A userJSON is a user for programs.
type userJSON struct {
	Name     string     `json:"name"`
	Password bool       `json:"password"` // has one
	Created  time.Time  `json:"created"`
	Sessions int        `json:"sessions"`
	Seen     *time.Time `json:"seen"` // last; null: is logged in nowhere
}

func userList(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: "list", Short: "List who may see the console", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return p.with(cmd, func(in *installation) error {
			users, err := in.users().List(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				out := make([]userJSON, len(users))
				for i, u := range users {
					out[i] = userJSON{Name: u.Name, Password: u.Password, Created: u.Created.UTC(), Sessions: u.Sessions}
					if seen := u.Seen.UTC(); !u.Seen.IsZero() {
						out[i].Seen = &seen
					}
				}
				return p.printJSON(out)
			}
			if len(users) == 0 {
				_, err = fmt.Fprintln(p.stdout, "There are no users, so the console is off: newsie user add NAME")
				return err
			}
			t := newTable("NAME", "COMES IN BY", "SESSIONS", "SEEN").numbers(2)
			for _, u := range users {
				by, seen := "password", "not logged in"
				if !u.Password {
					by = "link"
				}
				if !u.Seen.IsZero() {
					seen = said(u.Seen.UTC())
				}
				t.row(u.Name, by, strconv.Itoa(u.Sessions), seen)
			}
			return t.print(p.stdout)
		})
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func userRemove(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Take a user away, who is logged out everywhere", Args: one("whom; newsie user list shows them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				users := in.users()
				if err := users.Remove(cmd.Context(), args[0]); err != nil {
					return userError(args[0], err)
				}
				left := ""
				if any, err := users.Any(cmd.Context()); err != nil {
					return err
				} else if !any {
					left = " There is nobody left: the console is off."
				}
				_, err := fmt.Fprintf(p.stdout, "%s was removed.%s\n", args[0], left)
				return err
			})
		},
	}
}

// A sessionJSON is a session for programs.
type sessionJSON struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Address string    `json:"address"`
	Agent   string    `json:"agent"`
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"`
	Ends    time.Time `json:"ends"`
}

func userSessions(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "sessions [NAME]", Short: "List the browsers in which users are logged in", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(in *installation) error {
				sessions, err := in.users().Sessions(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return userError(strings.Join(args, ""), err)
				}
				if asJSON {
					out := make([]sessionJSON, len(sessions))
					for i, s := range sessions {
						out[i] = sessionJSON{s.ID, s.User, s.Address, s.Agent, s.Created.UTC(), s.Seen.UTC(), s.Ends.UTC()}
					}
					return p.printJSON(out)
				}
				if len(sessions) == 0 {
					_, err = fmt.Fprintln(p.stdout, "Nobody is logged in.")
					return err
				}
				t := newTable("SESSION", "USER", "SEEN", "SINCE", "ADDRESS", "BROWSER")
				for _, s := range sessions {
					t.row(s.ID, s.User, said(s.Seen.UTC()), said(s.Created.UTC()), s.Address, s.Agent)
				}
				return t.print(p.stdout)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func userRevoke(p *program) *cobra.Command {
	var all string
	c := &cobra.Command{
		Use: "revoke SESSION | --all NAME", Short: "Log a browser out, or all of a user's", Args: cobra.MaximumNArgs(1),
		Example: "  newsie user sessions\n  newsie user revoke mfrggzdfmztw\n  newsie user revoke --all anna",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 1) == (all != "") {
				return errors.New("say which session, as newsie user sessions lists them, or --all NAME")
			}
			return p.with(cmd, func(in *installation) error {
				if all != "" {
					n, err := in.users().RevokeAll(cmd.Context(), all, "")
					if err != nil {
						return userError(all, err)
					}
					_, err = fmt.Fprintf(p.stdout, "%s ended.\n", plural(int(n), "session"))
					return err
				}
				if err := in.users().Revoke(cmd.Context(), args[0]); errors.Is(err, console.ErrNoSession) {
					return fmt.Errorf("there is no session %q; newsie user sessions lists them", args[0])
				} else if err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.stdout, "The session %s ended.\n", args[0])
				return err
			})
		},
	}
	c.Flags().StringVar(&all, "all", "", "all sessions of this user")
	return c
}

// userError says what is wrong with a user in the publisher's words.
func userError(name string, err error) error {
	switch {
	case errors.Is(err, console.ErrNoUser):
		return fmt.Errorf("there is no user %q; newsie user list shows who there is", name)
	case errors.Is(err, console.ErrUserExists):
		return fmt.Errorf("there is a user %s already; newsie user password and newsie user link let it in", name)
	}
	return err
}

// password reads a new password of a user's: from the standard input's first line,
// or from a terminal, twice, where it does not show.
func (p *program) password(name string, stdin bool) (string, error) {
	file, ok := p.stdin.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	switch {
	case stdin:
		const most = 4 << 10
		line, err := bufio.NewReader(io.LimitReader(p.stdin, most)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		password := strings.TrimRight(line, "\r\n")
		if !utf8.ValidString(password) {
			return "", errors.New("the password is not text in UTF-8")
		}
		return password, console.CheckPassword(name, password)
	case !terminal:
		return "", errors.New("there is no terminal to ask for the password: give it by --password-stdin, or let the user in with --link")
	}
	first, err := p.ask(file, fmt.Sprintf("Password for %s: ", name))
	if err != nil {
		return "", err
	}
	if err := console.CheckPassword(name, first); err != nil {
		return "", err
	}
	second, err := p.ask(file, "The same once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ")
	}
	return first, nil
}

func (p *program) ask(terminal *os.File, question string) (string, error) {
	if _, err := fmt.Fprint(p.stderr, question); err != nil {
		return "", err
	}
	typed, err := term.ReadPassword(int(terminal.Fd()))
	_, _ = fmt.Fprintln(p.stderr)
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return string(typed), nil
}
