// Package sqlite opens a store in one SQLite file.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3/database"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store"
)

// readers is how many connections read at the same time; each holds some
// hundred kilobytes.
const readers = 4

// Open opens the store in the file at path and makes it, and its folder, if
// they are not there. The file holds secrets: it is made readable by its owner
// alone, and a file that others may read is closed to them. Beside it SQLite
// keeps path-wal and path-shm, and Open path-lock while it migrates.
//
// A change that returned survives the end of the process and of the machine:
// every commit is on the disk (synchronous=FULL).
func Open(ctx context.Context, path string) (roamline.Store, error) {
	const op = "sqlite.Open"
	if err := prepare(path); err != nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: path, Err: err}
	}
	unlock, err := lock(ctx, path+"-lock")
	if err != nil {
		return nil, &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: path, Err: err}
	}
	defer unlock()

	e, err := engine(path)
	if err != nil {
		return nil, &roamline.Error{Op: op, Of: path, Err: err}
	}
	s, err := store.Open(ctx, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return s, nil
}

// prepare makes the file with the right mode. An existing one is never opened
// here: closing it would drop the locks that SQLite in this process has on it
// (POSIX.1 fcntl).
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return os.Chmod(path, 0o600)
	}
	if err != nil {
		return err
	}
	return file.Close()
}

func engine(path string) (store.Engine, error) {
	write, err := sql.Open("sqlite", source(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"))
	if err != nil {
		return store.Engine{}, err
	}
	// A second writer would only wait for the first, and might give up.
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", source(path, "query_only(ON)"))
	if err != nil {
		return store.Engine{}, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return store.Engine{Dialect: database.DialectSQLite3, Write: write, Read: read, Explain: explain}, nil
}

// source names the file and what every connection begins with. A transaction
// asks for the write lock at its start, so that it never has to give up in the
// middle (SQLITE_BUSY_SNAPSHOT).
func source(path string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	// An opaque path keeps a leading slash and relative paths as they are; ? and #
	// would end it.
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?" + q.Encode()
}

// explain reads SQLite's extended result codes. The message of a broken unique
// rule ends in "table.column".
func explain(err error) (store.Fault, string) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return store.Other, ""
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE:
		return store.Taken, column(e.Error())
	case lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return store.Taken, "key"
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return store.Dangling, ""
	case lib.SQLITE_CONSTRAINT_CHECK:
		return store.Malformed, checked(e.Error())
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_INTERRUPT:
		return store.Away, ""
	}
	return store.Other, ""
}

// column finds login in "... UNIQUE constraint failed: users.login (2067)".
func column(message string) string {
	about := constraint(message)
	about, _, _ = strings.Cut(about, ",") // the first of several
	_, name, _ := strings.Cut(about, ".")
	return name
}

// checked finds login in "... CHECK constraint failed: login <> 'x' (275)".
func checked(message string) string {
	name, _, _ := strings.Cut(constraint(message), " ")
	return name
}

func constraint(message string) string {
	const before = "constraint failed: "
	if i := strings.LastIndex(message, before); i >= 0 {
		message = message[i+len(before):]
	}
	about, _, _ := strings.Cut(message, " (")
	return about
}
