package route

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/roamline/roamline"
)

// village is a town where people say what they want done with their calls. Its
// numbers 1001 to 1003 are the town's; 1010 is Di's and rings her at desk 2, and
// 1020 to 1029 lead to v0 to v9, who are nowhere.
type village struct {
	town
	calls map[roamline.UserID]roamline.CallSettings
}

func (v village) Listing(n roamline.Number) (roamline.Listing, error) {
	to := ""
	switch {
	case n == "1010":
		to = "di"
	case strings.HasPrefix(string(n), "102") && len(n) == 4:
		to = "v" + string(n[3])
	default:
		return v.town.Listing(n)
	}
	return roamline.Listing{Number: n, To: roamline.Destination{Kind: roamline.ToUser, ID: to}}, nil
}

func (v village) User(u roamline.UserID) (roamline.User, error) {
	user, err := v.town.User(u)
	user.Calls = v.calls[u]
	return user, err
}

func (v village) Of(u roamline.UserID) (roamline.Binding, bool) {
	if u == "di" {
		return roamline.Binding{User: u, Client: "desk2"}, true
	}
	return v.town.Of(u)
}

type wishes = map[roamline.UserID]roamline.CallSettings

// The numbers that people forward to.
const (
	mobile = roamline.Number("+34600000001")
	toBo   = roamline.Number("1002") // who is nowhere
	toDi   = roamline.Number("1010") // who is at desk 2
)

func ringing(u roamline.UserID, at roamline.ClientID) roamline.RingStage {
	r := roamline.RingStage{For: 30 * time.Second, Await: []roamline.UserID{u}}
	if at != "" {
		r.Targets, r.Users = []roamline.Target{{Client: at}}, []roamline.UserID{u}
	}
	return r
}

func wait(r roamline.RingStage, d time.Duration) roamline.RingStage {
	r.Wait = d
	return r
}

func ifBusy(r roamline.RingStage, plan ...roamline.Stage) roamline.RingStage {
	r.OnBusy = plan
	return r
}

