package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/roamline/roamline"
)

// AddCode keeps a one-time code by its hash; Conflict if the hash is known.
// Codes that expired are removed by the next UseCode.
func (s *Store) AddCode(ctx context.Context, hash, purpose string, until time.Time) error {
	const op = "store.AddCode"
	if until.IsZero() {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Err: errors.New("a code must expire")}
	}
	err := s.change(ctx, func(s *Store) error {
		_, err := s.exec(ctx, "INSERT INTO codes (hash, purpose, until) VALUES (?, ?, ?)", hash, purpose, until.UnixMicro())
		return err
	})
	return s.fail(op, "", err)
}

// UseCode takes a code and returns what it was for. A code is good before its
// until, and for one use, however many try at once.
func (s *Store) UseCode(ctx context.Context, hash string, now time.Time) (purpose string, err error) {
	const op = "store.UseCode"
	if err := checkText([]any{hash}); err != nil {
		return "", s.fail(op, "", err)
	}
	used := false
	err = s.change(ctx, func(s *Store) error {
		if _, err := s.exec(ctx, "DELETE FROM codes WHERE until <= ?", now.UnixMicro()); err != nil {
			return err
		}
		taken := s.tx.QueryRowContext(ctx, s.engine.sql("DELETE FROM codes WHERE hash = ? RETURNING purpose"), hash)
		err := taken.Scan(&purpose)
		used = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil // what expired stays removed
		}
		return err
	})
	if err == nil && !used {
		err = sql.ErrNoRows
	}
	if err != nil {
		return "", s.fail(op, "", err)
	}
	return purpose, nil
}
