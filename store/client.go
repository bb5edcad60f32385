package store

import "github.com/roamline/roamline"

// Clients is keyed by ID. Match looks in names and logins. Name, and Login and
// Thumbprint where they are not empty, are unique. One at a place that is not
// there is Invalid.
func (s *Store) Clients() roamline.Table[roamline.Client] {
	return table[roamline.Client]{
		s: s, word: "client", name: "clients",
		columns: []string{"id", "name", "kind", "state", "place", "thumbprint", "login", "created", "search"},
		values: func(c roamline.Client) (roamline.Rev, []any) {
			return c.Rev, []any{string(c.ID), c.Name, string(c.Kind), string(c.State), optional(string(c.Place)),
				c.Thumbprint, c.Login, micros(c.Created), fold(c.Name, c.Login)}
		},
		scan: func(r row) (c roamline.Client, err error) {
			var search string
			err = r.Scan(&c.ID, &c.Name, &c.Kind, &c.State, reference[roamline.PlaceID]{&c.Place},
				&c.Thumbprint, &c.Login, moment{&c.Created}, &search, &c.Rev)
			return c, err
		},
		where: map[string]string{
			"thumbprint": "thumbprint", "login": "login", "name": "name", "state": "state",
			"place": "COALESCE(place, '')",
		},
		match:  `search LIKE ? ESCAPE '\'`,
		absent: "there is no such place for it to stand at",
		owns:   []roamline.SecretKind{roamline.DigestHash},
	}
}
