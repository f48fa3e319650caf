package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/content"
	"newsie/internal/database"
	"newsie/internal/database/databasetest"
	"newsie/internal/locale"
	"newsie/scheduler"
)

// each runs test on both databases; open connects a replica of its own.
func each(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	if databasetest.Second() {
		return
	}
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t, filepath.Join(t.TempDir(), "newsie.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, newHouse(t, databasetest.PostgresAddress(t))) })
}

// A house is an installation: one database, one library, one platform.
type house struct {
	t        testing.TB
	address  string
	db       *database.DB
	catalog  *locale.Catalog
	library  *library
	platform *platform
	lists    *lists

	mu  sync.Mutex
	now time.Time
}

var monday = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

func newHouse(t testing.TB, address string) *house {
	t.Helper()
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &house{
		t: t, address: address, db: databasetest.Open(t, address), catalog: catalog,
		library: &library{}, platform: &platform{}, lists: &lists{}, now: monday,
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) set(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
}

// sleep lets the house's time pass instead of the test's.
func (h *house) sleep(ctx context.Context, d time.Duration) error {
	h.pass(d)
	return ctx.Err()
}

// replica is another process of the installation.
func (h *house) replica(change ...func(*scheduler.Config)) *scheduler.Scheduler {
	h.t.Helper()
	db := databasetest.Open(h.t, h.address)
	config := scheduler.Config{
		DB: db, Finder: h.library, Articles: h.library, Cards: cards, Lists: h.lists, Catalog: h.catalog,
		Channels: []scheduler.Channel{{Name: "tg", Sender: h.platform, Workers: 64}}, Now: h.clock, Sleep: h.sleep,
	}
	for _, f := range change {
		f(&config)
	}
	s, err := scheduler.New(config)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// follow inserts a follow whose slot comes at due.
func (h *house) follow(chat, topic, spec, zone string, due time.Time) int64 {
	h.t.Helper()
	var id int64
	err := h.db.NewRaw(`INSERT INTO follows (channel, chat, topic, query, lang, spec, zone, next_due_at, since_seq, created_at)
		VALUES ('tg', ?, ?, ?, 'en', ?, ?, ?, 0, 0) RETURNING id`, chat, topic, topic, spec, zone, due.UnixMilli()).Scan(context.Background(), &id)
	if err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	if _, err := h.db.ExecContext(context.Background(), query, args...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) int(query string, args ...any) int64 {
	h.t.Helper()
	var n int64
	if err := h.db.NewRaw(query, args...).Scan(context.Background(), &n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// joined is how SQL puts the values of a column together.
func (h *house) joined(column, by string) string {
	if h.db.Postgres() {
		return "string_agg(" + column + ", '" + by + "')"
	}
	return "group_concat(" + column + ", '" + by + "')"
}

func (h *house) text(query string, args ...any) string {
	h.t.Helper()
	var s string
	if err := h.db.NewRaw(query, args...).Scan(context.Background(), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// states counts the deliveries by state: "planned 3, sent 2".
func (h *house) states() string {
	h.t.Helper()
	var rows []struct {
		State string
		N     int
	}
	if err := h.db.NewRaw("SELECT state, COUNT(*) AS n FROM deliveries GROUP BY state ORDER BY state").Scan(context.Background(), &rows); err != nil {
		h.t.Fatal(err)
	}
	var words []string
	for _, row := range rows {
		words = append(words, fmt.Sprintf("%s %d", row.State, row.N))
	}
	return strings.Join(words, ", ")
}

func (h *house) wantStates(want string) {
	h.t.Helper()
	if got := h.states(); got != want {
		h.t.Errorf("deliveries: %s, want %s", got, want)
	}
}

func (h *house) plan(s *scheduler.Scheduler) scheduler.Tick {
	h.t.Helper()
	tick, err := s.Plan(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return tick
}

func (h *house) deliver(s *scheduler.Scheduler) {
	h.t.Helper()
	if _, err := s.Deliver(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// library is a library whose articles match the topics they name.
type library struct {
	mu       sync.Mutex
	articles []article
	seq      int64
	searches int
	broken   error
}

type article struct {
	id     int64
	seq    int64
	topics string
	gone   bool
}

// add lets articles join; their ids are their positions.
func (l *library) add(topics ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, topic := range topics {
		l.seq++
		l.articles = append(l.articles, article{id: l.seq, seq: l.seq, topics: topic})
	}
}

func (l *library) withdraw(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.articles[id-1].gone = true
	l.seq++
}

func (l *library) Seq() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}

func (l *library) Matches(_ context.Context, query, _ string, within content.Filter, from, to int64, limit int) (ids []int64, more int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.searches++
	if l.broken != nil {
		return nil, 0, l.broken
	}
	for _, a := range slices.Backward(l.articles) {
		if a.seq > from && a.seq <= to && !a.gone && strings.Contains(a.topics, query) &&
			!slices.ContainsFunc(within.Sources, func(source string) bool { return !strings.Contains(a.topics, source) }) {
			if len(ids) == limit {
				more++
				continue
			}
			ids = append(ids, a.id)
		}
	}
	return ids, more, nil
}

func (l *library) Articles(_ context.Context, ids []int64) ([]content.Article, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []content.Article
	for _, id := range ids {
		if a := l.articles[id-1]; !a.gone {
			list = append(list, content.Article{ID: id, Title: fmt.Sprintf("Article %d", id)})
		}
	}
	return list, nil
}

func cards(articles []content.Article, _ string, first int) []bot.Card {
	var list []bot.Card
	for i, a := range articles {
		card := bot.Card{Article: a.ID, Title: a.Title, Open: fmt.Sprintf("/read %d", a.ID)}
		if first > 0 {
			card.Number = first + i
		}
		list = append(list, card)
	}
	return list
}

// platform is a messenger that does what answer says, and remembers.
type platform struct {
	mu      sync.Mutex
	got     []bot.Outgoing
	answer  func(ctx context.Context, o bot.Outgoing, try int) (bot.Receipt, error) // nil: takes everything
	tries   map[string]int
	buckets func(to bot.ChatID) []bot.Bucket
}

func (p *platform) Send(ctx context.Context, o bot.Outgoing) (bot.Receipt, error) {
	p.mu.Lock()
	if p.tries == nil {
		p.tries = map[string]int{}
	}
	p.tries[o.To.ID]++
	try, answer := p.tries[o.To.ID], p.answer
	p.mu.Unlock()
	receipt := bot.Receipt{ProviderID: "p" + o.To.ID, Way: "message"}
	if answer != nil {
		var err error
		if receipt, err = answer(ctx, o, try); err != nil {
			return receipt, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, o)
	return receipt, nil
}

func (p *platform) Buckets(to bot.ChatID) []bot.Bucket {
	if p.buckets == nil {
		return nil
	}
	return p.buckets(to)
}

// received lists what the chats have got, sorted: "1: Article 3, Article 2".
func (p *platform) received() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []string
	for _, o := range p.got {
		list = append(list, o.To.ID+": "+titles(o.Reply))
	}
	slices.Sort(list)
	return list
}

func titles(r bot.Reply) string {
	var words []string
	for _, g := range r.Groups {
		for _, c := range g.Cards {
			words = append(words, c.Title)
		}
	}
	return strings.Join(words, ", ")
}

func fail(err error) func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
	return func(context.Context, bot.Outgoing, int) (bot.Receipt, error) { return bot.Receipt{}, err }
}

// failOnce fails every chat's first message.
func failOnce(err error) func(context.Context, bot.Outgoing, int) (bot.Receipt, error) {
	return func(_ context.Context, _ bot.Outgoing, try int) (bot.Receipt, error) {
		if try == 1 {
			return bot.Receipt{}, err
		}
		return bot.Receipt{Way: "message"}, nil
	}
}

// notes keeps what the publisher is told: "key: text".
func notes(told *[]string) func(context.Context, string, string) {
	var mu sync.Mutex
	return func(_ context.Context, key, text string) {
		mu.Lock()
		defer mu.Unlock()
		*told = append(*told, key+": "+text)
	}
}

var errBroken = errors.New("broken")

// lists keeps what was shown.
type lists struct {
	mu   sync.Mutex
	made []string
}

func (l *lists) Make(_ context.Context, chat bot.ChatID, kind, query string, ids []int64, shown int) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made = append(l.made, fmt.Sprint(chat, " ", kind, " ", query, " ", ids, " ", shown))
	return int64(len(l.made)), nil
}

func (l *lists) MakeAll(ctx context.Context, _ bun.IDB, all []bot.NewList) (ids []int64, err error) {
	for _, list := range all {
		id, err := l.Make(ctx, list.Chat, list.Kind, list.Query, list.IDs, list.Shown)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
