import { describe, expect, it } from '@jest/globals'
import { annotations } from '../../../../src/api/names.ts'
import { formatInstant } from '../../../../src/base/clock.ts'
import { hours, minutes, seconds } from '../../../../src/base/duration.ts'
import type { IdentityFacts, SecretFacts } from '../../../../src/controllers/identity/facts.ts'
import { planIdentity } from '../../../../src/controllers/identity/plan.ts'
import { parseDnsName } from '../../../../src/pki/dns-name.ts'
import { fingerprintOf } from '../../../../src/pki/fingerprint.ts'
import { authorityOf, factsOf, identityOf, NOW, secretFor, servedFacts } from '../../../support/identity-facts.ts'

const specOf = (change: object) => ({ ...identityOf().spec, ...change })
const withCertificate = (change: object) => identityOf({ spec: specOf({ certificate: { ...identityOf().spec.certificate, ...change } }) })
const leafOf = (change: object): Partial<SecretFacts> => ({
  leaf: { ...(secretFor(factsOf()).leaf as NonNullable<SecretFacts['leaf']>), ...change },
})
const without = (key: string): Partial<SecretFacts> => {
  const { [key]: _gone, ...rest } = secretFor(factsOf()).annotations
  return { annotations: rest }
}

describe('an identity that may not be served', () => {
  // In the order of the checks: each row also has what the later rows are about, so that a wrong order is seen.
  const broken = { observedAccounts: [], authority: undefined }
  it.each<[string, Partial<IdentityFacts>, string, string]>([
    [
      'a spec that cannot be read',
      { ...broken, identity: identityOf({ problem: 'spec.x is bad' }), inOperatorNamespace: true },
      'refused',
      'SpecInvalid',
    ],
    ['the operator’s own namespace', { ...broken, inOperatorNamespace: true, namespaceTerminating: true }, 'refused', 'OperatorNamespace'],
    ['a namespace that goes away', { ...broken, namespaceTerminating: true }, 'waiting', 'NamespaceTerminating'],
    ['no such authority', broken, 'waiting', 'AuthorityNotFound'],
    [
      'a namespace that is not allowed',
      { authority: authorityOf({ allowedNamespaces: ['other'], signing: undefined }) },
      'refused',
      'NamespaceNotAllowed',
    ],
    [
      'an authority that may not be read',
      { authority: authorityOf({ unreadable: 'it may not be read', signing: undefined, problem: 'why' }) },
      'waiting',
      'AuthorityUnknown',
    ],
    [
      'an authority that cannot sign',
      { authority: authorityOf({ signing: undefined, problem: 'why' }), identity: withCertificate({ lifetime: hours(9999) }) },
      'waiting',
      'AuthorityNotReady',
    ],
    [
      'a lifetime beyond the generation’s',
      { identity: withCertificate({ lifetime: hours(361) }), observedAccounts: [] },
      'refused',
      'LifetimeOutOfBounds',
    ],
    [
      'a lifetime beyond the authority’s',
      { identity: withCertificate({ lifetime: hours(49) }), authority: authorityOf({ maxLifetime: hours(48) }) },
      'refused',
      'LifetimeOutOfBounds',
    ],
    ['a lifetime below the authority’s', { identity: withCertificate({ lifetime: minutes(59) }) }, 'refused', 'LifetimeOutOfBounds'],
    [
      'a key type the authority does not allow',
      { identity: withCertificate({ keyType: 'ED25519' }), authority: authorityOf({ keyTypes: ['ECDSAP256'] }), observedAccounts: [] },
      'refused',
      'KeyTypeNotAllowed',
    ],
    ['no pods and no recorded account', { observedAccounts: [] }, 'waiting', 'NoServiceAccount'],
    ['pods under two accounts and no recorded one', { observedAccounts: ['a', 'b'] }, 'refused', 'ServiceAccountConflict'],
    [
      'more names than one certificate may hold',
      { serviceDnsNames: Array.from({ length: 401 }, (_, i) => parseDnsName(`s${i}.shop`)) },
      'refused',
      'TooManyNames',
    ],
  ])('%s: does nothing and says so', (_what, change, state, reason) => {
    const plan = planIdentity(factsOf(change), NOW)
    expect({ step: plan.step.kind, state: plan.readiness.state, reason: plan.readiness.reason }).toEqual({ step: 'none', state, reason })
  })

  it('keeps the present certificate and says that it stays', () => {
    const facts = servedFacts()
    const plan = planIdentity({ ...facts, identity: withCertificate({ lifetime: hours(9999) }) }, NOW)
    expect(plan.step.kind).toBe('none')
    expect(plan.readiness.message).toContain('The present certificate stays')
  })

  it('still gets a new trust bundle, and nothing else', () => {
    const facts = servedFacts({}, { bundleFingerprint: fingerprintOf(Buffer.from('old')) })
    const plan = planIdentity({ ...facts, identity: withCertificate({ lifetime: hours(9999) }) }, NOW)
    expect(plan).toMatchObject({
      step: { kind: 'update', patch: { trust: { bundle: { text: 'the bundle' } }, labels: {} } },
      readiness: { reason: 'LifetimeOutOfBounds' },
    })
  })
})

