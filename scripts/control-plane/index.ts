// The public face of this folder: a local Kubernetes control plane of real etcd, kube-apiserver and
// kube-controller-manager, for the demo, the tests and people. Nothing else here is for others to import.
export { provideBinaries } from './binaries.ts'
export type { ControlPlane, ControlPlaneOptions } from './control-plane.ts'
export { ControlPlaneFailure } from './failure.ts'
export { BUILD_KUBECTL, isKubectlThere } from './kubectl.ts'
export type { Binaries, Part } from './parts.ts'
export { startControlPlane } from './start.ts'
