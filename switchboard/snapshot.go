package switchboard

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/call"
)

// A snapshot is what a crash must not forget of a call: its record so far, and
// what ends its dialogs. Over is true when only the record is still to be filed.
type snapshot struct {
	Version int
	Over    bool
	Record  roamline.Record
	Dialogs map[roamline.LegID][]byte
}

const snapshotVersion = 1

// record is the call's record as it stands, with what the legs know.
func (r *running) record() roamline.Record {
	rec := call.Record(r.call)
	for i := range rec.Legs {
		l := r.legs[rec.Legs[i].Leg]
		if l == nil {
			continue
		}
		if l.sipCall == "" {
			l.sipCall = r.sb.Signals.CallID(l.id)
		}
		rec.Legs[i].SIPCall, rec.Legs[i].Voice = l.sipCall, l.figures
		if rec.Legs[i].Voice.Codec == "" {
			rec.Legs[i].Voice.Codec = l.media.Codec.Name
		}
	}
	return rec
}

// keep writes the call's snapshot.
func (r *running) keep() { r.save(false) }

func (r *running) save(over bool) {
	s := snapshot{Version: snapshotVersion, Over: over, Record: r.record()}
	if !over {
		s.Dialogs = map[roamline.LegID][]byte{}
		for id, l := range r.legs {
			if d := r.sb.Signals.Snapshot(id); d != nil && !l.released {
				s.Dialogs[id] = d
			}
		}
	}
	data, err := json.Marshal(s)
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		err = r.sb.Bus.PutSnapshot(ctx, r.call.ID, data)
	}
	if err != nil {
		r.log.Error("a call could not be kept safe from a crash", "err", err)
	}
}

// file writes the call's record. If that fails the snapshot stays, and sweep
// files it later: nothing is lost and nothing waits here.
func (r *running) file() {
	rec := r.record()
	r.sb.Meter.Ended(rec)
	r.log.Info("call over", "cause", rec.Cause, "by", rec.EndedBy, "direction", rec.Direction, "legs", len(rec.Legs))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := r.sb.Store.AddRecord(ctx, rec); err != nil {
		r.log.Error("a record could not be written yet; it is kept and tried again", "err", err)
		r.save(true)
		return
	}
	if err := r.sb.Bus.DropSnapshot(ctx, r.call.ID); err != nil {
		r.log.Warn("a snapshot of a filed call stays", "err", err)
	}
}

// adoptOrphans ends the calls that a crash left behind: their records say so at
// once, their far ends are told in the background.
func (sb *Switchboard) adoptOrphans(run context.Context) error {
	all, err := sb.Bus.Snapshots(run)
	if err != nil {
		return err
	}
	var lost []map[roamline.LegID][]byte
	for id, data := range all {
		var s snapshot
		if err := json.Unmarshal(data, &s); err != nil || s.Version != snapshotVersion {
			sb.Log.Error("a call's snapshot can't be read; it is left as it is", "call", id, "err", err)
			continue
		}
		if sb.refile(run, id, s) && len(s.Dialogs) > 0 {
			lost = append(lost, s.Dialogs)
		}
	}
	if len(lost) > 0 {
		sb.Log.Warn("calls were cut off by a crash; their far ends are told", "calls", len(lost))
		go sb.endOrphans(lost) // bounded by the door, which knows when trying makes no sense
	}
	return nil
}

// refile writes the record of a call that is no longer running, and reports
// whether it could.
func (sb *Switchboard) refile(ctx context.Context, id roamline.CallID, s snapshot) bool {
	if !s.Over {
		s.Record.Cause, s.Record.EndedBy, s.Record.Ended = roamline.Restarted, "server", time.Now()
		for i := range s.Record.Legs {
			s.Record.Legs[i].Cause = roamline.Restarted
		}
	}
	if err := sb.Store.AddRecord(ctx, s.Record); err != nil {
		sb.Log.Error("a record could not be written yet; it is tried again", "call", id, "err", err)
		return false
	}
	if err := sb.Bus.DropSnapshot(ctx, id); err != nil {
		sb.Log.Warn("a snapshot of a filed call stays", "call", id, "err", err)
	}
	return true
}

// endOrphans sends BYE for dialogs that nobody owns, sixteen at a time.
func (sb *Switchboard) endOrphans(lost []map[roamline.LegID][]byte) {
	turn := make(chan struct{}, 16)
	var all sync.WaitGroup
	for _, dialogs := range lost {
		for _, leg := range slices.Sorted(maps.Keys(dialogs)) {
			turn <- struct{}{}
			all.Go(func() {
				defer func() { <-turn }()
				if err := sb.Signals.Orphan(dialogs[leg]); err != nil {
					sb.Log.Warn("an orphan's far end was not reached", "leg", leg, "err", err)
				}
			})
		}
	}
	all.Wait()
}

// sweep files, every half minute, records that could not be written when their
// call ended, and ends bindings that nobody uses.
func (sb *Switchboard) sweep(run context.Context) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-run.Done():
			return
		case <-tick.C:
		}
		sb.who.unused()
		all, err := sb.Bus.Snapshots(run)
		if err != nil {
			continue
		}
		for id, data := range all {
			var s snapshot
			if json.Unmarshal(data, &s) == nil && s.Version == snapshotVersion && s.Over {
				sb.refile(run, id, s)
			}
		}
	}
}