describe('the account of an identity', () => {
  const uriOf = (facts: IdentityFacts): string | undefined => {
    const { step } = planIdentity(facts, NOW)
    return step.kind === 'issue' ? step.profile.spiffeId.uri : undefined
  }
  it('is what the spec says, whatever the pods run as', () => {
    expect(uriOf(factsOf({ identity: identityOf({ spec: specOf({ serviceAccountName: 'x' }) }), observedAccounts: ['a', 'b'] }))).toBe(
      'spiffe://cluster.local/ns/shop/sa/x',
    )
  })
  it('is the one that all pods run as, also where another was recorded', () => {
    expect(uriOf(factsOf({ observedAccounts: ['new'], recordedAccount: 'old' }))).toBe('spiffe://cluster.local/ns/shop/sa/new')
  })
  it('is the recorded one while there are no pods', () => {
    expect(uriOf(factsOf({ observedAccounts: [], recordedAccount: 'old' }))).toBe('spiffe://cluster.local/ns/shop/sa/old')
  })
  it('stays the recorded one while a stray pod runs under another, and the condition says so', () => {
    const facts = factsOf({ observedAccounts: ['payments', 'stray'], recordedAccount: 'payments' })
    expect(uriOf(facts)).toBe('spiffe://cluster.local/ns/shop/sa/payments')
    expect(planIdentity(facts, NOW).readiness).toMatchObject({ state: 'ready', reason: 'ServiceAccountConflict' })
  })
})

