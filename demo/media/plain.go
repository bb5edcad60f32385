package media

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// A path carries packets to the far end and gives those that arrive to the
// session that opened it.
type path interface {
	describe(d *description, offer bool)
	connect(far description) error
	ready() <-chan struct{} // closed when packets can be sent
	broken() error          // why it never will be
	send(packet []byte, rtcp bool) error
	close()
}

// plain is RTP on one UDP port and RTCP on the next (RFC 3550 section 11).
type plain struct {
	rtp, rtcp *net.UDPConn
	take      func(packet []byte, rtcp bool, at time.Time)
	foreign   func()
	readers   sync.WaitGroup
	can       chan struct{}
	once      sync.Once
	mu        sync.Mutex
	far       description
	keys      *sdes // nil: not encrypted
}

func openPlain(host netip.Addr, keys *sdes, take func([]byte, bool, time.Time), foreign func()) (path, error) {
	for range 64 {
		rtp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
		if err != nil {
			return nil, fmt.Errorf("media: RTP port: %w", err)
		}
		port := rtp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if port%2 == 1 || port == 65534 {
			rtp.Close()
			continue
		}
		rtcp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, port+1)))
		if err != nil {
			rtp.Close()
			continue
		}
		p := &plain{rtp: rtp, rtcp: rtcp, take: take, foreign: foreign, can: make(chan struct{}), keys: keys}
		p.readers.Go(func() { p.read(rtp, false) })
		p.readers.Go(func() { p.read(rtcp, true) })
		return p, nil
	}
	return nil, fmt.Errorf("media: no free pair of ports at %s", host)
}

func (p *plain) describe(d *description, _ bool) {
	d.proto = plainProto
	if p.keys != nil {
		p.mu.Lock()
		d.proto, d.crypto = sdesProto, p.keys.ours()
		p.mu.Unlock()
	}
	d.addr = p.rtp.LocalAddr().(*net.UDPAddr).AddrPort()
	d.rtcp = p.rtcp.LocalAddr().(*net.UDPAddr).AddrPort()
}

func (p *plain) connect(far description) error {
	own := plainProto
	if p.keys != nil {
		own = sdesProto
	}
	if far.proto != own {
		return fmt.Errorf("media: the far end wants %s, not %s", far.proto, own)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys != nil {
		if err := p.keys.agree(far.crypto); err != nil {
			return err
		}
	}
	p.far = far
	p.once.Do(func() { close(p.can) })
	return nil
}

func (p *plain) broken() error { return nil }

func (p *plain) ready() <-chan struct{} { return p.can }

func (p *plain) send(packet []byte, rtcp bool) (err error) {
	p.mu.Lock()
	far := p.far
	if p.keys != nil {
		packet, err = p.keys.seal(packet, rtcp)
	}
	p.mu.Unlock()
	if err != nil {
		return err
	}
	if rtcp {
		_, err = p.rtcp.WriteToUDPAddrPort(packet, far.rtcp)
		return err
	}
	_, err = p.rtp.WriteToUDPAddrPort(packet, far.addr)
	return err
}

// read takes packets of the negotiated far end only.
func (p *plain) read(conn *net.UDPConn, rtcp bool) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		at := time.Now()
		if err != nil {
			if isClosed(err) {
				return
			}
			continue // a port unreachable from an earlier send
		}
		p.mu.Lock()
		want := p.far.addr
		if rtcp {
			want = p.far.rtcp
		}
		p.mu.Unlock()
		if !want.IsValid() { // it is faster than its answer
			continue
		}
		if netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) != want {
			p.foreign()
			continue
		}
		packet := buf[:n]
		if p.keys != nil {
			p.mu.Lock()
			packet, err = p.keys.unseal(packet, rtcp)
			p.mu.Unlock()
			if err != nil {
				p.foreign()
				continue
			}
		}
		p.take(packet, rtcp, at)
	}
}

func (p *plain) close() {
	p.rtp.Close()
	p.rtcp.Close()
	p.readers.Wait()
}
