package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Away reports whether an error of this package's databases says that the
// database cannot be reached now: the same may succeed later. That a context
// ended says nothing, unless it was while connecting.
func Away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// The connection, the server's end or start, too many connections, a
		// transaction that stood still.
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P0") || pg.Code == "53300" || pg.Code == "25P03"
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		var connect *pgconn.ConnectError
		return errors.As(err, &connect)
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) ||
		pgconn.SafeToRetry(err) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
