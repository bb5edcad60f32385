package ua

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A clientTx is a request that waits for its answer (RFC 3261 section 17.1).
type clientTx struct {
	a    *Agent
	key  string
	to   string
	req  *sip.Request
	take func(*sip.Response) // called for each response, in order

	mu    sync.Mutex
	stops []func()
	final bool
}

// start sends req and gives every answer to take; a made-up 408 if none comes.
func (a *Agent) start(to string, req *sip.Request, take func(*sip.Response)) (*clientTx, error) {
	tx := &clientTx{a: a, key: branch(req) + " " + string(req.Method), to: to, req: req, take: take}
	a.mu.Lock()
	if a.closed || len(a.clients) >= most {
		a.mu.Unlock()
		return nil, ErrClosed
	}
	a.clients[tx.key] = tx
	a.mu.Unlock()
	raw := []byte(req.String())
	limit := t2
	if req.IsInvite() {
		limit = life
	}
	tx.mu.Lock() // an answer waits until the timers that it stops are there
	defer tx.mu.Unlock()
	a.sendRaw(to, raw)
	if !a.reliable() {
		tx.stops = append(tx.stops, repeat(limit, func() { a.sendRaw(to, raw) }))
	}
	tx.stops = append(tx.stops, after(life, func() {
		tx.fail(408, "Request Timeout")
		a.drop(tx)
	}))
	return tx, nil
}

func (tx *clientTx) stop() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	for _, f := range tx.stops {
		f()
	}
	tx.stops = nil
}

// fail makes up a final answer, unless there was one.
func (tx *clientTx) fail(status int, reason string) {
	tx.mu.Lock()
	was := tx.final
	tx.final = true
	tx.mu.Unlock()
	if !was {
		tx.take(sip.NewResponseFromRequest(tx.req, status, reason, nil))
	}
}

func (a *Agent) drop(tx *clientTx) {
	tx.stop()
	a.mu.Lock()
	delete(a.clients, tx.key)
	a.mu.Unlock()
}

func (a *Agent) response(res *sip.Response) {
	b, _ := res.Via().Params.Get("branch")
	a.mu.Lock()
	tx := a.clients[b+" "+string(res.CSeq().MethodName)]
	a.mu.Unlock()
	if tx == nil {
		return
	}
	tx.stop() // a provisional answer ends the repeating, ours never waits 32 s more
	if res.StatusCode < 200 {
		if !tx.req.IsInvite() {
			tx.mu.Lock()
			tx.stops = append(tx.stops, after(life, func() { tx.fail(408, "Request Timeout"); a.drop(tx) }))
			tx.mu.Unlock()
		}
		tx.take(res)
		return
	}
	tx.mu.Lock()
	first := !tx.final
	tx.final = true
	linger := tx.req.IsInvite() && (!a.reliable() || res.StatusCode < 300)
	if linger { // for repeated final answers (section 17.1.1.2, RFC 6026 section 8.1)
		tx.stops = append(tx.stops, after(life, func() { a.drop(tx) }))
	}
	tx.mu.Unlock()
	if !linger {
		a.drop(tx)
	}
	if tx.req.IsInvite() && res.StatusCode >= 300 {
		a.send(tx.to, ackFailure(tx.req, res))
	}
	if first || tx.req.IsInvite() && res.StatusCode < 300 {
		tx.take(res)
	}
}

// ackFailure makes the ACK of a final answer other than 2xx: in the INVITE's own
// transaction (section 17.1.1.3).
func ackFailure(invite *sip.Request, res *sip.Response) *sip.Request {
	ack := sip.NewRequest(sip.ACK, invite.Recipient)
	ack.AppendHeader(sip.HeaderClone(invite.Via()))
	hops := sip.MaxForwardsHeader(70)
	ack.AppendHeader(&hops)
	ack.AppendHeader(sip.HeaderClone(invite.From()))
	ack.AppendHeader(sip.HeaderClone(res.To()))
	ack.AppendHeader(sip.HeaderClone(invite.CallID()))
	ack.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
	for _, r := range invite.GetHeaders("Route") {
		ack.AppendHeader(sip.HeaderClone(r))
	}
	ack.SetBody(nil)
	return ack
}

// A serverTx is a request that we answer (section 17.2).
type serverTx struct {
	a    *Agent
	req  *sip.Request
	d    *Dialog // of an INVITE
	mu   sync.Mutex
	last []byte // what is sent again when the request is
	done bool   // a final answer was given
	end  []func()
}

// respond sends res; a final answer is kept and repeated as its kind asks.
func (tx *serverTx) respond(res *sip.Response) {
	if res.ContentLength() == nil {
		res.SetBody(res.Body())
	}
	if tx.a.opt.Agent != "" {
		res.AppendHeader(sip.NewHeader("Server", tx.a.opt.Agent))
	}
	raw := []byte(res.String())
	to := tx.req.Source()
	tx.mu.Lock()
	if tx.done {
		tx.mu.Unlock()
		return
	}
	tx.last = raw
	if res.StatusCode >= 200 {
		tx.done = true
		again := func() { tx.a.sendRaw(to, raw) }
		switch {
		case tx.req.IsInvite() && res.StatusCode < 300: // section 13.3.1.4: over every transport
			tx.end = append(tx.end, repeat(t2, again))
			if d := tx.d; d != nil {
				tx.end = append(tx.end, after(life, d.unacknowledged))
			}
		case tx.req.IsInvite() && !tx.a.reliable():
			tx.end = append(tx.end, repeat(t2, again))
		}
		tx.end = append(tx.end, after(life+time.Second, func() { tx.a.dropServer(tx) }))
	}
	tx.mu.Unlock()
	tx.a.sendRaw(to, raw)
}

// stop ends the repeating: the answer was acknowledged.
func (tx *serverTx) stop() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	for _, f := range tx.end {
		f()
	}
	tx.end = nil
}

func (a *Agent) dropServer(tx *serverTx) {
	tx.stop()
	a.mu.Lock()
	delete(a.servers, serverKey(tx.req))
	a.mu.Unlock()
}

func serverKey(req *sip.Request) string {
	return branch(req) + " " + req.Via().Host + " " + string(req.Method)
}

func branch(req *sip.Request) string {
	b, _ := req.Via().Params.Get("branch")
	return b
}

// repeat calls f after 500 ms, then after twice as long each time up to limit,
// until it is stopped or 32 s have passed.
func repeat(limit time.Duration, f func()) (stop func()) {
	var stopped atomic.Bool
	wait, total := t1, time.Duration(0)
	var fire func()
	fire = func() {
		if stopped.Load() {
			return
		}
		f()
		total += wait
		if wait = min(2*wait, limit); total+wait <= life {
			time.AfterFunc(wait, fire)
		}
	}
	time.AfterFunc(wait, fire)
	return func() { stopped.Store(true) }
}

func after(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}
