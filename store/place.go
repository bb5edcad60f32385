package store

import (
	"context"
	"errors"

	"github.com/roamline/roamline"
)

// Places is keyed by ID. One within a place that is not there, or within
// itself, is Invalid. One with clients, or with places within, is not deleted:
// Conflict.
func (s *Store) Places() roamline.Table[roamline.Place] {
	return table[roamline.Place]{
		s: s, word: "place", name: "places",
		columns: []string{"id", "name", "within", "search"},
		values: func(p roamline.Place) (roamline.Rev, []any) {
			return p.Rev, []any{string(p.ID), p.Name, optional(string(p.Within)), fold(p.Name)}
		},
		scan: func(r row) (p roamline.Place, err error) {
			var search string
			err = r.Scan(&p.ID, &p.Name, reference[roamline.PlaceID]{&p.Within}, &search, &p.Rev)
			return p, err
		},
		where:  map[string]string{"within": "COALESCE(within, '')"},
		match:  `search LIKE ? ESCAPE '\'`,
		check:  checkTree,
		absent: "there is no such place for it to be within",
		inUse:  "clients stand here, or places are within it: move them first",
	}
}

// checkTree refuses a place that would be within itself, however far up.
func checkTree(ctx context.Context, s *Store, p roamline.Place) error {
	if p.Within == "" {
		return nil
	}
	if s.engine.LockTree != "" {
		if _, err := s.exec(ctx, s.engine.LockTree); err != nil {
			return err
		}
	}
	const above = `WITH RECURSIVE above (id) AS (
			SELECT CAST(? AS keytext)
			UNION
			SELECT places.within FROM places JOIN above ON places.id = above.id
		)
		SELECT COUNT(*) FROM above WHERE id = ?`
	var n int
	if err := s.one(ctx, above, []any{string(p.Within), string(p.ID)}, &n); err != nil {
		return err
	}
	if n > 0 {
		return &roamline.Error{Op: "store.Update place", Kind: roamline.Invalid, Of: string(p.ID),
			Err: errors.New("a place can't be within itself")}
	}
	return nil
}
