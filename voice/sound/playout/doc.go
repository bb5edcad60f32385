// Package playout is the adaptive jitter buffer of a voice that is decoded
// here: packets are put in as they come, and taken out at the listener's pace,
// in order, each as late as the network's jitter asks for and no later.
//
// It is pure: it reads no clock and starts nothing, time comes in as an
// argument. It holds payloads and decodes nothing; where the delay must change
// while somebody speaks, it says so (Frame.Pace) and Stretch does it to the
// samples without a click.
//
// Bounds: 64 packets of at most 1500 bytes, about 7 kB besides. After the first
// round through the slots nothing is allocated.
package playout
