// Package store keeps the durable facts in SQL: users, numbers, clients,
// places, trunks, credentials, call records and the binding history.
//
// One set of queries, in the SQL that SQLite and PostgreSQL have in common,
// serves both; the packages store/sqlite and store/postgres open an Engine and
// say what its errors mean. Both pass store/storetest.
package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/roamline/roamline"
)

// A Store implements roamline.Store. It may be used from any goroutine; the
// one that Atomic hands out only from one at a time.
//
// Texts are UTF-8 without NUL; others are Invalid. Times are kept to the
// microsecond and come back in UTC.
type Store struct {
	engine Engine
	tx     *sql.Tx // nil outside a transaction
	depth  int     // how many savepoints are open in tx
}

var _ roamline.Store = (*Store)(nil)

// Open brings the schema of an opened engine up to date and returns a store on
// it, which owns the engine: Close closes it. If Open fails, the caller still
// owns it. The caller holds the lock that keeps other processes from migrating
// at the same time.
func Open(ctx context.Context, e Engine) (*Store, error) {
	if err := migrate(ctx, e); err != nil {
		return nil, err
	}
	return &Store{engine: e}, nil
}

// Atomic runs do in a transaction. Inside another Atomic it runs in a
// savepoint: if it fails, its own changes are undone and the outer one may go
// on. The outer Store must not be used inside do: SQLite has one writer, and
// would wait for itself until ctx ends.
func (s *Store) Atomic(ctx context.Context, do func(roamline.Store) error) error {
	var refused error
	err := s.change(ctx, func(s *Store) error {
		refused = do(s)
		return refused
	})
	if refused != nil {
		return refused
	}
	return s.fail("store.Atomic", "", err)
}

// Ping asks the database for an answer; Unavailable if there is none.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	err := s.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one)
	return s.fail("store.Ping", "", err)
}

// Close waits for the queries that run and closes the engine. A store that
// Atomic handed out is not closed: Invalid.
func (s *Store) Close() error {
	if s.tx != nil {
		return &roamline.Error{Op: "store.Close", Kind: roamline.Invalid, Err: errors.New("inside Atomic")}
	}
	return s.fail("store.Close", "", s.engine.Close())
}
