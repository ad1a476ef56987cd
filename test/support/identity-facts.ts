// Builders of IdentityFacts for tests of plans and reports: a served identity with a good leaf, from which a test takes away what it is about.

import type { MutualIdentity } from '../../src/api/mutual-identity.ts'
import { annotations, leafSecretName } from '../../src/api/names.ts'
import type { PublishedBundle } from '../../src/api/stored/bundle.ts'
import { leafSecretLabels } from '../../src/api/stored/leaf-secret.ts'
import { formatInstant, type Instant } from '../../src/base/clock.ts'
import { hours } from '../../src/base/duration.ts'
import type { AuthorityFacts } from '../../src/controllers/authority-facts.ts'
import { askedFor } from '../../src/controllers/identity/asked.ts'
import type { IdentityFacts, SecretFacts } from '../../src/controllers/identity/facts.ts'
import { parseDnsName } from '../../src/pki/dns-name.ts'
import { fingerprintOf } from '../../src/pki/fingerprint.ts'

export const NOW: Instant = Date.parse('2026-11-24T12:00:00Z')

const ROOT = fingerprintOf(Buffer.from('root'))

/** MutualIdentity shop/payments. */
export function identityOf(change: Partial<MutualIdentity> = {}): MutualIdentity {
  return {
    namespace: 'shop',
    name: 'payments',
    uid: 'uid-1',
    resourceVersion: '10',
    generation: 1,
    createdAt: NOW - hours(24),
    deleting: false,
    renewRequestedAt: undefined,
    problem: undefined,
    spec: {
      podSelector: { matchLabels: { app: 'payments' }, matchExpressions: [] },
      serviceAccountName: undefined,
      authority: { kind: 'ClusterMutualAuthority', namespace: '', name: 'default' },
      certificate: { lifetime: undefined, renewBefore: undefined, keyType: 'ECDSAP256', serviceNames: 'Auto', dnsNames: [] },
      delivery: {
        secretName: 'payments-mtls',
        formats: [],
        keystorePasswordRef: undefined,
        secretTemplate: { labels: {}, annotations: {} },
      },
      trust: { additionalAuthorities: [] },
      restart: { onRenewal: false },
    },
    status: { conditions: [] },
    ...change,
  }
}

/** ClusterMutualAuthority default, which signs. */
export function authorityOf(change: Partial<AuthorityFacts> = {}): AuthorityFacts {
  return {
    ref: { kind: 'ClusterMutualAuthority', namespace: '', name: 'default' },
    trustDomain: 'cluster.local',
    signing: {
      number: 1,
      secretName: 'default-ca-1',
      secretUid: 'ca-uid',
      secretResourceVersion: '5',
      certificateFingerprint: ROOT,
      subjectKeyID: 'aa',
      notAfter: NOW + hours(2160),
      longestLeafLifetime: hours(360),
    },
    problem: undefined,
    bundle: bundleOfText('the bundle'),
    leafLifetime: hours(24),
    minLifetime: hours(1),
    maxLifetime: undefined,
    keyTypes: undefined,
    allowedNamespaces: undefined,
    allowedDNSNames: [],
    shortServiceNames: false,
    ...change,
  }
}

/** A bundle of any text. */
function bundleOfText(text: string, trustDomain = 'cluster.local'): PublishedBundle {
  const fingerprint = fingerprintOf(Buffer.from(text))
  return { anchors: [], text, fingerprint, trustDomain, sequence: 1, json: '{}', jsonFingerprint: fingerprint }
}

/** An identity whose pods run as `payments`, without a Secret. */
export function factsOf(change: Partial<IdentityFacts> = {}): IdentityFacts {
  return {
    identity: identityOf(),
    inOperatorNamespace: false,
    namespaceTerminating: false,
    authority: authorityOf(),
    switching: undefined,
    trust: { additional: [], former: [] },
    selectedPods: 2,
    podsByAccount: { payments: 2 },
    observedAccounts: ['payments'],
    overlap: undefined,
    secretClaimedBy: undefined,
    restartUnavailable: false,
    recordedAccount: undefined,
    serviceDnsNames: [parseDnsName('payments.shop'), parseDnsName('payments.shop.svc')],
    shortServiceNames: [],
    servicesOfOthers: [],
    foreignServiceNames: [],
    clusterSuffixes: ['svc', 'cluster.local'],
    unknown: [],
    secret: undefined,
    formerSecrets: [],
    ...change,
  }
}

/** The Secret that was written for just these facts two hours ago, as the cache shows it. */
export function secretFor(facts: IdentityFacts, change: Partial<SecretFacts> = {}): SecretFacts {
  const asked = askedFor(facts, NOW)
  if (!('profile' in asked)) throw new Error(`these facts ask for nothing: ${asked.message}`)
  const notBefore = NOW - hours(2)
  const renewAt = notBefore + 13 * 3_600_000
  return {
    namespace: 'shop',
    name: leafSecretName('payments'),
    uid: 'secret-uid',
    resourceVersion: '20',
    createdAt: notBefore,
    files: [],
    crowding: [],
    keyFilesHash: undefined,
    trustFilesHash: undefined,
    template: { labels: {}, annotations: {} },
    formerAuthorities: [],
    type: 'kubernetes.io/tls',
    immutable: false,
    terminating: false,
    foreignController: undefined,
    owner: { name: 'payments', uid: 'uid-1' },
    labels: leafSecretLabels('payments', asked.authority.ref),
    annotations: {
      [annotations.serialNumber]: '0a',
      [annotations.issuingGeneration]: '1',
      [annotations.renewAt]: formatInstant(renewAt),
      [annotations.bundleFingerprint]: asked.bundle.fingerprint,
      [annotations.profileHash]: asked.profileHash,
    },
    problem: undefined,
    leaf: {
      serialNumber: '0a',
      fingerprint: fingerprintOf(Buffer.from('leaf')),
      notBefore,
      notAfter: notBefore + hours(24),
      keyType: 'ECDSAP256',
      uris: [asked.profile.spiffeId.uri],
      dnsNames: asked.profile.dnsNames,
      otherNames: 0,
      isCA: false,
      authorityKeyID: 'aa',
    },
    bundleFingerprint: asked.bundle.fingerprint,
    renewAt,
    trusted: { ok: true },
    ...change,
  }
}

/** Facts of an identity that has what it needs. */
export function servedFacts(change: Partial<IdentityFacts> = {}, secretChange: Partial<SecretFacts> = {}): IdentityFacts {
  const facts = factsOf(change)
  return { ...facts, secret: secretFor(facts, secretChange) }
}
