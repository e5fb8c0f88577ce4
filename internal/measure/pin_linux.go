package measure

import "golang.org/x/sys/unix"

// pin keeps the calling thread on the i-th of the cores that the process may
// use.
func pin(i int) {
	var all, one unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil || all.Count() == 0 {
		return
	}
	i %= all.Count()
	for cpu := 0; ; cpu++ {
		if !all.IsSet(cpu) {
			continue
		}
		if i == 0 {
			one.Set(cpu)
			unix.SchedSetaffinity(0, &one) // best effort: unpinned it is only less exact
			return
		}
		i--
	}
}
