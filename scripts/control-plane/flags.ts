// The command line of every part, as pure functions of where its files are.
// Used by start.ts. Each contains the instance's folder, by which processes.ts recognises a process as ours.
// Flags that only repeat a default are left out.
import { join } from 'node:path'

// Sockets in the instance's folder, which is the working directory of etcd and the API server: no port to race for,
// nobody else on the machine can read the data, and a relative path keeps within the 104 bytes a socket may have.
const etcdSocket = 'etcd.sock'
const peerSocket = 'etcd-peer.sock'

export const etcdSocketName = etcdSocket
const serviceRange = '10.0.0.0/24'
export const kubernetesServiceAddress = '10.0.0.1' // the first address of the range, which the API server takes
const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local'

export function etcdFlags(directory: string): readonly string[] {
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=unix://${etcdSocket}`,
    `--advertise-client-urls=unix://${etcdSocket}`,
    `--listen-peer-urls=unix://${peerSocket}`,
    `--initial-advertise-peer-urls=unix://${peerSocket}`,
    `--initial-cluster=default=unix://${peerSocket}`,
    // The data lives as long as the instance: losing it with the machine loses nothing.
    '--unsafe-no-fsync',
    // A single member elects itself after one election timeout: 0.1 s rather than 1 s until it serves.
    '--heartbeat-interval=20',
    '--election-timeout=100',
  ]
}

export interface ApiServerPlace {
  readonly directory: string
  readonly port: number
  readonly extra: readonly string[]
}

export function apiServerFlags({ directory, port, extra }: ApiServerPlace): readonly string[] {
  const file = (name: string) => join(directory, 'certificates', name)
  return [
    `--etcd-servers=unix://${etcdSocket}`,
    '--bind-address=127.0.0.1',
    // Without one the API server looks for a default route, which a machine without a network has not.
    '--advertise-address=127.0.0.1',
    // An endpoint may not be a loopback address, so the Service `kubernetes` stays without any.
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--cert-dir=${join(directory, 'certificates')}`,
    `--tls-cert-file=${file('apiserver.crt')}`,
    `--tls-private-key-file=${file('apiserver.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--service-account-issuer=${serviceAccountIssuer}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
    `--service-account-key-file=${file('service-accounts.pub')}`,
    `--service-cluster-ip-range=${serviceRange}`,
    '--allow-privileged=true',
    ...extra,
  ]
}

export function controllerManagerFlags(directory: string): readonly string[] {
  return [
    `--kubeconfig=${join(directory, 'controller-manager.kubeconfig')}`,
    `--service-account-private-key-file=${join(directory, 'certificates', 'service-accounts.key')}`,
    `--root-ca-file=${join(directory, 'certificates', 'ca.crt')}`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--secure-port=0',
    // It asks for a service account and a token for each of its controllers before it starts them: at the default
    // 20 requests a second that takes 5 s, so 0.7 s. Garbage collection after large tests gains too.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    // Nodes here are objects without a kubelet: these two would taint them after 50 s and evict their pods after five minutes.
    '--controllers=*,-node-lifecycle-controller,-taint-eviction-controller',
  ]
}
