package voice

import (
	"os"
	"runtime"
	"sync"
)

// Go runs at most GOMAXPROCS threads of Go code at a time. A media thread that
// holds one of these places all the time would leave the rest of the program
// short of one, and where none is idle the runtime takes the place from the
// thread in each of its waits and has it queue for it afterwards: a fifth of
// the processor's time at 200 calls (docs/voice.md). Hence each media thread
// brings a place of its own.
var spare struct {
	mu      sync.Mutex
	threads int // of all engines
	before  int // GOMAXPROCS without them
}

// raiseProcs adds a place for each of n media threads. lowerProcs takes them
// away again, and restores what was before the first. The environment's
// GOMAXPROCS is the administrator's word and is not touched. Both stop the
// world for a moment. Meanwhile the runtime does not follow a change of a
// container's processor limit.
func raiseProcs(n int) { changeProcs(n) }

func lowerProcs(n int) { changeProcs(-n) }

func changeProcs(n int) {
	spare.mu.Lock()
	defer spare.mu.Unlock()
	if spare.threads == 0 {
		spare.before = runtime.GOMAXPROCS(0)
	}
	spare.threads += n
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(spare.before + spare.threads)
	}
}

// mayKeepProc reports whether media threads may keep their places while they
// wait for packets: there must be more places than media threads.
func mayKeepProc() bool {
	spare.mu.Lock()
	defer spare.mu.Unlock()
	return runtime.GOMAXPROCS(0) > spare.threads
}
