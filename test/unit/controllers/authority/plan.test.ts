// Facts come from real stores with real CAs, so that a plan is tested on what observe makes of stored objects.

import { describe, expect, it } from '@jest/globals'
import { annotations, labels } from '../../../../src/api/names.ts'
import { hours, seconds } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import type { AuthorityFacts } from '../../../../src/controllers/authority/facts.ts'
import { observeAuthorityState } from '../../../../src/controllers/authority/observe.ts'
import { planAuthority } from '../../../../src/controllers/authority/plan.ts'
import { nextAuthorityStatus } from '../../../../src/controllers/authority/report.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import { renderPrivateKey } from '../../../../src/pki/keys.ts'
import { parseTrustDomain } from '../../../../src/pki/trust-domain.ts'
import { oddCertificate } from '../../../support/certificates.ts'
import {
  authorityObject,
  b64,
  bundleMap,
  bundleOf,
  caSecret,
  filledStores,
  leafSecret,
  makeCA,
  NOW,
  OPERATOR_NAMESPACE,
  pemOf,
} from '../../../support/material.ts'

const [first, second, stranger, old] = await Promise.all([
  makeCA(),
  makeCA({ generation: 2 }),
  makeCA(),
  makeCA({ lifetime: hours(240), madeAt: NOW - hours(300) }),
])

const leaf = await leafSecret(first)

interface World {
  authority?: RawObject
  others?: RawObject[]
  secrets?: RawObject[]
  record?: RawObject
}

function factsOf({ authority = authorityObject(), others = [], secrets = [], record }: World): AuthorityFacts {
  const stores = filledStores({ authorities: [authority, ...others], caSecrets: secrets, bundleRecords: record ? [record] : [] })
  const observed = stores.authorities.get('', authority.metadata.name)
  if (!observed) throw new Error('the authority is not in its store')
  return observeAuthorityState(observed, stores, {
    operatorNamespace: OPERATOR_NAMESPACE,
    defaultTrustDomain: 'cluster.local',
    namespacedTrustDomains: {},
  })
}
const planOf = (world: World, now = NOW) => planAuthority(factsOf(world), now)

const elder = authorityObject({}, { metadata: { name: 'elder', creationTimestamp: '2020-01-01T00:00:00Z' } })
const record = bundleMap(bundleOf(first))
const badSpec = authorityObject({ leaf: { lifetime: '90d' } })
const otherDomain = authorityObject({ trustDomain: 'example.org' })
const garbage = caSecret(first, { data: { 'tls.key': b64('garbage') } })
const inactive = (ca = first) => caSecret(ca, { activatedAt: undefined })

describe('the checks of an authority come in this order', () => {
  // Each row also has the defects that later rows are about, as far as they can be together, so that a wrong order is seen.
  it.each<[string, string, string, World]>([
    ['refused', 'SpecInvalid', 'none', { authority: badSpec, others: [elder] }],
    ['refused', 'TrustDomainTaken', 'none', { others: [elder] }],
    ['waiting', 'GenerationCreated', 'createGeneration', {}],
    ['refused', 'CAKeyMissing', 'findGeneration', { authority: otherDomain, record }],
    ['refused', 'CAKeyInvalid', 'none', { authority: otherDomain, secrets: [garbage], record }],
    ['refused', 'TrustDomainChanged', 'none', { authority: otherDomain, secrets: [caSecret(old, { activatedAt: undefined })] }],
    ['refused', 'CAExpired', 'none', { secrets: [caSecret(old, { activatedAt: undefined })] }],
    ['waiting', 'GenerationActivated', 'activate', { secrets: [inactive()] }],
    ['waiting', 'BundlePublished', 'publish', { secrets: [caSecret(first)] }],
    ['ready', 'Current', 'none', { secrets: [caSecret(first)], record }],
  ])('%s: %s', (state, reason, step, world) => {
    const plan = planOf(world)
    expect({ state: plan.readiness.state, reason: plan.readiness.reason, step: plan.step.kind }).toEqual({ state, reason, step })
  })
})

