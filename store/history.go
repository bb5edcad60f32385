package store

import (
	"context"
	"errors"

	"github.com/roamline/roamline"
)

const stayColumns = "user_id, client_id, since, proof_id, method, proven_by, proven_at, until, reason"

// Project writes a binding record to the history. Records are given in the
// order of the log; several nodes may give the same ones at once. A binding
// that ends without its opening being known (the log is older than this
// database) is written whole.
func (s *Store) Project(ctx context.Context, r roamline.BindingRecord) error {
	const op = "store.Project"
	if r.Seq == 0 || r.At.IsZero() {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Err: errors.New("a record of the log has a sequence and a time")}
	}
	err := s.change(ctx, func(s *Store) error {
		// The row's lock makes a second node wait here, and then see that it is done.
		n, err := s.exec(ctx, "UPDATE projection SET seq = ? WHERE seq < ?", int64(r.Seq), int64(r.Seq))
		if err != nil || n == 0 {
			return err
		}
		for i, d := range r.Ended {
			if err := s.endStay(ctx, r, i, d); err != nil {
				return err
			}
		}
		if r.Open != nil {
			return s.addStay(ctx, r.Seq, 0, roamline.Stay{Binding: *r.Open})
		}
		return nil
	})
	return s.fail(op, "", err)
}

func (s *Store) endStay(ctx context.Context, r roamline.BindingRecord, i int, d roamline.Departure) error {
	b := d.Binding
	n, err := s.exec(ctx, "UPDATE stays SET until = ?, reason = ? "+
		"WHERE user_id = ? AND client_id = ? AND since = ? AND proof_id = ? AND until IS NULL",
		micros(r.At), string(d.Reason), string(b.User), string(b.Client), b.Since.UnixMicro(), string(b.Proof.ID))
	if err != nil || n > 0 {
		return err
	}
	return s.addStay(ctx, r.Seq, i+1, roamline.Stay{Binding: b, Until: r.At, Reason: d.Reason})
}

func (s *Store) addStay(ctx context.Context, seq uint64, nth int, stay roamline.Stay) error {
	b := stay.Binding
	_, err := s.exec(ctx, "INSERT INTO stays (seq, nth, "+stayColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		int64(seq), nth, string(b.User), string(b.Client), b.Since.UnixMicro(), string(b.Proof.ID),
		string(b.Proof.Method), string(b.Proof.By), micros(b.Proof.At), micros(stay.Until), string(stay.Reason))
	return err
}

// Projected returns the Seq of the last record that was projected; 0 if none.
func (s *Store) Projected(ctx context.Context) (uint64, error) {
	var seq int64
	err := s.one(ctx, "SELECT seq FROM projection", nil, &seq)
	return uint64(seq), s.fail("store.Projected", "", err)
}

// Stays returns the newest first, by Since; Before leaves out what began then
// or later. The user and client of a Proof are those of its binding.
func (s *Store) Stays(ctx context.Context, q roamline.StayQuery) (stays []roamline.Stay, err error) {
	where, args := " WHERE 1 = 1", []any{}
	if q.User != "" {
		where, args = where+" AND user_id = ?", append(args, string(q.User))
	}
	if q.Client != "" {
		where, args = where+" AND client_id = ?", append(args, string(q.Client))
	}
	if !q.Before.IsZero() {
		where, args = where+" AND since < ?", append(args, micros(q.Before))
	}
	where += " ORDER BY since DESC, seq DESC, nth DESC LIMIT ?"
	err = s.each(ctx, "SELECT "+stayColumns+" FROM stays"+where, append(args, limit(q.Limit)), func(r row) error {
		var stay roamline.Stay
		b := &stay.Binding
		err := r.Scan(&b.User, &b.Client, moment{&b.Since}, &b.Proof.ID, &b.Proof.Method, &b.Proof.By,
			moment{&b.Proof.At}, moment{&stay.Until}, &stay.Reason)
		b.Proof.User, b.Proof.Client = b.User, b.Client
		stays = append(stays, stay)
		return err
	})
	return stays, s.fail("store.Stays", "", err)
}
