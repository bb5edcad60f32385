package store

import "github.com/roamline/roamline"

// Listings is keyed by Number. One that leads to a user who is not there is
// Invalid.
func (s *Store) Listings() roamline.Table[roamline.Listing] {
	return table[roamline.Listing]{
		s: s, word: "number", name: "listings",
		columns: []string{"number", "to_kind", "to_id", "to_user", "search"},
		values: func(l roamline.Listing) (roamline.Rev, []any) {
			var user any
			if l.To.Kind == roamline.ToUser {
				user = l.To.ID
			}
			return l.Rev, []any{string(l.Number), string(l.To.Kind), l.To.ID, user, fold(string(l.Number))}
		},
		scan: func(r row) (l roamline.Listing, err error) {
			var user roamline.UserID
			var search string
			err = r.Scan(&l.Number, &l.To.Kind, &l.To.ID, reference[roamline.UserID]{&user}, &search, &l.Rev)
			return l, err
		},
		where:  map[string]string{"to": "to_id"},
		match:  `search LIKE ? ESCAPE '\'`,
		absent: "there is no such user for it to lead to",
	}
}
