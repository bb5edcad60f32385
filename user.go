package roamline

import "time"

// A Role is what a user may do beyond using her own line.
type Role string

const RoleAdministrator Role = "administrator"

// A User is a person with an account. Her numbers are the listings that lead
// to her.
type User struct {
	ID       UserID
	Login    string // what she types: unique, lower case, no spaces
	Name     string // as displayed
	Language string // BCP 47, such as "en" or "es-ES"; empty: the site's
	CallerID Number // shown when she calls out; empty: her first number
	Roles    []Role
	Disabled bool // may not identify; calls to her are refused as unreachable
	Calls    CallSettings
	Created  time.Time
	Rev      Rev
}

// Is reports whether u has role r.
func (u User) Is(r Role) bool {
	for _, have := range u.Roles {
		if have == r {
			return true
		}
	}
	return false
}

// CallSettings are what a user wants done with calls to her numbers. The zero
// value wants what the site does: her line rings where she is. A forward leads
// to a number in normal form, outside or a colleague's; empty: there is none.
// Always comes before everything, DoNotDisturb before the rest. A forward that
// would go round in a circle, or to an emergency number, is not followed.
type CallSettings struct {
	Always       Number // every call
	Busy         Number // when her client, or do not disturb, says that she is busy
	NoAnswer     Number // when the call has rung for Site.RingFor, or waited for her in vain
	NotSignedIn  Number // when she is signed in nowhere; then no call waits for her
	DoNotDisturb bool   // nothing rings; the caller is told that she is busy

	// Wait is how long a call waits, ringing, while she is signed in nowhere. 0:
	// Site.WaitFor; NoWait: not at all. At most MaxWait.
	Wait time.Duration
}

const (
	NoWait  time.Duration = -1               // a CallSettings.Wait of nothing
	MaxWait               = 10 * time.Minute // the longest, as of Site.WaitFor
)

// WaitAt returns how long a call waits for her at site s; 0: not at all.
func (c CallSettings) WaitAt(s Site) time.Duration {
	if c.Wait == 0 {
		return s.WaitFor
	}
	return max(c.Wait, 0)
}
