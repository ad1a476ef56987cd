// The controllers' passes by hand, over objects in memory: real stores, real issuer, real log and events, virtual time.
// For tests of whole passes; what a queue and watches would do, the test does.

import { type AuthorityKind, authorityOfKey } from '../../src/api/names.ts'
import { projectLeafSecret } from '../../src/api/stored/leaf-secret.ts'
import { createLog } from '../../src/base/log.ts'
import { reconcileAuthority } from '../../src/controllers/authority/controller.ts'
import { ensureDefaultAuthority } from '../../src/controllers/authority/default-authority.ts'
import { bundleKey, reconcileBundle } from '../../src/controllers/bundle/controller.ts'
import { type IdentityOutcome, identityKey, reconcileIdentity } from '../../src/controllers/identity/controller.ts'
import { Patience } from '../../src/controllers/identity/patience.ts'
import { PodCounts } from '../../src/controllers/identity/pods/pod-counts.ts'
import { reconcileRestart } from '../../src/controllers/restart/controller.ts'
import { workloadCache } from '../../src/controllers/restart/observe.ts'
import { Pace } from '../../src/controllers/restart/pace.ts'
import { createGenerationIssuer } from '../../src/issuers/generation.ts'
import type { Issuer } from '../../src/issuers/issuer.ts'

import { createRecorder } from '../../src/k8s/events.ts'
import type { ObjectRef, RawObject } from '../../src/k8s/resource.ts'
import type { Next } from '../../src/runtime/controller.ts'
import { scopes, type WatchedCache } from '../../src/stores.ts'
import { filledStores, NOW, OPERATOR_NAMESPACE, type PlainStores, steadyRandom } from './material.ts'
import { type RecordingClient, recordingClient } from './recording-client.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'

export interface Passes {
  readonly api: RecordingClient
  readonly stores: PlainStores
  readonly clock: VirtualClock
  /** Every line of the log, at level debug. */
  readonly lines: string[]
  readonly outcomes: IdentityOutcome[]
  /** Puts an object into the API server and into the caches that watch its kind, as somebody else's change. */
  seen(cache: WatchedCache, object: RawObject): RawObject
  authority(name?: string): Promise<Next>
  defaultAuthority(): Promise<Next>
  identity(namespace?: string, name?: string): Promise<Next>
  bundle(namespace?: string, authorityKey?: string): Promise<Next>
  restart(namespace?: string, name?: string): Promise<Next>
}

export function passes(options: { issuer?: Issuer; namespacedTrustDomains?: Record<string, string[]> } = {}): Passes {
  const { namespacedTrustDomains = {} } = options
  const api = recordingClient()
  const stores = filledStores()
  const clock = virtualClock(NOW)
  const patience = new Patience()
  const podCounts = new PodCounts()
  const pace = new Pace(clock.monotonic())
  const lines: string[] = []
  const outcomes: IdentityOutcome[] = []
  const log = createLog('debug', (line) => lines.push(line))
  const { client } = api
  const events = createRecorder({ client, clock, random: steadyRandom, log, controller: 'example.io/operator', instance: 'pod-1' })
  const issuers = {
    generations: options.issuer ?? createGenerationIssuer({ client, namespace: OPERATOR_NAMESPACE, random: steadyRandom }),
  }
  const shared = { client, clock, random: steadyRandom, events, caches: stores }
  const pass = (key: string) => ({ key, attempts: 0, log, signal: new AbortController().signal })
  const authorityDeps = {
    ...shared,
    namespace: OPERATOR_NAMESPACE,
    rules: { operatorNamespace: OPERATOR_NAMESPACE, defaultTrustDomain: 'cluster.local', namespacedTrustDomains },
    wroteAuthority: (kind: AuthorityKind, raw: RawObject) =>
      (kind === 'MutualAuthority' ? stores.namespacedAuthorities : stores.authorities).wrote(raw),
    sawSource(ref: ObjectRef, raw: RawObject | undefined) {
      const known = stores.caSources.get(ref.namespace, ref.name)
      if (raw) stores.caSources.wrote(raw)
      else if (known) stores.caSources.removed(ref, known.uid)
    },
    wroteCaSecret: (raw: RawObject) => stores.caSecrets.wrote(raw),
    wroteRecord: (raw: RawObject) => stores.bundleRecords.wrote(raw),
    removedRecord: (ref: ObjectRef, uid: string) => stores.bundleRecords.removed(ref, uid),
  }
  return {
    api,
    stores,
    clock,
    lines,
    outcomes,
    seen(cache, object) {
      const raw = api.put(scopes[cache].resource, object)
      stores[cache].wrote(raw)
      return raw
    },
    authority: (name = 'default') => reconcileAuthority(pass(name), authorityDeps),
    defaultAuthority: () => ensureDefaultAuthority(pass(''), authorityDeps),
    identity: (namespace = 'shop', name = 'payments') =>
      reconcileIdentity(pass(identityKey(namespace, name)), {
        ...shared,
        issuers,
        patience,
        podCounts,
        surroundings: { operatorNamespace: OPERATOR_NAMESPACE, clusterDomain: 'cluster.local', restartWorkloads: true },
        wroteIdentity: (raw) => stores.identities.wrote(raw),
        holdIdentity: (ref) => stores.identities.hold(ref),
        holdSecret: (ref) => stores.leafSecrets.hold(ref),
        wroteSecret: (raw, made) => stores.leafSecrets.wrote(raw, (raw) => projectLeafSecret(raw, made)),
        removedSecret: (ref, uid) => stores.leafSecrets.removed(ref, uid),
        onOutcome: (outcome) => outcomes.push(outcome),
      }),
    bundle: (namespace = 'shop', authority = 'default') =>
      reconcileBundle(pass(bundleKey(authorityOfKey(authority), namespace)), {
        ...shared,
        operatorNamespace: OPERATOR_NAMESPACE,
        wroteCopy: (raw) => stores.bundleCopies.wrote(raw),
        removedCopy: (ref, uid) => stores.bundleCopies.removed(ref, uid),
      }),
    restart: (namespace = 'shop', name = 'payments') =>
      reconcileRestart(pass(identityKey(namespace, name)), {
        ...shared,
        pace,
        wroteWorkload: (kind, raw) => stores[workloadCache[kind]].wrote(raw),
      }),
  }
}
