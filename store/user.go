package store

import "github.com/roamline/roamline"

// Users is keyed by ID. Match looks in names, logins and the numbers that lead
// to a user. One with numbers is not deleted: Conflict.
func (s *Store) Users() roamline.Table[roamline.User] {
	return table[roamline.User]{
		s: s, word: "user", name: "users",
		columns: []string{"id", "login", "name", "language", "caller_id", "roles", "disabled", "created", "search", "calls"},
		values: func(u roamline.User) (roamline.Rev, []any) {
			return u.Rev, []any{string(u.ID), u.Login, u.Name, u.Language, string(u.CallerID),
				encode(u.Roles, same[roamline.Role]), u.Disabled, micros(u.Created), fold(u.Name, u.Login), keepCalls(u.Calls)}
		},
		scan: func(r row) (u roamline.User, err error) {
			var search string
			err = r.Scan(&u.ID, &u.Login, &u.Name, &u.Language, &u.CallerID,
				list[roamline.Role, roamline.Role]{&u.Roles, same[roamline.Role]}, &u.Disabled, moment{&u.Created}, &search,
				settings{&u.Calls}, &u.Rev)
			return u, err
		},
		where: map[string]string{"login": "login"},
		match: `search LIKE ? ESCAPE '\' OR EXISTS
			(SELECT 1 FROM listings WHERE to_user = users.id AND listings.search LIKE ? ESCAPE '\')`,
		inUse: "numbers lead to this user: delete them or let them lead elsewhere first",
		owns:  []roamline.SecretKind{roamline.PasswordHash, roamline.PINHash},
	}
}
