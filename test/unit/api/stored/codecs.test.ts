// The codecs of stored objects: what is written reads back as current, what is broken is told by reason, and nothing makes them throw.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { annotations, labels } from '../../../../src/api/names.ts'
import { bundleIsCurrent, isOwnBundle, projectBundleCopy, projectBundleRecord, renderBundle } from '../../../../src/api/stored/bundle.ts'
import { projectCaSecret } from '../../../../src/api/stored/ca-secret.ts'
import { deriveGenerations, signingGeneration } from '../../../../src/api/stored/generations.ts'
import { projectLeafSecret } from '../../../../src/api/stored/leaf-secret.ts'
import { hours } from '../../../../src/base/duration.ts'
import { fingerprintOf } from '../../../../src/pki/fingerprint.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import {
  b64,
  bundleMap,
  bundleOf,
  caSecret,
  changed,
  DEFAULT_REF,
  leafProfile,
  leafSecret,
  makeCA,
  NOW,
  pemOf,
  type RawChange,
} from '../../../support/material.ts'

const [ca, stranger, second] = await Promise.all([makeCA(), makeCA(), makeCA({ generation: 2 })])
const leaf = await leafSecret(ca)
const other = await leafSecret(ca)
const ed = await leafSecret(ca, { profile: leafProfile({ keyType: 'ED25519' }) })
const dataOf = (raw: { [field: string]: unknown }) => raw['data'] as Record<string, string>
const keyOf = (raw: { [field: string]: unknown }) => Buffer.from(dataOf(raw)['tls.key'] ?? '', 'base64').toString()
const leafWith = (change: RawChange) => projectLeafSecret(changed(leaf, change))
const caWith = (change: RawChange) => projectCaSecret(changed(caSecret(ca), change))

describe('a leaf Secret that was written', () => {
  it('reads back as what was asked for', () => {
    expect(projectLeafSecret(leaf)).toMatchObject({
      type: 'kubernetes.io/tls',
      immutable: false,
      problem: undefined,
      owner: { name: 'payments', uid: 'uid-payments' },
      leaf: {
        uris: [leafProfile().spiffeId.uri],
        dnsNames: leafProfile().dnsNames,
        keyType: 'ECDSAP256',
        isCA: false,
        authorityKeyID: ca.certificate.subjectKeyID,
      },
      bundleFingerprint: bundleOf(ca).fingerprint,
      renewAt: NOW + hours(11),
    })
  })

  it.each<[string, RawChange, string, RegExp]>([
    ['its key', { data: { 'tls.key': undefined } }, 'SecretDataMissing', /^tls\.key missing/],
    ['its certificate', { data: { 'tls.crt': '' } }, 'SecretDataMissing', /^tls\.crt missing/],
    ['both', { data: { 'tls.crt': undefined, 'tls.key': undefined } }, 'SecretDataMissing', /^tls\.crt and tls\.key missing/],
  ])('that lost %s is told so', (_what, change, reason, detail) => {
    expect(leafWith(change).problem).toMatchObject({ reason, detail: expect.stringMatching(detail) })
  })

  it.each<[string, Record<string, string>, string]>([
    ['a certificate that is garbage', { 'tls.crt': b64('x') }, 'CertificateInvalid'],
    ['a certificate that is its key', { 'tls.crt': dataOf(leaf)['tls.key'] ?? '' }, 'CertificateInvalid'],
    ['a key that is garbage', { 'tls.key': b64('x') }, 'KeyInvalid'],
    ['a key that is its certificate', { 'tls.key': dataOf(leaf)['tls.crt'] ?? '' }, 'KeyInvalid'],
    ['the key of another', { 'tls.key': dataOf(other)['tls.key'] ?? '' }, 'KeyMismatch'],
    ['a key of another kind', { 'tls.key': dataOf(ed)['tls.key'] ?? '' }, 'KeyMismatch'],
    ['no base64 at all', { 'tls.crt': '!!!' }, 'CertificateInvalid'],
  ])('and holds %s now is told by reason', (_what, data, reason) => {
    expect(leafWith({ data }).problem?.reason).toBe(reason)
  })

  it('and whose bundle was edited shows another fingerprint', () => {
    expect(leafWith({ data: { 'ca.crt': b64('x') } }).bundleFingerprint).toBe(fingerprintOf(Buffer.from('x')))
  })

  it('has no owner by a reference of another kind or group', () => {
    const [owner] = leaf.metadata.ownerReferences ?? []
    for (const change of [{ kind: 'Pod' }, { apiVersion: 'v1' }]) {
      expect(leafWith({ metadata: { ownerReferences: [{ ...owner, ...change }] as never } }).owner).toBeUndefined()
    }
  })

  it('keeps of other people’s labels and annotations nothing in the cache', () => {
    const { labels: kept, annotations: noted } = leafWith({
      labels: { team: 'a' },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'x' },
    })
    expect(Object.keys({ ...kept, ...noted }).filter((key) => !key.startsWith('mutualidentity.io/'))).toEqual([labels.managedBy])
  })
})

