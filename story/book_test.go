package story

import (
	"fmt"
	"testing"
	"time"

	"github.com/roamline/roamline"
)

func entry(leg, text string, ms int) roamline.TraceEntry {
	return roamline.TraceEntry{Leg: roamline.LegID(leg), Text: text, At: time.UnixMilli(int64(ms))}
}

func TestAStoryBeginsBeforeTheCallOwnsItsLeg(t *testing.T) {
	b := New()
	b.Trace(entry("l_1", "INVITE", 1))
	b.Own("l_1", "k_1")
	b.Trace(entry("l_1", "100 Trying", 3))
	b.Trace(roamline.TraceEntry{Call: "k_1", Text: "ringing", At: time.UnixMilli(2)})
	got := ""
	for _, e := range b.Story("k_1") {
		got += e.Text + ","
	}
	if got != "INVITE,ringing,100 Trying," {
		t.Errorf("story %q", got)
	}
}

func TestTheOldestStoriesAreForgotten(t *testing.T) {
	b := New()
	for i := range allCalls + 10 {
		leg, call := roamline.LegID(fmt.Sprint("l", i)), roamline.CallID(fmt.Sprint("k", i))
		b.Trace(entry(string(leg), "INVITE", i))
		b.Own(leg, call)
	}
	if b.Story("k0") != nil || b.Story(roamline.CallID(fmt.Sprint("k", allCalls+9))) == nil {
		t.Error("not the oldest was forgotten")
	}
	if len(b.pages) > allCalls || len(b.owner) > allCalls || len(b.order) > allCalls {
		t.Errorf("%d pages, %d owners, %d in order", len(b.pages), len(b.owner), len(b.order))
	}
}

func TestAStoryIsBounded(t *testing.T) {
	b := New()
	for i := range perCall * 2 {
		b.Trace(entry("l", "OPTIONS", i))
	}
	b.Own("l", "k")
	if n := len(b.Story("k")); n != perCall {
		t.Errorf("%d entries kept", n)
	}
}
