package voice

import (
	"encoding/binary"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is needed of linux/io_uring.h. Names are the kernel's, without IORING.
const (
	ringSetupCQSize       = 1 << 3
	ringSetupDisabled     = 1 << 6
	ringSetupSubmitAll    = 1 << 7
	ringSetupSingleIssuer = 1 << 12
	ringSetupDeferTaskrun = 1 << 13 // Linux 6.1: with it comes all else that we use

	ringFeatSingleMmap = 1 << 0
	ringFeatNoIowait   = 1 << 17

	ringEnterGetEvents = 1 << 0
	ringEnterExtArg    = 1 << 3
	ringEnterNoIowait  = 1 << 7

	ringOffSQEs = 0x10000000

	ringRegisterEnable    = 12
	ringRegisterBufferSet = 22

	ringOpNop         = 0
	ringOpPollAdd     = 6
	ringOpSendmsg     = 9
	ringOpRecvmsg     = 10
	ringOpAsyncCancel = 14
	ringOpSend        = 26

	ringPollMulti    = 1 << 0
	ringRecvMulti    = 1 << 1
	ringCancelAll    = 1 << 0
	ringCancelAny    = 1 << 2
	ringBufferSelect = 1 << 5 // sqe.flags
	ringSkipSuccess  = 1 << 6 // sqe.flags: nothing is said of what went well

	ringHasBuffer = 1 << 0 // cqe.flags
	ringMore      = 1 << 1 // cqe.flags: the request goes on
)

// A ringEntry asks the kernel for something (struct io_uring_sqe).
type ringEntry struct {
	op, flags   uint8
	prio        uint16
	fd          int32
	off         uint64
	addr        uint64
	len         uint32
	opFlags     uint32
	data        uint64 // returned with what came of it
	bufferGroup uint16
	_           uint16
	addrLen     uint16
	_           uint16
	_           [2]uint64
}

// A ringResult is what came of it (struct io_uring_cqe).
type ringResult struct {
	data  uint64
	res   int32 // or -errno
	flags uint32
}

type ringParams struct {
	sqEntries, cqEntries, flags, _, _, features, _ uint32
	_                                              [3]uint32
	sq                                             struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// A ring is a pair of queues shared with the kernel (io_uring(7)) and a set of
// buffers for what is received. After enable it belongs to one thread of the
// operating system: it alone calls the other methods.
//
// Who may touch what. All that the kernel writes to while we do not wait (the
// queues, the receive buffers) is mapped memory outside of Go's heap, and stays
// until free. An entry's own memory (addresses, control messages, packets to be
// sent) is read by the kernel within enter only, since we ask for nothing that
// would be tried again later: until the enter that submits it, it must not move
// or change, so it is a part of something on the heap that we hold. A receive
// buffer is ours from the result that names it until give.
type ring struct {
	fd       int
	features uint32
	mem      []byte // both queues
	entryMem []byte
	bufMem   []byte // the set's list, then the buffers

	head, tail     *uint32 // of the results
	next           *uint32 // tail of the entries, for the kernel
	results        []ringResult
	entries        []ringEntry
	filled, queued uint32 // entries ever, and those the kernel has not taken
	given          uint16 // buffers ever given
	wait           ringWait
	limit          unix.Timespec
}

type ringWait struct {
	_, _ uint64 // no signal mask
	at   uint64 // address of a timespec
}

const (
	ringEntries = 256
	ringResults = 4096
	ringBuffers = 512 // of bufferSize each: 1 MB
	ringList    = ringBuffers * 16
)

// newRing makes a ring that does nothing until enable.
func newRing() (*ring, error) {
	p := ringParams{cqEntries: ringResults,
		flags: ringSetupCQSize | ringSetupDisabled | ringSetupSubmitAll | ringSetupSingleIssuer | ringSetupDeferTaskrun}
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, ringEntries, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, os.NewSyscallError("io_uring_setup", errno)
	}
	unix.CloseOnExec(int(fd))
	r := &ring{fd: int(fd), features: p.features}
	if err := r.mapQueues(&p); err != nil {
		r.free()
		return nil, err
	}
	if err := r.mapBuffers(); err != nil {
		r.free()
		return nil, err
	}
	r.wait.at = uint64(uintptr(unsafe.Pointer(&r.limit)))
	return r, nil
}

func (r *ring) mapQueues(p *ringParams) (err error) {
	if p.features&ringFeatSingleMmap == 0 {
		return os.NewSyscallError("io_uring_setup", unix.ENOSYS)
	}
	size := max(p.sq.array+4*p.sqEntries, p.cq.cqes+uint32(unsafe.Sizeof(ringResult{}))*p.cqEntries)
	if r.mem, err = unix.Mmap(r.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	size = uint32(unsafe.Sizeof(ringEntry{})) * p.sqEntries
	if r.entryMem, err = unix.Mmap(r.fd, ringOffSQEs, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		return os.NewSyscallError("mmap", err)
	}
	word := func(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&r.mem[off])) }
	r.head, r.tail, r.next = word(p.cq.head), word(p.cq.tail), word(p.sq.tail)
	r.results = unsafe.Slice((*ringResult)(unsafe.Pointer(&r.mem[p.cq.cqes])), p.cqEntries)
	r.entries = unsafe.Slice((*ringEntry)(unsafe.Pointer(&r.entryMem[0])), p.sqEntries)
	// Entries are used in their order.
	for i := range p.sqEntries {
		*word(p.sq.array + 4*i) = i
	}
	return nil
}

