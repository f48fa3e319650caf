package webchat

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// An entry is one message of a chat.
type entry struct {
	id    int64 // 0: shown once and not kept
	said  bool  // by the reader
	text  string
	reply bot.Reply
	at    time.Time
}

// answer is how a message of the bot is stored. The key stands first, so that
// a pushed message can be found by the beginning of its row.
type answer struct {
	Key string `json:"key"`
	bot.Reply
}

// history is the SQL of webchat_messages for one channel.
type history struct {
	db      *database.DB
	channel string
	now     func() time.Time
}

const insert = "INSERT INTO webchat_messages (channel, chat, who, body, sent_at) VALUES (?, ?, ?, ?, ?) RETURNING id"

// exchange stores a question and its answer, after the welcome when they are
// the first of the chat, and gives them back with their ids.
func (h history) exchange(ctx context.Context, chat, said string, welcome, reply bot.Reply) ([]entry, error) {
	at := h.now()
	var entries []entry
	err := h.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := h.lock(ctx, tx, chat); err != nil {
			return err
		}
		entries = entries[:0]
		begun, err := h.any(ctx, tx, "SELECT 1 FROM webchat_messages WHERE channel = ? AND chat = ? LIMIT 1", h.channel, chat)
		if err != nil {
			return err
		}
		if !begun && !welcome.Empty() {
			entries = append(entries, entry{reply: welcome, at: at})
		}
		entries = append(entries, entry{said: true, text: said, at: at}, entry{reply: reply, at: at})
		for i := range entries {
			if err := h.add(ctx, tx, chat, "", &entries[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("keep a message of the browser chat: %w", err)
	}
	return entries, nil
}

// push stores what the bot says unasked, once for each key.
func (h history) push(ctx context.Context, chat, key string, reply bot.Reply) (int64, error) {
	var id int64
	err := h.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := h.lock(ctx, tx, chat); err != nil {
			return err
		}
		if key != "" {
			prefix, err := keyPrefix(key)
			if err != nil {
				return err
			}
			var earlier []int64
			err = tx.NewRaw("SELECT id FROM webchat_messages WHERE channel = ? AND chat = ? AND who = 'bot' AND substr(body, 1, ?) = ? ORDER BY id LIMIT 1",
				h.channel, chat, utf8.RuneCountInString(prefix), prefix).Scan(ctx, &earlier)
			if err != nil {
				return err
			}
			if len(earlier) > 0 {
				id = earlier[0]
				return nil
			}
		}
		reachable, err := h.any(ctx, tx, `SELECT 1 FROM webchat_messages WHERE channel = ? AND chat = ?
			UNION ALL SELECT 1 FROM follows WHERE channel = ? AND chat = ? LIMIT 1`, h.channel, chat, h.channel, chat)
		if err != nil {
			return err
		}
		if !reachable {
			return bot.ErrGone
		}
		e := entry{reply: reply, at: h.now()}
		if err := h.add(ctx, tx, chat, key, &e); err != nil {
			return err
		}
		id = e.id
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("push into the browser chat: %w", err)
	}
	return id, nil
}

// keyPrefix is how the row of a message pushed with key begins.
func keyPrefix(key string) (string, error) {
	quoted, err := json.Marshal(key)
	return `{"key":` + string(quoted) + `,`, err
}

func (h history) add(ctx context.Context, tx bun.Tx, chat, key string, e *entry) error {
	who, body := "reader", e.text
	if !e.said {
		data, err := json.Marshal(answer{Key: key, Reply: plainReply(e.reply)})
		if err != nil {
			return err
		}
		who, body = "bot", string(data)
	}
	return tx.NewRaw(insert, h.channel, chat, who, body, e.at.UnixMilli()).Scan(ctx, &e.id)
}

// lock makes a chat's ids grow in the order of commits, which event streams
// rely on. SQLite has one writer anyway.
func (h history) lock(ctx context.Context, tx bun.Tx, chat string) error {
	if !h.db.Postgres() {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "webchat/"+h.channel+"/"+chat)
	return err
}

func (h history) any(ctx context.Context, tx bun.Tx, query string, args ...any) (bool, error) {
	var found []int
	err := tx.NewRaw(query, args...).Scan(ctx, &found)
	return len(found) > 0, err
}

// A span of a chat's history, oldest first.
const columns = "SELECT id, who, body, sent_at FROM webchat_messages WHERE channel = ? AND chat = ?"

// before gives the last n messages before an id; 0 is the end.
func (h history) before(ctx context.Context, chat string, id int64, n int) ([]entry, error) {
	if id == 0 {
		id = 1<<63 - 1
	}
	entries, err := h.read(ctx, columns+" AND id < ? ORDER BY id DESC LIMIT ?", h.channel, chat, id, n)
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries, err
}

// after gives the first n messages after an id.
func (h history) after(ctx context.Context, chat string, id int64, n int) ([]entry, error) {
	return h.read(ctx, columns+" AND id > ? ORDER BY id LIMIT ?", h.channel, chat, id, n)
}

// between gives the messages from one id to another.
func (h history) between(ctx context.Context, chat string, first, last int64) ([]entry, error) {
	return h.read(ctx, columns+" AND id >= ? AND id <= ? ORDER BY id LIMIT 10", h.channel, chat, first, last)
}

// newest is the id of the last message, 0 for an empty chat.
func (h history) newest(ctx context.Context, chat string) (int64, error) {
	var id int64
	err := h.db.Reader().NewRaw("SELECT COALESCE(MAX(id), 0) FROM webchat_messages WHERE channel = ? AND chat = ?", h.channel, chat).Scan(ctx, &id)
	if err != nil {
		return 0, fmt.Errorf("read the browser chat's history: %w", err)
	}
	return id, nil
}

func (h history) read(ctx context.Context, query string, args ...any) ([]entry, error) {
	var rows []struct {
		ID     int64
		Who    string
		Body   string
		SentAt int64
	}
	if err := h.db.Reader().NewRaw(query, args...).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read the browser chat's history: %w", err)
	}
	entries := make([]entry, len(rows))
	for i, row := range rows {
		entries[i] = entry{id: row.ID, said: row.Who == "reader", text: row.Body, at: time.UnixMilli(row.SentAt)}
		if entries[i].said {
			continue
		}
		var stored answer
		if err := json.Unmarshal([]byte(row.Body), &stored); err != nil {
			return nil, fmt.Errorf("read message %d of the browser chat: %w", row.ID, err)
		}
		entries[i].text, entries[i].reply = "", stored.Reply
	}
	return entries, nil
}

func (h history) forget(ctx context.Context, chat string) error {
	if _, err := h.db.ExecContext(ctx, "DELETE FROM webchat_messages WHERE channel = ? AND chat = ?", h.channel, chat); err != nil {
		return fmt.Errorf("forget a browser chat: %w", err)
	}
	return nil
}

// prune deletes old messages, also those of channels that are configured no more.
func (h history) prune(ctx context.Context, before time.Time) error {
	return h.db.Prune(ctx, "webchat_messages", "id", "sent_at", before.UnixMilli())
}
