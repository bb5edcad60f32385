package store

import "github.com/roamline/roamline"

// Systems is keyed by ID. Match looks in names. Name is unique. What a system
// may speak for need not be there.
func (s *Store) Systems() roamline.Table[roamline.System] {
	return table[roamline.System]{
		s: s, word: "system", name: "systems",
		columns: []string{"id", "name", "enabled", "places", "clients", "created", "search"},
		values: func(y roamline.System) (roamline.Rev, []any) {
			return y.Rev, []any{string(y.ID), y.Name, y.Enabled, encode(y.Places, same[roamline.PlaceID]),
				encode(y.Clients, same[roamline.ClientID]), micros(y.Created), fold(y.Name)}
		},
		scan: func(r row) (y roamline.System, err error) {
			var search string
			err = r.Scan(&y.ID, &y.Name, &y.Enabled, list[roamline.PlaceID, roamline.PlaceID]{&y.Places, same[roamline.PlaceID]},
				list[roamline.ClientID, roamline.ClientID]{&y.Clients, same[roamline.ClientID]}, moment{&y.Created}, &search, &y.Rev)
			return y, err
		},
		where: map[string]string{"name": "name"},
		match: `search LIKE ? ESCAPE '\'`,
		owns:  []roamline.SecretKind{roamline.SystemHash},
	}
}
