// Package metrics scores what a model says against what is so: spans of tags,
// and classes. Scores are from 0 to 1, and 0 where they would be a quotient of
// nothing by nothing.
package metrics
