// Package roamline is the vocabulary of a telephone server whose line follows
// the person.
//
// A user has a number; the number belongs to the user and not to a desk. When
// she identifies herself at a client, the client sends who she is together
// with its own identifier; the server binds the two. A call for her number
// then rings at that client, and her voice travels between the server and the
// headset or phone attached to it.
//
// This package holds words and contracts, and imports only the standard
// library. Every other package speaks these words and none of its neighbours:
//
//	badge  -> identify -> switchboard -> binding (the only writer)
//	                                        | read
//	INVITE -> sip --Offered--> switchboard -+-> route --Plan--> call.Step --commands--> sip, voice
//
// To follow a call, read sip/invite.go, route/plan.go, call/step.go,
// switchboard/switchboard.go and voice/bridge.go, in that order.
package roamline
