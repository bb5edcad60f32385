package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/roamline/roamline"
)

// etag is a Rev as an entity tag (RFC 9110 section 8.8.3).
func etag(rev roamline.Rev) string { return `"` + strconv.FormatInt(int64(rev), 10) + `"` }

// A Matching is the If-Match header of a change. (It is exported, as Page is,
// because the API's framework looks into exported embedded structs only.)
type Matching struct {
	IfMatch string `header:"If-Match" doc:"The ETag that the record was read with, or *."`
}

// check compares what the caller read with what is there now: 428 without a
// header, 412 if it changed since (RFC 9110 section 13.1.1, RFC 6585 section 3).
func (m Matching) check(now roamline.Rev) error {
	if m.IfMatch == "" {
		return refuse(http.StatusPreconditionRequired, "", "Say with If-Match which version this changes")
	}
	for _, tag := range strings.Split(m.IfMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(now) {
			return nil
		}
	}
	return stale()
}

func stale() error {
	return refuse(http.StatusPreconditionFailed, typeStale, "This was changed by somebody else. Look again, then change it")
}

// A Page chooses a part of a list.
type Page struct {
	After string `query:"after" maxLength:"256" doc:"The next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Match string `query:"match" maxLength:"100" doc:"A part of a name, login or number."`
}

func (p Page) query() roamline.Query {
	return roamline.Query{After: p.After, Limit: p.Limit, Match: p.Match}
}

// A listJSON is a part of a list.
type listJSON[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"Where the next page starts; absent on the last."`
}

// listOf turns a page of records into JSON.
func listOf[R, J any](records []R, more bool, key func(R) string, show func(R) J) listJSON[J] {
	l := listJSON[J]{Items: make([]J, 0, len(records))}
	for _, r := range records {
		l.Items = append(l.Items, show(r))
	}
	if more && len(records) > 0 {
		l.Next = key(records[len(records)-1])
	}
	return l
}

// A record is one record with its entity tag; a body is a response.
type record[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

type body[T any] struct{ Body T }

// revise changes one record that the caller has read: 404, 412 and 428 as they
// should be, 409 if a name is taken.
func revise[T any](ctx context.Context, in roamline.Table[T], key string, m Matching, rev func(T) roamline.Rev, change func(*T) error) (T, error) {
	now, err := in.Get(ctx, key)
	if err != nil {
		return now, err
	}
	if err := m.check(rev(now)); err != nil {
		return now, err
	}
	read := rev(now)
	if err := change(&now); err != nil {
		return now, err
	}
	out, err := in.Update(ctx, now)
	if err != nil && roamline.KindOf(err) == roamline.Conflict {
		if again, getErr := in.Get(ctx, key); getErr == nil && rev(again) != read {
			return now, stale()
		}
	}
	return out, err
}

// remove deletes one record that the caller has read.
func remove[T any](ctx context.Context, in roamline.Table[T], key string, m Matching, rev func(T) roamline.Rev) error {
	now, err := in.Get(ctx, key)
	if err != nil {
		return err
	}
	if err := m.check(rev(now)); err != nil {
		return err
	}
	err = in.Delete(ctx, key, rev(now))
	if err != nil && roamline.KindOf(err) == roamline.Conflict {
		return stale()
	}
	return err
}
