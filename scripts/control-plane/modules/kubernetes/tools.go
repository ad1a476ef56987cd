//go:build tools

// Package tools pins the Kubernetes commands by import, so that `go mod tidy`
// keeps go.mod and go.sum complete. It is never compiled: scripts/control-plane/build.ts
// builds the imported commands themselves.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
