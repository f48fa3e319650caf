package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"newsie/internal/database"
)

// Lists keeps what was shown to a chat (table lists), so that "2" and "more"
// mean the last list also after a restart, and the questions that readers
// asked (table questions), without who asked them.
type Lists struct {
	db  *database.DB
	now func() time.Time
}

// NewLists keeps its rows in db.
func NewLists(db *database.DB, now func() time.Time) *Lists { return &Lists{db: db, now: now} }

// A List is a numbered list of articles that a reader has seen in part.
type List struct {
	ID    int64
	Kind  string  // search, repaired (a search for other words than typed), latest, related, digest, rule, saved
	Query string  // of related: the id of the article that was opened, if one was
	IDs   []int64 // numbered from 1
	Shown int     // of the first ones
}

// A Question is what readers asked for, with how often.
type Question struct {
	Text    string `json:"text"`
	Lang    string `json:"lang"`
	Channel string `json:"channel"`
	Results int64  `json:"results"` // of the last time
	Count   int64  `json:"count"`
	Last    int64  `json:"last"` // Unix milliseconds
}

// Make keeps a list and returns its id; 0 where there is no chat yet: nobody is
// there to whom it could mean anything.
func (l *Lists) Make(ctx context.Context, chat ChatID, kind, query string, ids []int64, shown int) (int64, error) {
	if chat.ID == "" {
		return 0, nil
	}
	var id int64
	err := l.db.WriteOne(ctx, func(ctx context.Context, tx bun.IDB) (err error) {
		id, err = l.insert(ctx, tx, chat, List{Kind: kind, Query: query, IDs: ids, Shown: shown})
		return err
	})
	return id, err
}

// A NewList is one to be kept.
type NewList struct {
	Chat        ChatID
	Kind, Query string
	IDs         []int64
	Shown       int
}

// MakeAll keeps several lists within a transaction, with one statement when
// their chats differ, and returns their ids in their order.
func (l *Lists) MakeAll(ctx context.Context, tx bun.IDB, lists []NewList) ([]int64, error) {
	ids := make([]int64, len(lists))
	rest := make([]int, len(lists))
	for i := range rest {
		rest[i] = i
	}
	for len(rest) > 0 {
		// Neither database promises to return rows in the order of the values: they
		// are told apart by their chats.
		at := map[ChatID]int{}
		var again []int
		for _, i := range rest {
			if _, twice := at[lists[i].Chat]; twice {
				again = append(again, i)
			} else {
				at[lists[i].Chat] = i
			}
		}
		if err := l.insertAll(ctx, tx, lists, at, ids); err != nil {
			return nil, err
		}
		rest = again
	}
	return ids, nil
}

// insertAll keeps the lists at these positions and puts in their ids.
func (l *Lists) insertAll(ctx context.Context, tx bun.IDB, lists []NewList, at map[ChatID]int, ids []int64) error {
	now := l.now().UnixMilli()
	var args []any
	for _, i := range slices.Sorted(maps.Values(at)) {
		list := lists[i]
		articles, err := json.Marshal(list.IDs)
		if err != nil {
			return err
		}
		args = append(args, list.Chat.Channel, list.Chat.ID, list.Kind, list.Query, string(articles), list.Shown, now)
	}
	var rows []struct {
		ID            int64
		Channel, Chat string
	}
	err := tx.NewRaw("INSERT INTO lists (channel, chat, kind, query, articles, shown, created_at) VALUES "+places(len(at), 7)+" RETURNING id, channel, chat", args...).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("keep %d lists: %w", len(at), err)
	}
	for _, r := range rows {
		ids[at[ChatID{Channel: r.Channel, ID: r.Chat}]] = r.ID
	}
	return nil
}