describe('a CA Secret that was written', () => {
  it('reads back as what was asked for', () => {
    expect(projectCaSecret(caSecret(ca))).toMatchObject({
      authority: DEFAULT_REF,
      generation: 1,
      trustDomain: 'cluster.local',
      activatedAt: NOW - hours(24),
      longestLeafLifetime: hours(360),
      certificate: { fingerprint: ca.certificate.fingerprint },
      problem: undefined,
    })
  })

  it('is prepared while nobody activated it', () => {
    expect(projectCaSecret(caSecret(ca, { activatedAt: undefined })).activatedAt).toBeUndefined()
  })

  it.each(['0', '-1', '1.5', 'one', '', '9007199254740993'])('with generation %j has none, and a problem', (generation) => {
    expect(caWith({ annotations: { [annotations.generation]: generation } })).toMatchObject({
      generation: 0,
      problem: expect.stringContaining('generation'),
    })
  })

  it('tells of its key before it tells of its annotations', () => {
    expect(caWith({ data: { 'tls.key': b64('x') }, annotations: { [annotations.generation]: undefined } }).problem).toMatch(/^tls\.key/)
  })
})

describe('generations', () => {
  const read = (raw: Parameters<typeof projectCaSecret>[0]) => projectCaSecret(raw)
  const states = (...secrets: Parameters<typeof projectCaSecret>[0][]) =>
    deriveGenerations(secrets.map(read)).map(({ number, state }) => `${number} ${state}`)
  const [one, oneOff, two, twoOff] = [
    caSecret(ca),
    caSecret(ca, { activatedAt: undefined }),
    caSecret(second),
    caSecret(second, { activatedAt: undefined }),
  ]
  it.each<[string, Parameters<typeof projectCaSecret>[0][], string[]]>([
    ['one that is active', [one], ['1 Active']],
    ['one that is not', [oneOff], ['1 Prepared']],
    ['a first that is active', [twoOff, one], ['1 Active', '2 Prepared']],
    ['both active: never two at once', [one, two], ['1 Retiring', '2 Active']],
    ['a second that is active', [oneOff, two], ['1 Retiring', '2 Active']],
    ['none active', [oneOff, twoOff], ['1 Prepared', '2 Prepared']],
    ['a second whose key is gone', [one, changed(two, { data: { 'tls.key': undefined } })], ['1 Active']],
    ['none', [], []],
  ])('%s', (_what, secrets, expected) => {
    expect(states(...secrets)).toEqual(expected)
  })

  it('sign only with a root that is in the published bundle', () => {
    const generations = deriveGenerations([read(one), read(two)])
    expect([bundleOf(ca, second), bundleOf(ca), undefined].map((bundle) => signingGeneration(generations, bundle)?.number)).toEqual([
      2,
      undefined,
      undefined,
    ])
  })
})

