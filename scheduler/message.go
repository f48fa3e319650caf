package scheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"newsie/bot"
)

// mostTopics is how many digests one message may be: all of a chat's, and few
// enough that several such messages are under way at once.
const mostTopics = 32

// A message is what one call of Send brings to a chat. All its jobs have the
// same fate.
type message struct {
	jobs     []job       // more than one: digests of one chat that are due together
	shared   []bot.Reply // of each job, what its edition says to everybody
	pinned   []bot.Card  // that it begins with
	fresh    int         // how many of its articles are new
	reply    bot.Reply
	topic    string
	articles []int64 // of digests: all of them, shown or not
	silent   bool
	list     *bot.NewList // what numbers in it mean, until it is kept
	paged    bool         // its first action turns to the list's rest
	marked   time.Time    // as being sent
}

func (m message) to() bot.ChatID { return m.jobs[0].to() }

// owed: it is an answer, which came too late for the platform; a reader waits.
func (m message) owed() bool { return m.jobs[0].edition.Kind == KindLate }

// launch: it is what the publisher sends by hand, and a message of its own.
func (m message) launch() bool { return m.jobs[0].edition.Kind == KindSend }

func (m message) claim() string { return m.jobs[0].claim }

// key is the same for the same jobs, however often they are tried.
func (m message) key() string {
	if len(m.jobs) == 1 {
		return m.jobs[0].key()
	}
	keys := make([]string, len(m.jobs))
	for i, j := range m.jobs {
		keys[i] = j.key()
	}
	slices.Sort(keys)
	sum := sha256.Sum256([]byte(strings.Join(keys, " ")))
	return "newsie-" + hex.EncodeToString(sum[:20])
}

func (m message) ids() []int64 {
	ids := make([]int64, len(m.jobs))
	for i, j := range m.jobs {
		ids[i] = j.ID
	}
	return ids
}

// attempt is how often the most tried of its jobs was.
func (m message) attempt() int {
	return slices.MaxFunc(m.jobs, func(a, b job) int { return a.Attempt - b.Attempt }).Attempt
}

// each makes the outcome of one job that of all.
func (m message) each(o outcome) []outcome {
	outcomes := make([]outcome, len(m.jobs))
	for i, j := range m.jobs {
		outcomes[i], outcomes[i].job = o, j
	}
	return outcomes
}

// bundle puts the digests of one chat into one message, at the place of the
// first. Late answers stay alone, each being what its reader waits for, and so
// do the publisher's sends and what goes out under a key that the platform takes once: it must be the
// same at every try.
func (c *courier) bundle(messages []message) []message {
	if !c.channel.Grouped {
		return messages
	}
	var bundled []message
	open := map[string]int{}
	for _, m := range messages {
		if m.owed() || m.launch() || c.keyed(m.to()) {
			bundled = append(bundled, m)
			continue
		}
		at, ok := open[m.to().ID]
		if !ok || len(bundled[at].jobs) == mostTopics {
			open[m.to().ID] = len(bundled)
			bundled = append(bundled, m)
			continue
		}
		bundled[at].jobs = append(bundled[at].jobs, m.jobs...)
		bundled[at].shared = append(bundled[at].shared, m.shared...)
	}
	return bundled
}

// keyed: in doubt it is sent again, under a key that the platform takes once.
func (c *courier) keyed(to bot.ChatID) bool { return c.channel.Keyed && to.Audience() }

func alone(j job, shared ...bot.Reply) message { return message{jobs: []job{j}, shared: shared} }
