// Whose restarts a change concerns: only identities that ask for them. Level-triggered: only keys are passed on.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import type { Workload } from '../../api/stored/workload.ts'
import type { Caches } from '../caches.ts'
import { identitiesSelecting } from '../selecting.ts'
import { restartable } from './observe.ts'

type Identities = Pick<Caches, 'identities'>

/** The keys of those that ask. */
export function asking(identities: Iterable<MutualIdentity>): string[] {
  return [...identities].filter(({ spec }) => spec.restart.onRenewal).map(({ namespace, name }) => `${namespace}/${name}`)
}

/** The identities that name this Secret. */
export function restartsOfSecret({ namespace, name }: LeafSecret, { identities }: Identities): string[] {
  return asking(identities.by('secretName', `${namespace}/${name}`))
}

/** The identities that select the pods of a workload: also when it no longer opts in, which costs a quiet pass. */
export function restartsOfWorkload({ namespace, templateLabels }: Workload, { identities }: Identities): string[] {
  return asking(identitiesSelecting(namespace, templateLabels, identities))
}

/** The identity, and those that select the pods of the same workloads: one of them may come first now. */
export function restartsBeside(identity: MutualIdentity, caches: Caches): string[] {
  if (!identity.spec.restart.onRenewal) return []
  const beside = restartable(identity, caches).flatMap((workload) => restartsOfWorkload(workload, caches))
  return [...new Set([...asking([identity]), ...beside])]
}
