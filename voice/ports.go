package voice

import (
	"math/rand/v2"
	"net/netip"
	"sync"

	"github.com/roamline/roamline"
)

// ports hands out pairs of an even port and the next odd one, from a random
// place on, so that a port that was just given back rests.
type ports struct {
	low   int // even
	pairs int
	mu    sync.Mutex
	taken map[int]bool // by pair; at most pairs entries
	next  int
}

func newPorts(low, high int) *ports {
	low += low & 1
	n := max((high-low+1)/2, 0)
	p := &ports{low: low, pairs: n, taken: map[int]bool{}}
	if n > 0 {
		p.next = rand.IntN(n)
	}
	return p
}

// open binds a pair at ip. Pairs that somebody else holds are passed over;
// Exhausted if none is left.
func (p *ports) open(ip netip.Addr) (rtp, rtcp *socket, err error) {
	for range p.pairs {
		pair, ok := p.reserve()
		if !ok {
			break
		}
		port := uint16(p.low + 2*pair)
		if rtp, err = openSocket(netip.AddrPortFrom(ip, port), false); err == nil {
			if rtcp, err = openSocket(netip.AddrPortFrom(ip, port+1), false); err == nil {
				return rtp, rtcp, nil
			}
			rtp.close()
		}
		p.release(int(port))
		if !inUse(err) {
			return nil, nil, &roamline.Error{Op: "voice.Open", Kind: roamline.Unavailable, Of: ip.String(), Err: err}
		}
	}
	return nil, nil, &roamline.Error{Op: "voice.Open", Kind: roamline.Exhausted, Of: "RTP ports"}
}

func (p *ports) reserve() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.pairs {
		pair := p.next
		p.next = (p.next + 1) % p.pairs
		if !p.taken[pair] {
			p.taken[pair] = true
			return pair, true
		}
	}
	return 0, false
}

func (p *ports) release(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, (port-p.low)/2)
}
