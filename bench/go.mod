module sluice/bench

go 1.26.0

require sluice v0.0.0

require (
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.28.0 // indirect
)

replace sluice => ../
