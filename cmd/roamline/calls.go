package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type callsCmds struct {
	List    callsListCmd    `cmd:"" default:"1" help:"List the calls that run now."`
	History callsHistoryCmd `cmd:"" help:"List the calls that were, the newest first."`
	Show    callsShowCmd    `cmd:"" help:"Tell a call's story: who was where, the route, the signalling, the voice."`
	End     callsEndCmd     `cmd:"" help:"End a call."`
}

func partyText(r record, name string) string {
	p, _ := r[name].(record)
	switch n, s := str(p, "number"), str(p, "name"); {
	case n == "" && s == "":
		return "withheld"
	case s == "":
		return n
	case n == "":
		return s
	default:
		return s + " (" + n + ")"
	}
}

// lasted returns the whole seconds between two fields; the end is now if there
// is none.
func lasted(r record, from, to string, now time.Time) string {
	start, err := time.Parse(time.RFC3339Nano, str(r, from))
	if err != nil {
		return "-"
	}
	if end, err := time.Parse(time.RFC3339Nano, str(r, to)); err == nil {
		now = end
	}
	return now.Sub(start).Truncate(time.Second).String()
}

type callsListCmd struct{}

// Run lists running calls.
func (c *callsListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		calls, err := a.all(ctx, "/calls", nil)
		if err != nil {
			return err
		}
		none := "No call."
		if !a.running {
			none = "The server is not running, so there is no call."
		}
		return w.table(calls, none, field("CALL", "id"), field("STATE", "state"),
			column{"FROM", func(r record) string { return partyText(r, "from") }}, field("TO", "to"), field("PERSON", "userName"),
			column{"SINCE", func(r record) string { return lasted(r, "offered", "ended", time.Now()) }},
			column{"TALKED", func(r record) string { return lasted(r, "answered", "ended", time.Now()) }})
	})
}

type callsHistoryCmd struct {
	User   string `help:"Only those of this person: login or identifier."`
	Limit  int    `help:"How many, at most 1000." default:"50"`
	Before string `help:"Only those before this time (RFC 3339)." placeholder:"TIME"`
}

// Run lists finished calls.
func (c *callsHistoryCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		q := url.Values{"limit": {strconv.Itoa(c.Limit)}}
		if c.Before != "" {
			q.Set("before", c.Before)
		}
		if c.User != "" {
			u, err := a.user(ctx, c.User)
			if err != nil {
				return err
			}
			q.Set("user", str(u, "id"))
		}
		var page struct{ Items []record }
		if err := a.get(ctx, withQuery("/records", q), &page); err != nil {
			return err
		}
		return w.table(page.Items, "No call yet.", field("WHEN", "offered"), field("DIRECTION", "direction"),
			column{"FROM", func(r record) string { return partyText(r, "from") }}, field("TO", "to"),
			column{"TALKED", func(r record) string {
				if str(r, "answered") == "" {
					return "-"
				}
				return lasted(r, "answered", "ended", time.Now())
			}}, field("END", "cause"), field("CALL", "id"))
	})
}

type callsShowCmd struct {
	Call string `arg:"" help:"The call's identifier."`
	SIP  bool   `name:"sip" help:"Draw every SIP message as a ladder."`
	Full bool   `help:"With --sip: print the messages whole."`
}

// Run tells the story of a running or finished call.
func (c *callsShowCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		summary, err := a.summary(ctx, c.Call)
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		q := url.Values{}
		if c.SIP {
			q.Set("sip", "true")
		}
		entries, bad := a.story(ctx, c.Call, q)
		if bad != nil && (summary == nil || !errors.Is(bad, errNotFound)) {
			return bad
		}
		if summary == nil && len(entries) == 0 {
			return &failure{why: "there is no call " + c.Call, todo: "See: roamline calls, roamline calls history"}
		}
		if w.options.JSON {
			return w.asJSON(record{"call": summary, "story": entries})
		}
		if summary != nil {
			fmt.Fprintf(w.out, "%s  %s -> %s  %s\n", c.Call, oneLine(partyText(summary, "from")), str(summary, "to"), oneLine(str(summary, "userName")))
		}
		if len(entries) == 0 {
			fmt.Fprintln(w.out, "\nIts story is no longer kept: the server remembers the last calls since its start.")
		}
		tell(w.out, entries, c.SIP, c.Full)
		figures(w.out, summary)
		return nil
	})
}

// summary returns a call as it runs, else its record.
func (a *api) summary(ctx context.Context, id string) (record, error) {
	running, err := a.all(ctx, "/calls", nil)
	if err != nil {
		return nil, err
	}
	for _, r := range running {
		if str(r, "id") == id {
			return r, nil
		}
	}
	var r record
	err = a.get(ctx, "/records/"+url.PathEscape(id), &r)
	return r, err
}

func (a *api) story(ctx context.Context, id string, q url.Values) ([]entry, error) {
	var page struct{ Items []entry }
	err := a.get(ctx, withQuery("/calls/"+url.PathEscape(id)+"/story", q), &page)
	return page.Items, err
}

type callsEndCmd struct {
	Call string `arg:"" help:"The call's identifier."`
}

// Run ends a running call.
func (c *callsEndCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		if err := a.send(ctx, http.MethodDelete, "/calls/"+url.PathEscape(c.Call), nil, nil); err != nil {
			return err
		}
		return w.done(record{"id": c.Call}, "%s is ended.", c.Call)
	})
}
