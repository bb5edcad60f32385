package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A gate passes connections on to the server from an address of their own each
// (see own), as the load generator can't.
type gate struct {
	listener net.Listener
	to       string
	next     atomic.Int64
	work     sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool // nil: closed
}

func openGate(to string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, to: to, open: map[net.Conn]bool{}}
	g.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.work.Go(func() { g.pass(c) })
		}
	})
	return g, nil
}

func (g *gate) addr() string { return g.listener.Addr().String() }

// pass carries bytes both ways until either end closes.
func (g *gate) pass(c net.Conn) {
	defer c.Close()
	s, err := (&net.Dialer{LocalAddr: own(int(g.next.Add(1)-1) % 1000), Timeout: time.Second}).Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer s.Close()
	g.mu.Lock()
	if g.open == nil {
		g.mu.Unlock()
		return
	}
	g.open[c] = true
	g.mu.Unlock()
	g.work.Go(func() {
		io.Copy(s, c)
		s.Close()
	})
	io.Copy(c, s)
	g.mu.Lock()
	delete(g.open, c)
	g.mu.Unlock()
}

func (g *gate) close() error {
	err := g.listener.Close()
	g.mu.Lock()
	for c := range g.open {
		err = errors.Join(err, c.Close())
	}
	g.open = nil
	g.mu.Unlock()
	g.work.Wait()
	return err
}
