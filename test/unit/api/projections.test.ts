// What the store makes of objects as the API server holds them: all of it, the defaults, and a problem instead of a throw.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { projectClusterMutualAuthority, projectMutualAuthority } from '../../../src/api/authority.ts'
import { MATCHES_NOTHING } from '../../../src/api/label-selector.ts'
import { projectMutualIdentity } from '../../../src/api/mutual-identity.ts'
import { hours, minutes } from '../../../src/base/duration.ts'

const metadata = {
  namespace: 'shop',
  name: 'payments',
  uid: 'u-1',
  resourceVersion: '7',
  generation: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
}

const conditions = [
  { type: 'Ready', status: 'True', reason: 'Current', message: 'm', lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 3 },
] as const
const lastFailure = { reason: 'Forbidden', message: 'm', at: '2026-01-01T00:00:00Z', attempts: 2, nextAttemptAt: '2026-01-01T00:01:00Z' }

const specOf = (spec: unknown) => projectMutualIdentity({ metadata, spec })
const authorityOf = (spec: unknown) => projectClusterMutualAuthority({ metadata: { ...metadata, namespace: '' }, spec })

describe('projectMutualIdentity', () => {
  it('reads everything that is set', () => {
    const status = {
      observedGeneration: 3,
      conditions,
      spiffeID: 'spiffe://example.org/ns/shop/sa/web',
      certificate: { serialNumber: 'ab', notAfter: 'x', renewAt: 'y', issuedBy: 'z' },
      pods: { selected: 3, mismatched: 1 },
      lastFailure,
    }
    const raw = {
      metadata: { ...metadata, annotations: { 'mutualidentity.io/renew-requested-at': '2026-02-01T00:00:00Z', other: 'x' } },
      spec: {
        podSelector: { matchLabels: { app: 'payments' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
        serviceAccountName: 'web',
        authorityRef: { kind: 'ClusterMutualAuthority', name: 'other' },
        certificate: { lifetime: '1h30m', renewBefore: '30m', keyType: 'ED25519', serviceNames: 'None', dnsNames: ['web.example.org'] },
        delivery: {
          secretName: 'web-tls',
          formats: ['PKCS12', 'DER'],
          keystorePasswordRef: { name: 'password', key: 'value' },
          secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } },
        },
        trust: { additionalAuthorities: [{ kind: 'MutualAuthority', name: 'internal', pooled: true }, { name: 'edge' }] },
        restart: { onRenewal: true },
      },
      status,
    }
    expect(projectMutualIdentity(raw)).toEqual({
      namespace: 'shop',
      name: 'payments',
      uid: 'u-1',
      resourceVersion: '7',
      generation: 3,
      createdAt: Date.parse('2026-01-01T00:00:00Z'),
      deleting: false,
      renewRequestedAt: '2026-02-01T00:00:00Z',
      spec: {
        podSelector: { matchLabels: { app: 'payments' }, matchExpressions: [{ key: 'tier', operator: 'Exists', values: [] }] },
        serviceAccountName: 'web',
        authority: { kind: 'ClusterMutualAuthority', namespace: '', name: 'other' },
        certificate: {
          lifetime: minutes(90),
          renewBefore: minutes(30),
          keyType: 'ED25519',
          serviceNames: 'None',
          dnsNames: ['web.example.org'],
        },
        delivery: {
          secretName: 'web-tls',
          formats: ['PKCS12', 'DER'],
          keystorePasswordRef: { name: 'password', key: 'value' },
          secretTemplate: { labels: { team: 'a' }, annotations: { note: 'b' } },
        },
        trust: {
          additionalAuthorities: [
            { ref: { kind: 'MutualAuthority', namespace: 'shop', name: 'internal' }, pooled: true },
            { ref: { kind: 'ClusterMutualAuthority', namespace: '', name: 'edge' }, pooled: false },
          ],
        },
        restart: { onRenewal: true },
      },
      problem: undefined,
      status,
    })
  })

  it('takes the defaults for what is absent or null', () => {
    const expected = {
      podSelector: { matchLabels: {}, matchExpressions: [] },
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
    }
    expect(specOf({ podSelector: {} })).toMatchObject({ spec: expected, problem: undefined })
    expect(specOf({ podSelector: {}, authorityRef: null, certificate: { lifetime: null } })).toMatchObject({
      spec: expected,
      problem: undefined,
    })
  })

  it('says that it is being deleted', () => {
    expect(projectMutualIdentity({ metadata: { ...metadata, deletionTimestamp: 'x' } }).deleting).toBe(true)
  })

  it.each<[string, unknown, string]>([
    ['no spec', undefined, 'spec.podSelector is missing'],
    ['a spec that is a text', 'x', 'spec "x" is not an object; spec.podSelector is missing'],
    ['no selector', {}, 'spec.podSelector is missing'],
    [
      'a selector that cannot be read',
      { podSelector: { matchLabels: 'x' } },
      'spec.podSelector {"matchLabels":"x"} is not a valid label selector',
    ],
    [
      'an unknown key type',
      { podSelector: {}, certificate: { keyType: 'DSA' } },
      'spec.certificate.keyType "DSA" is not one of ECDSAP256, ',
    ],
    [
      'a lifetime in days',
      { podSelector: {}, certificate: { lifetime: '90d' } },
      'spec.certificate.lifetime "90d" is not a duration such as 24h',
    ],
    [
      'an unknown kind',
      { podSelector: {}, authorityRef: { kind: 'Issuer' } },
      'spec.authorityRef.kind "Issuer" is not one of ClusterMutualAuthority',
    ],
    ['an empty service account', { podSelector: {}, serviceAccountName: '' }, 'spec.serviceAccountName "" is not a text'],
  ])('makes a problem of %s', (_what, spec, problem) => {
    expect(specOf(spec).problem).toContain(problem)
  })

  it('selects nothing where the selector is missing', () => {
    expect(specOf({}).spec.podSelector).toBe(MATCHES_NOTHING)
  })

  it('leaves out what it cannot read of a status', () => {
    const status = {
      observedGeneration: 'x',
      conditions: [{ type: 'Ready', status: 'Maybe' }, ...conditions, null],
      certificate: { notAfter: 1 },
      lastFailure: {},
    }
    expect(projectMutualIdentity({ metadata, spec: { podSelector: {} }, status }).status).toEqual({ conditions })
  })

  it('keeps conditions of others as they are', () => {
    const foreign = { type: 'x.example/Audited\u2028', status: 'Unknown', reason: '\u0080', lastTransitionTime: 'z' }
    const status = { conditions: [foreign, ...conditions] }
    expect(projectMutualIdentity({ metadata, spec: { podSelector: {} }, status }).status.conditions[0]).toBe(foreign)
  })

  it.each(['\u0080', '\u2028', '\ufeff', '\u001b[2J'])(
    'leaves out a text of a status that would be refused when it is written again (%j)',
    (text) => {
      const certificate = { serialNumber: text, notAfter: 'b', renewAt: 'c', issuedBy: 'd' }
      const forged = { type: 'Ready', status: 'True', reason: text, message: text, lastTransitionTime: text }
      const status = { spiffeID: `spiffe://${text}`, certificate, conditions: [forged] }
      expect(projectMutualIdentity({ metadata, spec: { podSelector: {} }, status }).status).toEqual({
        conditions: [{ ...forged, reason: '', message: '', lastTransitionTime: '', observedGeneration: 0 }],
      })
    },
  )

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, status) => {
        projectMutualIdentity({ metadata: { name: 'x' }, spec, status })
      }),
    )
  })
})

