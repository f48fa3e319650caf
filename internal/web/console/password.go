package console

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/uptrace/bun"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Shortest and longest password, in characters.
const (
	shortest = 10
	longest  = 256
)

// hashesAtOnce keeps logins from taking the memory, some 46 MiB for each.
const hashesAtOnce = 2

// hashPatience is how long a login waits for its turn.
const hashPatience = 5 * time.Second

// errBusy: too many log in at once.
var errBusy = errors.New("too many log in at once")

// parameters are the first that OWASP recommends for argon2id: 46 MiB, one
// iteration, one thread (https://cheatsheetseries.owasp.org, Password Storage,
// Argon2id). Salt and key are as long as RFC 9106, section 4, has them.
func parameters() *argon2id.Params {
	return &argon2id.Params{Memory: 47104, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// A WeakError says why a password is refused. Key names the reason in the
// catalogs.
type WeakError struct{ Key, reason string }

func (e *WeakError) Error() string { return e.reason }

// worst are passwords that guessers try first, of ten characters or more, without
// what stands behind their letters.
var worst = []string{
	"password", "passwort", "passw0rd", "p@ssw0rd", "mypassword", "password1", "thepassword", "iloveyou", "qwertyuiop", "qwertyuiopasdf",
	"asdfghjkl", "zxcvbnm", "qwerty", "qwertz", "azerty", "azertyuiop", "letmein", "letmeinplease", "welcome", "welcometo", "administrator", "admin",
	"adminadmin", "superman", "football", "baseball", "basketball", "sunshine", "princess", "changeme", "changemenow", "trustno", "newsie", "newsienewsie",
	"1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx3edc", "q1w2e3r4t5", "qazwsxedcr", "qazwsxedc", "abcdefghij", "abcdefghijk", "abcd1234abcd",
	"woaini", "5201314", "woaini1314", "zhangwei", "wangwei", "parola", "password123", "juventus", "ciaociao", "andrea", "francesco", "forzaroma", "forzainter",
}

// CheckPassword refuses, with a *WeakError, what would be guessed soon. name is the
// user's.
func CheckPassword(name, password string) error {
	password = norm.NFC.String(password)
	length := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return &WeakError{"console.weak_text", "the password is not text in UTF-8"}
	case length < shortest:
		return &WeakError{"console.weak_short", fmt.Sprintf("the password is too short: %d characters at least", shortest)}
	case length > longest:
		return &WeakError{"console.weak_long", fmt.Sprintf("the password is too long: %d characters at most", longest)}
	}
	folded := strings.ToLower(password)
	bare := trimmed(folded)
	if strings.Contains(folded, name) && trimmed(strings.ReplaceAll(folded, name, "")) == "" {
		return &WeakError{"console.weak_name", "the password is the user's name"}
	}
	if distinct(folded) < 5 || sequence(folded) || slices.Contains(worst, bare) || slices.Contains(worst, folded) || bare == "" && distinct(folded) < 7 {
		return &WeakError{"console.weak_common", "the password is among those that are guessed first"}
	}
	return nil
}

// trimmed is a text without the digits and signs around it, which guessers try with
// each word.
func trimmed(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune(" !?.,-_*#@$&+", r) })
}

// distinct counts a text's different characters.
func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// sequence: each character follows the one before, or precedes it, as in
// 1234567890 and jihgfedcba.
func sequence(s string) bool {
	runes := []rune(s)
	for _, step := range []rune{1, -1} {
		all := true
		for i := 1; i < len(runes); i++ {
			next := runes[i-1] + step
			if runes[i] != next && (runes[i-1] != '9' || runes[i] != '0') && (runes[i-1] != '0' || runes[i] != '9') {
				all = false
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

// encode makes of a password what is kept; a *WeakError when it is refused.
func (u *Users) encode(ctx context.Context, name, password string) (string, error) {
	password = norm.NFC.String(password)
	if err := CheckPassword(name, password); err != nil {
		return "", err
	}
	return u.hash(ctx, password)
}

func (u *Users) hash(ctx context.Context, password string) (string, error) {
	if err := u.turn(ctx); err != nil {
		return "", err
	}
	defer func() { <-u.hashes }()
	return argon2id.CreateHash(password, u.params)
}

// turn waits until few enough are being hashed.
func (u *Users) turn(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, u.patience, errBusy)
	defer cancel()
	select {
	case u.hashes <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// verify reports whether a password is the user's, with what is kept of it. It
// takes as long for a user who does not exist, or has no password.
func (u *Users) verify(ctx context.Context, name, password string) (encoded string, ok bool, err error) {
	password = norm.NFC.String(password)
	if utf8.RuneCountInString(password) > longest {
		password = ""
	}
	if encoded, err = u.password(ctx, name); err != nil {
		return "", false, err
	}
	against := encoded
	if encoded == "" {
		against = u.nobodys()
	}
	if err := u.turn(ctx); err != nil {
		return "", false, err
	}
	match, made, err := argon2id.CheckHash(password, against)
	<-u.hashes
	if err != nil {
		return "", false, fmt.Errorf("the kept password of the user %s: %w", name, err)
	}
	if !match || encoded == "" {
		return "", false, nil
	}
	if u.weaker(made) {
		return u.rehash(ctx, name, password, encoded)
	}
	return encoded, true, nil
}

// nobodys is an encoded password that no password matches: nothing hashes to
// zeros.
func (u *Users) nobodys() string {
	zeros := func(n uint32) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, u.params.Memory, u.params.Iterations, u.params.Parallelism, zeros(u.params.SaltLength), zeros(u.params.KeyLength))
}

// weaker: a password was hashed with less than is asked for now.
func (u *Users) weaker(made *argon2id.Params) bool {
	return made.Memory*made.Iterations < u.params.Memory*u.params.Iterations || made.SaltLength < u.params.SaltLength || made.KeyLength < u.params.KeyLength
}

// rehash keeps a password that was right with the parameters of now. Its
// sessions go on. Where another changed it this moment, it is not right any more.
func (u *Users) rehash(ctx context.Context, name, password, before string) (string, bool, error) {
	encoded, err := u.hash(ctx, password)
	if err != nil {
		return "", false, err
	}
	var n int64
	err = u.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) error {
		result, err := tx.ExecContext(ctx, "UPDATE users SET password = ? WHERE name = ? AND password = ?", encoded, name, before)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("keep the password of the user %s anew: %w", name, err)
	}
	return encoded, n > 0, nil
}