describe('a first generation', () => {
  it('is made with what the spec asks for, and may sign leaves of a sixth of its own lifetime', () => {
    const authority = authorityObject({ trustDomain: 'example.org', selfManaged: { keyType: 'ED25519', rootLifetime: '600h' } })
    expect(planOf({ authority }).step).toEqual({
      kind: 'createGeneration',
      profile: { trustDomain: 'example.org', generation: 1, keyType: 'ED25519', lifetime: hours(600) },
      longestLeafLifetime: hours(100),
    })
  })

  it('takes the trust domain of the operator where the spec names none', () => {
    expect(planOf({}).step).toMatchObject({ profile: { trustDomain: 'cluster.local' } })
  })

  it.each<[string, World]>([
    ['a CA Secret that cannot be read', { secrets: [caSecret(first, { data: { 'tls.crt': undefined, 'tls.key': undefined } })] }],
    ['a CA Secret without its annotations', { secrets: [caSecret(first, { annotations: { [annotations.generation]: undefined } })] }],
    ['a published bundle', { record }],
    ['a published bundle that was emptied', { record: bundleMap(bundleOf(first), { data: { 'ca.crt': undefined } }) }],
  ])('is not made where there is %s', (_what, world) => {
    expect(planOf(world).step.kind).not.toBe('createGeneration')
  })

  it('is not made, and the pass does not break, where the spec holds a trust domain that is none', () => {
    expect(planOf({ authority: authorityObject({ trustDomain: 'NOT/one' }) })).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'refused', reason: 'TrustDomainInvalid' },
    })
  })
})

describe('a CA Secret that vanished', () => {
  it('is looked for by name, and the message says what stays and how to start over', () => {
    const plan = planOf({ record })
    expect(plan.step).toEqual({ kind: 'findGeneration', secretName: 'default-ca-1' })
    expect(plan.message).toMatch(
      /default-ca-1 is gone from namespace mutual-identity-system, .*restore it from a backup.*stays trusted.*delete ConfigMap mutual-identity-system\/default-trust-bundle and this authority, and make the authority again/,
    )
  })

  const told = (fingerprint: string) => authorityObject({}, { fields: { status: { generations: [reported(fingerprint)] } } })
  const reported = (fingerprint: string) => ({
    number: 1,
    state: 'Active',
    fingerprint,
    subjectKeyID: 'a'.repeat(40),
    notBefore: formatInstant(NOW),
    notAfter: formatInstant(NOW + hours(24)),
  })

  it('together with its record, while the status tells of it, is not replaced either; the trace stays', () => {
    const facts = factsOf({ authority: told('b'.repeat(64)) })
    const plan = planAuthority(facts, NOW)
    expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'CAKeyMissing' } })
    expect(plan.message).toMatch(
      /tells of generation 1.*is in namespace mutual-identity-system, the operator's own: restore both from a backup.*delete this authority, and make the authority again/,
    )
    expect(nextAuthorityStatus(facts, plan, { kind: 'none' }, NOW).generations).toEqual([reported('b'.repeat(64))])
  })

  it.each<[string, World]>([
    ['is gone while its record is there', { record }],
    ['cannot be read', { secrets: [garbage], record }],
  ])('or that %s stays in the status, which may be the only witness later', (_what, world) => {
    const facts = factsOf({ ...world, authority: told('b'.repeat(64)) })
    const plan = planAuthority(facts, NOW)
    expect(plan.readiness.state).toBe('refused')
    expect(nextAuthorityStatus(facts, plan, { kind: 'none' }, NOW).generations).toEqual([reported('b'.repeat(64))])
  })

  it('is forgotten by the status once another can be read', () => {
    const facts = factsOf({ secrets: [caSecret(first)], record, authority: told('b'.repeat(64)) })
    const { generations } = nextAuthorityStatus(facts, planAuthority(facts, NOW), { kind: 'none' }, NOW)
    expect(generations?.map(({ fingerprint }) => fingerprint)).toEqual([first.certificate.fingerprint])
  })
})

describe('a CA Secret that cannot be used', () => {
  const key = (ca: typeof first) => renderPrivateKey(ca.keyPair.privateKey).toString('base64')
  const tlsKey = (text: string) => caSecret(first, { data: { 'tls.key': text } })
  const tlsCrt = (text: string) => caSecret(first, { data: { 'tls.crt': b64(text) } })
  it.each<[string, RawObject, RegExp]>([
    ['without data', caSecret(first, { data: { 'tls.crt': undefined, 'tls.key': undefined } }), /tls\.crt is missing/],
    ['without its key', caSecret(first, { data: { 'tls.key': undefined } }), /tls\.key is missing/],
    ['with garbage for a key', garbage, /tls\.key: the private key is refused/],
    ['with the key of another', tlsKey(key(second)), /not the key of the certificate/],
    ['with garbage for a certificate', tlsCrt('garbage'), /tls\.crt: PEM refused/],
    ['with a bundle of too many certificates', tlsCrt(pemOf(first.certificate).repeat(11)), /tls\.crt/],
    ['with another CA than was published', caSecret(stranger), /another certificate than the root that was published/],
    [
      'without the number of its generation',
      caSecret(first, { annotations: { [annotations.generation]: undefined } }),
      /generation is not a positive number/,
    ],
    [
      'with a number that is none',
      caSecret(first, { annotations: { [annotations.generation]: '-1' } }),
      /generation is not a positive number/,
    ],
    ['with a leaf instead of a CA', caSecret(first, { data: leaf['data'] as Record<string, string> }), /is no CA/],
  ])('%s stops everything, and names itself and the cause', (_what, secret, detail) => {
    const plan = planOf({ secrets: [secret], record })
    expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'CAKeyInvalid' } })
    expect(plan.message).toMatch(detail)
    expect(plan.message).toContain('CA Secret default-ca-1')
  })

  it.each([
    ['no CA', { ca: false }],
    ['a CA that may not sign certificates', { keyUsage: null }],
    ['a CA that another one signed', { signer: { certificate: second.certificate, privateKey: second.keyPair.privateKey } }],
  ])('stops everything also where no record says what was published, if it is %s', async (_what, recipe) => {
    const certificate = await oddCertificate({ key: first.keyPair, ...recipe })
    const plan = planOf({ secrets: [caSecret({ ...first, certificate })] })
    expect(plan).toMatchObject({ step: { kind: 'none' }, readiness: { state: 'refused', reason: 'CAKeyInvalid' } })
  })
})

