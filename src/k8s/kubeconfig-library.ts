// What is used of the Kubernetes client library, as a module of its own that is loaded where there is a kubeconfig. The one name stands here so that a
// bundler can leave the rest out, which is all of the API of Kubernetes.

export { KubeConfig } from '@kubernetes/client-node'