// mapBuffers registers the set of receive buffers, number 0.
func (r *ring) mapBuffers() (err error) {
	r.bufMem, err = unix.Mmap(-1, 0, ringList+ringBuffers*bufferSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	set := struct {
		addr       uint64
		entries    uint32
		group, how uint16
		_          [3]uint64
	}{addr: uint64(uintptr(unsafe.Pointer(&r.bufMem[0]))), entries: ringBuffers}
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), ringRegisterBufferSet, uintptr(unsafe.Pointer(&set)), 1, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("io_uring_register", errno)
	}
	for i := range ringBuffers {
		r.give(uint16(i))
	}
	r.offer()
	return nil
}

// buffer returns receive buffer i.
func (r *ring) buffer(i uint16) []byte {
	at := ringList + int(i)%ringBuffers*bufferSize
	return r.bufMem[at : at+bufferSize : at+bufferSize]
}

// give hands buffer i back; the kernel sees it after offer. An entry of the
// list is struct io_uring_buf: address, length, number.
func (r *ring) give(i uint16) {
	at := r.bufMem[int(r.given)%ringBuffers*16:]
	b := r.buffer(i)
	binary.NativeEndian.PutUint64(at, uint64(uintptr(unsafe.Pointer(&b[0]))))
	binary.NativeEndian.PutUint32(at[8:], bufferSize)
	binary.NativeEndian.PutUint16(at[12:], i)
	r.given++
}

// offer shows the kernel what was given. The list's tail is the last half of
// the word that begins with the first entry's number; atomic stores of 16 bits
// there are none.
func (r *ring) offer() {
	var w [4]byte
	copy(w[:2], r.bufMem[12:14])
	binary.NativeEndian.PutUint16(w[2:], r.given)
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&r.bufMem[12])), binary.NativeEndian.Uint32(w[:]))
}

// enable makes the calling thread of the operating system the ring's.
func (r *ring) enable() error {
	_, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(r.fd), ringRegisterEnable, 0, 0, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("io_uring_register", errno)
	}
	return nil
}

// entry returns a blank entry, which the next submit or enter submits; nil if
// the kernel takes no more.
func (r *ring) entry() *ringEntry {
	if r.queued == uint32(len(r.entries)) && (r.submit() != nil || r.queued == uint32(len(r.entries))) {
		return nil
	}
	e := &r.entries[r.filled%uint32(len(r.entries))]
	*e = ringEntry{}
	r.filled++
	r.queued++
	return e
}

// submit hands the kernel what was queued. What can be done at once is done
// when it returns.
func (r *ring) submit() error {
	for r.queued > 0 {
		if err := r.enter(0, 0, 0, true); err != nil && err != unix.EINTR {
			return err
		}
	}
	return nil
}

// withdraw makes entries that were not taken, and would send, do nothing; it
// returns how many.
func (r *ring) withdraw() (n uint64) {
	for i := r.filled - r.queued; i != r.filled; i++ {
		if e := &r.entries[i%uint32(len(r.entries))]; e.op == ringOpSend || e.op == ringOpSendmsg {
			*e = ringEntry{op: ringOpNop, flags: ringSkipSuccess, data: e.data}
			n++
		}
	}
	return n
}

// poll is submit, and brings the results that are there.
func (r *ring) poll() error { return r.enter(0, ringEnterGetEvents, 0, true) }

// await is submit, and waits for a result; at most for limit, unless it is
// negative. keep: see netio.
func (r *ring) await(limit time.Duration, keep bool) error {
	if r.pending() {
		return r.poll()
	}
	how := uintptr(ringEnterGetEvents)
	if r.features&ringFeatNoIowait != 0 {
		how |= ringEnterNoIowait // we wait for people, not for a disk
	}
	return r.enter(1, how, limit, keep)
}

func (r *ring) enter(least uint32, how uintptr, limit time.Duration, keep bool) error {
	atomic.StoreUint32(r.next, r.filled)
	var arg unsafe.Pointer
	var size uintptr
	if least > 0 && limit >= 0 {
		r.limit = unix.NsecToTimespec(int64(limit))
		how |= ringEnterExtArg
		arg, size = unsafe.Pointer(&r.wait), unsafe.Sizeof(r.wait)
	}
	var n uintptr
	var errno unix.Errno
	if keep {
		n, _, errno = unix.RawSyscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), uintptr(least), how, uintptr(arg), size)
	} else {
		n, _, errno = unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), uintptr(r.queued), uintptr(least), how, uintptr(arg), size)
	}
	if errno != 0 {
		return errno
	}
	r.queued -= uint32(n)
	return nil
}

// pending reports whether there is a result.
func (r *ring) pending() bool { return atomic.LoadUint32(r.tail) != *r.head }

// take returns the oldest result and removes it; false if there is none.
func (r *ring) take() (c ringResult, ok bool) {
	h := *r.head
	if atomic.LoadUint32(r.tail) == h {
		return c, false
	}
	c = r.results[h%uint32(len(r.results))]
	atomic.StoreUint32(r.head, h+1)
	return c, true
}

// free gives all back; the ring's thread must be done with it.
func (r *ring) free() {
	unix.Close(r.fd)
	for _, m := range [][]byte{r.mem, r.entryMem, r.bufMem} {
		if m != nil {
			unix.Munmap(m)
		}
	}
}
