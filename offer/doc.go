// Package offer is the SDP offer/answer model (RFC 3264) as pure rules: no
// socket, no clock, no randomness. Each leg has a Session; it writes and reads
// the descriptions that SIP carries for that leg, and says what they agreed.
//
// A description has exactly one audio stream that is used. Other streams of an
// offer are refused with port 0 in their place (RFC 3264 section 6) and stay
// so in later offers of ours (section 8).
//
// The grammar read is that of RFC 8866 section 9, widened where peers need it:
// lines may end in LF alone, o=, s= and t= may be missing, lines of a section
// may come in any order, media types, transports and bandwidth types may be
// unknown (pion/sdp refuses a description with m=image or an unknown b= type,
// where RFC 3264 asks us to refuse the stream and RFC 8866 section 5.8 to
// ignore the line, hence a reader of our own). Control characters, unknown type
// letters, ports over 65535 and descriptions over 32 kB or 32 streams are
// Invalid. Nothing that was read is written back with a control character.
package offer
