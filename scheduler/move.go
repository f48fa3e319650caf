package scheduler

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"newsie/bot"
	"newsie/internal/database"
)

// NewLedger reads and settles the ledger of db without sending anything.
func NewLedger(db *database.DB, now func() time.Time) *Ledger {
	return &Ledger{db: db, now: now, wake: func() {}}
}

// Move gives a chat its new id, with everything of it: the platform told us.
func (l *Ledger) Move(ctx context.Context, from, to bot.ChatID) error {
	return l.db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return moveChat(ctx, tx, from, to) })
}
