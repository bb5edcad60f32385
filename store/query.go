package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A querier is a pool or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A row is *sql.Row or *sql.Rows.
type row interface{ Scan(dest ...any) error }

var errText = errors.New("text must be UTF-8 without NUL")

func (s *Store) reader() querier {
	if s.tx != nil {
		return s.tx
	}
	return s.engine.Read
}

// change runs do in a transaction of its own, or in a savepoint of the one that
// is open. The savepoint is for PostgreSQL, where one failed statement would
// otherwise spoil everything around it.
func (s *Store) change(ctx context.Context, do func(*Store) error) error {
	if s.tx != nil {
		return s.nested(ctx, do)
	}
	tx, err := s.engine.Write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // changes nothing after Commit
	if err := do(&Store{engine: s.engine, tx: tx}); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *Store) nested(ctx context.Context, do func(*Store) error) error {
	name := fmt.Sprintf("s%d", s.depth)
	if _, err := s.tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	if err := do(&Store{engine: s.engine, tx: s.tx, depth: s.depth + 1}); err != nil {
		_, undo := s.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name)
		if undo == nil {
			_, undo = s.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name)
		}
		// Without its savepoint undone the transaction must not be committed.
		if undo != nil {
			_ = s.tx.Rollback() // err says more
		}
		return err
	}
	_, err := s.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name)
	return err
}

// exec runs a statement of a change and returns how many rows it touched.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := checkText(args); err != nil {
		return 0, err
	}
	result, err := s.tx.ExecContext(ctx, s.engine.sql(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// one reads a single row; sql.ErrNoRows if there is none.
func (s *Store) one(ctx context.Context, query string, args []any, dest ...any) error {
	if err := checkText(args); err != nil {
		return err
	}
	return s.reader().QueryRowContext(ctx, s.engine.sql(query), args...).Scan(dest...)
}

// each gives every row of a query to scan.
func (s *Store) each(ctx context.Context, query string, args []any, scan func(row) error) error {
	if err := checkText(args); err != nil {
		return err
	}
	rows, err := s.reader().QueryContext(ctx, s.engine.sql(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkText refuses what PostgreSQL can't keep, so that both engines take and
// refuse the same.
func checkText(args []any) error {
	for _, arg := range args {
		if text, ok := arg.(string); ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
			return errText
		}
	}
	return nil
}

// limit is how many rows a query may have: 100 if it does not say, 1000 at most.
func limit(asked int) int {
	switch {
	case asked <= 0:
		return 100
	case asked > 1000:
		return 1000
	}
	return asked
}

// pattern makes a LIKE pattern, to be escaped by a backslash, that finds text
// anywhere in a column that fold wrote.
func pattern(text string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(fold(text))
	return "%" + escaped + "%"
}

// fold joins texts in the form that they are searched in. The databases' own
// lower() know only ASCII (SQLite) or what the locale says (PostgreSQL).
func fold(texts ...string) string {
	return strings.ToLower(strings.Join(texts, "\n"))
}
