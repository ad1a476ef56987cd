// Reads the caches and returns one record, IdentityFacts. The same function serves the controller and explain; it writes nothing and
// nothing is read after it in a pass.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import type { LeafSecret } from '../../api/stored/leaf-secret.ts'
import { observeAuthority } from '../authority-facts.ts'
import type { Caches, Pod } from '../caches.ts'
import type { FormerSecret, IdentityFacts, SecretFacts } from './facts.ts'
import { overlapOf, secretClaimant } from './pods/observe-overlaps.ts'
import { selectedPods } from './pods/observe-pods.ts'
import { foreignServiceNames, serviceNames } from './pods/service-names.ts'
import { isWitness, type Judgement, judge, recordedAccount, toldSigner } from './switching/observe-signer.ts'
import { observeSwitching } from './switching/observe-switching.ts'
import { observeTrust } from './trust/observe-trust.ts'

/** Where the operator lives, how the cluster calls itself, and what the operator is asked to do. */
export interface Surroundings {
  readonly operatorNamespace: string
  readonly clusterDomain: string
  readonly restartWorkloads: boolean
}

/** All facts about one identity. */
export function observeIdentity(identity: MutualIdentity, caches: Caches, surroundings: Surroundings): IdentityFacts {
  const { namespace, spec } = identity
  const authority = observeAuthority(caches, spec.authority)
  const pods = selectedPods(identity, caches)
  const secret = caches.leafSecrets.get(namespace, spec.delivery.secretName)
  const former = formerSecrets(identity, caches)
  const judged = former.map((one) => judge(one, identity, authority, caches))
  const own = secret && judge(secret, identity, authority, caches)
  const witness = [...(own ? [own] : []), ...judged].find((one) => isWitness(one, identity))
  // Where the name of the Secret is changed too, the former one shows whose certificate the identity has.
  const present = own ?? witness
  const signer = present?.from
    ? { from: present.from, until: present.secret.leaf?.notAfter ?? 0 }
    : present?.trusted?.ok
      ? undefined
      : toldSigner(identity, authority, caches)
  const names = serviceNames(identity, pods, witness?.secret.leaf?.dnsNames ?? [], caches, surroundings.clusterDomain)
  const podsByAccount = countByAccount(pods)
  return {
    identity,
    inOperatorNamespace: namespace === surroundings.operatorNamespace,
    namespaceTerminating: caches.namespaces.get('', namespace)?.terminating ?? false,
    authority,
    switching: signer && observeSwitching(identity, signer.from, signer.until, caches),
    trust: observeTrust(identity, [...(secret ? [secret] : []), ...former], caches),
    selectedPods: pods.length,
    podsByAccount,
    observedAccounts: Object.keys(podsByAccount).sort(),
    overlap: overlapOf(identity, pods, caches),
    secretClaimedBy: secretClaimant(identity, caches),
    restartUnavailable: spec.restart.onRenewal && !surroundings.restartWorkloads,
    recordedAccount: witness && recordedAccount(witness.secret, namespace),
    serviceDnsNames: names.full,
    shortServiceNames: names.short,
    servicesOfOthers: names.servedByOthers,
    foreignServiceNames: foreignServiceNames(identity, caches),
    clusterSuffixes: ['svc', 'pod', surroundings.clusterDomain],
    unknown: unreadable(caches),
    secret: own ? secretFacts(own) : caches.leafSecrets.readable ? undefined : 'unknown',
    formerSecrets: former.map(formerFacts),
  }
}

function secretFacts({ secret: { chain: _bytes, ...facts }, trusted }: Judgement): SecretFacts {
  return { ...facts, trusted }
}

function countByAccount(pods: readonly Pod[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { serviceAccountName } of pods) counts.set(serviceAccountName, (counts.get(serviceAccountName) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** Secrets that are this very identity's, under names that it had before. */
function formerSecrets({ namespace, name, uid, spec }: MutualIdentity, caches: Caches): readonly LeafSecret[] {
  return caches.leafSecrets
    .by('identity', `${namespace}/${name}`)
    .filter((secret) => secret.name !== spec.delivery.secretName && secret.owner?.uid === uid && secret.foreignController === undefined)
}

function formerFacts({ name, uid, resourceVersion, createdAt, terminating, leaf }: LeafSecret): FormerSecret {
  return { name, uid, resourceVersion, createdAt, terminating, notAfter: leaf?.notAfter }
}

/** What plans need and this account may not read. */
function unreadable(caches: Caches): readonly string[] {
  return (['pods', 'services'] as const).filter((name) => !caches[name].readable)
}
