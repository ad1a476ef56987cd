//go:build tools

// Package tools pins promtool by import, so that `go mod tidy` keeps go.mod and
// go.sum complete. It is never compiled: scripts/control-plane/build.ts builds
// the imported command itself.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
