package main

import (
	"runtime"
	"runtime/debug"

	"github.com/roamline/roamline/server"
)

// versionText returns what the linker wrote (-X .../server.Version=...), else
// what the Go tool knows.
func versionText() string {
	info, ok := debug.ReadBuildInfo()
	if v := server.Version; v != "development" || !ok || info.Main.Version == "" {
		return v
	}
	return info.Main.Version
}

type versionCmd struct{}

// Run prints the version.
func (c *versionCmd) Run(w *world) error {
	return w.done(record{"version": versionText(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH},
		"roamline %s (%s, %s/%s)", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