describe('a CA Secret without a trust domain', () => {
  it('is refused: who signed for nobody signs for nobody', async () => {
    const certificate = await oddCertificate({ key: first.keyPair })
    const secret = caSecret({ ...first, certificate }, { annotations: { [annotations.trustDomain]: undefined } })
    expect(planOf({ secrets: [secret] }).message).toMatch(/CA Secret default-ca-1 cannot be used: trust domain "" is empty/)
  })
})

describe('what people took away from a CA Secret', () => {
  it('its activation is given back, at exactly that version', () => {
    const secret = inactive()
    const { uid, resourceVersion } = secret.metadata
    expect(planOf({ secrets: [secret], record })).toMatchObject({
      step: { kind: 'activate', secretName: 'default-ca-1', version: { uid, resourceVersion } },
      reason: 'GenerationActivated',
    })
  })

  it('the trust domain is read from the root, whatever the annotation says', () => {
    const secret = caSecret(first, { annotations: { [annotations.trustDomain]: 'example.org' } })
    expect(planOf({ authority: authorityObject({ trustDomain: 'cluster.local' }), secrets: [secret], record }).reason).toBe('Current')
  })
})

describe('the published bundle', () => {
  const edited = (change: Parameters<typeof bundleMap>[1]) => bundleMap(bundleOf(first), change)
  it.each<[string, RawObject]>([
    ['a text that was edited', edited({ data: { 'ca.crt': pemOf(first.certificate, stranger.certificate) } })],
    ['a text that was emptied', edited({ data: { 'ca.crt': '' } })],
    ['no text', edited({ data: { 'ca.crt': undefined } })],
    ['garbage', edited({ data: { 'ca.crt': 'garbage' } })],
    ['another fingerprint', edited({ annotations: { [annotations.bundleFingerprint]: 'aa' } })],
    ['a lost label', edited({ labels: { [labels.authorityKind]: undefined } })],
  ])('is written anew over %s, at exactly that version', (_what, record) => {
    const { uid, resourceVersion } = record.metadata
    expect(planOf({ secrets: [caSecret(first)], record })).toMatchObject({
      step: { kind: 'publish', bundle: { text: pemOf(first.certificate) }, replaces: { uid, resourceVersion } },
      reason: 'BundlePublished',
    })
  })

  it('is created where there is none', () => {
    expect(planOf({ secrets: [caSecret(first)] }).step).toMatchObject({ kind: 'publish', replaces: undefined })
  })

  it('is deleted, to be made again, where somebody made it immutable and it has to change', () => {
    const record = bundleMap(bundleOf(first), { fields: { immutable: true }, labels: { [labels.authorityKind]: undefined } })
    const { uid, resourceVersion } = record.metadata
    expect(planOf({ secrets: [caSecret(first)], record }).step).toEqual({ kind: 'deleteRecord', version: { uid, resourceVersion } })
  })

  it('may be immutable while nothing has to change', () => {
    expect(planOf({ secrets: [caSecret(first)], record: bundleMap(bundleOf(first), { fields: { immutable: true } }) }).reason).toBe(
      'Current',
    )
  })
})