// asked keeps a list together with the question it answers.
func (l *Lists) asked(ctx context.Context, chat ChatID, list List, lang string, results int) (id int64, err error) {
	err = l.db.Write(ctx, func(ctx context.Context, tx bun.IDB) (err error) {
		if len(list.IDs) > 0 {
			if id, err = l.insert(ctx, tx, chat, list); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO questions (text, lang, channel, results, asked_at) VALUES (?, ?, ?, ?, ?)",
			plain(list.Query), lang, chat.Channel, results, l.now().UnixMilli())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keep the question: %w", err)
	}
	return id, nil
}

func (l *Lists) insert(ctx context.Context, tx bun.IDB, chat ChatID, list List) (int64, error) {
	ids, err := json.Marshal(list.IDs)
	if err != nil {
		return 0, err
	}
	var id int64
	err = tx.NewRaw("INSERT INTO lists (channel, chat, kind, query, articles, shown, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
		chat.Channel, chat.ID, list.Kind, list.Query, string(ids), list.Shown, l.now().UnixMilli()).Scan(ctx, &id)
	if err != nil {
		return 0, fmt.Errorf("keep the list: %w", err)
	}
	return id, nil
}

// last gives the list a chat saw last; ok is false when there is none.
func (l *Lists) last(ctx context.Context, chat ChatID) (List, bool, error) {
	return l.one(ctx, "channel = ? AND chat = ? AND articles <> '[]' ORDER BY created_at DESC, id DESC LIMIT 1", chat.Channel, chat.ID)
}

// opened gives the article that was opened, if nothing else was shown since: its
// related ones, which may be none, are the last list.
func (l *Lists) opened(ctx context.Context, chat ChatID) (article int64, ok bool, err error) {
	list, ok, err := l.one(ctx, "channel = ? AND chat = ? ORDER BY created_at DESC, id DESC LIMIT 1", chat.Channel, chat.ID)
	if err != nil || !ok || list.Kind != "related" || list.Query == "" {
		return 0, false, err
	}
	article, err = strconv.ParseInt(list.Query, 10, 64)
	return article, err == nil, err
}

// recent is how many lists back "more" and "back" look.
const recent = 10

// unfinished gives the latest list of which there is more to show: opening an
// article does not end the list it was opened from. When all have been shown to
// their ends it gives the latest.
func (l *Lists) unfinished(ctx context.Context, chat ChatID) (List, bool, error) {
	lists, err := l.many(ctx, "channel = ? AND chat = ? AND articles <> '[]' ORDER BY created_at DESC, id DESC LIMIT ?", chat.Channel, chat.ID, recent)
	if err != nil || len(lists) == 0 {
		return List{}, false, err
	}
	for _, list := range lists {
		if list.Shown < len(list.IDs) {
			return list, true, nil
		}
		if list.Kind != "related" {
			break // the reader has seen this one to its end, and asks for it
		}
	}
	return lists[0], true, nil
}

// before gives the latest list that is no article's related ones.
func (l *Lists) before(ctx context.Context, chat ChatID) (List, bool, error) {
	return l.one(ctx, "channel = ? AND chat = ? AND kind <> 'related' ORDER BY created_at DESC, id DESC LIMIT 1", chat.Channel, chat.ID)
}

// byID gives a list of this chat: nobody reads another's.
func (l *Lists) byID(ctx context.Context, chat ChatID, id int64) (List, bool, error) {
	return l.one(ctx, "channel = ? AND chat = ? AND id = ?", chat.Channel, chat.ID, id)
}

func (l *Lists) one(ctx context.Context, where string, args ...any) (List, bool, error) {
	lists, err := l.many(ctx, where, args...)
	if err != nil || len(lists) == 0 {
		return List{}, false, err
	}
	return lists[0], true, nil
}

func (l *Lists) many(ctx context.Context, where string, args ...any) ([]List, error) {
	var rows []struct {
		ID       int64
		Kind     string
		Query    string
		Articles string
		Shown    int
	}
	if err := l.db.Reader().NewRaw("SELECT id, kind, query, articles, shown FROM lists WHERE "+where, args...).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("look for a list: %w", err)
	}
	lists := make([]List, len(rows))
	for i, r := range rows {
		lists[i] = List{ID: r.ID, Kind: r.Kind, Query: r.Query, Shown: r.Shown}
		if err := json.Unmarshal([]byte(r.Articles), &lists[i].IDs); err != nil {
			return nil, fmt.Errorf("read list %d: %w", r.ID, err)
		}
	}
	return lists, nil
}

// show notes how far a list has been shown, and makes it the last one again.
func (l *Lists) show(ctx context.Context, chat ChatID, list List) error {
	_, err := l.db.ExecContext(ctx, "UPDATE lists SET shown = ?, created_at = ? WHERE id = ? AND channel = ? AND chat = ?", list.Shown, l.now().UnixMilli(), list.ID, chat.Channel, chat.ID)
	if err != nil {
		return fmt.Errorf("turn the page of list %d: %w", list.ID, err)
	}
	return nil
}

// Questions lists what readers asked since a time, the most frequent first;
// with unanswered only what found nothing the last time it was asked.
func (l *Lists) Questions(ctx context.Context, since time.Time, unanswered bool, limit int) ([]Question, error) {
	having := ""
	if unanswered {
		having = "WHERE results = 0"
	}
	var list []Question
	err := l.db.Reader().NewRaw(`SELECT text, lang, channel, results, count, last FROM (
			SELECT q.text, q.lang, q.channel, count(*) AS count, max(q.asked_at) AS last,
				(SELECT r.results FROM questions r WHERE r.text = q.text AND r.channel = q.channel AND r.lang = q.lang
				 ORDER BY r.id DESC LIMIT 1) AS results
			FROM questions q WHERE q.asked_at >= ? GROUP BY q.text, q.lang, q.channel) AS counted
		`+having+` ORDER BY count DESC, last DESC, text LIMIT ?`, since.UnixMilli(), limit).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("list the questions: %w", err)
	}
	return list, nil
}

// Prune forgets lists made before a time and questions asked before another.
func (l *Lists) Prune(ctx context.Context, lists, questions time.Time) error {
	if err := l.db.Prune(ctx, "lists", "id", "created_at", lists.UnixMilli()); err != nil {
		return err
	}
	return l.db.Prune(ctx, "questions", "id", "asked_at", questions.UnixMilli())
}
