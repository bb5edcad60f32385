package route

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/roamline/roamline"
)

var site = roamline.Site{Country: "ES", Emergency: []string{"112"}, Extensions: 5, RingFor: 30 * time.Second}

// town is a small site: Ana is at desk 1, Bo is nowhere, Cy is disabled.
type town struct {
	trunks []roamline.Trunk
	broken error
}

func (t town) Listing(n roamline.Number) (roamline.Listing, error) {
	if t.broken != nil {
		return roamline.Listing{}, t.broken
	}
	to := map[roamline.Number]string{"+34910000001": "ana", "1001": "ana", "1002": "bo", "1003": "cy"}[n]
	if to == "" {
		return roamline.Listing{}, &roamline.Error{Kind: roamline.NotFound}
	}
	return roamline.Listing{Number: n, To: roamline.Destination{Kind: roamline.ToUser, ID: to}}, nil
}

func (town) Numbers(u roamline.UserID) ([]roamline.Number, error) {
	return map[roamline.UserID][]roamline.Number{"ana": {"+34910000001", "1001"}, "bo": {"1002"}}[u], nil
}

func (town) User(u roamline.UserID) (roamline.User, error) {
	return roamline.User{ID: u, Name: string(u), Disabled: u == "cy"}, nil
}

func (town) Client(c roamline.ClientID) (roamline.Client, error) {
	return roamline.Client{ID: c, Name: "Ward 3"}, nil
}

func (town) Of(u roamline.UserID) (roamline.Binding, bool) {
	return roamline.Binding{User: u, Client: "desk1"}, u == "ana"
}

func (t town) Trunks() ([]roamline.Trunk, error) { return t.trunks, nil }

func TestACallMayWaitForHer(t *testing.T) {
	s := site
	s.WaitFor = 20 * time.Second
	got, err := Plan(Question{Dialed: "1002", Path: roamline.Path{Trunk: "carrier"}}, town{}, s)
	want := []roamline.Stage{
		roamline.RingStage{For: 30 * time.Second, Await: []roamline.UserID{"bo"}, Wait: 20 * time.Second},
		roamline.RefuseStage{Cause: roamline.NotThere},
	}
	if diff := cmp.Diff(want, got.Plan); err != nil || diff != "" {
		t.Errorf("%v; plan (-want +got):\n%s", err, diff)
	}
}

