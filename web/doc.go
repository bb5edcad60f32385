// Package web is the HTTPS door: it admits clients, takes claims of who is at
// one, serves the API under /api/v1 and the pages, and tells watching pages
// what changes.
//
// A browser shows who it is with every request by a key that never leaves it
// (RFC 9449, DPoP); what it may do follows from who is bound at it now. There
// are no cookies, so nothing is sent that a page did not mean to send. The
// same API answers, as administrator, on a socket that only the operating
// system's owner can open (Door.Local).
//
// The door decides nothing about telephony. It reads, translates, and hands
// over: claims and calls to the Exchange, facts to the Store.
//
// To follow a request, read web.go (the chain), authorize.go (who calls),
// identifications.go (what she claims).
package web

//go:generate go test -run TestOpenAPIFile -write
