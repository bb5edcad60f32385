package voice

// A jitterBuffer orders the packets of a source that is decoded, and holds
// them for a moment. It is filled by sequence number and emptied by the clock.
type jitterBuffer struct {
	slots   [jitterSlots]jitterSlot
	count   int
	started bool
	filling bool   // not enough is held yet
	next    uint16 // number to be played next
	played  bool
	floor   uint16 // the number after the last that was played
}

type jitterSlot struct {
	used bool
	seq  uint16
	size int
	data [maxPacket]byte
}

const (
	jitterSlots  = 16
	jitterTarget = 2 // packets held before playing: 40 ms of the usual 20 ms
	jitterMost   = 6 // above it, the oldest are left out
)

// push stores a payload; what comes too late, twice or too long is left out. A
// packet far ahead, or far behind, empties the buffer and begins anew.
func (j *jitterBuffer) push(seq uint16, payload []byte) {
	if len(payload) > maxPacket || len(payload) == 0 {
		return
	}
	ahead, behind := int16(seq-j.next), int16(seq-j.next)
	if j.played {
		behind = int16(seq - j.floor)
	}
	switch {
	case !j.started || behind < -maxMisorder:
		j.reset()
		j.started, j.played, j.next = true, false, seq
	case j.played && behind < 0:
		return
	case ahead >= jitterSlots:
		j.reset()
		j.next = seq
	case ahead < 0:
		if !j.filling || j.span(seq) >= jitterSlots {
			return
		}
		j.next = seq
	}
	s := &j.slots[seq%jitterSlots]
	if s.used {
		return
	}
	s.used, s.seq, s.size = true, seq, copy(s.data[:], payload)
	j.count++
	for j.count > jitterMost {
		j.leaveOut()
	}
}

// span returns how far apart seq and the newest number held are.
func (j *jitterBuffer) span(seq uint16) int {
	most := 0
	for i := range j.slots {
		if s := &j.slots[i]; s.used {
			most = max(most, int(int16(s.seq-seq)))
		}
	}
	return most
}

func (j *jitterBuffer) reset() {
	for i := range j.slots {
		j.slots[i].used = false
	}
	j.count, j.filling = 0, true
}

// leaveOut drops the packet that was to be played next, if it is there.
func (j *jitterBuffer) leaveOut() {
	s := &j.slots[j.next%jitterSlots]
	if s.used {
		s.used = false
		j.count--
	}
	j.next++
}

// A playout is what a jitter buffer has for the moment.
type playout uint8

const (
	nothing playout = iota // it is filling, or has run empty
	packet
	missing // a later packet is here, this one is not
)

// pop returns what is to be played now. The payload is valid until the next
// push.
func (j *jitterBuffer) pop() (playout, []byte) {
	if j.count == 0 {
		return nothing, nil
	}
	if j.filling {
		if j.count < jitterTarget {
			return nothing, nil
		}
		j.filling = false
		for !j.slots[j.next%jitterSlots].used {
			j.next++
		}
	}
	s := &j.slots[j.next%jitterSlots]
	j.next++
	if !s.used {
		return missing, nil
	}
	s.used = false
	j.count--
	j.played, j.floor = true, j.next
	return packet, s.data[:s.size]
}

// starve notes that the source fell silent: it begins anew with some reserve.
func (j *jitterBuffer) starve() { j.filling = true }
