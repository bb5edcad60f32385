// Package voice is the voice engine: RTP, SRTP, DTLS and ICE-lite on sockets
// of its own, and the bridge in which two legs meet. It runs on Linux.
//
// A packet's way is short: a media thread (thread.go) waits in io_uring
// (ring.go, ringio.go) or epoll (epoll.go, batch.go) and receives what came,
// tells the protocols apart (demux.go), checks that the source is the leg's far
// end (trunk.go, browser.go), opens and counts the packet (relay.go, srtp.go,
// reception.go), gives it the listener's own numbers (sender.go), and sends it
// with the others of its round. Where both legs speak the same codec the payload
// is not touched. There is no goroutine, channel, lock or allocation for a
// packet, but one lock where the kernel gave a browser's packet to another
// thread than the leg's (handoff.go).
//
// Sound is made on the same threads, each 20 ms: prompts (play.go), digits
// (dial.go), and what is transcoded (transcode.go, jitter.go). An Opus encoder
// takes about 0.4 ms of that, in which the thread's other legs wait: a thread
// carries some 40 legs that are encoded to Opus. Packets are sent with 20 ms of
// sound each, whatever Media.Ptime says; relayed ones as they come.
//
// Nothing foreign is heard or answered. What did not come from the negotiated
// or learned address (trunkSide says which), from an address that ICE validated
// (fromICE), under the agreed keys, once, and with an agreed payload type, is
// dropped and counted.
//
// Control comes from any goroutine: the engine's methods hold one lock among
// themselves and hand the thread that owns a leg a command. A leg belongs to
// one thread; Join brings both to the same one.
package voice
