// Builders of RestartFacts for tests of plans: an identity that asks for restarts, whose certificate was renewed an hour ago, and one workload
// that was restarted for the one before; a test changes what it is about.

import type { Restarted, Workload } from '../../src/api/stored/workload.ts'
import { hours, minutes } from '../../src/base/duration.ts'
import type { Instant } from '../../src/base/instant.ts'
import type { RestartCandidate, RestartFacts, RestartSecret } from '../../src/controllers/restart/facts.ts'
import { identityOf, NOW, servedFacts } from './identity-facts.ts'

export const SERIAL = '0b'

/** An identity that asks, with this certificate in its status. */
export function askingIdentity(change: Partial<RestartFacts['identity']> = {}, reported = SERIAL): RestartFacts['identity'] {
  const identity = identityOf()
  const certificate = { serialNumber: reported, notAfter: '', renewAt: '', issuedBy: '' }
  return { ...identity, spec: { ...identity.spec, restart: { onRenewal: true } }, status: { conditions: [], certificate }, ...change }
}

/** Its Secret, made a day before its leaf; leaves begin five minutes before they are issued. */
export function renewedSecret(
  change: Partial<RestartSecret> & { issuedAt?: Instant; lifetime?: number; serialNumber?: string } = {},
): RestartSecret {
  const { issuedAt = NOW - hours(1), lifetime = hours(24), serialNumber = SERIAL, ...more } = change
  const { secret } = servedFacts()
  if (!secret || secret === 'unknown' || !secret.leaf) throw new Error('served facts hold a leaf')
  const notBefore = issuedAt - Math.min(minutes(5), lifetime / 10)
  const leaf = { ...secret.leaf, serialNumber, notBefore, notAfter: notBefore + lifetime }
  return { ...secret, createdAt: issuedAt - hours(24), leaf, ...more }
}

/** Deployment payments, made two days ago. */
export function workloadOf(change: Partial<Workload> = {}): Workload {
  return {
    namespace: 'shop',
    name: 'payments',
    uid: 'uid-deployment',
    resourceVersion: '30',
    kind: 'Deployment',
    createdAt: NOW - hours(48),
    optedIn: true,
    templateLabels: { app: 'payments' },
    restartedFor: { serialNumber: '0a', at: NOW - hours(14) },
    ...change,
  }
}

/** The same as a candidate. */
export function candidateOf(change: Partial<RestartCandidate> = {}, workload: Partial<Workload> = {}): RestartCandidate {
  return { workload: workloadOf(workload), claimedBy: undefined, done: undefined, triedAt: undefined, ...change }
}

export const restarted = (serialNumber: string, at: Instant): Restarted => ({ serialNumber, at })

export function restartFacts(change: Partial<RestartFacts> = {}): RestartFacts {
  return {
    identity: askingIdentity(),
    namespaceTerminating: false,
    secret: renewedSecret(),
    candidates: [candidateOf()],
    unreadable: [],
    ...change,
  }
}
