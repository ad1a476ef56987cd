//go:build tools

// Package tools pins Helm by import, so that `go mod tidy` keeps go.mod and
// go.sum complete. It is never compiled: scripts/control-plane/build.ts builds
// the imported command itself.
package tools

import _ "helm.sh/helm/v4/cmd/helm"
