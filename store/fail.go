package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/roamline/roamline"
)

// fail says what err means in the words of the root package; nil stays nil, and
// an error that says it already stays as it is.
func (s *Store) fail(op, of string, err error) error {
	if err == nil {
		return nil
	}
	var said *roamline.Error
	if errors.As(err, &said) {
		return err
	}
	e := &roamline.Error{Op: op, Of: of, Err: err}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		e.Kind, e.Err = roamline.NotFound, nil
	case errors.Is(err, errText):
		e.Kind = roamline.Invalid
	case lost(err):
		e.Kind = roamline.Unavailable
	default:
		s.explain(e)
	}
	return e
}

func (s *Store) explain(e *roamline.Error) {
	fault, about := s.engine.Explain(e.Err)
	about = strings.ReplaceAll(about, "_", " ")
	switch fault {
	case Taken:
		e.Kind, e.Err = roamline.Conflict, fmt.Errorf("its %s is taken", about)
	case Dangling:
		e.Kind, e.Err = roamline.Conflict, errors.New("it refers to something that is not there, or something refers to it")
	case Malformed:
		e.Kind, e.Err = roamline.Invalid, fmt.Errorf("its %s must not be empty", about)
	case Away:
		e.Kind = roamline.Unavailable
	}
}

// dangling reports whether err is a broken reference.
func (s *Store) dangling(err error) bool {
	if err == nil {
		return false
	}
	fault, _ := s.engine.Explain(err)
	return fault == Dangling
}

// lost reports whether err is about the way to the database and not about the
// question.
func lost(err error) bool {
	var network net.Error
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.As(err, &network) || err.Error() == "sql: database is closed"
}
