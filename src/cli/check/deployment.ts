// What the Deployment says of the operator: the account it runs under, and the flags that decide which rights it needs. Pure.

import type { RawObject } from '../../k8s/resource.ts'

/** The account that the operator runs under. */
export interface Account {
  readonly namespace: string
  /** Undefined where no Deployment tells: then any of the namespace will do. */
  readonly name: string | undefined
}

/** Which namespaces and whether restarts is undefined where no Deployment tells. */
export interface OperatorSettings {
  readonly account: Account
  /** False only where there is none for certain. */
  readonly isDeployed: boolean
  /** Empty: all. */
  readonly watchNamespaces: readonly string[] | undefined
  readonly restartWorkloads: boolean | undefined
}

interface PodSpec {
  readonly serviceAccountName?: string
  readonly containers?: readonly { readonly command?: readonly string[]; readonly args?: readonly string[] }[]
}

export function settingsOf(deployment: RawObject | 'unknown' | undefined, namespace: string): OperatorSettings {
  if (deployment === 'unknown' || deployment === undefined) {
    const isDeployed = deployment !== undefined
    return { account: { namespace, name: undefined }, isDeployed, watchNamespaces: undefined, restartWorkloads: undefined }
  }
  const { template } = (deployment['spec'] ?? {}) as { template?: { spec?: PodSpec } }
  const { serviceAccountName, containers = [] } = template?.spec ?? {}
  const words = containers.flatMap(({ command = [], args = [] }) => [...command, ...args])
  const watched = flag(words, 'watch-namespaces').split(',')
  return {
    account: { namespace, name: serviceAccountName ?? 'default' },
    isDeployed: true,
    watchNamespaces: watched.map((name) => name.trim()).filter(Boolean),
    restartWorkloads: flag(words, 'restart-workloads') === 'true',
  }
}

/** `--name=value` or `--name value`; empty where it is not given. The last one counts, as for the operator. */
function flag(words: readonly string[], name: string): string {
  const at = words.findLastIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  const word = words[at]
  if (word === undefined) return ''
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (words[at + 1] ?? '')
}
