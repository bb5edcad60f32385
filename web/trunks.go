package web

import (
	"context"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

type gatewayJSON struct {
	Host      string `json:"host" minLength:"1" maxLength:"253" doc:"Name or IP address."`
	Port      int    `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"0: 5060, or 5061 with TLS."`
	Transport string `json:"transport" enum:"udp,tcp,tls"`
	Priority  int    `json:"priority,omitempty" minimum:"0" maximum:"1000" doc:"Lower is tried first."`
}

type sourceJSON struct {
	Prefix    string `json:"prefix" minLength:"1" maxLength:"64" doc:"An address, or a range such as 192.0.2.0/24."`
	Port      int    `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"0: any."`
	Transport string `json:"transport,omitempty" enum:"udp,tcp,tls" doc:"Absent: any."`
}

type rewriteJSON struct {
	Match string `json:"match" minLength:"1" maxLength:"200" doc:"A regular expression (RE2), anchored at both ends."`
	With  string `json:"with" maxLength:"200" doc:"May use $1."`
}

// A TrunkBodyJSON is what may be said of a trunk.
type TrunkBodyJSON struct {
	Name      string        `json:"name" minLength:"1" maxLength:"128"`
	Enabled   bool          `json:"enabled"`
	Gateways  []gatewayJSON `json:"gateways" nullable:"false" maxItems:"16"`
	Sources   []sourceJSON  `json:"sources,omitempty" nullable:"false" maxItems:"64" doc:"Further addresses that its calls come from."`
	Register  bool          `json:"register,omitempty" doc:"Keep a registration with the first gateway."`
	Username  string        `json:"username,omitempty" maxLength:"128"`
	Domain    string        `json:"domain,omitempty" maxLength:"253" doc:"The host of our From; empty: the gateway's."`
	Advertise string        `json:"advertise,omitempty" maxLength:"64" doc:"Our address as the trunk must see it; empty: the site's rule."`
	MaxCalls  int           `json:"maxCalls,omitempty" minimum:"0" maximum:"100000" doc:"At the same time; 0: no limit."`
	In        []rewriteJSON `json:"in,omitempty" nullable:"false" maxItems:"64" doc:"Of numbers that arrive."`
	Out       []rewriteJSON `json:"out,omitempty" nullable:"false" maxItems:"64" doc:"Of numbers that leave."`
	Dials     []string      `json:"dials,omitempty" nullable:"false" maxItems:"256" doc:"Prefixes of numbers that leave here; empty: every number."`
	Emergency bool          `json:"emergency,omitempty" doc:"Emergency calls leave here first."`
	Identity  string        `json:"identity,omitempty" enum:"from,pai" doc:"Absent: from."`
	SRTP      string        `json:"srtp,omitempty" enum:"off,optional,required" doc:"Absent: off."`
	Codecs    []string      `json:"codecs,omitempty" nullable:"false" maxItems:"8" enum:"PCMA,PCMU,opus" doc:"In order; empty: PCMA, PCMU, opus."`
	Symmetric bool          `json:"symmetric,omitempty" doc:"Learn the gateway's RTP address from its first packets."`
}

type newTrunkJSON struct {
	TrunkBodyJSON
	Password string `json:"password,omitempty" maxLength:"1024"`
}

type trunkJSON struct {
	ID string `json:"id"`
	TrunkBodyJSON
	PasswordSet bool  `json:"passwordSet"`
	Rev         int64 `json:"rev"`
}

func trunkRev(t roamline.Trunk) roamline.Rev { return t.Rev }

func showTrunkBody(t roamline.Trunk) TrunkBodyJSON {
	j := TrunkBodyJSON{
		Name: t.Name, Enabled: t.Enabled, Register: t.Register, Username: t.Username, Domain: t.Domain,
		Advertise: t.Advertise, MaxCalls: t.MaxCalls, Dials: t.Dials, Emergency: t.Emergency,
		Identity: string(t.Identity), SRTP: string(t.SRTP), Codecs: t.Codecs, Symmetric: t.Symmetric,
		Gateways: make([]gatewayJSON, 0, len(t.Gateways)),
	}
	for _, g := range t.Gateways {
		j.Gateways = append(j.Gateways, gatewayJSON(g))
	}
	for _, s := range t.Sources {
		j.Sources = append(j.Sources, sourceJSON{Prefix: s.Prefix.String(), Port: s.Port, Transport: s.Transport})
	}
	for _, r := range t.In {
		j.In = append(j.In, rewriteJSON(r))
	}
	for _, r := range t.Out {
		j.Out = append(j.Out, rewriteJSON(r))
	}
	return j
}

func (d *Door) trunkRecord(ctx context.Context, t roamline.Trunk) (*record[trunkJSON], error) {
	j, err := d.showTrunk(ctx, t)
	return &record[trunkJSON]{etag(t.Rev), j}, err
}

func (d *Door) showTrunk(ctx context.Context, t roamline.Trunk) (trunkJSON, error) {
	j := trunkJSON{ID: string(t.ID), TrunkBodyJSON: showTrunkBody(t), Rev: int64(t.Rev)}
	_, err := d.Store.Secret(ctx, roamline.TrunkSecret, string(t.ID))
	j.PasswordSet = err == nil
	if err != nil && roamline.KindOf(err) == roamline.NotFound {
		err = nil
	}
	return j, err
}

func (d *Door) registerTrunks() {
	tags := []string{"trunks"}
	handle(d, forAdministrator, huma.Operation{OperationID: "list-trunks", Method: http.MethodGet, Path: "/trunks", Tags: tags,
		Summary: "Trunks"}, d.listTrunks)
	handle(d, forAdministrator, huma.Operation{OperationID: "create-trunk", Method: http.MethodPost, Path: "/trunks", Tags: tags,
		Summary: "Add a trunk", DefaultStatus: http.StatusCreated}, d.createTrunk)
	handle(d, forAdministrator, huma.Operation{OperationID: "list-trunk-status", Method: http.MethodGet, Path: "/trunks/status", Tags: tags,
		Summary: "The state of every trunk now"}, d.listTrunkStatus)
	handle(d, forAdministrator, huma.Operation{OperationID: "get-trunk", Method: http.MethodGet, Path: "/trunks/{id}", Tags: tags,
		Summary: "A trunk"}, d.getTrunk)
	changeable(d, huma.Operation{OperationID: "trunk", Path: "/trunks/{id}", Tags: tags, Summary: "Change a trunk"}, d.trunkBody, d.putTrunk)
	handle(d, forAdministrator, huma.Operation{OperationID: "delete-trunk", Method: http.MethodDelete, Path: "/trunks/{id}", Tags: tags,
		Summary: "Remove a trunk", DefaultStatus: http.StatusNoContent}, d.deleteTrunk)
	handle(d, forAdministrator, huma.Operation{OperationID: "put-trunk-password", Method: http.MethodPut, Path: "/trunks/{id}/password", Tags: tags,
		Summary: "Set a trunk's password; an empty one removes it", DefaultStatus: http.StatusNoContent}, d.putTrunkPassword)
}

func (d *Door) listTrunks(ctx context.Context, _ caller, in *Page) (*body[listJSON[trunkJSON]], error) {
	trunks, more, err := d.Store.Trunks().List(ctx, in.query())
	if err != nil {
		return nil, err
	}
	out := listJSON[trunkJSON]{Items: make([]trunkJSON, 0, len(trunks))}
	for _, t := range trunks {
		j, err := d.showTrunk(ctx, t)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, j)
		if more {
			out.Next = j.ID
		}
	}
	return &body[listJSON[trunkJSON]]{out}, nil
}

