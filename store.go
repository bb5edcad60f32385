package roamline

import (
	"context"
	"time"
)

// A Rev counts the changes of a record. An update states the Rev that it was
// read at; another one since makes it fail with Conflict.
type Rev int64

// A Query chooses records of a table, in the order of their keys.
type Query struct {
	After string // records whose key is greater; empty: from the start
	Limit int    // 0: 100; at most 1000
	Match string // a part of a name, login or number, without regard to case
	// Only where the column is equal; the columns that a table knows are written
	// at Store. An unknown one is Invalid.
	Where map[string]string
}

// A Table keeps one kind of record. Get and Delete of a missing key are
// NotFound; Create of a taken key or unique name is Conflict.
type Table[T any] interface {
	Get(ctx context.Context, key string) (T, error)
	List(ctx context.Context, q Query) (page []T, more bool, err error)
	Create(ctx context.Context, record T) (T, error)       // with Rev 1
	Update(ctx context.Context, record T) (T, error)       // with Rev+1
	Delete(ctx context.Context, key string, rev Rev) error // rev 0: whatever it is
}

// A SecretKind names a credential beside the records that everybody may read.
type SecretKind string

const (
	PasswordHash SecretKind = "password" // owner: UserID; argon2id in PHC form
	PINHash      SecretKind = "pin"      // owner: UserID; argon2id in PHC form
	DigestHash   SecretKind = "digest"   // owner: ClientID; "MD5:<HA1> SHA-256:<HA1>" of its Login at the site's realm
	TrunkSecret  SecretKind = "trunk"    // owner: TrunkID; the password itself
	ServerKey    SecretKind = "server"   // owner: a name; keys that the server made for itself

	// SystemHash is owned by a SystemID: SHA-256 of its secret in hexadecimal. If
	// a former secret is still good, a space, its hash, a space, and until when in
	// Unix seconds.
	SystemHash SecretKind = "system"
)

// A Store keeps the durable facts. Implementations pass store/storetest.
type Store interface {
	Users() Table[User]       // key: ID. Where: login
	Listings() Table[Listing] // key: Number. Where: to (the Destination's ID)
	Clients() Table[Client]   // key: ID. Where: thumbprint, login, name, state, place
	Places() Table[Place]     // key: ID. Where: within
	Trunks() Table[Trunk]     // key: ID. Where: name
	Systems() Table[System]   // key: ID. Where: name

	Secret(ctx context.Context, kind SecretKind, owner string) (Secret, error)    // NotFound if none
	SetSecret(ctx context.Context, kind SecretKind, owner string, s Secret) error // empty: removes it

	// Code keeps one-time codes: a salted or keyed hash of the code, what it is
	// for, and until when. UseCode returns what it was for, once; NotFound after
	// that, or when it has expired.
	AddCode(ctx context.Context, hash, purpose string, until time.Time) error
	UseCode(ctx context.Context, hash string, now time.Time) (purpose string, err error)

	// AddRecord writes a finished call; writing the same call again changes
	// nothing. Records lists the newest first.
	AddRecord(ctx context.Context, r Record) error
	Record(ctx context.Context, id CallID) (Record, error)
	Records(ctx context.Context, q RecordQuery) ([]Record, error)

	// Project writes what a binding record did to the history; a record that was
	// projected before changes nothing. Projected returns the last one's Seq.
	Project(ctx context.Context, r BindingRecord) error
	Projected(ctx context.Context) (uint64, error)
	Stays(ctx context.Context, q StayQuery) ([]Stay, error) // newest first

	// Atomic runs do against a Store whose changes all happen, or none.
	Atomic(ctx context.Context, do func(Store) error) error

	Ping(ctx context.Context) error
	Close() error
}

// A RecordQuery chooses call records; zero fields do not matter.
type RecordQuery struct {
	User   UserID // caller or called
	Before time.Time
	Limit  int // 0: 100; at most 1000
}

// A StayQuery chooses lines of the binding history; zero fields do not matter.
type StayQuery struct {
	User   UserID
	Client ClientID
	Before time.Time
	Limit  int // 0: 100; at most 1000
}
