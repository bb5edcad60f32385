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
