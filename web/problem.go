package web

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// statusOf is the only table from kinds to HTTP codes. A value that is refused
// is 422, as the validator in front says too; 400 is for what can't be read.
func statusOf(k roamline.Kind) int {
	switch k {
	case roamline.Invalid, roamline.Incompatibility:
		return http.StatusUnprocessableEntity
	case roamline.Unauthorized:
		return http.StatusUnauthorized
	case roamline.Forbidden:
		return http.StatusForbidden
	case roamline.NotFound:
		return http.StatusNotFound
	case roamline.Conflict:
		return http.StatusConflict
	case roamline.Exhausted:
		return http.StatusTooManyRequests
	case roamline.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// Types of problems that a page tells apart (RFC 9457 section 3.1.1); every
// other is about:blank.
const (
	typeToken    = "urn:roamline:token"        // get a new token and try again
	typeProof    = "urn:roamline:proof"        // the proof of possession is wrong
	typeClock    = "urn:roamline:clock"        // its time is too far off: allow for it by the Date header
	typeWrong    = "urn:roamline:wrong-secret" // the person is not proven
	typeWaiting  = "urn:roamline:not-admitted" // the client waits to be admitted, or was revoked
	typeNobody   = "urn:roamline:not-signed-in"
	typeTaken    = "urn:roamline:taken"
	typeStale    = "urn:roamline:stale" // changed since it was read
	typeCode     = "urn:roamline:code"  // a one-time code is wrong, used or too old
	typeSeen     = "urn:roamline:seen"  // an event that was, or may have been, taken before
	typeTooOften = "urn:roamline:too-often"
)

// A refusal is a problem with its headers.
type refusal struct {
	*huma.ErrorModel
	header http.Header
}

func (r *refusal) GetHeaders() http.Header { return r.header }

// refuse makes a problem: a status, its type, and a title that a person
// understands.
func refuse(status int, kind, title string) *refusal {
	return &refusal{&huma.ErrorModel{Type: kind, Status: status, Title: title}, http.Header{}}
}

// at adds where the mistake is and what it is: ("body.login", "is taken").
func (r *refusal) at(where, what string) *refusal {
	r.Errors = append(r.Errors, &huma.ErrorDetail{Location: where, Message: what})
	return r
}

// because adds what exactly is wrong, for whoever writes clients.
func (r *refusal) because(err error) *refusal {
	r.Detail = err.Error()
	return r
}

// as changes the problem's type.
func (r *refusal) as(kind string) *refusal {
	r.Type = kind
	return r
}

// after says in how long to try again, in whole seconds and at least one
// (RFC 9110 section 10.2.3).
func (r *refusal) after(wait time.Duration) *refusal {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	r.header.Set("Retry-After", strconv.Itoa(seconds))
	return r
}

// problem turns an error into what the caller may know of it. What broke
// inside goes to the log and not to her.
func (d *Door) problem(ctx context.Context, err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	kind := roamline.KindOf(err)
	var e *roamline.Error
	errors.As(err, &e)
	r = refuse(statusOf(kind), "", "")
	switch kind {
	case roamline.Invalid, roamline.Incompatibility:
		r.Title = "That can't be used"
		r.Detail = cause(e)
		if e.Of != "" {
			r.at(e.Of, cause(e))
		}
	case roamline.Unauthorized:
		r.Title = "That was not right"
	case roamline.Forbidden:
		r.Title = "That is not allowed"
		r.Detail = cause(e)
	case roamline.NotFound:
		r.Title = "There is no such thing"
		r.Detail = e.Of
	case roamline.Conflict:
		r.Type, r.Title = typeTaken, "That is taken already, or was changed by somebody else"
		r.Detail = e.Of
	case roamline.Exhausted:
		r.Type, r.Title = typeTooOften, "Too many at once. Try again in a moment"
		r.after(waitIn(err))
	case roamline.Unavailable:
		r.Title = "That does not work now. Try again in a moment"
		r.Detail = cause(e)
		r.after(5 * time.Second)
	default:
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			break // the caller is gone
		}
		d.Log.Error("request failed", slog.Any("err", err))
		r.Title = "Something broke at the server. Its log says what"
	}
	if r.Title == "" {
		r.Title = http.StatusText(r.Status)
	}
	return r
}

func cause(e *roamline.Error) string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// waitIn returns for how long an error asks to wait.
func waitIn(err error) time.Duration {
	var w interface{ RetryAfter() time.Duration }
	if errors.As(err, &w) {
		return w.RetryAfter()
	}
	return time.Second
}

// writeProblem writes a refusal outside of an operation.
func writeProblem(w http.ResponseWriter, r *refusal) {
	for k, values := range r.header {
		w.Header()[k] = values
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(r.Status)
	json.NewEncoder(w).Encode(r.ErrorModel)
}
