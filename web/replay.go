package web

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxProofs is how many proofs are remembered in one period of two windows.
// Each costs about 40 bytes.
const maxProofs = 200_000

// replays remembers proofs for as long as they could be used again. Two
// periods are kept: when one is over it becomes the earlier one, and what was
// the earlier one is forgotten as a whole.
type replays struct {
	mu           sync.Mutex
	most         int
	since        time.Time
	now, earlier map[[16]byte]struct{}
}

func newReplays(most int) *replays {
	return &replays{most: most, now: map[[16]byte]struct{}{}}
}

// use remembers a proof. fresh: it was not seen before. room is false, and the
// proof not used, when too many are remembered: to forget one early would let
// it be used twice.
func (s *replays) use(key, jti string, now time.Time) (fresh, room bool) {
	sum := sha256.Sum256([]byte(key + "\x00" + jti))
	id := [16]byte(sum[:16])
	s.mu.Lock()
	defer s.mu.Unlock()
	// A proof is good from a window before its iat to a window after it.
	if age := now.Sub(s.since); age >= 2*proofWindow {
		s.earlier = s.now
		if age >= 4*proofWindow {
			s.earlier = nil
		}
		s.now, s.since = map[[16]byte]struct{}{}, now
	}
	if _, seen := s.now[id]; seen {
		return false, true
	}
	if _, seen := s.earlier[id]; seen {
		return false, true
	}
	if len(s.now) >= s.most {
		return false, false
	}
	s.now[id] = struct{}{}
	return true, true
}
