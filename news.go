package roamline

import "time"

// News tells watching pages and programs what changed. A watcher first gets
// the present state as news, then each change.
type News struct {
	At   time.Time
	Kind NewsKind

	Client  ClientID      // NewsBound, NewsReleased, NewsReach: whom it concerns
	Binding *Binding      // NewsBound, NewsReleased
	Reason  ReleaseReason // NewsReleased
	By      *Binding      // NewsReleased: the binding that replaced it, if one did
	Reached bool          // NewsReach
	Call    *CallView     // NewsCall
	Trunk   *TrunkStatus  // NewsTrunk
}

// NewsKind says what changed.
type NewsKind string

const (
	NewsReady    NewsKind = "ready"    // the present state has been told
	NewsBound    NewsKind = "bound"    // a user is at a client
	NewsReleased NewsKind = "released" // she no longer is
	NewsReach    NewsKind = "reach"    // a client can be called, or no longer
	NewsCall     NewsKind = "call"     // a call changed; State Over: it ended
	NewsTrunk    NewsKind = "trunk"    // a trunk's state
)

// A CallView is a running call as people see it.
type CallView struct {
	Call    Call
	Figures map[LegID]Figures // live voice figures; may be nil
}
