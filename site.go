package roamline

import "time"

// A Site is the place that the server serves: what routing and binding must
// know of it.
type Site struct {
	Name       string
	Country    string        // ISO 3166 alpha-2, for numbers typed without a country
	Emergency  []string      // numbers as dialled: "112"
	Extensions int           // most digits of an internal extension
	RingFor    time.Duration // how long a client rings before the call counts as not answered
	WaitFor    time.Duration // how long a call waits for a person who is signed in nowhere; 0: not at all
	Grace      time.Duration // how long a binding outlives its client's connection, and a call waits for a person who left it
	Idle       time.Duration // a binding unused for so long ends; 0: never
	Announce   bool          // speak to a caller before refusing her
}
