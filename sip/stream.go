package sip

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	writeLimit = 10 * time.Second // for a peer to take what is written
	dialLimit  = 8 * time.Second
)

// ServeTCP takes SIP over TCP from the connections of l until l or the door is
// closed. It closes l.
func (d *Door) ServeTCP(l net.Listener) error { return d.serveStream(l, "tcp") }

// ServeTLS takes SIP over TLS. The listener does the TLS: it is one of
// crypto/tls, or gives connections of which the other end is already decrypted.
func (d *Door) ServeTLS(l net.Listener) error { return d.serveStream(l, "tls") }

func (d *Door) serveStream(l net.Listener, transport string) error {
	if !d.addListener(l, transport) {
		l.Close()
		return net.ErrClosed
	}
	defer d.removeListener(l)
	d.start()
	for {
		conn, err := l.Accept()
		if err != nil {
			if d.isClosed() || errors.Is(err, net.ErrClosed) {
				return net.ErrClosed
			}
			if d.isTransient(err) {
				continue
			}
			return fault1("sip.Serve", l.Addr().String(), err)
		}
		f := newStream(d, transport, addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()), true, nil)
		// A trunk's connections are not counted; it is known by its address.
		if d.trunks.match(f) != nil {
			f.trusted = true
		} else if !d.guests.enter(f, d.opt.GuestLimit) {
			conn.Close()
			continue
		}
		if !d.flows.add(f) {
			conn.Close()
			return net.ErrClosed
		}
		d.spawn(func() { f.write(conn) })
		d.spawn(func() { f.read(conn) })
	}
}

// dial returns a connection to remote: one that is open, or a new one that is
// opened while messages wait in its queue. A failure closes the flow. name is
// what a TLS certificate must be for.
func (d *Door) dial(transport string, remote netip.AddrPort, name string) *flow {
	if f := d.flows.find(transport, remote); f != nil && !f.closed() {
		return f
	}
	ctx, cancel := context.WithTimeout(d.ctx, dialLimit)
	f := newStream(d, transport, netip.AddrPort{}, remote, false, cancel)
	f.trusted = true // we called it
	if !d.flows.add(f) {
		f.shut(errFlowClosed)
		return f
	}
	d.spawn(func() { d.open(ctx, cancel, f, name) })
	return f
}

func (d *Door) open(ctx context.Context, cancel func(), f *flow, name string) {
	defer cancel()
	conn, err := d.opt.Dial(ctx, "tcp", f.remote.String())
	if err == nil && f.transport == "tls" {
		conf := &tls.Config{}
		if d.opt.TLS != nil {
			conf = d.opt.TLS.Clone()
		}
		if conf.ServerName == "" {
			conf.ServerName = name
		}
		secured := tls.Client(conn, conf)
		if err = secured.HandshakeContext(ctx); err != nil {
			conn.Close()
		}
		conn = secured
	}
	if err != nil {
		f.shut(err)
		return
	}
	d.spawn(func() { f.write(conn) })
	f.read(conn)
}

// write empties the queue into conn until the flow is closed, and closes conn
// then.
func (f *flow) write(conn net.Conn) {
	for {
		select {
		case <-f.done:
			f.flush(conn)
			conn.Close()
			return
		case b := <-f.out:
			conn.SetWriteDeadline(time.Now().Add(writeLimit))
			if _, err := conn.Write(b); err != nil {
				f.shut(err)
				conn.Close()
				return
			}
		}
	}
}

// flush writes what was queued before the flow was closed, such as a 400.
func (f *flow) flush(conn net.Conn) {
	conn.SetWriteDeadline(time.Now().Add(time.Second))
	for {
		select {
		case b := <-f.out:
			if _, err := conn.Write(b); err != nil {
				return
			}
		default:
			return
		}
	}
}

// read takes messages from conn until it fails or sends something whose end
// can't be known.
func (f *flow) read(conn io.Reader) {
	r := bufio.NewReaderSize(conn, 4096)
	for {
		t, flt, err := readMessage(r, func() { f.send([]byte("\r\n")) })
		if err != nil {
			f.shut(err)
			return
		}
		if flt == nil {
			flt = t.check()
		}
		if flt != nil {
			f.door.refuseText(f, &t, flt)
			if flt.final {
				f.shut(flt)
				return
			}
			continue
		}
		f.door.deliver(f, &t)
	}
}

// readMessage reads the next message of a stream. pong is called for each
// keepalive (RFC 5626 section 3.5.1). A fault that is not final left the stream
// at the next message.
func readMessage(r *bufio.Reader, pong func()) (text, *fault, error) {
	head, flt, err := readHead(r, pong)
	if err != nil || flt != nil {
		return text{}, flt, err
	}
	t, flt := takeApart(head)
	n, lengthFault := t.bodyLength()
	switch {
	case lengthFault != nil:
		return t, lengthFault, nil
	case n < 0: // RFC 3261 section 18.3: it must be there
		return t, &fault{code: 400, reason: "Missing Content-Length", final: true}, nil
	case n > 0:
		t.body = make([]byte, n)
		if _, err := io.ReadFull(r, t.body); err != nil {
			return t, nil, err
		}
	}
	return t, flt, nil
}

// readHead reads to the empty line after a header.
func readHead(r *bufio.Reader, pong func()) ([]byte, *fault, error) {
	var head []byte
	blank := 0
	for {
		line, err := r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			err = nil
		}
		if err != nil {
			return nil, nil, err
		}
		if len(head) == 0 && (bytes.Equal(line, []byte("\r\n")) || bytes.Equal(line, []byte("\n"))) {
			if blank++; blank == 2 {
				pong()
				blank = 0
			}
			continue
		}
		head = append(head, line...)
		if len(head) > maxHead {
			return nil, &fault{code: 0, reason: "header too long", final: true}, nil
		}
		if bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			return head, nil, nil
		}
	}
}