describe('a leaf', () => {
  it('that is right is left alone until the instant that was drawn', () => {
    const facts = servedFacts()
    expect(planIdentity(facts, NOW)).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'ready', reason: 'Current' },
      next: NOW + hours(11),
    })
  })

  it('that is missing is issued by a create', () => {
    expect(planIdentity(factsOf(), NOW)).toMatchObject({ step: { kind: 'issue', replaces: undefined }, reason: 'SecretMissing' })
  })

  // In the order of the checks: each row also has the defects of all rows after it.
  const defects: [string, Partial<SecretFacts>][] = [
    ['SecretDataMissing', { problem: { reason: 'SecretDataMissing', detail: 'tls.key missing' } }],
    ['ChainNotTrusted', { trusted: { ok: false, rule: 'anchor', detail: 'no anchor' } }],
    ['GenerationRetiring', leafOf({ authorityKeyID: 'bb' })],
    ['NamesChanged', leafOf({ uris: ['spiffe://cluster.local/ns/shop/sa/other'] })],
    ['NamesChanged', leafOf({ dnsNames: [] })],
    ['KeyTypeChanged', leafOf({ keyType: 'RSA3072' })],
    ['ProfileChanged', without(annotations.profileHash)],
    [
      'RenewalDue',
      {
        renewAt: NOW - 1,
        leaf: { ...(secretFor(factsOf()).leaf as NonNullable<SecretFacts['leaf']>), notBefore: NOW - hours(20), notAfter: NOW + hours(4) },
      },
    ],
  ]
  it.each(defects)('with the defect %s is replaced for that reason', (reason, change) => {
    const plan = planIdentity(servedFacts({}, change), NOW)
    expect(plan).toMatchObject({ step: { kind: 'issue', replaces: { uid: 'secret-uid', resourceVersion: '20' } }, reason })
  })
  it.each(defects.map(([reason], index) => [reason, index] as const))(
    'is judged for %s before what comes later (row %i)',
    (reason, index) => {
      const later = defects
        .slice(index)
        .reverse()
        .map(([, change]) => change)
      const leaf = Object.assign({}, ...later.map((change) => change.leaf ?? {}), defects[index]?.[1].leaf ?? {})
      const merged = { ...Object.assign({}, ...later), leaf: { ...secretFor(factsOf()).leaf, ...leaf } }
      expect(planIdentity(servedFacts({}, merged), NOW).reason).toBe(reason)
    },
  )

  it.each([
    ['a second URI', { uris: ['spiffe://cluster.local/ns/shop/sa/payments', 'spiffe://cluster.local/ns/shop/sa/admin'] }],
    ['another kind of name', { otherNames: 1 }],
    ['the CA flag', { isCA: true }],
  ])('that carries %s is replaced', (_what, change) => {
    expect(planIdentity(servedFacts({}, leafOf(change)), NOW)).toMatchObject({ step: { kind: 'issue' }, reason: 'NamesChanged' })
  })

  it('that has one DNS name too many stays until its renewal', () => {
    const facts = servedFacts()
    expect(planIdentity({ ...facts, serviceDnsNames: [] }, NOW).step.kind).toBe('none')
  })

  it('is renewed when a person asks, once for each value', () => {
    const asked = identityOf({ renewRequestedAt: '2026-11-24T11:00:00Z' })
    const before = servedFacts()
    const plan = planIdentity({ ...before, identity: asked }, NOW)
    expect(plan).toMatchObject({ step: { kind: 'issue', renewedFor: '2026-11-24T11:00:00Z' }, reason: 'RenewalRequested' })
    expect(
      planIdentity(
        servedFacts(
          { identity: asked },
          { annotations: { ...secretFor(before).annotations, [annotations.renewedFor]: '2026-11-24T11:00:00Z' } },
        ),
        NOW,
      ).step.kind,
    ).toBe('none')
  })

  it('is not renewed for a request that is no time, and the condition says so', () => {
    const plan = planIdentity({ ...servedFacts(), identity: identityOf({ renewRequestedAt: 'now!' }) }, NOW)
    expect(plan.step.kind).toBe('none')
    expect(plan.readiness.message).toContain('"now!" is ignored')
  })

  it('is not renewed early or late because somebody edited the instant on the Secret', () => {
    const early = planIdentity(servedFacts({}, { renewAt: NOW - hours(1) }), NOW)
    expect(early.step.kind).not.toBe('issue')
    const late = servedFacts({}, { renewAt: NOW + hours(9999) })
    expect(planIdentity(late, NOW + hours(17)).reason).toBe('RenewalDue')
  })

  it('is not renewed while it lasts as long as its issuer, since another one would end no later; then it is, and the issuer refuses', () => {
    const issuerEnds = factsOf().authority?.signing?.notAfter ?? 0
    const facts = servedFacts({}, { renewAt: NOW, ...leafOf({ notBefore: issuerEnds - hours(24), notAfter: issuerEnds }) })
    const plan = planIdentity(facts, issuerEnds - 1000)
    expect([plan.step.kind === 'issue', plan.next]).toEqual([false, issuerEnds])
    expect(planIdentity(facts, issuerEnds).reason).toBe('RenewalDue')
  })
})

describe('the Secret around a leaf that is right', () => {
  it.each<[string, string, Partial<SecretFacts>]>([
    ['ca.crt', 'BundleOutdated', { bundleFingerprint: undefined }],
    ['a label', 'MetadataChanged', { labels: {} }],
    ['an annotation', 'MetadataChanged', { annotations: { ...secretFor(factsOf()).annotations, [annotations.serialNumber]: 'ff' } }],
    ['its owner', 'MetadataChanged', { owner: undefined }],
    ['the owner of a former identity of that name', 'MetadataChanged', { owner: { name: 'payments', uid: 'older' } }],
  ])('is patched, not reissued, when %s differs', (_what, reason, change) => {
    const plan = planIdentity(servedFacts({}, change), NOW)
    expect(plan).toMatchObject({
      step: { kind: 'update', version: { uid: 'secret-uid', resourceVersion: '20' } },
      reason,
      readiness: { state: 'ready' },
    })
  })

  it.each<[string, Partial<SecretFacts>]>([
    ['made immutable and outdated', { immutable: true, bundleFingerprint: undefined }],
    ['of another type, though all else is right', { type: 'Opaque' }],
    ['of another type and without material', { type: 'Opaque', problem: { reason: 'SecretDataMissing', detail: 'x' } }],
  ])('is deleted and made again when it is %s', (_what, change) => {
    expect(planIdentity(servedFacts({}, change), NOW)).toMatchObject({ step: { kind: 'delete' }, reason: 'SecretRecreated' })
  })

  it('may be immutable while nothing has to change', () => {
    expect(planIdentity(servedFacts({}, { immutable: true }), NOW).step.kind).toBe('none')
  })
})

