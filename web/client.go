package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// A hereJSON is all that a page must know when it opens.
type hereJSON struct {
	Client  thisClientJSON `json:"client"`
	Binding *boundJSON     `json:"binding,omitempty" doc:"Absent: nobody is signed in here."`
	User    *selfJSON      `json:"user,omitempty" doc:"Who is signed in here."`
	Site    siteJSON       `json:"site"`
}

type thisClientJSON struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	State     string `json:"state" enum:"waiting,admitted,revoked"`
	Kind      string `json:"kind" enum:"browser,phone"`
	PlaceName string `json:"placeName" doc:"Empty: unknown."`
}

type boundJSON struct {
	Since  time.Time `json:"since"`
	Method string    `json:"method"`
}

type selfJSON struct {
	ID       string   `json:"id"`
	Login    string   `json:"login"`
	Name     string   `json:"name"`
	Language string   `json:"language"`
	Roles    []string `json:"roles" nullable:"false"`
	Numbers  []string `json:"numbers" nullable:"false"`
}

type siteJSON struct {
	Name      string   `json:"name"`
	Country   string   `json:"country"`
	Methods   []string `json:"methods" nullable:"false" doc:"Ways to identify: password, pin."`
	Emergency []string `json:"emergency" nullable:"false" doc:"Numbers as dialled."`
	SIP       sipJSON  `json:"sip"`
	Version   string   `json:"version"`
}

type sipJSON struct {
	Path  string `json:"path" doc:"Of the WebSocket, subprotocol sip."`
	Realm string `json:"realm" doc:"The host of addresses of record: sip:<client id>@<realm>."`
}

func (n *names) thisClient(c roamline.Client) thisClientJSON {
	return thisClientJSON{ID: string(c.ID), Name: c.Name, State: string(c.State), Kind: string(c.Kind), PlaceName: n.place(c.Place)}
}

func (d *Door) site() siteJSON {
	return siteJSON{
		Name: d.Site.Name, Country: d.Site.Country, Methods: texts(d.Methods), Emergency: texts(d.Site.Emergency),
		SIP: sipJSON{Path: "/sip", Realm: d.Realm}, Version: d.Version,
	}
}

// texts turns typed strings into plain ones; never nil.
func texts[T ~string](in []T) []string {
	out := make([]string, 0, len(in))
	for _, t := range in {
		out = append(out, string(t))
	}
	return out
}

