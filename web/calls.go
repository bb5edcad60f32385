package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

type callsJSON struct {
	Items []callJSON `json:"items" nullable:"false"`
}

type storyJSON struct {
	Items []traceJSON `json:"items" nullable:"false" doc:"In the order of time."`
}

type traceJSON struct {
	At   time.Time `json:"at"`
	Leg  string    `json:"leg,omitempty"`
	Kind string    `json:"kind" enum:"sip,event,route,who,voice"`
	From string    `json:"from,omitempty" doc:"Who sent it; for messages."`
	To   string    `json:"to,omitempty"`
	Text string    `json:"text" doc:"One line."`
	Body string    `json:"body,omitempty" doc:"The whole message, or details."`
}

type legRecordJSON struct {
	Leg        string      `json:"leg"`
	Client     string      `json:"client,omitempty"`
	ClientName string      `json:"clientName,omitempty"`
	Trunk      string      `json:"trunk,omitempty"`
	TrunkName  string      `json:"trunkName,omitempty"`
	Number     string      `json:"number,omitempty"`
	User       string      `json:"user,omitempty"`
	UserName   string      `json:"userName,omitempty"`
	SIPCall    string      `json:"sipCall" doc:"Its SIP Call-ID."`
	Cause      string      `json:"cause"`
	Voice      figuresJSON `json:"voice"`
}

type recordJSON struct {
	ID           string          `json:"id"`
	From         partyJSON       `json:"from"`
	To           string          `json:"to"`
	User         string          `json:"user,omitempty"`
	UserName     string          `json:"userName,omitempty"`
	CallerBy     string          `json:"callerBy,omitempty"`
	CallerByName string          `json:"callerByName,omitempty"`
	Direction    string          `json:"direction" enum:"inbound,outbound,internal,transit"`
	Emergency    bool            `json:"emergency"`
	Offered      time.Time       `json:"offered"`
	Rang         *time.Time      `json:"rang,omitempty"`
	Answered     *time.Time      `json:"answered,omitempty"`
	Ended        time.Time       `json:"ended"`
	DurationMs   int64           `json:"durationMs" doc:"From the answer; 0 if there was none."`
	Cause        string          `json:"cause"`
	EndedBy      string          `json:"endedBy" enum:"caller,callee,server"`
	Legs         []legRecordJSON `json:"legs" nullable:"false"`
}

func (n *names) record(r roamline.Record) recordJSON {
	j := recordJSON{
		ID: string(r.Call), From: showParty(r.From), To: string(r.To),
		User: string(r.User), UserName: n.user(r.User), CallerBy: string(r.CallerBy), CallerByName: n.user(r.CallerBy),
		Direction: string(r.Direction), Emergency: r.Emergency, Offered: r.Offered, Rang: known(r.Rang),
		Answered: known(r.Answered), Ended: r.Ended, Cause: string(r.Cause), EndedBy: r.EndedBy,
		Legs: make([]legRecordJSON, 0, len(r.Legs)),
	}
	if !r.Answered.IsZero() {
		j.DurationMs = r.Ended.Sub(r.Answered).Milliseconds()
	}
	for _, l := range r.Legs {
		j.Legs = append(j.Legs, legRecordJSON{
			Leg: string(l.Leg), Client: string(l.At.Client), ClientName: n.client(l.At.Client),
			Trunk: string(l.At.Trunk), TrunkName: n.trunk(l.At.Trunk), Number: string(l.At.Number),
			User: string(l.User), UserName: n.user(l.User), SIPCall: l.SIPCall, Cause: string(l.Cause),
			Voice: showFigures(l.Voice),
		})
	}
	return j
}

func (d *Door) registerCalls() {
	tags := []string{"calls"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-calls", Method: http.MethodGet, Path: "/calls", Tags: tags,
		Summary: "Calls that are up now"}, d.listCalls)
	handle(d, forAdministrator, huma.Operation{OperationID: "end-call", Method: http.MethodDelete, Path: "/calls/{id}", Tags: tags,
		Summary: "End a call", DefaultStatus: http.StatusNoContent}, d.endCall)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-story", Method: http.MethodGet, Path: "/calls/{id}/story", Tags: tags,
		Summary: "What happened in a call, running or finished"}, d.getStory)
	handle(d, forAdministrator, huma.Operation{OperationID: "list-records", Method: http.MethodGet, Path: "/records", Tags: tags,
		Summary: "Finished calls, newest first"}, d.listRecords)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-record", Method: http.MethodGet, Path: "/records/{id}", Tags: tags,
		Summary: "A finished call"}, d.getRecord)
}

func (d *Door) listCalls(ctx context.Context, _ caller, _ *struct{}) (*body[callsJSON], error) {
	out, n := callsJSON{Items: []callJSON{}}, d.names(ctx)
	for _, v := range d.Exchange.Calls() {
		out.Items = append(out.Items, n.call(v))
	}
	return &body[callsJSON]{out}, nil
}

func (d *Door) endCall(ctx context.Context, _ caller, in *idInput) (*struct{}, error) {
	return nil, d.Exchange.End(ctx, roamline.CallID(in.ID))
}

type storyInput struct {
	ID  string `path:"id" maxLength:"64"`
	SIP bool   `query:"sip" doc:"SIP messages too, with their bodies."`
}

func (d *Door) getStory(_ context.Context, _ caller, in *storyInput) (*body[storyJSON], error) {
	out := storyJSON{Items: []traceJSON{}}
	for _, e := range d.Story(roamline.CallID(in.ID)) {
		if e.Kind == roamline.TraceSIP && !in.SIP {
			continue
		}
		out.Items = append(out.Items, traceJSON{At: e.At, Leg: string(e.Leg), Kind: string(e.Kind),
			From: e.From, To: e.To, Text: e.Text, Body: e.Body})
	}
	return &body[storyJSON]{out}, nil
}

type recordsInput struct {
	User   string    `query:"user" maxLength:"64" doc:"Caller or called."`
	Before time.Time `query:"before" doc:"Offered before this time; absent: the newest."`
	Limit  int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type recordsJSON struct {
	Items []recordJSON `json:"items" nullable:"false"`
}

func (d *Door) listRecords(ctx context.Context, _ caller, in *recordsInput) (*body[recordsJSON], error) {
	records, err := d.Store.Records(ctx, roamline.RecordQuery{User: roamline.UserID(in.User), Before: in.Before, Limit: in.Limit})
	out, n := recordsJSON{Items: make([]recordJSON, 0, len(records))}, d.names(ctx)
	for _, r := range records {
		out.Items = append(out.Items, n.record(r))
	}
	return &body[recordsJSON]{out}, err
}

func (d *Door) getRecord(ctx context.Context, _ caller, in *idInput) (*body[recordJSON], error) {
	r, err := d.Store.Record(ctx, roamline.CallID(in.ID))
	if err != nil {
		return nil, err
	}
	return &body[recordJSON]{d.names(ctx).record(r)}, nil
}