describe('projectMutualAuthority', () => {
  it('is of its namespace alone, and its Services are known by their bare names', () => {
    const authority = projectMutualAuthority({ metadata, spec: { policy: { allowedNamespaces: ['bank'] } } })
    expect(authority).toMatchObject({
      namespace: 'shop',
      ref: { kind: 'MutualAuthority', namespace: 'shop', name: 'payments' },
      spec: { policy: { allowedNamespaces: ['shop'], shortServiceNames: true } },
    })
  })
})

describe('projectClusterMutualAuthority', () => {
  it('reads a CA that others keep', () => {
    expect(authorityOf({ caSecret: { name: 'corporate' } }).spec.backEnd).toEqual({ kind: 'caSecret', name: 'corporate' })
  })

  it('reads everything that is set', () => {
    const status = {
      observedGeneration: 3,
      conditions,
      trustDomain: 'example.org',
      generations: [{ number: 1, state: 'Active', fingerprint: 'f', subjectKeyID: 's', notBefore: 'a', notAfter: 'b' }],
      trustBundle: { fingerprint: 'f', anchors: 1 },
      lastFailure,
    }
    const spec = {
      trustDomain: 'example.org',
      selfManaged: { keyType: 'RSA3072', rootLifetime: '8760h' },
      leaf: { lifetime: '12h', minLifetime: '1m', maxLifetime: '48h', keyTypes: ['ED25519', 'RSA3072'] },
      policy: { allowedNamespaces: ['shop'], allowedDNSNames: ['*.example.org'], shortServiceNames: true },
      trustBundle: { namespaces: { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' } } } },
    }
    const authority = projectClusterMutualAuthority({ metadata: { ...metadata, namespace: 'ignored' }, spec, status })
    expect(authority).toMatchObject({ namespace: '', name: 'payments', uid: 'u-1', generation: 3, problem: undefined })
    expect(authority.status).toEqual(status)
    expect(authority.spec).toEqual({
      trustDomain: 'example.org',
      backEnd: { kind: 'selfManaged', keyType: 'RSA3072', rootLifetime: hours(8760) },
      leaf: { lifetime: hours(12), minLifetime: minutes(1), maxLifetime: hours(48), keyTypes: ['ED25519', 'RSA3072'] },
      policy: { allowedNamespaces: ['shop'], allowedDNSNames: ['*.example.org'], shortServiceNames: true },
      trustBundle: { namespaces: { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' }, matchExpressions: [] } } },
    })
  })

  it('takes the defaults for what is absent', () => {
    expect(authorityOf({})).toMatchObject({
      problem: undefined,
      spec: {
        trustDomain: undefined,
        backEnd: { kind: 'selfManaged', keyType: 'ECDSAP256', rootLifetime: hours(2160) },
        leaf: { lifetime: hours(24), minLifetime: minutes(10), maxLifetime: undefined, keyTypes: undefined },
        policy: { allowedNamespaces: undefined, allowedDNSNames: [], shortServiceNames: false },
        trustBundle: { namespaces: { policy: 'WithIdentities' } },
      },
    })
  })

  it.each<[string, unknown, string]>([
    ['a root lifetime in days', { selfManaged: { rootLifetime: '90d' } }, 'spec.selfManaged.rootLifetime "90d" is not a duration'],
    ['an unknown key type in the list', { leaf: { keyTypes: ['ED25519', 'DSA'] } }, 'spec.leaf.keyTypes[1] "DSA" is not one of'],
    ['two back ends', { caSecret: { name: 'a' }, selfManaged: {} }, 'both selfManaged and caSecret'],
    ['a CA Secret without a name', { caSecret: {} }, 'spec.caSecret.name is missing'],
    ['namespaces that are a text', { policy: { allowedNamespaces: 'shop' } }, 'spec.policy.allowedNamespaces "shop" is not a list'],
  ])('makes a problem of %s', (_what, spec, problem) => {
    expect(authorityOf(spec).problem).toContain(problem)
  })

  it('never permits more because a limit cannot be read', () => {
    expect(authorityOf({ leaf: { keyTypes: ['ED25519', 'DSA'] } }).spec.leaf.keyTypes).toEqual([])
    expect(authorityOf({ policy: { allowedNamespaces: 'shop' } }).spec.policy.allowedNamespaces).toEqual([])
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (spec, status) => {
        projectClusterMutualAuthority({ metadata: { name: 'x' }, spec, status })
      }),
    )
  })
})