func TestPlan(t *testing.T) {
	carrier := roamline.Path{Trunk: "carrier"}
	desk := roamline.Path{Client: "desk9"}
	ana := roamline.RingStage{Targets: []roamline.Target{{Client: "desk1"}}, Users: []roamline.UserID{"ana"}, For: 30 * time.Second, Await: []roamline.UserID{"ana"}}
	via := func(trunk roamline.TrunkID, n roamline.Number) roamline.Stage {
		return roamline.RingStage{Targets: []roamline.Target{{Trunk: trunk, Number: n}}, Users: []roamline.UserID{""}}
	}
	no := func(c roamline.Cause) roamline.Stage { return roamline.RefuseStage{Cause: c} }
	trunks := []roamline.Trunk{
		{ID: "any", Name: "b", Enabled: true},
		{ID: "spain", Name: "c", Enabled: true, Dials: []string{"+34"}},
		{ID: "off", Name: "a"},
		{ID: "sos", Name: "d", Enabled: true, Emergency: true, Dials: []string{"+49"}},
	}
	for _, row := range []struct {
		rule string
		q    Question
		plan []roamline.Stage
	}{
		{"her number rings where she is", Question{Dialed: "+34910000001", Path: carrier}, []roamline.Stage{ana, no(roamline.NoAnswer)}},
		{"a national number is hers too", Question{Dialed: "910000001", Path: carrier}, []roamline.Stage{ana, no(roamline.NoAnswer)}},
		{"an extension rings her", Question{Dialed: "1001", Path: desk, By: "bo"}, []roamline.Stage{ana, no(roamline.NoAnswer)}},
		{"nobody bound", Question{Dialed: "1002", Path: carrier}, []roamline.Stage{no(roamline.NotThere)}},
		{"a disabled user is unreachable", Question{Dialed: "1003", Path: carrier}, []roamline.Stage{no(roamline.Unreachable)}},
		{"her own number is busy to herself", Question{Dialed: "1001", Path: desk, By: "ana"}, []roamline.Stage{no(roamline.Busy)}},
		{"an unknown number", Question{Dialed: "+34919999999", Path: carrier}, []roamline.Stage{no(roamline.UnknownNumber)}},
		{"a word is not a number", Question{Dialed: "ana", Path: carrier}, []roamline.Stage{no(roamline.UnknownNumber)}},
		{"an unknown extension does not go out", Question{Dialed: "1999", Path: desk, By: "ana"}, []roamline.Stage{no(roamline.UnknownNumber)}},
		{"out by the longest prefix, then the open trunk", Question{Dialed: "0034919999999", Path: desk, By: "ana"},
			[]roamline.Stage{via("spain", "+34919999999"), via("any", "+34919999999"), no(roamline.Unreachable)}},
		{"from a client where nobody is: no", Question{Dialed: "+34919999999", Path: desk}, []roamline.Stage{no(roamline.NotAllowed)}},
		{"an emergency call from a client where nobody is: yes, the trunk for it first", Question{Dialed: "112", Path: desk},
			[]roamline.Stage{via("sos", "112"), via("any", "112"), via("spain", "112"), no(roamline.Unreachable)}},
		{"a trunk's call never leaves by a trunk", Question{Dialed: "112", Path: carrier}, []roamline.Stage{no(roamline.UnknownNumber)}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r, err := Plan(row.q, town{trunks: trunks}, site)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.plan, r.Plan); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCallerIdentity(t *testing.T) {
	desk := roamline.Path{Client: "desk9"}
	for _, row := range []struct {
		rule string
		q    Question
		want roamline.Party
	}{
		{"outside sees her outside number", Question{Dialed: "+34919999999", Path: desk, By: "ana"}, roamline.Party{Name: "ana", Number: "+34910000001"}},
		{"a colleague sees her extension", Question{Dialed: "1002", Path: desk, By: "ana"}, roamline.Party{Name: "ana", Number: "1001"}},
		{"her only number is shown everywhere", Question{Dialed: "+34919999999", Path: desk, By: "bo"}, roamline.Party{Name: "bo", Number: "1002"}},
		{"what a client asserts is not believed", Question{Dialed: "1002", Path: desk, By: "ana", From: roamline.Party{Number: "+1900"}}, roamline.Party{Name: "ana", Number: "1001"}},
		{"a client where nobody is shows its name", Question{Dialed: "112", Path: desk}, roamline.Party{Name: "Ward 3"}},
		{"a trunk's word is passed on", Question{Dialed: "1001", Path: roamline.Path{Trunk: "t"}, From: roamline.Party{Number: "+49301"}}, roamline.Party{Number: "+49301"}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r, err := Plan(row.q, town{}, site)
			if err != nil || r.From != row.want {
				t.Errorf("From = %+v, %v; want %+v", r.From, err, row.want)
			}
		})
	}
}

func TestAnnouncementsComeBeforeRefusal(t *testing.T) {
	s := site
	s.Announce = true
	r, _ := Plan(Question{Dialed: "1002", Path: roamline.Path{Trunk: "t"}}, town{}, s)
	want := []roamline.Stage{roamline.AnnounceStage{Prompt: roamline.NotSignedIn, Cause: roamline.NotThere}}
	if !slices.Equal(r.Plan, want) {
		t.Errorf("plan = %v, want %v", r.Plan, want)
	}
}

func TestFactsThatCannotBeHadAreAnError(t *testing.T) {
	broken := &roamline.Error{Op: "store", Kind: roamline.Unavailable}
	if _, err := Plan(Question{Dialed: "1002", Path: roamline.Path{Trunk: "t"}}, town{broken: broken}, site); err == nil {
		t.Error("no error from a broken store")
	}
}

func TestNormalise(t *testing.T) {
	for _, row := range []struct{ typed, want string }{
		{"910 00 00 01", "+34910000001"},
		{"(0034) 910-000-001", "+34910000001"},
		{"tel:+34-910-000-001;phone-context=x", "+34910000001"},
		{"sip:+4930123456@example.com", "+4930123456"},
		{"1001", "1001"},
		{" 112 ", "112"},
		{"", ""}, {"ana", ""}, {"+", ""}, {"12a4", ""}, {"9999999999999999999999999999999", ""}, {"+1", ""},
	} {
		got, err := Normalise(row.typed, site)
		if string(got) != row.want || (err == nil) != (row.want != "") {
			t.Errorf("Normalise(%q) = %q, %v; want %q", row.typed, got, err, row.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"910 00 00 01", "+34910000001", "sip:x@y", "112", "tel:;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		n, err := Normalise(typed, site)
		if err != nil {
			return
		}
		again, err := Normalise(string(n), site)
		if err != nil || again != n {
			t.Fatalf("%q -> %q -> %q, %v: not a normal form", typed, n, again, err)
		}
	})
}
