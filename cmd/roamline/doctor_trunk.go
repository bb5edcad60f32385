package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// probeFor is how long a gateway has for its answer: T1 doubled a few times
// (RFC 3261 section 17.1.2.1).
const (
	probeFor   = 4 * time.Second
	probeFirst = 500 * time.Millisecond // T1
	maxProbes  = 8                      // at the same time
	maxLine    = 4096
)

// checkTrunks sends OPTIONS (RFC 3261 section 11) to every gateway of every
// trunk that is in use, from a port of its own.
func checkTrunks(ctx context.Context, p *patient) []finding {
	if p.api == nil {
		return nil
	}
	trunks, err := p.api.all(ctx, "/trunks", nil)
	if err != nil {
		return []finding{fail("trunk", err.Error(), "See the line on the database")}
	}
	if len(trunks) == 0 {
		return []finding{warn("trunk", "there is none: no call comes from outside or goes there", "roamline trunk add NAME --gateway HOST")}
	}
	type probe struct {
		name    string
		gateway record
	}
	var all []probe
	for _, t := range trunks {
		gateways, _ := t["gateways"].([]any)
		for _, g := range gateways {
			if one, is := g.(record); is && t["enabled"] == true {
				all = append(all, probe{str(t, "name"), one})
			}
		}
	}
	found := make([]finding, len(all))
	var wait sync.WaitGroup
	room := make(chan struct{}, maxProbes)
	for i, one := range all {
		wait.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			found[i] = checkGateway(ctx, one.name, one.gateway)
		})
	}
	wait.Wait()
	return append(found, registrations(ctx, p)...)
}

// registrations passes on what the running server knows that a probe can't.
func registrations(ctx context.Context, p *patient) []finding {
	if !p.running {
		return nil
	}
	states, err := p.api.all(ctx, "/trunks/status", nil)
	if err != nil {
		return []finding{fail("trunk", err.Error(), "See the server's log")}
	}
	var found []finding
	for _, t := range states {
		if e := str(t, "error"); e != "" {
			found = append(found, fail("trunk", str(t, "trunkName")+": "+e, "See: roamline trunk show "+strconv.Quote(str(t, "trunkName"))))
		}
	}
	return found
}

func checkGateway(ctx context.Context, trunk string, g record) finding {
	transport := str(g, "transport")
	port, _ := g["port"].(float64)
	if port == 0 {
		port = 5060
		if transport == "tls" {
			port = 5061
		}
	}
	address := net.JoinHostPort(str(g, "host"), strconv.Itoa(int(port)))
	name := fmt.Sprintf("%s: %s over %s", trunk, address, strings.ToUpper(transport))
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	start := time.Now()
	status, err := options(ctx, transport, address)
	if err != nil {
		return fail("trunk", name+" does not answer: "+err.Error(), "See that the address is right, that a firewall lets SIP through, and that the carrier knows our address")
	}
	// Any final answer shows that SIP is spoken there; a stranger is often refused.
	return ok("trunk", "%s answers %s in %s", name, status, time.Since(start).Round(time.Millisecond))
}

// options sends one OPTIONS request and returns the status line's code and
// reason. Over UDP it is repeated until ctx ends.
func options(ctx context.Context, transport, address string) (status string, err error) {
	var c net.Conn
	switch transport {
	case "udp", "tcp":
		c, err = new(net.Dialer).DialContext(ctx, transport, address)
	case "tls":
		c, err = new(tls.Dialer).DialContext(ctx, "tcp", address)
	default:
		err = errors.New("unknown transport " + transport)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return "", errors.New("nothing listens there")
	}
	if err != nil {
		return "", err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()

	request := optionsRequest(strings.ToUpper(transport), address, c.LocalAddr().String())
	if _, err := c.Write(request); err != nil {
		return "", err
	}
	if transport == "udp" {
		go func() {
			for after := probeFirst; ; after *= 2 {
				select {
				case <-ctx.Done():
					return
				case <-time.After(after):
					c.Write(request)
				}
			}
		}()
	}
	line, err := bufio.NewReaderSize(c, maxLine).ReadSlice('\n')
	switch {
	case ctx.Err() != nil:
		return "", errors.New("no answer within " + probeFor.String())
	case errors.Is(err, syscall.ECONNREFUSED): // by ICMP, for UDP
		return "", errors.New("nothing listens there")
	case err != nil:
		return "", err
	}
	status, found := strings.CutPrefix(strings.TrimSpace(string(line)), "SIP/2.0 ")
	if !found {
		return "", errors.New("what answers there does not speak SIP")
	}
	return status, nil
}

func optionsRequest(transport, to, from string) []byte {
	return fmt.Appendf(nil, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"+
		"From: <sip:doctor@%s>;tag=%s\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContact: <sip:doctor@%s>\r\n"+
		"User-Agent: roamline doctor\r\nContent-Length: 0\r\n\r\n", to, transport, from, rand.Text(), from, rand.Text()[:8], to, rand.Text(), from)
}
