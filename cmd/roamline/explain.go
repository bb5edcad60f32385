package main

import (
	"errors"
	"strings"

	"github.com/roamline/roamline"
)

// A failure says why a command did not do what it should, and what the reader
// can do.
type failure struct {
	why, todo string
	err       error
}

func (f *failure) Error() string {
	why := strings.TrimRight(f.why, ".")
	if f.todo == "" {
		return why
	}
	return why + ". " + f.todo
}

func (f *failure) Unwrap() error { return f.err }

// explain makes "<what>: <why>. <what to do>" of an error.
func (w *world) explain(err error) string {
	var f *failure
	if errors.As(err, &f) {
		return w.doing + ": " + f.Error()
	}
	var e *roamline.Error
	if !errors.As(err, &e) {
		return w.doing + ": " + err.Error()
	}
	why := e.Error()
	if e.Op == "config.Load" { // it has said where, what and how to mend
		return "configuration: " + strings.TrimPrefix(why, "config.Load: ")
	}
	return w.doing + ": " + (&failure{why: why, todo: advice(e)}).Error()
}

func advice(e *roamline.Error) string {
	switch {
	case e.Op == "server.Lock" && e.Kind == roamline.Conflict:
		return "Stop that process, or give this one another data folder (ROAMLINE_DATA_DIR)"
	case e.Op == "server.Lock":
		return "Run this as the server's user or as root, or choose another data folder (ROAMLINE_DATA_DIR)"
	case e.Kind == roamline.Unavailable:
		return "Try again in a moment; roamline doctor may tell more"
	case e.Kind == roamline.Internal:
		return "roamline doctor may tell more"
	}
	return ""
}
