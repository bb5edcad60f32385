package store

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3/database"
)

// An Engine is an opened SQL database and what differs between them.
type Engine struct {
	Dialect database.Dialect

	// Write takes every change; Read takes what is read outside a transaction.
	// They may be the same.
	Write, Read *sql.DB

	// Dollars: parameters are written $1, $2 and not as question marks.
	Dollars bool

	// LockTree, run in a transaction, keeps others from changing places until its
	// end. Empty where there is one writer anyway.
	LockTree string

	// Explain says what one of the driver's errors means, and which column or
	// constraint it is about, if it tells.
	Explain func(error) (Fault, string)
}

// A Fault is what a driver's error means.
type Fault int

const (
	Other     Fault = iota
	Taken           // a unique column has that value already
	Dangling        // a reference to a row that is not there, or from one that still is
	Malformed       // the column's own check refuses the value, which is empty
	Away            // the database can't be reached, is busy or full: try again later
)

// Close closes both pools.
func (e Engine) Close() error {
	err := e.Write.Close()
	if e.Read != e.Write {
		err = errors.Join(err, e.Read.Close())
	}
	return err
}

// sql writes a query's parameters as the engine wants them. Our queries hold no
// question mark other than parameters.
func (e Engine) sql(query string) string {
	if !e.Dollars {
		return query
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}