describe('after a failure', () => {
  const failure = (nextAttemptAt: number) => ({
    reason: 'ServerError',
    message: 'x',
    at: formatInstant(NOW),
    attempts: 1,
    nextAttemptAt: formatInstant(nextAttemptAt),
  })
  const failed = (generation: number, nextAttemptAt: number) =>
    factsOf({
      identity: identityOf({ generation, status: { observedGeneration: 1, conditions: [], lastFailure: failure(nextAttemptAt) } }),
    })

  it('nothing is done before the next attempt, which is when to look again', () => {
    expect(planIdentity(failed(1, NOW + seconds(8)), NOW)).toMatchObject({ step: { kind: 'none' }, held: true, next: NOW + seconds(8) })
  })
  it('the next attempt is made when its time has come', () => {
    expect(planIdentity(failed(1, NOW), NOW)).toMatchObject({ step: { kind: 'issue' }, held: false })
  })
  it('a changed spec is tried at once', () => {
    expect(planIdentity(failed(2, NOW + seconds(8)), NOW)).toMatchObject({ step: { kind: 'issue' }, held: false })
  })
})

it('a Secret that may not be read leaves the step open', () => {
  expect(planIdentity(factsOf({ secret: 'unknown' }), NOW)).toMatchObject({ step: { kind: 'none' }, reason: 'SecretUnknown' })
})

describe('a Secret in the cache that is somebody else’s', () => {
  const renewal = {
    renewAt: NOW - 1,
    leaf: { ...(secretFor(factsOf()).leaf as NonNullable<SecretFacts['leaf']>), notBefore: NOW - hours(20) },
  }
  it.each<[string, Partial<SecretFacts>]>([
    ['a controller of another kind owns', { foreignController: 'ConfigMap precious' }],
    ['an identity of another name owns', { owner: { name: 'orders', uid: 'uid-9' } }],
    ['nobody owns and no label of ours names the identity', { owner: undefined, labels: {} }],
  ])('which %s, is never touched, whatever is wrong with it', (_what, change) => {
    for (const defect of [{}, { type: 'Opaque' }, { bundleFingerprint: undefined }, renewal]) {
      const plan = planIdentity(servedFacts({}, { ...defect, ...change }), NOW)
      expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'SecretNotOwned' } })
    }
  })

  it('also where the identity cannot be served and only the bundle would be kept in sync', () => {
    const facts = servedFacts({}, { foreignController: 'ConfigMap precious', bundleFingerprint: undefined })
    expect(planIdentity({ ...facts, identity: withCertificate({ lifetime: hours(9999) }) }, NOW).step.kind).toBe('none')
  })

  it('which lost its owner is repaired but never deleted', () => {
    const plan = planIdentity(servedFacts({}, { owner: undefined, type: 'Opaque' }), NOW)
    expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { reason: 'SecretNotOwned' } })
  })
})

it('a Secret that must be made again and that finalizers hold is not deleted over and over, and the remedy is named', () => {
  const plan = planIdentity(servedFacts({}, { immutable: true, terminating: true, bundleFingerprint: undefined }), NOW)
  expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'SecretTerminating' } })
  expect(plan.message).toContain('remove them')
})

it('a certificate that begins in the future is replaced, one that begins within a minute is not', () => {
  const leafFrom = (notBefore: number) => servedFacts({}, { renewAt: undefined, ...leafOf({ notBefore, notAfter: notBefore + hours(24) }) })
  expect(planIdentity(leafFrom(NOW + hours(20)), NOW)).toMatchObject({ step: { kind: 'issue' }, reason: 'NotYetValid' })
  expect(planIdentity(leafFrom(NOW + seconds(60)), NOW).reason).not.toBe('NotYetValid')
})

it('a service account that cannot be one is refused with the rule, not thrown', () => {
  const facts = factsOf({ identity: identityOf({ spec: specOf({ serviceAccountName: '../admin' }) }) })
  expect(planIdentity(facts, NOW)).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'SpiffeIdInvalid' } })
})

it('pods that may not be read leave the step open instead of being none', () => {
  const plan = planIdentity(factsOf({ unknown: ['pods'], observedAccounts: [] }), NOW)
  expect(plan).toMatchObject({ step: { kind: 'none' }, reason: 'FactsUnknown' })
})
