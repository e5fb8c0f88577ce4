package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"sluice/model"
)

const windows = runtime.GOOS == "windows"

type versionCmd struct{}

// Run prints the version of the program, of Go and of the model files.
func (versionCmd) Run(e *env) error {
	version, revision := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		settings := map[string]string{}
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
		if r := settings["vcs.revision"]; r != "" {
			revision = ", revision " + r[:min(12, len(r))]
			if settings["vcs.modified"] == "true" {
				revision += " with changes"
			}
		}
	}
	_, err := fmt.Fprintf(e.stdout, "sluice %s%s\n%s %s/%s, model files of version %s\n",
		version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, model.FormatVersion)
	return err
}