func (d *Door) self(ctx context.Context, u roamline.User) (*selfJSON, error) {
	numbers, err := d.numbersOf(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	return &selfJSON{ID: string(u.ID), Login: u.Login, Name: u.Name, Language: u.Language,
		Roles: texts(u.Roles), Numbers: texts(numbers)}, nil
}

// numbersOf returns the numbers that lead to a user, in order.
func (d *Door) numbersOf(ctx context.Context, u roamline.UserID) ([]roamline.Number, error) {
	return numbersIn(ctx, d.Store, u)
}

func numbersIn(ctx context.Context, s roamline.Store, u roamline.UserID) ([]roamline.Number, error) {
	page, _, err := s.Listings().List(ctx, roamline.Query{Limit: 1000, Where: map[string]string{"to": string(u)}})
	if err != nil {
		return nil, err
	}
	var out []roamline.Number
	for _, l := range page {
		if l.To.Kind == roamline.ToUser {
			out = append(out, l.Number)
		}
	}
	return out, nil
}

func (d *Door) registerClient() {
	handle(d, forClient, huma.Operation{
		OperationID: "get-client", Method: http.MethodGet, Path: "/client", Tags: []string{"client"},
		Summary: "This client, who is at it, and the site",
	}, d.getHere)
	handle(d, forClient, huma.Operation{
		OperationID: "enrol-client", Method: http.MethodPost, Path: "/client/enrol", Tags: []string{"client"},
		Summary:     "Admit this client by an enrolment code",
		Description: "If the code was made for a client that exists, this key takes its place: the answer's id then differs, and a new token must be fetched.",
	}, d.enrol)
	handle(d, forAdmitted, huma.Operation{
		OperationID: "identify", Method: http.MethodPost, Path: "/client/identifications", Tags: []string{"client"},
		Summary:     "Say and prove who is at this client",
		Description: "401 of type urn:roamline:wrong-secret: not proven. 429 with Retry-After: too many tries.",
	}, d.identify)
	handle(d, forAdmitted, huma.Operation{
		OperationID: "sign-out", Method: http.MethodDelete, Path: "/client/binding", Tags: []string{"client"},
		Summary: "Sign out", DefaultStatus: http.StatusNoContent,
	}, d.signOut)
	handle(d, forBound, huma.Operation{
		OperationID: "list-client-calls", Method: http.MethodGet, Path: "/client/calls", Tags: []string{"client"},
		Summary: "Recent calls of whoever is signed in here, newest first",
	}, d.recentCalls)
	handle(d, forBound, huma.Operation{
		OperationID: "list-contacts", Method: http.MethodGet, Path: "/client/contacts", Tags: []string{"client"},
		Summary: "People of the site",
	}, d.contacts)
	d.registerSettings()
	d.registerFetch()
	d.registerSetup()
}

func (d *Door) getHere(ctx context.Context, c caller, _ *struct{}) (*body[hereJSON], error) {
	j, err := d.here(ctx, c)
	return &body[hereJSON]{j}, err
}

func (d *Door) here(ctx context.Context, c caller) (j hereJSON, err error) {
	j = hereJSON{Client: d.names(ctx).thisClient(c.client), Site: d.site()}
	if c.user != nil {
		j.Binding = &boundJSON{Since: c.binding.Since, Method: string(c.binding.Proof.Method)}
		j.User, err = d.self(ctx, *c.user)
	}
	return j, err
}

type claimInput struct {
	Body struct {
		Method string `json:"method" enum:"password,pin"`
		Login  string `json:"login" minLength:"1" maxLength:"256" doc:"A login; with a PIN also a number."`
		Secret string `json:"secret" minLength:"1" maxLength:"1024"`
	}
}

type identifiedJSON struct {
	User    selfJSON  `json:"user"`
	Binding boundJSON `json:"binding"`
}

// identify hands a claim to the switchboard. The client is the one that the
// request's proof shows; whoever claims can't name another. That the client is
// admitted, as a PIN needs, was checked in front (forAdmitted).
func (d *Door) identify(ctx context.Context, c caller, in *claimInput) (*body[identifiedJSON], error) {
	method := roamline.Method(in.Body.Method)
	if !slices.Contains(d.Methods, method) {
		return nil, refuse(http.StatusForbidden, "", "This site does not allow that way of signing in")
	}
	b, err := d.Exchange.Identify(ctx, roamline.Claim{
		Client: c.client.ID, Method: method, Login: strings.TrimSpace(in.Body.Login),
		Secret: roamline.NewSecret(in.Body.Secret), From: c.address.String(), At: d.Now(),
	})
	switch roamline.KindOf(err) {
	case roamline.Unauthorized:
		r := refuse(http.StatusUnauthorized, typeWrong, "Name and "+map[roamline.Method]string{
			roamline.ByPassword: "password", roamline.ByPIN: "PIN"}[method]+" do not match")
		// The token was right: a challenge of another scheme keeps clients from
		// fetching a new one and trying again.
		r.header.Set("WWW-Authenticate", `Claim method="`+in.Body.Method+`"`)
		return nil, r
	case roamline.Exhausted:
		return nil, refuse(http.StatusTooManyRequests, typeTooOften, "Too many tries. Wait a little, then try again").after(waitIn(err))
	}
	if err != nil {
		return nil, err
	}
	return d.identified(ctx, b)
}

func (d *Door) identified(ctx context.Context, b roamline.Binding) (*body[identifiedJSON], error) {
	u, err := d.Store.Users().Get(ctx, string(b.User))
	if err != nil {
		return nil, err
	}
	self, err := d.self(ctx, u)
	if err != nil {
		return nil, err
	}
	return &body[identifiedJSON]{identifiedJSON{User: *self, Binding: boundJSON{Since: b.Since, Method: string(b.Proof.Method)}}}, nil
}

// signOut ends the binding here. That nobody is here any more is what was
// wanted.
func (d *Door) signOut(ctx context.Context, c caller, _ *struct{}) (*struct{}, error) {
	err := d.Exchange.Release(ctx, c.client.ID, roamline.SignedOut)
	if err != nil && roamline.KindOf(err) == roamline.NotFound {
		err = nil
	}
	return nil, err
}

type recentJSON struct {
	ID         string    `json:"id"`
	Direction  string    `json:"direction" enum:"in,out" doc:"Seen from the person."`
	Party      partyJSON `json:"party" doc:"The other end."`
	Time       time.Time `json:"time"`
	DurationMs int64     `json:"durationMs" doc:"From the answer; 0 if there was none."`
	Answered   bool      `json:"answered"`
	Cause      string    `json:"cause"`
}

type recentInput struct {
	Before time.Time `query:"before" doc:"Calls before this time; absent: the newest."`
	Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type recentsJSON struct {
	Items []recentJSON `json:"items" nullable:"false"`
}

func (d *Door) recentCalls(ctx context.Context, c caller, in *recentInput) (*body[recentsJSON], error) {
	records, err := d.Store.Records(ctx, roamline.RecordQuery{User: c.user.ID, Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := recentsJSON{Items: make([]recentJSON, 0, len(records))}
	n := d.names(ctx)
	for _, r := range records {
		j := recentJSON{ID: string(r.Call), Direction: "in", Party: showParty(r.From), Time: r.Offered,
			Answered: !r.Answered.IsZero(), Cause: string(r.Cause)}
		if r.CallerBy == c.user.ID {
			j.Direction, j.Party = "out", partyJSON{Number: string(r.To), Name: n.user(r.User)}
		}
		if j.Answered {
			j.DurationMs = r.Ended.Sub(r.Answered).Milliseconds()
		}
		out.Items = append(out.Items, j)
	}
	return &body[recentsJSON]{out}, nil
}