describe('a bundle that was written', () => {
  const bundle = bundleOf(ca)
  it('reads back as current', () => {
    const copy = projectBundleRecord(bundleMap(bundle))
    expect(bundleIsCurrent(copy, DEFAULT_REF, bundle)).toBe(true)
    expect([copy.bundle?.text, copy.problem]).toEqual([bundle.text, undefined])
  })

  it.each<[string, RawChange]>([
    ['its text', { data: { 'ca.crt': `${bundle.text}\n` } }],
    ['its fingerprint', { annotations: { [annotations.bundleFingerprint]: 'aa' } }],
    ...[labels.managedBy, labels.role, labels.authority, labels.authorityKind].map((label): [string, RawChange] => [
      label,
      { labels: { [label]: 'edited' } },
    ]),
  ])('is not current when somebody edited %s', (_what, change) => {
    expect(bundleIsCurrent(projectBundleCopy(bundleMap(bundle, change)), DEFAULT_REF, bundle)).toBe(false)
  })

  it.each<[string, RawChange, number]>([
    ['is set back', { annotations: { [annotations.bundleSequence]: '3' } }, 7],
    ['is gone', { annotations: { [annotations.bundleSequence]: undefined } }, 7],
    [
      'is gone, with a bundle.json that is not ours',
      { annotations: { [annotations.bundleSequence]: undefined }, data: { 'bundle.json': '{"spiffe_sequence": 99}' } },
      0,
    ],
    ['is ahead', { annotations: { [annotations.bundleSequence]: '9' } }, 9],
  ])('does not count back where the annotation %s', (_what, change, sequence) => {
    expect(projectBundleRecord(bundleMap(bundle, change)).sequence).toBe(sequence)
  })

  it('is not current when another one was published', () => {
    expect(bundleIsCurrent(projectBundleCopy(bundleMap(bundle)), DEFAULT_REF, bundleOf(stranger))).toBe(false)
  })

  it.each<[string, string | undefined]>([
    ['was edited to another good bundle', pemOf(ca.certificate, stranger.certificate)],
    ['was edited to garbage', 'garbage'],
    ['holds a private key', bundle.text + keyOf(leaf)],
    ['holds a leaf', Buffer.from(dataOf(leaf)['tls.crt'] ?? '', 'base64').toString()],
    ['is empty', ''],
    ['is gone', undefined],
  ])('is not believed when its text %s', (_what, text) => {
    const record = projectBundleRecord(bundleMap(bundle, { data: { 'ca.crt': text } }))
    expect([record.bundle, typeof record.problem]).toEqual([undefined, 'string'])
  })

  it('is known as ours by its label, or by its annotation where the label is gone', () => {
    const raw = bundleMap(bundle)
    expect(isOwnBundle(raw)).toBe(true)
    expect(isOwnBundle(changed(raw, { labels: { [labels.managedBy]: undefined } }))).toBe(true)
    expect(
      isOwnBundle(changed(raw, { labels: { [labels.managedBy]: undefined }, annotations: { [annotations.bundleFingerprint]: undefined } })),
    ).toBe(false)
  })

  it('has no owner', () => {
    expect(renderBundle('shop', DEFAULT_REF, bundle).metadata).not.toHaveProperty('ownerReferences')
  })
})

describe('whatever an object holds', () => {
  const keys = [keyOf(leaf), keyOf(caSecret(ca)), keyOf(ed)]
  const detect = keyDetector(keys)
  const text = fc.oneof(
    fc.constantFrom(
      ...keys,
      ...keys.map((key) => key.slice(0, 150)),
      ...keys.map((key) => key.replace('PRIVATE', 'PUBLIC')),
      bundleOf(ca).text,
    ),
    fc.string({ unit: 'binary' }),
  )
  const field = fc.oneof(
    text.map(b64),
    fc.base64String(),
    fc.string(),
    fc.constantFrom(...Object.values(dataOf(leaf)), ...Object.values(dataOf(caSecret(ca)))),
  )
  const odd = fc.oneof(field, fc.constantFrom(null, 0, true, [], {}))
  const data = fc.oneof(
    fc.record({ 'tls.crt': odd, 'tls.key': odd, 'ca.crt': odd }, { requiredKeys: [] }),
    fc.constantFrom(null, undefined, '', 0),
  )
  const noted = fc.dictionary(fc.constantFrom(...Object.values(annotations)), fc.string())
  const raw = fc
    .record({ data, notes: noted, type: fc.constantFrom('kubernetes.io/tls', 'Opaque', undefined) })
    .map(({ data, notes, type }) => ({
      metadata: { namespace: 'shop', name: 'x', uid: 'u', resourceVersion: '1', annotations: notes },
      type,
      data,
    }))
  const codecs = { projectLeafSecret, projectCaSecret, projectBundleCopy, projectBundleRecord }

  it.each(Object.entries(codecs))('%s never throws and never shows bytes of a key', (_name, project) => {
    fc.assert(
      fc.property(raw, (object) => {
        const seen = JSON.stringify(project(object as never), (_key, value: unknown) =>
          value && typeof value === 'object' && 'type' in value && value.type === 'Buffer'
            ? Buffer.from((value as unknown as { data: number[] }).data).toString('base64')
            : value,
        )
        expect(detect(seen)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })
})
