// Package convert moves models between Sluice and other systems, exactly or not
// at all.
package convert
