// The MutualIdentities of the example while the show lasts: shown as `kubectl get mid` shows them, and waited for. Used by show.ts and the renewal.

import { mutualIdentities } from '../../src/api/kinds.ts'
import { type MutualIdentity, projectMutualIdentity } from '../../src/api/mutual-identity.ts'
import type { Store } from '../../src/k8s/store.ts'
import type { Cluster } from '../install/cluster.ts'
import { follow, until } from './follow.ts'
import { SHOP } from './names.ts'
import { style, table } from './screen.ts'
import type { Stage } from './stage.ts'

export type Identities = Store<MutualIdentity>

/** Follows them, and says so whenever one changes its mind. */
export async function followIdentities(stage: Stage, cluster: Cluster): Promise<Identities> {
  const store = await follow(stage, cluster, { resource: mutualIdentities, namespace: SHOP, project: projectMutualIdentity })
  store.subscribe(({ before, after }) => {
    if (after && verdictOf(after) !== (before && verdictOf(before))) stage.screen.quote('status', `${after.name}: ${verdictOf(after)}`)
  })
  return store
}

/** Resolves with the identity when it is Ready for the spec it has now. */
export async function untilReady(stage: Stage, identities: Identities, name: string): Promise<MutualIdentity> {
  return await until(stage, identities, `${name} is Ready`, () => {
    const identity = identities.get(SHOP, name)
    return identity && isReady(identity) ? identity : undefined
  })
}

/** As `kubectl get mid -n shop -o wide` prints it. */
export function listing(identities: Identities): string {
  const rows = identities.inNamespace(SHOP).map((identity) => {
    const { status, reason } = readyOf(identity) ?? {}
    const { spiffeID, certificate } = identity.status
    return [identity.name, status, reason, spiffeID, certificate?.notAfter, certificate?.renewAt].map((cell) => cell ?? '')
  })
  const head = ['NAME', 'READY', 'REASON', 'IDENTITY', 'EXPIRES', 'RENEWS']
  return `${style('dim', `$ kubectl get mid -n ${SHOP} -o wide`)}\n${table([head, ...rows])}`
}

const readyOf = ({ status }: MutualIdentity) => status.conditions.find(({ type }) => type === 'Ready')

function isReady(identity: MutualIdentity): boolean {
  const ready = readyOf(identity)
  return ready?.status === 'True' && ready.observedGeneration === identity.generation && identity.status.certificate !== undefined
}

function verdictOf(identity: MutualIdentity): string {
  const ready = readyOf(identity)
  return ready === undefined ? 'no status yet' : `${ready.status === 'True' ? 'Ready' : 'not Ready'}: ${ready.reason}: ${ready.message}`
}