func TestForwards(t *testing.T) {
	type plan = []roamline.Stage
	no := func(c roamline.Cause) roamline.Stage { return roamline.RefuseStage{Cause: c} }
	ana, di := ringing("ana", "desk1"), ringing("di", "desk2")
	out := roamline.RingStage{Targets: []roamline.Target{{Trunk: "carrier", Number: mobile}}, Users: []roamline.UserID{""}}
	carrier := []roamline.Trunk{{ID: "carrier", Name: "carrier", Enabled: true, Dials: []string{"+34"}}}
	for _, row := range []struct {
		rule   string
		dialed string // from outside
		calls  wishes
		plan   plan
	}{
		{"always: her client does not ring", "1001", wishes{"ana": {Always: mobile}}, plan{out, no(roamline.Unreachable)}},
		{"always comes before do not disturb and before everything else", "1001",
			wishes{"ana": {Always: toDi, Busy: toBo, NoAnswer: toBo, NotSignedIn: toBo, DoNotDisturb: true, Wait: time.Minute}},
			plan{di, no(roamline.NoAnswer)}},
		{"always, signed in nowhere", "1002", wishes{"bo": {Always: toDi, NotSignedIn: mobile}}, plan{di, no(roamline.NoAnswer)}},
		{"do not disturb refuses as busy", "1001", wishes{"ana": {DoNotDisturb: true, NoAnswer: toDi}}, plan{no(roamline.Busy)}},
		{"do not disturb is busy where she is signed in nowhere, too", "1002", wishes{"bo": {DoNotDisturb: true, NotSignedIn: toDi, Wait: time.Minute}}, plan{no(roamline.Busy)}},
		{"do not disturb forwards as when she is busy", "1001", wishes{"ana": {DoNotDisturb: true, Busy: toDi}}, plan{di, no(roamline.NoAnswer)}},
		{"busy: on to the other number, and only then", "1001", wishes{"ana": {Busy: toDi}},
			plan{ifBusy(ana, di, no(roamline.NoAnswer)), no(roamline.NoAnswer)}},
		{"busy, to an outside number", "1001", wishes{"ana": {Busy: mobile}},
			plan{ifBusy(ana, out, no(roamline.Unreachable)), no(roamline.NoAnswer)}},
		{"not answered: on after the site's time", "1001", wishes{"ana": {NoAnswer: mobile}}, plan{ana, out, no(roamline.Unreachable)}},
		{"busy and not answered go different ways", "1001", wishes{"ana": {Busy: toBo, NoAnswer: toDi}},
			plan{ifBusy(ana, no(roamline.NotThere)), di, no(roamline.NoAnswer)}},
		{"not signed in matters only where she is not", "1001", wishes{"ana": {NotSignedIn: toDi}}, plan{ana, no(roamline.NoAnswer)}},
		{"not signed in: forwarded", "1002", wishes{"bo": {NotSignedIn: mobile}}, plan{out, no(roamline.Unreachable)}},
		{"not signed in: a forward comes before waiting", "1002", wishes{"bo": {NotSignedIn: toDi, Wait: time.Minute}}, plan{di, no(roamline.NoAnswer)}},
		{"not signed in: the call waits as long as she wants", "1002", wishes{"bo": {Wait: time.Minute}},
			plan{wait(ringing("bo", ""), time.Minute), no(roamline.NotThere)}},
		{"not signed in: as before, with forwards for other cases", "1002", wishes{"bo": {Busy: toDi, NoAnswer: toDi}}, plan{no(roamline.NotThere)}},
		{"waited for in vain is not answered", "1002", wishes{"bo": {Wait: time.Minute, NoAnswer: toDi}},
			plan{wait(ringing("bo", ""), time.Minute), di, no(roamline.NoAnswer)}},
		{"a colleague's own forwards count", "1001", wishes{"ana": {NoAnswer: toDi}, "di": {NoAnswer: mobile, Busy: toBo}},
			plan{ana, ifBusy(di, no(roamline.NotThere)), out, no(roamline.Unreachable)}},
		{"a colleague's busy line is not hers", "1001", wishes{"ana": {NoAnswer: toDi}, "di": {Busy: mobile}},
			plan{ana, ifBusy(di, out, no(roamline.Unreachable)), no(roamline.NoAnswer)}},
		{"a colleague who wants no calls refuses", "1001", wishes{"ana": {Always: toDi}, "di": {DoNotDisturb: true}}, plan{no(roamline.Busy)}},
		{"her own number is no forward", "1001", wishes{"ana": {Always: "1001"}}, plan{no(roamline.Unreachable)}},
		{"nor is another number of hers", "1001", wishes{"ana": {NoAnswer: "+34910000001"}}, plan{ana, no(roamline.NoAnswer)}},
		{"there and back again is refused", "1001", wishes{"ana": {Always: toDi}, "di": {Always: "1001"}}, plan{no(roamline.Unreachable)}},
		{"there rings, back again is refused", "1001", wishes{"ana": {NoAnswer: toDi}, "di": {NoAnswer: "1001"}}, plan{ana, di, no(roamline.NoAnswer)}},
		{"five times on is far enough", "1020", chain(5), plan{di, no(roamline.NoAnswer)}},
		{"six times is too far", "1020", chain(6), plan{no(roamline.Unreachable)}},
		{"never to an emergency number", "1001", wishes{"ana": {Always: "112"}}, plan{no(roamline.Unreachable)}},
		{"nor to it when not answered", "1001", wishes{"ana": {NoAnswer: "112"}}, plan{ana, no(roamline.NoAnswer)}},
		{"an extension that leads nowhere is no forward", "1001", wishes{"ana": {NoAnswer: "1999"}}, plan{ana, no(roamline.NoAnswer)}},
		{"where no trunk goes she may not dial, and nor may a forward", "1001", wishes{"ana": {NoAnswer: "+12025550100"}}, plan{ana, no(roamline.Unreachable)}},
		{"not back to the number that calls", "1001", wishes{"ana": {NoAnswer: "+4930123456"}}, plan{ana, no(roamline.NoAnswer)}},
		{"who is disabled forwards nothing", "1003", wishes{"cy": {Always: toDi, NotSignedIn: toDi}}, plan{no(roamline.Unreachable)}},
		{"a forward to somebody disabled is refused", "1001", wishes{"ana": {Always: "1003"}}, plan{no(roamline.Unreachable)}},
		{"an emergency call knows no wishes", "112", wishes{"ana": {Always: toDi, DoNotDisturb: true}}, plan{
			roamline.RingStage{Targets: []roamline.Target{{Trunk: "carrier", Number: "112"}}, Users: []roamline.UserID{""}}, no(roamline.Unreachable)}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			q := Question{Dialed: row.dialed, From: roamline.Party{Number: "+4930123456"}, Path: roamline.Path{Trunk: "carrier"}}
			if row.dialed == "112" {
				q = Question{Dialed: row.dialed, Path: roamline.Path{Client: "desk1"}, By: "ana"}
			}
			r, err := Plan(q, village{town{trunks: carrier}, row.calls}, site)
			if diff := cmp.Diff(row.plan, r.Plan); err != nil || diff != "" {
				t.Errorf("%v; plan (-want +got):\n%s", err, diff)
			}
		})
	}
}

