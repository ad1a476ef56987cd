// The table of parts: version, Go package, linker flags, what an own binary must be at least, what a build costs.
// Read by everything that finds, builds or starts a part. Must stay plain data, in step with modules/*/go.mod
// (a unit test compares them).
import type { Version } from './version.ts'

export type Part = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl' | 'helm' | 'promtool'

/** Absolute paths of the executables that are there. */
export type Binaries = { readonly [part in Part]?: string }

export interface PartSource {
  /** folder under modules/ whose go.mod and go.sum pin everything that is compiled */
  readonly module: 'etcd' | 'kubernetes' | 'helm' | 'prometheus'
  readonly version: string
  readonly goPackage: string
  readonly linkerFlags: string
  /** build tags, comma between them */
  readonly tags?: string
  /** what prints the version of an executable that we did not build */
  readonly versionArguments: readonly string[]
  /** an executable that we did not build is used from this version on */
  readonly atLeast: Pick<Version, 'major' | 'minor'>
  /** on 2 cores, rounded; `alone` with empty Go caches, `after` when another part of the same module was built just before */
  readonly buildSeconds: { readonly alone: number; readonly after: number }
}

const kubernetesVersion = 'v1.37.2'
const etcdVersion = 'v3.7.3'
const helmVersion = 'v4.3.1'
const prometheusVersion = 'v0.305.3'

// Without them `go build` leaves gitVersion at v0.0.0-master, which clients and `kubectl version` take literally.
const versionVariables = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((holder) => [
  `-X ${holder}.gitVersion=${kubernetesVersion}`,
  `-X ${holder}.gitMajor=1`,
  `-X ${holder}.gitMinor=37`,
  `-X ${holder}.gitTreeState=clean`,
])

const kubernetes = {
  module: 'kubernetes',
  version: kubernetesVersion,
  linkerFlags: ['-s -w', ...versionVariables].join(' '),
} as const

export const partSources = {
  etcd: {
    module: 'etcd',
    version: etcdVersion,
    goPackage: 'go.etcd.io/etcd/server/v3',
    linkerFlags: '-s -w',
    versionArguments: ['--version'],
    atLeast: { major: 3, minor: 6 },
    buildSeconds: { alone: 30, after: 30 },
  },
  'kube-apiserver': {
    ...kubernetes,
    goPackage: 'k8s.io/kubernetes/cmd/kube-apiserver',
    versionArguments: ['--version'],
    // certificates.k8s.io/v1 PodCertificateRequest and ClusterTrustBundle are served by default from 1.37 on
    atLeast: { major: 1, minor: 37 },
    buildSeconds: { alone: 180, after: 180 },
  },
  'kube-controller-manager': {
    ...kubernetes,
    goPackage: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    versionArguments: ['--version'],
    atLeast: { major: 1, minor: 37 },
    buildSeconds: { alone: 200, after: 60 },
  },
  kubectl: {
    ...kubernetes,
    goPackage: 'k8s.io/kubernetes/cmd/kubectl',
    versionArguments: ['version', '--client'],
    // kubectl is supported one minor version away from its server
    atLeast: { major: 1, minor: 36 },
    buildSeconds: { alone: 100, after: 20 },
  },
  helm: {
    module: 'helm',
    version: helmVersion,
    goPackage: 'helm.sh/helm/v4/cmd/helm',
    linkerFlags: `-s -w -X helm.sh/helm/v4/internal/version.version=${helmVersion}`,
    versionArguments: ['version', '--template', '{{.Version}}'],
    // The chart's tests read what Helm 4 prints.
    atLeast: { major: 4, minor: 0 },
    buildSeconds: { alone: 170, after: 170 },
  },
  promtool: {
    module: 'prometheus',
    version: prometheusVersion,
    goPackage: 'github.com/prometheus/prometheus/cmd/promtool',
    linkerFlags: '-s -w -X github.com/prometheus/common/version.Version=3.5.3',
    // The clients of all clouds, which it does not need to test rules.
    tags: 'remove_all_sd',
    versionArguments: ['--version'],
    atLeast: { major: 3, minor: 0 },
    buildSeconds: { alone: 150, after: 150 },
  },
} as const satisfies Record<Part, PartSource>

/** In the order they are started and built in. */
export const allParts = Object.keys(partSources) as readonly Part[]

export function isPart(text: string): text is Part {
  return Object.hasOwn(partSources, text)
}

/** What a control plane consists of; kubectl, Helm and promtool are for people and for tests of what people do, and come on request. */
export const serverParts: readonly Part[] = ['etcd', 'kube-apiserver', 'kube-controller-manager']
