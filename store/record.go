package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/roamline/roamline"
)

const recordColumns = "call_id, from_number, from_name, from_private, to_number, user_id, caller_by, direction, " +
	"emergency, offered, rang, answered, ended, cause, ended_by, legs"

// AddRecord keeps the record of a finished call; Invalid without its Offered.
// The first one written stays: a restart may write a call again with less
// knowledge of it.
func (s *Store) AddRecord(ctx context.Context, r roamline.Record) error {
	const op = "store.AddRecord"
	if r.Offered.IsZero() {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: string(r.Call), Err: errors.New("no time of offer")}
	}
	err := s.change(ctx, func(s *Store) error {
		_, err := s.exec(ctx, "INSERT INTO records ("+recordColumns+
			") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (call_id) DO NOTHING",
			string(r.Call), string(r.From.Number), r.From.Name, r.From.Private, string(r.To), string(r.User),
			string(r.CallerBy), string(r.Direction), r.Emergency, micros(r.Offered), micros(r.Rang),
			micros(r.Answered), micros(r.Ended), string(r.Cause), r.EndedBy, encode(r.Legs, keepLeg))
		return err
	})
	return s.fail(op, string(r.Call), err)
}

// Record returns the record of a call; NotFound if there is none.
func (s *Store) Record(ctx context.Context, id roamline.CallID) (roamline.Record, error) {
	records, err := s.records(ctx, " WHERE call_id = ?", string(id))
	if err == nil && len(records) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return roamline.Record{}, s.fail("store.Record", string(id), err)
	}
	return records[0], nil
}

// Records returns the newest first, by Offered; Before leaves out what was
// offered then or later.
func (s *Store) Records(ctx context.Context, q roamline.RecordQuery) ([]roamline.Record, error) {
	where, args := " WHERE 1 = 1", []any{}
	if q.User != "" {
		where += " AND (user_id = ? OR caller_by = ?)"
		args = append(args, string(q.User), string(q.User))
	}
	if !q.Before.IsZero() {
		where += " AND offered < ?"
		args = append(args, micros(q.Before))
	}
	where += " ORDER BY offered DESC, call_id DESC LIMIT ?"
	records, err := s.records(ctx, where, append(args, limit(q.Limit))...)
	return records, s.fail("store.Records", string(q.User), err)
}

func (s *Store) records(ctx context.Context, where string, args ...any) (records []roamline.Record, err error) {
	err = s.each(ctx, "SELECT "+recordColumns+" FROM records"+where, args, func(row row) error {
		var r roamline.Record
		err := row.Scan(&r.Call, &r.From.Number, &r.From.Name, &r.From.Private, &r.To, &r.User, &r.CallerBy,
			&r.Direction, &r.Emergency, moment{&r.Offered}, moment{&r.Rang}, moment{&r.Answered}, moment{&r.Ended},
			&r.Cause, &r.EndedBy, list[roamline.LegRecord, keptLeg]{&r.Legs, backLeg})
		records = append(records, r)
		return err
	})
	return records, err
}

// The kept forms of a record's legs. They have the fields of the root's types,
// and don't compile when those change: then old rows need a thought.
type (
	keptLeg struct {
		Leg     roamline.LegID  `json:"leg"`
		At      keptTarget      `json:"at"`
		User    roamline.UserID `json:"user,omitempty"`
		SIPCall string          `json:"sip_call,omitempty"`
		Cause   roamline.Cause  `json:"cause,omitempty"`
		Voice   keptFigures     `json:"voice"`
	}
	keptTarget struct {
		Client roamline.ClientID `json:"client,omitempty"`
		Trunk  roamline.TrunkID  `json:"trunk,omitempty"`
		Number roamline.Number   `json:"number,omitempty"`
	}
	keptFigures struct {
		Codec      string             `json:"codec,omitempty"`
		Transport  roamline.Transport `json:"transport,omitempty"`
		Received   uint64             `json:"received"`
		Sent       uint64             `json:"sent"`
		Lost       uint64             `json:"lost"`
		Discarded  uint64             `json:"discarded"`
		FarLost    uint64             `json:"far_lost"`
		Jitter     time.Duration      `json:"jitter_ns"`
		FarJitter  time.Duration      `json:"far_jitter_ns"`
		RoundTrip  time.Duration      `json:"round_trip_ns"`
		FirstVoice time.Time          `json:"first_voice,omitzero"`
		LastVoice  time.Time          `json:"last_voice,omitzero"`
	}
)

func keepLeg(l roamline.LegRecord) keptLeg {
	voice := keptFigures(l.Voice)
	voice.FirstVoice = voice.FirstVoice.UTC().Truncate(time.Microsecond)
	voice.LastVoice = voice.LastVoice.UTC().Truncate(time.Microsecond)
	return keptLeg{Leg: l.Leg, At: keptTarget(l.At), User: l.User, SIPCall: l.SIPCall, Cause: l.Cause, Voice: voice}
}

func backLeg(l keptLeg) roamline.LegRecord {
	return roamline.LegRecord{Leg: l.Leg, At: roamline.Target(l.At), User: l.User, SIPCall: l.SIPCall, Cause: l.Cause,
		Voice: roamline.Figures(l.Voice)}
}