// chain lets v0 forward to v1 and so on, n times; the last is forwarded to Di.
func chain(n int) wishes {
	w := wishes{}
	for i := range n {
		to := roamline.Number("102" + string(rune('1'+i)))
		if i == n-1 {
			to = toDi
		}
		w[roamline.UserID("v"+string(rune('0'+i)))] = roamline.CallSettings{Always: to}
	}
	return w
}

func TestForwardsOfACallFromInside(t *testing.T) {
	from := func(by roamline.UserID, dialed string) Question {
		return Question{Dialed: dialed, Path: roamline.Path{Client: "desk9"}, By: by}
	}
	busy := []roamline.Stage{roamline.RefuseStage{Cause: roamline.Busy}}
	di := []roamline.Stage{ringing("di", "desk2"), roamline.RefuseStage{Cause: roamline.NoAnswer}}
	for _, row := range []struct {
		rule  string
		q     Question
		calls wishes
		plan  []roamline.Stage
	}{
		{"a call that is forwarded to its caller finds her busy", from("di", "1001"), wishes{"ana": {Always: toDi}}, busy},
		{"she may try her own forward", from("ana", "1001"), wishes{"ana": {Always: toDi}}, di},
		{"her own number is busy to herself, whatever she wants for busy", from("ana", "1001"), wishes{"ana": {Busy: toDi}}, busy},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r, err := Plan(row.q, village{calls: row.calls}, site)
			if diff := cmp.Diff(row.plan, r.Plan); err != nil || diff != "" {
				t.Errorf("%v; plan (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestWaitingAsSheWants(t *testing.T) {
	s := site
	s.WaitFor = 20 * time.Second
	for _, row := range []struct {
		rule string
		wait time.Duration
		want roamline.Stage
	}{
		{"the site's time if she said nothing", 0, wait(ringing("bo", ""), 20*time.Second)},
		{"hers before the site's", time.Minute, wait(ringing("bo", ""), time.Minute)},
		{"not at all, though the site would", roamline.NoWait, roamline.RefuseStage{Cause: roamline.NotThere}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			r, err := Plan(Question{Dialed: "1002", Path: roamline.Path{Trunk: "t"}}, village{calls: wishes{"bo": {Wait: row.wait}}}, s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, r.Plan[0]); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAForwardedCallIsHers(t *testing.T) {
	q := Question{Dialed: "1001", From: roamline.Party{Number: "+49301"}, Path: roamline.Path{Trunk: "t"}}
	r, err := Plan(q, village{calls: wishes{"ana": {Always: toDi}}}, site)
	if err != nil || r.User != "ana" || r.To != "1001" || r.From != q.From {
		t.Errorf("%+v, %v", r, err)
	}
}

// However people forward to each other, a plan ends in a refusal, and sends the
// call on no more often than it may.
func FuzzForwards(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0})
	numbers := []roamline.Number{"", "1001", "1002", "1003", "1010", "1020", "1021", "1022", mobile, "112", "+34910000001"}
	f.Fuzz(func(t *testing.T, wish []byte) {
		calls := wishes{}
		next := func() roamline.Number {
			if len(wish) == 0 {
				return ""
			}
			n := numbers[int(wish[0])%len(numbers)]
			wish = wish[1:]
			return n
		}
		for _, u := range []roamline.UserID{"ana", "bo", "cy", "di", "v0", "v1", "v2"} {
			calls[u] = roamline.CallSettings{Always: next(), Busy: next(), NoAnswer: next(), NotSignedIn: next()}
		}
		v := village{town{trunks: []roamline.Trunk{{ID: "carrier", Enabled: true}}}, calls}
		r, err := Plan(Question{Dialed: "1001", Path: roamline.Path{Trunk: "t"}}, v, site)
		if err != nil {
			t.Fatal(err)
		}
		ends(t, r.Plan, nil)
	})
}

func ends(t *testing.T, plan []roamline.Stage, rung []roamline.UserID) {
	for _, stage := range plan[:len(plan)-1] {
		ring, ok := stage.(roamline.RingStage)
		if !ok {
			t.Fatalf("a refusal in the middle of %v", plan)
		}
		for _, u := range ring.Users {
			if u != "" && slices.Contains(rung, u) {
				t.Fatalf("%s is rung twice: %v", u, plan)
			}
			rung = append(slices.Clone(rung), u)
		}
		if ring.OnBusy != nil {
			ends(t, ring.OnBusy, rung)
		}
		for _, to := range ring.Targets {
			if to.Number == "112" {
				t.Fatal("forwarded to an emergency number")
			}
		}
	}
	if _, ok := plan[len(plan)-1].(roamline.RefuseStage); !ok || len(rung) > maxForwards+2 {
		t.Fatalf("plan of %d targets ends with %v", len(rung), plan[len(plan)-1])
	}
}
