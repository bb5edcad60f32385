package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// callSettingsJSON is what a person wants done with calls to her numbers. What
// is left out is off.
type callSettingsJSON struct {
	Always       string `json:"forwardAlways,omitempty" maxLength:"32" doc:"Where every call goes; before everything else. Empty: nowhere."`
	Busy         string `json:"forwardBusy,omitempty" maxLength:"32" doc:"Where a call goes when her client says that she is busy, or she is not to be disturbed."`
	NoAnswer     string `json:"forwardNoAnswer,omitempty" maxLength:"32" doc:"Where a call goes that rang, or waited for her, in vain."`
	NotSignedIn  string `json:"forwardNotSignedIn,omitempty" maxLength:"32" doc:"Where a call goes while she is signed in nowhere; none waits for her then."`
	DoNotDisturb bool   `json:"doNotDisturb,omitempty" doc:"Nothing rings; callers are told that she is busy."`
	WaitMs       *int64 `json:"waitMs,omitempty" minimum:"0" maximum:"600000" doc:"How long a call waits, ringing, while she is signed in nowhere, in whole seconds. 0: not at all; absent: as long as the site says."`
}

func showCalls(c roamline.CallSettings) callSettingsJSON {
	j := callSettingsJSON{Always: string(c.Always), Busy: string(c.Busy), NoAnswer: string(c.NoAnswer),
		NotSignedIn: string(c.NotSignedIn), DoNotDisturb: c.DoNotDisturb}
	if c.Wait != 0 {
		ms := max(c.Wait, 0).Milliseconds()
		j.WaitMs = &ms
	}
	return j
}

// readCalls reads settings as they were sent; where is their place in an error.
func (d *Door) readCalls(in callSettingsJSON, where string) (c roamline.CallSettings, err error) {
	for _, f := range forwardsOf(&c, in) {
		if f.typed == "" {
			continue
		}
		if *f.to, err = d.Normalise(f.typed); err != nil {
			return c, invalid(where+f.field, reason(err))
		}
		if slices.Contains(d.Site.Emergency, string(*f.to)) {
			return c, invalid(where+f.field, "calls can't be forwarded to an emergency number")
		}
	}
	c.DoNotDisturb = in.DoNotDisturb
	if in.WaitMs != nil {
		c.Wait = (time.Duration(*in.WaitMs) * time.Millisecond).Round(time.Second)
		if c.Wait <= 0 {
			c.Wait = roamline.NoWait
		}
		c.Wait = min(c.Wait, roamline.MaxWait)
	}
	return c, nil
}

// A forwardField is one forward: as it was sent, and where it is kept.
type forwardField struct {
	field, typed string
	to           *roamline.Number
}

func forwardsOf(c *roamline.CallSettings, in callSettingsJSON) []forwardField {
	return []forwardField{
		{"forwardAlways", in.Always, &c.Always}, {"forwardBusy", in.Busy, &c.Busy},
		{"forwardNoAnswer", in.NoAnswer, &c.NoAnswer}, {"forwardNotSignedIn", in.NotSignedIn, &c.NotSignedIn},
	}
}

// checkForwards refuses a forward that would do nothing: to a number of her
// own, or to an extension that leads nowhere. One that comes to that later is
// simply not followed.
func checkForwards(ctx context.Context, s roamline.Store, u roamline.UserID, c roamline.CallSettings, where string) error {
	for _, f := range forwardsOf(&c, callSettingsJSON{}) {
		if *f.to == "" {
			continue
		}
		l, err := s.Listings().Get(ctx, string(*f.to))
		switch {
		case err == nil && l.To.Kind == roamline.ToUser && l.To.ID == string(u):
			return invalid(where+f.field, string(*f.to)+" is her own number")
		case err == nil:
		case roamline.KindOf(err) != roamline.NotFound:
			return err
		case !f.to.International():
			return invalid(where+f.field, string(*f.to)+" leads to nobody")
		}
	}
	return nil
}

// A settingsJSON is what the person at a client wants done with her calls, and
// what the site does where she said nothing.
type settingsJSON struct {
	Calls     callSettingsJSON `json:"calls"`
	RingMs    int64            `json:"ringMs" doc:"How long a client rings before a call counts as not answered."`
	SiteWait  int64            `json:"siteWaitMs" doc:"How long a call waits where she said nothing; 0: not at all."`
	Emergency []string         `json:"emergency" nullable:"false" doc:"Numbers that calls can't be forwarded to."`
	Rev       int64            `json:"rev"`
}

func (d *Door) registerSettings() {
	handle(d, forBound, huma.Operation{
		OperationID: "get-settings", Method: http.MethodGet, Path: "/client/settings", Tags: []string{"client"},
		Summary: "What the person signed in here wants done with her calls",
	}, d.getSettings)
	handle(d, forBound, huma.Operation{
		OperationID: "put-settings", Method: http.MethodPut, Path: "/client/settings", Tags: []string{"client"},
		Summary: "Change what is done with her calls: forwards, do not disturb, waiting",
	}, d.putSettings)
}

func (d *Door) settings(u roamline.User) *record[settingsJSON] {
	return &record[settingsJSON]{etag(u.Rev), settingsJSON{
		Calls: showCalls(u.Calls), RingMs: d.Site.RingFor.Milliseconds(), SiteWait: d.Site.WaitFor.Milliseconds(),
		Emergency: texts(d.Site.Emergency), Rev: int64(u.Rev),
	}}
}

func (d *Door) getSettings(ctx context.Context, c caller, _ *struct{}) (*record[settingsJSON], error) {
	return d.settings(*c.user), nil
}

type settingsInput struct {
	Matching
	Body callSettingsJSON
}

func (d *Door) putSettings(ctx context.Context, c caller, in *settingsInput) (out *record[settingsJSON], err error) {
	calls, err := d.readCalls(in.Body, "body.")
	if err != nil {
		return nil, err
	}
	err = d.Store.Atomic(ctx, func(s roamline.Store) error {
		if err := checkForwards(ctx, s, c.user.ID, calls, "body."); err != nil {
			return err
		}
		u, err := revise(ctx, s.Users(), string(c.user.ID), in.Matching, userRev, func(u *roamline.User) error {
			u.Calls = calls
			return nil
		})
		out = d.settings(u)
		return err
	})
	return out, err
}
