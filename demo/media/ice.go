package media

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// checks are the connectivity checks of a secure path (RFC 8445 section 7).
type checks struct {
	mu       sync.Mutex
	open     map[[stun.TransactionIDSize]byte]netip.AddrPort // asked, not answered; at most 256
	answered chan netip.AddrPort
}

// nominate asks every candidate until one answers, and nominates that one
// (section 8.1.1). To nominate them all at once would leave the far end with the
// last that reached it, and its packets would come from there.
func (p *secure) nominate(ctx context.Context) error {
	p.mu.Lock()
	far := p.far
	p.mu.Unlock()
	if len(far.candidates) == 0 {
		far.candidates = append(far.candidates, far.addr)
	}
	chosen, err := p.ask(ctx, far.candidates, false)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.chosen = chosen
	p.mu.Unlock()
	_, err = p.ask(ctx, []netip.AddrPort{chosen}, true)
	return err
}

// ask checks candidates again and again until one of them answers.
func (p *secure) ask(ctx context.Context, candidates []netip.AddrPort, use bool) (netip.AddrPort, error) {
	tick := time.NewTicker(50 * time.Millisecond) // Ta (section 14.2)
	defer tick.Stop()
	for {
		for _, c := range candidates {
			p.check(c, use)
		}
	wait:
		for {
			select {
			case addr := <-p.ice.answered:
				if slices.Contains(candidates, addr) {
					return addr, nil
				}
			case <-tick.C:
				break wait
			case <-ctx.Done():
				return netip.AddrPort{}, errors.New("media: ICE: no candidate of the far end answered")
			}
		}
	}
}

// keepConsent asks on every five seconds (RFC 7675 section 5.1).
func (p *secure) keepConsent() {
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			to := p.chosen
			p.mu.Unlock()
			p.check(to, true)
		case <-p.ice.answered:
		case <-p.life.Done():
			return
		}
	}
}

// check sends one Binding request; use nominates the pair.
func (p *secure) check(to netip.AddrPort, use bool) {
	const hostPriority = 110<<24 | 65535<<8 | 255 // peer-reflexive (section 7.1.1)
	var priority [4]byte
	binary.BigEndian.PutUint32(priority[:], hostPriority)
	set := []stun.Setter{stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.far.ufrag + ":" + p.ufrag),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte(p.pwd[:8])},
		stun.RawAttribute{Type: stun.AttrPriority, Value: priority[:]}}
	if use {
		set = append(set, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	m, err := stun.Build(append(set, stun.NewShortTermIntegrity(p.far.pwd), stun.Fingerprint)...)
	if err != nil {
		return
	}
	p.ice.mu.Lock()
	if p.ice.open == nil || len(p.ice.open) >= 256 {
		p.ice.open = map[[stun.TransactionIDSize]byte]netip.AddrPort{}
	}
	p.ice.open[m.TransactionID] = to
	p.ice.mu.Unlock()
	p.conn.WriteToUDPAddrPort(m.Raw, to)
}

// stun takes answers to our checks, and answers those of the far end.
func (p *secure) stun(packet []byte, from netip.AddrPort) {
	m := stun.New()
	if stun.Decode(packet, m) != nil {
		return
	}
	switch m.Type {
	case stun.BindingSuccess:
		p.mu.Lock()
		pwd := p.far.pwd
		p.mu.Unlock()
		p.ice.mu.Lock()
		to, ok := p.ice.open[m.TransactionID]
		delete(p.ice.open, m.TransactionID)
		p.ice.mu.Unlock()
		if ok && to == from && stun.NewShortTermIntegrity(pwd).Check(m) == nil { // symmetric (section 7.2.5.2.1)
			select {
			case p.ice.answered <- from:
			default:
			}
		}
	case stun.BindingRequest:
		own := stun.NewShortTermIntegrity(p.pwd)
		if own.Check(m) != nil {
			return
		}
		addr := stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}
		if res, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess, &addr, own, stun.Fingerprint); err == nil {
			p.conn.WriteToUDPAddrPort(res.Raw, from)
		}
	}
}
