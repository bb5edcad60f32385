// Package postgres opens a store in a PostgreSQL database, which several nodes
// may share.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3/database"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store"
)

const (
	connections = 16 // at most, of this node
	idle        = 4
	lifetime    = 30 * time.Minute // so that a fail-over behind one address is noticed
)

// lockKey is the advisory lock that a node holds while it migrates: "roamline".
const lockKey = 0x726f616d6c696e65

// Open opens the store in the database that url names, in any form that libpq
// knows ("postgres://user:password@host/name?sslmode=verify-full", or
// "host=... dbname=..."); what it does not say comes from the PG environment
// variables and the password file. The database must exist and belong to the
// user, who makes tables in it.
//
// Errors never repeat the password.
func Open(ctx context.Context, url string) (roamline.Store, error) {
	const op = "postgres.Open"
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.Invalid, Of: "database url", Err: errors.New("it can't be read as the address of a PostgreSQL database")}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "roamline"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(idle)
	db.SetConnMaxLifetime(lifetime)
	e := store.Engine{Dialect: database.DialectPostgres, Write: db, Read: db, Dollars: true,
		LockTree: "LOCK TABLE places IN SHARE ROW EXCLUSIVE MODE", Explain: explain}
	s, err := open(ctx, db, e)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// open migrates while no other node does.
func open(ctx context.Context, db *sql.DB, e store.Engine) (*store.Store, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, &roamline.Error{Op: "postgres.Open", Kind: roamline.Unavailable, Err: err}
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", int64(lockKey)); err != nil {
		return nil, &roamline.Error{Op: "postgres.Open", Kind: roamline.Unavailable, Err: err}
	}
	// The connection goes back to the pool, so the lock must be let go of even if
	// ctx has ended.
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(lockKey))
	if err := makeDomain(ctx, conn); err != nil {
		return nil, &roamline.Error{Op: "postgres.Open", Kind: roamline.Unavailable, Err: err}
	}
	return store.Open(ctx, e)
}

// makeDomain makes the type keytext: text in byte order, as SQLite has it, so
// that pages of keys come in the same order whatever the database's locale.
func makeDomain(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `DO $$ BEGIN
		IF to_regtype('keytext') IS NULL THEN CREATE DOMAIN keytext AS text COLLATE "C"; END IF;
	END $$`)
	return err
}

// explain reads PostgreSQL's error codes (its manual, appendix A). Constraints
// are named table_column.
func explain(err error) (store.Fault, string) {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return store.Away, ""
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return store.Other, ""
	}
	column := strings.TrimPrefix(e.ConstraintName, e.TableName+"_")
	switch e.Code {
	case "23505": // unique_violation
		if column == "pkey" {
			column = "key"
		}
		return store.Taken, column
	case "23503": // foreign_key_violation
		return store.Dangling, column
	case "23514": // check_violation
		return store.Malformed, strings.TrimSuffix(column, "_check")
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return store.Away, ""
	}
	switch e.Code[:2] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return store.Away, ""
	}
	return store.Other, ""
}
