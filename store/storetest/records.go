package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func record(id roamline.CallID, offered time.Time) roamline.Record {
	return roamline.Record{Call: id, From: roamline.Party{Number: "+34600000001", Name: "Bo", Private: true}, To: "1001",
		User: "u_ana", Direction: roamline.Inbound, Offered: offered, Rang: offered.Add(time.Second),
		Answered: offered.Add(2 * time.Second), Ended: offered.Add(time.Minute), Cause: roamline.Normal, EndedBy: "caller",
		Legs: []roamline.LegRecord{
			{Leg: "k_1.0", At: roamline.Target{Trunk: "t_1", Number: "+34600000001"}, SIPCall: "a@b", Cause: roamline.Normal,
				Voice: roamline.Figures{Codec: "PCMA", Transport: roamline.RTP, Received: 3000, Sent: 2990, Lost: 3, Discarded: 1,
					FarLost: 2, Jitter: 1200 * time.Microsecond, FarJitter: 3 * time.Millisecond, RoundTrip: 21 * time.Millisecond,
					FirstVoice: offered.Add(time.Second), LastVoice: offered.Add(time.Minute)}},
			{Leg: "k_1.1", At: roamline.Target{Client: "c_desk"}, User: "u_ana"},
		}}
}

func records(t *testing.T, open func(*testing.T) roamline.Store) {
	call := func(r roamline.Record) string { return string(r.Call) }
	check(t, open, []rule{
		{"a record comes back as written, with its legs and figures", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddRecord(ctx, record("k_1", noon)))
			equal(t, must[roamline.Record](t)(s.Record(ctx, "k_1")), record("k_1", noon))
		}},
		{"a call that was never rung nor answered comes back so", func(t *testing.T, ctx context.Context, s roamline.Store) {
			r := roamline.Record{Call: "k_1", Offered: noon, Ended: noon, Cause: roamline.UnknownNumber, EndedBy: "server"}
			ok(t, s.AddRecord(ctx, r))
			equal(t, must[roamline.Record](t)(s.Record(ctx, "k_1")), r)
		}},
		{"writing a call again changes nothing", func(t *testing.T, ctx context.Context, s roamline.Store) {
			ok(t, s.AddRecord(ctx, record("k_1", noon)))
			again := record("k_1", noon)
			again.Cause = roamline.Restarted
			ok(t, s.AddRecord(ctx, again))
			equal(t, must[roamline.Record](t)(s.Record(ctx, "k_1")), record("k_1", noon))
		}},
		{"a missing record is not found", func(t *testing.T, ctx context.Context, s roamline.Store) {
			_, err := s.Record(ctx, "k_no")
			is(t, err, roamline.NotFound)
		}},
		{"records come newest first, before a time, of a user on either side", func(t *testing.T, ctx context.Context, s roamline.Store) {
			for i := range 5 {
				r := record(roamline.CallID(fmt.Sprintf("k_%d", i)), after(time.Duration(i)*time.Second))
				if i%2 == 1 {
					r.User, r.CallerBy = "u_bo", "u_ana"
				}
				ok(t, s.AddRecord(ctx, r))
			}
			for _, row := range []struct {
				q    roamline.RecordQuery
				want []string
			}{
				{roamline.RecordQuery{}, []string{"k_4", "k_3", "k_2", "k_1", "k_0"}},
				{roamline.RecordQuery{Limit: 2}, []string{"k_4", "k_3"}},
				{roamline.RecordQuery{Limit: 2, Before: after(3 * time.Second)}, []string{"k_2", "k_1"}},
				{roamline.RecordQuery{User: "u_bo"}, []string{"k_3", "k_1"}},
				{roamline.RecordQuery{User: "u_ana", Limit: 1}, []string{"k_4"}},
				{roamline.RecordQuery{User: "u_no"}, []string{}},
			} {
				equal(t, keys(must[[]roamline.Record](t)(s.Records(ctx, row.q)), call), row.want)
			}
		}},
		{"a record without its time of offer is invalid", func(t *testing.T, ctx context.Context, s roamline.Store) {
			is(t, s.AddRecord(ctx, roamline.Record{Call: "k_1"}), roamline.Invalid)
		}},
	})
}
