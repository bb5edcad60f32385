package roamline

import "time"

// ClientKind says what sort of machine a client is.
type ClientKind string

const (
	Browser ClientKind = "browser" // knows itself by a key it made
	Phone   ClientKind = "phone"   // any standard SIP client; knows itself by digest credentials
)

// ClientState says whether people may use a client.
type ClientState string

const (
	Waiting  ClientState = "waiting"  // has shown its key, nobody has admitted it
	Admitted ClientState = "admitted" // people may identify and call here
	Revoked  ClientState = "revoked"  // may do nothing
)

// A Client is a machine that people use. ID stays when the key is replaced: a
// wiped browser profile is admitted again as the same client.
type Client struct {
	ID         ClientID
	Name       string // "Ward 3, desk 2"; unique and never empty
	Kind       ClientKind
	State      ClientState
	Place      PlaceID // empty: unknown
	Thumbprint string  // of its public key (RFC 7638), base64url; empty for a phone
	Login      string  // digest user name; empty for a browser; unique
	Created    time.Time
	Rev        Rev
}

// A Place is where clients stand. Places form a tree: building, floor, ward.
type Place struct {
	ID     PlaceID
	Name   string
	Within PlaceID // empty: top
	Rev    Rev
}