describe('two generations', () => {
  const both = bundleMap(bundleOf(first, second))
  const active = (ca: typeof first, at = NOW - hours(1)) => caSecret(ca, { activatedAt: at })
  it.each<[string, RawObject[], (typeof first)[]]>([
    ['the first signs and the second is prepared', [active(first), inactive(second)], [first, second]],
    ['both were activated: the second signs', [active(first), active(second)], [second, first]],
    ['the second alone was activated', [inactive(first), active(second)], [second, first]],
  ])('are published with the one that signs first, when %s', (_what, secrets, order) => {
    const { step } = planOf({ secrets })
    expect(step).toMatchObject({ kind: 'publish', bundle: { text: pemOf(...order.map(({ certificate }) => certificate)) } })
  })

  it('are current when the record holds both in order', () => {
    expect(planOf({ secrets: [active(first), inactive(second)], record: both })).toMatchObject({
      readiness: { state: 'ready' },
      message: expect.stringContaining('generation 1 signs'),
    })
  })

  it('do not sign before both are told apart: with none activated the older is activated', () => {
    expect(planOf({ secrets: [inactive(second), inactive(first)], record: both }).step).toMatchObject({
      kind: 'activate',
      secretName: 'default-ca-1',
    })
  })

  it('are not published with a retiring root that has expired', () => {
    const { step } = planOf({ secrets: [caSecret(old), active(second)] })
    expect(step).toMatchObject({ kind: 'publish', bundle: { text: pemOf(second.certificate) } })
  })
})

describe('an expired root', () => {
  const secrets = [caSecret(first)]
  it('signs until its end, which is when to look again', () => {
    const { notAfter } = first.certificate
    expect(planOf({ secrets, record }, notAfter - 1)).toMatchObject({ reason: 'Current', next: notAfter })
  })
  it('stops everything from its end on', () => {
    expect(planOf({ secrets, record }, first.certificate.notAfter)).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'refused', reason: 'CAExpired' },
    })
  })
})

describe('two authorities of one trust domain', () => {
  it('the message names the trust domain and the older one', () => {
    expect(planOf({ others: [elder] }).message).toMatch(/trust domain cluster\.local belongs to ClusterMutualAuthority elder/)
  })
  it('an immutable trust domain that differs from the root’s is refused with both names', () => {
    const plan = planOf({ authority: otherDomain, secrets: [caSecret(first)], record })
    expect(plan.message).toMatch(/example\.org but the CA was made for cluster\.local/)
  })
  it('another trust domain is no conflict', async () => {
    const ca = await makeCA({ trustDomain: parseTrustDomain('example.org') })
    expect(planOf({ authority: otherDomain, others: [elder], secrets: [caSecret(ca)], record: bundleMap(bundleOf(ca)) }).reason).toBe(
      'Current',
    )
  })
})

describe('after a failure', () => {
  const failed = (nextAttemptAt: number, generation = 1) => {
    const lastFailure = {
      reason: 'ServerError',
      message: 'x',
      at: formatInstant(NOW),
      attempts: 1,
      nextAttemptAt: formatInstant(nextAttemptAt),
    }
    return authorityObject({}, { metadata: { generation }, fields: { status: { observedGeneration: 1, conditions: [], lastFailure } } })
  }
  it('nothing is done before the next attempt, which is when to look again', () => {
    expect(planOf({ authority: failed(NOW + seconds(8)) })).toMatchObject({ step: { kind: 'none' }, held: true, next: NOW + seconds(8) })
  })
  it('the next attempt is made when its time has come', () => {
    expect(planOf({ authority: failed(NOW) })).toMatchObject({ step: { kind: 'createGeneration' }, held: false })
  })
  it('a changed spec is tried at once', () => {
    expect(planOf({ authority: failed(NOW + seconds(8), 2) })).toMatchObject({ step: { kind: 'createGeneration' }, held: false })
  })
  it('what needs no step is said at once', () => {
    expect(planOf({ authority: failed(NOW + seconds(8)), secrets: [caSecret(first)], record })).toMatchObject({
      readiness: { reason: 'Current' },
      held: false,
    })
  })
})

describe('a record that was edited', () => {
  it('is not made again from a CA that was swapped in at the same time', () => {
    const edited = bundleMap(bundleOf(first), { data: { 'ca.crt': 'garbage' } })
    expect(planOf({ secrets: [caSecret(stranger)], record: edited })).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'refused', reason: 'BundleRecordInvalid' },
    })
  })

  it('into the very text of a CA that was swapped in is not believed either: the fingerprint beside it is of another one', () => {
    const edited = bundleMap(bundleOf(first), { data: { 'ca.crt': pemOf(stranger.certificate) } })
    expect(planOf({ secrets: [caSecret(stranger)], record: edited })).toMatchObject({
      step: { kind: 'none' },
      readiness: { state: 'refused', reason: 'BundleRecordInvalid' },
    })
  })
})

describe('a root that was published and whose CA Secret is gone', () => {
  it('stays in the bundle behind those that are there, until it expires', () => {
    const both = bundleMap(bundleOf(first, second))
    const planned = planOf({ secrets: [caSecret(first)], record: both })
    expect(planned).toMatchObject({ step: { kind: 'none' }, reason: 'Current' })
  })
})
