// Package sip is the door for signalling: trunks, desk phones and browsers all
// come in as SIP (RFC 3261), over UDP, TCP, TLS and WebSocket (RFC 7118).
//
// A Door turns what arrives into roamline events for its Sink, and carries out
// what the switchboard asks through the methods of its Signals interface. It
// decides nothing about calls: a leg is one SIP dialog, and the description of
// its voice passes through as opaque bytes.
//
// The way of a message, file by file:
//
//	udp.go stream.go websocket.go   bytes arrive on a flow
//	parse.go check.go               they become a message, or a 400 or 505
//	receive.go trust.go             whose is it? a transaction, a dialog, a trunk, a client, or nobody
//	invite.go indialog.go register.go   a request that may come in
//	outcall.go reoffer.go hangup.go     what the switchboard asks for
//
// # What is sipgo's and what is not
//
// Messages, their parser and the transactions' state machines (RFC 3261 section
// 17, RFC 6026) are github.com/emiago/sipgo/sip. Everything else is here, for
// these reasons:
//
//   - Its transports hand over a message only after its parser accepted it, close
//     a connection at the first bad one, block on a silent WebSocket handshake and
//     answer no ping. Flows (flow.go) are ours; text is checked and brought into
//     one plain form (parse.go, check.go) before sipgo's parser sees it.
//   - Its transaction layer answers CANCEL itself with foreign To tags, starts a
//     goroutine for each message, and finds connections by the address that a
//     request names. transaction.go keeps the tables, and drives sip.ClientTx and
//     sip.ServerTx: it drains the unbuffered response channel, never lets them
//     answer a CANCEL, ends them when their flow closes, and bounds what a
//     repeating peer can make them hold.
//   - Its dialogs do not refresh targets, survive a restart, back off with 2xx,
//     know forks, glare, session timers or reliable provisional responses: leg.go
//     and the files round it do.
package sip
