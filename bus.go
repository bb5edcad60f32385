package roamline

import (
	"context"
	"time"
)

// A Bus keeps the live state that must outlive a process: who is where, who is
// registered, which calls are up. Implementations pass bus/bustest.
type Bus interface {
	// Append adds a record to the binding log if the log's last sequence is
	// still last, and returns the new one. Conflict if somebody was quicker.
	Append(ctx context.Context, r BindingRecord, last uint64) (uint64, error)
	// Follow gives every record after seq to each, in order and without gaps,
	// until ctx ends or each returns an error. caughtUp is called once, when all
	// that was there at the start has been given.
	Follow(ctx context.Context, seq uint64, each func(BindingRecord) error, caughtUp func()) error

	// Contacts are where registered clients can be reached.
	PutContacts(ctx context.Context, c ClientID, contacts []Contact) error // none: removed
	Contacts(ctx context.Context) (map[ClientID][]Contact, error)

	// Snapshots are the calls that a crash must not forget.
	PutSnapshot(ctx context.Context, id CallID, data []byte) error
	DropSnapshot(ctx context.Context, id CallID) error
	Snapshots(ctx context.Context) (map[CallID][]byte, error)

	Ping(ctx context.Context) error
	Close() error
}

// A Contact is one registered way to a client (RFC 3261 section 10.2.1).
type Contact struct {
	URI       string // as registered
	Instance  string // +sip.instance (RFC 5626); may be empty
	RegID     int    // reg-id; 0 if none
	Transport string // "udp", "tcp", "tls", "ws", "wss"
	Source    string // address and port that it registered from
	Agent     string // User-Agent
	CallID    string // of the REGISTER
	CSeq      uint32
	Expires   time.Time
}
