// Package metrics scores what a model predicts against what is true: spans of
// tags, classes, and forecasts. It also makes the forecasts that need no model, to
// be held against.
//
// Scores of spans and classes are from 0 to 1, and 0 where they would be a quotient
// of nothing by nothing. Those of forecasts are in units of the values, and NaN of
// nothing.
package metrics
