package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/roamline/roamline"
)

// A table implements roamline.Table for one kind of record.
type table[T any] struct {
	s       *Store
	word    string   // "user": for errors
	name    string   // of the SQL table
	columns []string // the key first, Rev not among them
	values  func(T) (rev roamline.Rev, values []any)
	scan    func(row) (T, error) // columns, then rev

	where map[string]string // column of a Query -> SQL expression
	match string            // SQL condition; every ? in it is the pattern
	check func(ctx context.Context, s *Store, record T) error

	absent string                // why a record with a dangling reference is refused
	inUse  string                // why one that others refer to is not deleted
	owns   []roamline.SecretKind // secrets that go with it
}

func (t table[T]) op(verb string) string { return "store." + verb + " " + t.word }

func (t table[T]) fields() string { return strings.Join(t.columns, ", ") + ", rev" }

// Get returns the record with the key; NotFound if there is none.
func (t table[T]) Get(ctx context.Context, key string) (T, error) {
	var record T
	found := false
	err := t.s.each(ctx, "SELECT "+t.fields()+" FROM "+t.name+" WHERE "+t.columns[0]+" = ?", []any{key},
		func(r row) (err error) {
			record, err = t.scan(r)
			found = true
			return err
		})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return record, t.s.fail(t.op("Get"), key, err)
}

// List returns the records that q chooses, and whether there are more after
// them.
func (t table[T]) List(ctx context.Context, q roamline.Query) (page []T, more bool, err error) {
	conditions, args := []string{t.columns[0] + " > ?"}, []any{q.After}
	for column, value := range q.Where {
		expression, known := t.where[column]
		if !known {
			return nil, false, &roamline.Error{Op: t.op("List"), Kind: roamline.Invalid, Of: column,
				Err: errors.New("not a column to choose by")}
		}
		conditions, args = append(conditions, expression+" = ?"), append(args, value)
	}
	if q.Match != "" {
		conditions = append(conditions, "("+t.match+")")
		for range strings.Count(t.match, "?") {
			args = append(args, pattern(q.Match))
		}
	}
	most := limit(q.Limit)
	query := "SELECT " + t.fields() + " FROM " + t.name + " WHERE " + strings.Join(conditions, " AND ") +
		" ORDER BY " + t.columns[0] + " LIMIT ?"
	err = t.s.each(ctx, query, append(args, most+1), func(r row) error {
		record, err := t.scan(r)
		page = append(page, record)
		return err
	})
	if err != nil {
		return nil, false, t.s.fail(t.op("List"), "", err)
	}
	if len(page) > most {
		return page[:most], true, nil
	}
	return page, false, nil
}

// Create adds a record, whatever its Rev, and returns it as it is kept.
func (t table[T]) Create(ctx context.Context, record T) (T, error) {
	_, values := t.values(record)
	query := "INSERT INTO " + t.name + " (" + t.fields() + ") VALUES (" +
		strings.Repeat("?, ", len(values)) + "1) RETURNING " + t.fields()
	made, err := t.write(ctx, record, query, values)
	return made, t.refuse("Create", values[0], err)
}

// Update replaces the record of the same key and Rev, and returns it as it is
// kept. Conflict if it has another Rev by now.
func (t table[T]) Update(ctx context.Context, record T) (T, error) {
	rev, values := t.values(record)
	query := "UPDATE " + t.name + " SET " + strings.Join(t.columns, " = ?, ") + " = ?, rev = rev + 1 WHERE " +
		t.columns[0] + " = ? AND rev = ? RETURNING " + t.fields()
	args := append(slices.Clone(values), values[0], int64(rev))
	made, err := t.write(ctx, record, query, args)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.stale(ctx, values[0])
	}
	return made, t.refuse("Update", values[0], err)
}

// write runs a statement that returns the record as it is now.
func (t table[T]) write(ctx context.Context, record T, query string, args []any) (made T, err error) {
	if err := checkText(args); err != nil {
		return made, err
	}
	err = t.s.change(ctx, func(s *Store) error {
		if t.check != nil {
			if err := t.check(ctx, s, record); err != nil {
				return err
			}
		}
		var err error
		made, err = t.scan(s.tx.QueryRowContext(ctx, s.engine.sql(query), args...))
		return err
	})
	return made, err
}

// Delete removes the record and the secrets that are its own.
func (t table[T]) Delete(ctx context.Context, key string, rev roamline.Rev) error {
	err := t.s.change(ctx, func(s *Store) error {
		n, err := s.exec(ctx, "DELETE FROM "+t.name+" WHERE "+t.columns[0]+" = ? AND (rev = ? OR ? = 0)",
			key, int64(rev), int64(rev))
		if err != nil {
			return err
		}
		if n == 0 {
			return sql.ErrNoRows
		}
		for _, kind := range t.owns {
			if _, err := s.exec(ctx, "DELETE FROM secrets WHERE kind = ? AND owner = ?", string(kind), key); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, sql.ErrNoRows) && rev != 0 {
		err = t.stale(ctx, key)
	}
	if t.s.dangling(err) {
		return &roamline.Error{Op: t.op("Delete"), Kind: roamline.Conflict, Of: key, Err: errors.New(t.inUse)}
	}
	return t.s.fail(t.op("Delete"), key, err)
}

// stale says why no row had the key and the Rev: none has the key, or the one
// that has it was changed.
func (t table[T]) stale(ctx context.Context, key any) error {
	var rev int64
	err := t.s.one(ctx, "SELECT rev FROM "+t.name+" WHERE "+t.columns[0]+" = ?", []any{key}, &rev)
	if err != nil {
		return err
	}
	return &roamline.Error{Op: t.op("Update"), Kind: roamline.Conflict, Of: fmt.Sprint(key),
		Err: fmt.Errorf("somebody changed it meanwhile (revision %d)", rev)}
}

func (t table[T]) refuse(verb string, key any, err error) error {
	if t.s.dangling(err) {
		return &roamline.Error{Op: t.op(verb), Kind: roamline.Invalid, Of: fmt.Sprint(key), Err: errors.New(t.absent)}
	}
	return t.s.fail(t.op(verb), fmt.Sprint(key), err)
}
