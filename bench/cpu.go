package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of /proc, the same on every Linux.
const tick = 0.01 // seconds

// cpuTime is processor time in seconds.
type cpuTime struct {
	at        time.Time
	busy, own float64 // of the whole machine; of the driver and its children
}

func readCPU(children []*child) (cpuTime, error) {
	t := cpuTime{at: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t, err
	}
	if t.busy, err = parseBusy(string(stat)); err != nil {
		return t, err
	}
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return t, err
	}
	t.own = time.Duration(self.Utime.Nano() + self.Stime.Nano()).Seconds()
	for _, c := range children {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
		if err != nil {
			continue // it has died, which its next answer will tell
		}
		used, err := parseUsed(string(stat))
		if err != nil {
			return t, err
		}
		t.own += used
	}
	return t, nil
}

// foreign is how many cores other processes used between two times, or the
// host took away, in excess of what the ticks leave uncertain.
func foreign(before, after cpuTime) float64 {
	const uncertain = 3 * tick
	took := after.at.Sub(before.at).Seconds()
	return max(0, (after.busy-before.busy-(after.own-before.own)-uncertain)/took)
}

// parseBusy reads the first line of /proc/stat: user, nice, system, idle,
// iowait, irq, softirq and steal.
func parseBusy(stat string) (float64, error) {
	line, _, _ := strings.Cut(stat, "\n")
	words := strings.Fields(line)
	if len(words) < 9 {
		return 0, fmt.Errorf("/proc/stat: %.80q", line)
	}
	sum := 0
	for i, word := range words[1:9] {
		n, err := strconv.Atoi(word)
		if err != nil {
			return 0, fmt.Errorf("/proc/stat: %w", err)
		}
		if i != 3 && i != 4 {
			sum += n
		}
	}
	return float64(sum) * tick, nil
}

// parseUsed reads user and system time from /proc/PID/stat, fields 14 and 15.
// The second field is a name in parentheses, which may hold anything.
func parseUsed(stat string) (float64, error) {
	words := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(words) < 13 {
		return 0, fmt.Errorf("/proc/PID/stat: %.80q", stat)
	}
	user, err := strconv.Atoi(words[11])
	if err != nil {
		return 0, fmt.Errorf("/proc/PID/stat: %w", err)
	}
	system, err := strconv.Atoi(words[12])
	if err != nil {
		return 0, fmt.Errorf("/proc/PID/stat: %w", err)
	}
	return float64(user+system) * tick, nil
}