func (d *Door) getTrunk(ctx context.Context, _ caller, in *idInput) (*record[trunkJSON], error) {
	t, err := d.Store.Trunks().Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return d.trunkRecord(ctx, t)
}

func (d *Door) createTrunk(ctx context.Context, _ caller, in *struct{ Body newTrunkJSON }) (*record[trunkJSON], error) {
	t := roamline.Trunk{ID: roamline.TrunkID(roamline.NewID("t_"))}
	if err := fillTrunk(&t, in.Body.TrunkBodyJSON); err != nil {
		return nil, err
	}
	err := d.Store.Atomic(ctx, func(s roamline.Store) (err error) {
		if t, err = s.Trunks().Create(ctx, t); err != nil {
			return trunkTaken(err)
		}
		if in.Body.Password != "" {
			err = s.SetSecret(ctx, roamline.TrunkSecret, string(t.ID), roamline.NewSecret(in.Body.Password))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	d.TrunkChanged(t.ID)
	return d.trunkRecord(ctx, t)
}

func trunkTaken(err error) error {
	if err != nil && roamline.KindOf(err) == roamline.Conflict {
		return refuse(http.StatusConflict, typeTaken, "Another trunk has that name").at("body.name", "is taken")
	}
	return err
}

var (
	goodHost   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
	goodPrefix = regexp.MustCompile(`^\+?[0-9]{0,15}$`)
)

func isHost(s string) bool {
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return true
	}
	return goodHost.MatchString(s)
}

func fillTrunk(t *roamline.Trunk, in TrunkBodyJSON) error {
	*t = roamline.Trunk{
		ID: t.ID, Rev: t.Rev, Name: strings.TrimSpace(in.Name), Enabled: in.Enabled, Register: in.Register,
		Username: in.Username, Domain: in.Domain, Advertise: in.Advertise, MaxCalls: in.MaxCalls, Dials: in.Dials,
		Emergency: in.Emergency, Identity: roamline.IdentityHeader(in.Identity), SRTP: roamline.SRTPPolicy(in.SRTP),
		Codecs: in.Codecs, Symmetric: in.Symmetric,
	}
	if t.Identity == "" {
		t.Identity = roamline.IdentityFrom
	}
	if t.SRTP == "" {
		t.SRTP = roamline.SRTPOff
	}
	if t.Name == "" {
		return invalid("body.name", "must not be empty")
	}
	if t.Domain != "" && !isHost(t.Domain) {
		return invalid("body.domain", "must be a host name or an address")
	}
	if _, err := netip.ParseAddr(t.Advertise); t.Advertise != "" && err != nil {
		return invalid("body.advertise", "must be an IP address")
	}
	if t.Register && (len(in.Gateways) == 0 || t.Username == "") {
		return invalid("body.register", "needs a gateway and a user name")
	}
	if strings.ContainsAny(t.Username, " \"\\<>@;\r\n") {
		return invalid("body.username", "holds a sign that SIP does not allow there")
	}
	for i, p := range t.Dials {
		if !goodPrefix.MatchString(p) {
			return invalid(field("dials", i), "must be digits, with or without a plus")
		}
	}
	return fillTrunkLists(t, in)
}

func fillTrunkLists(t *roamline.Trunk, in TrunkBodyJSON) error {
	for i, g := range in.Gateways {
		if !isHost(g.Host) {
			return invalid(field("gateways", i)+".host", "must be a host name or an address")
		}
		t.Gateways = append(t.Gateways, roamline.Gateway(g))
	}
	for i, s := range in.Sources {
		p, err := netip.ParsePrefix(s.Prefix)
		if a, bad := netip.ParseAddr(s.Prefix); bad == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return invalid(field("sources", i)+".prefix", "must be an address or a range such as 192.0.2.0/24")
		}
		t.Sources = append(t.Sources, roamline.Source{Prefix: p.Masked(), Port: s.Port, Transport: s.Transport})
	}
	var err error
	if t.In, err = readRewrites(in.In, "in"); err != nil {
		return err
	}
	t.Out, err = readRewrites(in.Out, "out")
	return err
}

func readRewrites(in []rewriteJSON, where string) (out []roamline.Rewrite, err error) {
	for i, r := range in {
		if _, err := regexp.Compile("^(?:" + r.Match + ")$"); err != nil {
			return nil, invalid(field(where, i)+".match", err.Error())
		}
		out = append(out, roamline.Rewrite(r))
	}
	return out, nil
}

func field(list string, i int) string { return "body." + list + "[" + strconv.Itoa(i) + "]" }

func (d *Door) trunkBody(ctx context.Context, id string) (TrunkBodyJSON, error) {
	t, err := d.Store.Trunks().Get(ctx, id)
	return showTrunkBody(t), err
}

func (d *Door) putTrunk(ctx context.Context, _ caller, in *changeInput[TrunkBodyJSON]) (*record[trunkJSON], error) {
	t, err := revise(ctx, d.Store.Trunks(), in.ID, in.Matching, trunkRev, func(t *roamline.Trunk) error {
		return fillTrunk(t, in.Body)
	})
	if err != nil {
		return nil, trunkTaken(err)
	}
	d.TrunkChanged(t.ID)
	return d.trunkRecord(ctx, t)
}

func (d *Door) deleteTrunk(ctx context.Context, _ caller, in *removeInput) (*struct{}, error) {
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := s.SetSecret(ctx, roamline.TrunkSecret, in.ID, roamline.Secret{}); err != nil {
			return err
		}
		return remove(ctx, s.Trunks(), in.ID, in.Matching, trunkRev)
	})
	if err == nil {
		d.TrunkChanged(roamline.TrunkID(in.ID))
	}
	return nil, err
}

type trunkPasswordInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Password string `json:"password" maxLength:"1024"`
	}
}

func (d *Door) putTrunkPassword(ctx context.Context, _ caller, in *trunkPasswordInput) (*struct{}, error) {
	err := d.Store.Atomic(ctx, func(s roamline.Store) error {
		if _, err := s.Trunks().Get(ctx, in.ID); err != nil {
			return err
		}
		return s.SetSecret(ctx, roamline.TrunkSecret, in.ID, roamline.NewSecret(in.Body.Password))
	})
	if err == nil {
		d.TrunkChanged(roamline.TrunkID(in.ID))
	}
	return nil, err
}

type trunkStatusesJSON struct {
	Items []trunkStatusJSON `json:"items" nullable:"false"`
}

func (d *Door) listTrunkStatus(ctx context.Context, _ caller, _ *struct{}) (*body[trunkStatusesJSON], error) {
	out, n := trunkStatusesJSON{Items: []trunkStatusJSON{}}, d.names(ctx)
	for _, s := range d.TrunkStatus() {
		out.Items = append(out.Items, n.trunkStatus(s))
	}
	return &body[trunkStatusesJSON]{out}, nil
}
