// An authority that takes its CA from somebody's Secret, in whole passes: what is refused and why, what a copy is, and that a copy goes on signing
// whatever becomes of the Secret or the spec: another CA comes by a rotation only.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../../src/api/kinds.ts'
import { annotations, labels } from '../../../../src/api/names.ts'
import { hours, minutes, seconds } from '../../../../src/base/duration.ts'
import { configMaps, type ObjectRef, type RawObject, type Resource, secrets } from '../../../../src/k8s/resource.ts'
import { readChain } from '../../../../src/pki/certificate.ts'
import { Extension, KeyUsageFlags, oddCertificate, rsaOf } from '../../../support/certificates.ts'
import { type CorporateCa, type CorporateOptions, corporateCa, keyPem, sourceSecret } from '../../../support/corporate-ca.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import {
  authorityObject,
  b64,
  caSecret,
  identityObject,
  makeCA,
  NOW,
  namespaceObject,
  OPERATOR_NAMESPACE,
  pemOf,
  podObject,
  type RawChange,
} from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'
import { apiFailure } from '../../../support/recording-client.ts'
import { opensslVerdict } from '../../../support/verifiers.ts'

const AUTHORITY = { namespace: '', name: 'default' }
const SOURCE = { namespace: OPERATOR_NAMESPACE, name: 'corporate-ca' }
const COPY = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }
const RECORD = { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' }
const FROM_SECRET = { caSecret: { name: SOURCE.name } }

const [root, one, two, other] = await Promise.all([
  corporateCa({ below: 0 }),
  corporateCa({ below: 1 }),
  corporateCa({ below: 2 }),
  corporateCa({ below: 1, company: 'Other' }),
])

let world: Passes
beforeEach(() => {
  world = passes()
})

/** An authority that takes its CA from `secret`. */
function begin(secret: RawObject | undefined, spec: object = {}): void {
  world.seen('authorities', authorityObject({ ...FROM_SECRET, ...spec }))
  if (secret) world.api.put(secrets, secret)
}
async function settle(count = 6): Promise<void> {
  for (let pass = 0; pass < count; pass++) await world.authority()
}
const at = (resource: Resource, ref: ObjectRef): RawObject => {
  const found = world.api.at(resource, ref)
  if (!found) throw new Error(`there is no ${resource.plural} ${ref.name}`)
  return found
}
interface Shown {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}
const conditions = (): readonly Shown[] => (at(clusterMutualAuthorities, AUTHORITY).status as { conditions: Shown[] }).conditions
const ready = (): Shown | undefined => conditions().find(({ type }) => type === 'Ready')
/** Reasons of the warnings that were recorded, in order. */
const warnings = (): string[] =>
  world.api.writes
    .filter(({ verb, path }) => verb === 'create' && path.startsWith('events '))
    .map(({ body }) => body as { type?: string; reason?: string })
    .filter(({ type }) => type === 'Warning')
    .map(({ reason = '' }) => reason)
const text = (object: RawObject, field: string): string => {
  const value = (object.data as Record<string, string>)[field] ?? ''
  return object.kind === 'Secret' ? Buffer.from(value, 'base64').toString() : value
}
const subjects = (pem: string): string[] => readChain(pem).map(({ subject }) => subject)
const resourceFor = ({ kind }: RawObject): Resource =>
  kind === 'Secret' ? secrets : kind === 'ConfigMap' ? configMaps : clusterMutualAuthorities
/** The spec of the authority becomes another one. */
function respec(spec: object): void {
  const present = at(clusterMutualAuthorities, AUTHORITY)
  const generation = Number((present.metadata as { generation?: number }).generation) + 1
  world.seen('authorities', { ...present, metadata: { ...present.metadata, generation } as RawObject['metadata'], spec })
}

const made = async (options: CorporateOptions): Promise<RawObject> => sourceSecret(await corporateCa(options))
const holding = (ca: CorporateCa, data: Record<string, string | undefined>): RawObject => sourceSecret(ca, { data })
const legacy = rsaOf(2048)
const constraints = new Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))
const ofDomain = (name: string) => ({ names: [{ type: 'url', value: `spiffe://${name}` } as const] })
/** A root of a Secret's own, by a recipe. */
async function rootBy(recipe: Parameters<typeof oddCertificate>[0]): Promise<RawObject> {
  const certificate = await oddCertificate({ key: root.keyPair, subject: 'Root', notAfter: NOW + hours(8760), ...recipe })
  return holding(root, { 'tls.crt': b64(pemOf(certificate)), 'ca.crt': undefined })
}
async function rootSignedWithSha1(): Promise<RawObject> {
  const certificate = await oddCertificate({ key: legacy, hash: 'SHA-1', subject: 'Root', notAfter: NOW + hours(8760) })
  const key = String(legacy.privateKey.export({ format: 'pem', type: 'pkcs8' }))
  return holding(root, { 'tls.crt': b64(pemOf(certificate)), 'tls.key': b64(key) })
}
const encrypted = (ca: CorporateCa): string =>
  String(ca.keyPair.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret' }))

describe('a Secret without a CA that can sign is refused, and nothing is written', () => {
  it.each<[string, () => RawObject | Promise<RawObject>, RegExp]>([
    ['it is empty', () => ({ ...sourceSecret(one), data: {} }), /: tls\.crt is missing or empty/],
    [
      'its key is another',
      () => holding(one, { 'tls.key': b64(keyPem(other)) }),
      /: tls\.key is not the key of the certificate in tls\.crt/,
    ],
    ['its key is encrypted', () => holding(one, { 'tls.key': b64(encrypted(one)) }), /it is encrypted: store it unencrypted, as PKCS#8/],
    [
      'its key is of an odd kind',
      () => holding(one, { 'tls.key': b64('-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n') }),
      /it is a DSA PRIVATE KEY block: store an unencrypted PKCS#8/,
    ],
    [
      'its chain is out of order',
      () => holding(two, { 'tls.crt': b64(pemOf(two.certificate)) }),
      /order: certificate 1 \(CN=Example Issuing CA\) is not issued by/,
    ],
    [
      'it holds 10,000 certificates',
      () => holding(one, { 'tls.crt': b64(pemOf(one.certificate).repeat(10_000)) }),
      /tls\.crt: PEM refused: the text has \d+ bytes, 262144 are allowed/,
    ],
    ['ca.crt is missing', () => holding(one, { 'ca.crt': undefined }), /ca\.crt, where the root should be, is missing/],
    [
      'ca.crt holds two',
      () => holding(one, { 'ca.crt': b64(pemOf(one.root, other.root)) }),
      /ca\.crt must hold one certificate, the self-signed root/,
    ],
    [
      'ca.crt holds another root',
      () => holding(one, { 'ca.crt': b64(pemOf(other.root)) }),
      /is not issued by certificate 2 \(CN=Other Root\)/,
    ],

    [
      'it is a leaf below a root',
      () => made({ recipe: { ca: false, keyUsage: KeyUsageFlags.digitalSignature } }),
      /basicConstraints: CN=Example Policy CA is no CA/,
    ],
    ['it is a self-signed leaf', () => rootBy({ ca: false }), /basicConstraints: CN=Root is no CA/],
    [
      'it may not sign',
      () => rootBy({ keyUsage: KeyUsageFlags.digitalSignature }),
      /keyUsage: CN=Root may not sign certificates \(keyCertSign\)/,
    ],
    [
      'the path length of its root is exceeded',
      () => made({ rootRecipe: { pathLength: 0 } }),
      /pathLength: CN=Example Root allows 0 intermediate certificates below it, there are 1/,
    ],
    ['it has expired', () => made({ recipe: { notAfter: NOW } }), /notAfter: CN=Example Policy CA expired at 2026-11-24T12:00:00Z/],
    [
      'it is not yet valid',
      () => made({ recipe: { notBefore: NOW + 1000 } }),
      /notBefore: CN=Example Policy CA is not valid before 2026-11-24T12:00:01Z/,
    ],
    ['its root has expired', () => made({ rootRecipe: { notAfter: NOW - 1000 } }), /notAfter: CN=Example Root expired at/],
    ['its root is not yet valid', () => made({ rootRecipe: { notBefore: NOW + 1000 } }), /notBefore: CN=Example Root is not valid before/],
    [
      'it is a root signed with SHA-1',
      rootSignedWithSha1,
      /signatureAlgorithm: CN=Root is signed with 1\.2\.840\.113549\.1\.1\.5, which is not accepted/,
    ],
    [
      'it has no subject key identifier',
      () => made({ recipe: { subjectKeyID: null } }),
      /subjectKeyID: CN=Example Policy CA has no subjectKeyIdentifier/,
    ],
    [
      'its root has no subject key identifier',
      () => made({ rootRecipe: { subjectKeyID: null } }),
      /subjectKeyID: CN=Example Root has no subjectKeyIdentifier/,
    ],
    [
      'it has name constraints',
      () => made({ recipe: { extensions: [constraints] } }),
      /nameConstraints: CN=Example Policy CA has name constraints, which are not supported/,
    ],
    [
      'its root has name constraints',
      () => made({ rootRecipe: { extensions: [constraints] } }),
      /nameConstraints: CN=Example Root has name constraints/,
    ],
    ['it is a root with name constraints', () => rootBy({ extensions: [constraints] }), /nameConstraints: CN=Root has name constraints/],
    [
      'it has a critical extension that nobody knows',
      () => made({ recipe: { extensions: [new Extension('1.2.3.4', true, new Uint8Array([5, 0]))] } }),
      /criticalExtension: .*1\.2\.3\.4/,
    ],
    [
      'it is a root with a critical extension that nobody knows',
      () => rootBy({ extensions: [new Extension('1.2.3.4', true, new Uint8Array([5, 0]))] }),
      /criticalExtension: .*1\.2\.3\.4/,
    ],
    [
      'it is the CA of a second trust domain',
      () => made({ recipe: { names: [...ofDomain('cluster.local').names, ...ofDomain('example.org').names] } }),
      /it names spiffe:\/\/example\.org in its subjectAltName, where only spiffe:\/\/cluster\.local may stand/,
    ],
    [
      'it names itself by another kind of URI',
      () => made({ recipe: { names: [{ type: 'url', value: 'https://pki.example.com' }] } }),
      /it names https:\/\/pki\.example\.com in its subjectAltName/,
    ],
    [
      'it is the CA of another trust domain',
      () => made({ recipe: ofDomain('example.org') }),
      /it is the CA of trust domain example\.org, not of cluster\.local/,
    ],
  ])('because %s', async (_what, make, detail) => {
    const secret = await make()
    begin(secret)
    const stored = at(secrets, SOURCE)
    await settle()
    expect(ready()).toMatchObject({ status: 'False', reason: 'CASourceInvalid', message: expect.stringMatching(detail) })
    expect(ready()?.message).toMatch(/^Secret corporate-ca holds no CA that can sign: .*name another Secret in spec\.caSecret\.name/s)
    expect(conditions().map(({ type }) => type)).toContain('Stalled')
    expect(warnings()).toEqual(['CASourceInvalid'])
    expect([world.api.at(secrets, COPY), world.api.at(configMaps, RECORD), at(secrets, SOURCE)]).toEqual([undefined, undefined, stored])
  })

  it('and is taken without further ado once it is put right', async () => {
    begin(holding(one, { 'tls.key': b64(keyPem(other)) }))
    await settle()
    world.api.put(secrets, sourceSecret(one))
    await settle()
    expect(ready()).toMatchObject({ status: 'True', reason: 'Current' })
  })
})

describe('a CA that is too short for the leaves that the spec asks for', () => {
  const lasting = (lifetime: number) => made({ recipe: { notBefore: NOW - hours(24), notAfter: NOW - hours(24) + lifetime } })
  it('is refused with both lifetimes and what to do', async () => {
    begin(await lasting(hours(143)))
    await settle()
    expect(ready()).toMatchObject({ status: 'False', reason: 'CASourceInvalid' })
    expect(ready()?.message).toMatch(
      /^Secret corporate-ca holds a CA of 143h, of which a sixth must not be less than leaf\.lifetime 24h: lower leaf\.lifetime, or use a CA that lasts longer/,
    )
    expect(world.api.at(secrets, COPY)).toBeUndefined()
  })

  it('is taken where a sixth of it is just enough', async () => {
    begin(await lasting(hours(144)))
    await settle()
    expect(at(secrets, COPY).metadata.annotations).toMatchObject({ [annotations.longestLeafLifetime]: '24h' })
  })

  it('is taken where the spec asks for less', async () => {
    begin(await lasting(hours(143)), { leaf: { lifetime: '1h' } })
    await settle()
    expect(ready()).toMatchObject({ reason: 'Current' })
  })
})

describe('a CA that a path length allows no CA below', () => {
  it('signs: leaves are no CAs', async () => {
    begin(await made({ recipe: { pathLength: 0 }, rootRecipe: { pathLength: 1 } }))
    await settle()
    expect(ready()).toMatchObject({ reason: 'Current' })
  })
})

describe("a Secret of the operator's own", () => {
  const generation = async (change: RawChange = {}): Promise<RawObject> =>
    caSecret(await makeCA(), {
      authority: { kind: 'ClusterMutualAuthority', namespace: '', name: 'other' },
      metadata: { name: 'other-ca-1' },
      ...change,
    })

  it.each<[string, RawChange]>([
    ['as it was made', {}],
    ['that lost the label by which it is watched', { labels: { [labels.managedBy]: undefined } }],
    ['that lost its annotations', { annotations: { [annotations.generation]: undefined } }],
  ])('%s is never taken', async (_what, change) => {
    begin(await generation(change), { caSecret: { name: 'other-ca-1' } })
    await settle()
    expect(ready()).toMatchObject({
      status: 'False',
      reason: 'CASourceNotAllowed',
      message: "Secret other-ca-1 is one of this operator's own",
    })
    expect([warnings(), world.api.at(secrets, COPY)]).toEqual([['CASourceNotAllowed'], undefined])
  })

  it('is not taken either where it is the one that the copy would be: somebody else’s Secret of that name is not touched', async () => {
    begin(sourceSecret(one, { metadata: { name: COPY.name } }), { caSecret: { name: COPY.name } })
    const stored = at(secrets, COPY)
    await settle()
    expect([ready()?.reason, at(secrets, COPY)]).toEqual(['NameTaken', stored])
  })
})

describe('a Secret that is not there', () => {
  it('is waited for: it is looked for once a minute, and taken when it comes', async () => {
    begin(undefined)
    expect(await world.authority()).toEqual({ at: NOW + minutes(1) })
    expect(ready()).toMatchObject({
      status: 'False',
      reason: 'CASourceNotFound',
      message: expect.stringMatching(
        /^there is no Secret corporate-ca in the operator's namespace: create it with tls\.crt and tls\.key, or name another/,
      ),
    })
    expect(conditions().map(({ type }) => type)).toEqual(['Ready', 'Reconciling'])
    const before = world.api.writes.length
    await settle(3)
    expect([world.api.writes.length, warnings()]).toEqual([before, []])
    world.api.put(secrets, sourceSecret(one))
    await settle()
    expect(ready()).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it('is not asked for where the spec cannot be used: an empty name would ask for all Secrets', async () => {
    world.seen('authorities', authorityObject({ caSecret: {} }))
    await settle(2)
    expect([ready()?.reason, world.api.reads]).toEqual(['SpecInvalid', []])
  })
})

describe('a Secret that cannot be read just now', () => {
  it('is a failure of the pass, which is repeated; what is known is kept, and nothing is told', async () => {
    begin(sourceSecret(one))
    await settle()
    const before = world.api.writes.length
    world.api.refuse = (verb, path) => (verb === 'get' && path.endsWith('corporate-ca') ? apiFailure(503, 'ServiceUnavailable') : undefined)
    await expect(world.authority()).rejects.toMatchObject({ consequence: 'retry', reason: 'ServerError' })
    expect([world.api.writes.length, ready()?.reason]).toEqual([before, 'Current'])
  })
})

describe('a Secret that changes between the plan and the copy', () => {
  /** Does it before the second look of a pass, which is that of the copy. */
  function meanwhile(change: () => void): void {
    let looks = 0
    world.api.refuse = (verb, path) => {
      if (verb === 'get' && path.endsWith('/corporate-ca') && ++looks === 2) change()
      return undefined
    }
  }

  it.each<[string, () => void]>([
    ['into another CA', () => void world.api.put(secrets, sourceSecret(other))],
    ['into garbage', () => void world.api.put(secrets, holding(one, { 'tls.crt': b64('garbage') }))],
    ['by a label only', () => void world.api.put(secrets, sourceSecret(one, { labels: { a: 'b' } }))],
    ['by being made anew', () => void world.api.put(secrets, sourceSecret(one, { metadata: { uid: 'another' } }))],
  ])('%s is not copied in that pass: it is decided anew', async (_what, change) => {
    begin(sourceSecret(one))
    meanwhile(change)
    expect(await world.authority()).toEqual({ at: NOW + seconds(2) })
    expect([ready()?.reason, world.api.at(secrets, COPY)]).toEqual(['CAKeyChanged', undefined])
  })

  it('is tried again at its time, also where another pass comes before it', async () => {
    begin(sourceSecret(one))
    meanwhile(() => void world.api.put(secrets, sourceSecret(other)))
    await world.authority()
    expect(await world.authority()).toEqual({ at: NOW + seconds(2) })
  })

  it('and is good is copied in the next pass, as it is then', async () => {
    begin(sourceSecret(one))
    meanwhile(() => void world.api.put(secrets, sourceSecret(other)))
    await world.authority()
    await world.clock.advance(seconds(2))
    await settle()
    expect([ready()?.reason, text(at(secrets, COPY), 'tls.crt')]).toEqual(['Current', pemOf(other.certificate)])
  })

  it('and is gone then is a failure that passes, and waited for', async () => {
    begin(sourceSecret(one))
    meanwhile(() => {
      world.api.refuse = () => undefined
      void world.api.client.delete(secrets, SOURCE, {})
    })
    await world.authority()
    expect([ready()?.reason, world.api.at(secrets, COPY)]).toEqual(['NotFound', undefined])
    await world.clock.advance(seconds(2))
    await settle()
    expect(ready()?.reason).toBe('CASourceNotFound')
  })
})

/** A leaf for shop/payments, by a whole pass. */
async function served(): Promise<{ chain: string; ca: string }> {
  if (!world.stores.namespaces.get('', 'shop')) {
    world.seen('namespaces', namespaceObject('shop'))
    world.seen('pods', podObject('a'))
    world.seen('identities', identityObject())
  }
  await world.identity()
  const secret = at(secrets, { namespace: 'shop', name: 'payments-mtls' })
  return { chain: text(secret, 'tls.crt'), ca: text(secret, 'ca.crt') }
}

describe('a copy', () => {
  const shapes: [string, CorporateCa, RawObject, string[]][] = [
    ['of a CA that is its own root', root, sourceSecret(root, { rootIn: 'tls.crt' }), []],
    ['of a CA below a root in ca.crt', one, sourceSecret(one), ['CN=Example Policy CA']],
    ['of a CA below a root that ends tls.crt', one, sourceSecret(one, { rootIn: 'tls.crt' }), ['CN=Example Policy CA']],
    ['of a CA below another and a root in ca.crt', two, sourceSecret(two), ['CN=Example Issuing CA', 'CN=Example Policy CA']],
    [
      'of a CA below another and a root that ends tls.crt',
      two,
      sourceSecret(two, { rootIn: 'tls.crt' }),
      ['CN=Example Issuing CA', 'CN=Example Policy CA'],
    ],
  ]

  it.each(shapes)('%s holds key, chain and root apart, and says where it came from', async (_what, ca, secret) => {
    begin(secret)
    await settle()
    const copy = at(secrets, COPY)
    expect(copy.data).toEqual({
      'tls.crt': b64(pemOf(ca.certificate, ...ca.issuers)),
      'tls.key': b64(keyPem(ca)),
      ...(ca.root === ca.certificate ? {} : { 'ca.crt': b64(pemOf(ca.root)) }),
    })
    expect([copy.type, copy.metadata.annotations]).toEqual([
      'kubernetes.io/tls',
      {
        [annotations.copiedFrom]: 'corporate-ca',
        [annotations.generation]: '1',
        [annotations.trustDomain]: 'cluster.local',
        [annotations.activatedAt]: '2026-11-24T12:00:00Z',
        [annotations.longestLeafLifetime]: '1464h',
      },
    ])
    expect(copy.metadata.labels).toEqual({
      [labels.managedBy]: 'mutual-identity',
      [labels.role]: 'ca',
      [labels.authority]: 'default',
      [labels.authorityKind]: 'ClusterMutualAuthority',
    })
  })

  it.each(shapes)('%s is published by its root alone', async (_what, ca, secret) => {
    begin(secret)
    await settle()
    const record = at(configMaps, RECORD)
    expect(text(record, 'ca.crt')).toBe(pemOf(ca.root))
    const { keys } = JSON.parse(text(record, 'bundle.json')) as { keys: { x5c: string[] }[] }
    expect(keys.map(({ x5c }) => x5c)).toEqual([[ca.root.der.toString('base64')]])
  })

  it.each(shapes)(
    '%s signs leaves that OpenSSL verifies from the published root, with what is between them',
    async (_what, ca, secret, between) => {
      begin(secret)
      await settle()
      const { chain, ca: trusted } = await served()
      expect(subjects(chain).slice(1)).toEqual(between)
      expect(trusted).toBe(pemOf(ca.root))
      expect(await opensslVerdict({ chain, roots: text(at(configMaps, RECORD), 'ca.crt'), at: NOW })).toBe('')
    },
  )

  it('is one write, then the record is one, and a quiet pass writes nothing', async () => {
    begin(sourceSecret(two))
    const steps: string[][] = []
    for (let pass = 0; pass < 5; pass++) {
      const before = world.api.writes.length
      await world.authority()
      steps.push(
        world.api.writes
          .slice(before)
          .map(({ verb, path }) => `${verb} ${path.split(' ')[0]}`)
          .filter((write) => !write.endsWith('events')),
      )
    }
    expect(steps).toEqual([['create secrets'], ['create configmaps'], ['replaceStatus clustermutualauthorities'], [], []])
  })

  it('takes a key in the form of others and holds it as PKCS#8', async () => {
    const sec1 = String(one.keyPair.privateKey.export({ format: 'pem', type: 'sec1' }))
    begin(holding(one, { 'tls.key': b64(sec1) }))
    await settle()
    expect(text(at(secrets, COPY), 'tls.key')).toBe(keyPem(one))
  })

  it('leaves the Secret that it came from as it is', async () => {
    begin(sourceSecret(one))
    const stored = at(secrets, SOURCE)
    await settle()
    await served()
    expect(at(secrets, SOURCE)).toEqual(stored)
  })

  it('is looked at anew every minute, to see whether the Secret holds another CA', async () => {
    begin(sourceSecret(one))
    await settle()
    expect(await world.authority()).toEqual({ at: NOW + minutes(1) })
  })

  it('of a CA that names a trust domain takes it from there, whatever the annotation says', async () => {
    begin(await made({ recipe: ofDomain('example.org') }), { trustDomain: 'example.org' })
    await settle()
    const copy = at(secrets, COPY)
    world.seen('caSecrets', {
      ...copy,
      metadata: { ...copy.metadata, annotations: { ...copy.metadata.annotations, [annotations.trustDomain]: 'elsewhere.org' } },
    })
    await settle()
    expect(at(clusterMutualAuthorities, AUTHORITY).status).toMatchObject({ trustDomain: 'example.org' })
    expect(ready()?.reason).toBe('Current')
  })

  it('is not made a second time where only its label was lost', async () => {
    begin(sourceSecret(one))
    await settle()
    const copy = at(secrets, COPY)
    const record = at(configMaps, RECORD)
    world.api.put(secrets, { ...copy, metadata: { ...copy.metadata, labels: {} } })
    world.stores.caSecrets.removed(COPY, copy.metadata.uid ?? '')
    await settle()
    expect([at(secrets, COPY).data, at(secrets, COPY).metadata.labels, at(configMaps, RECORD).data]).toEqual([
      copy.data,
      copy.metadata.labels,
      record.data,
    ])
  })

  it('that is gone is not made again from the Secret: a root was published', async () => {
    begin(sourceSecret(one))
    await settle()
    const { uid = '' } = at(secrets, COPY).metadata
    await world.api.client.delete(secrets, COPY, {})
    world.stores.caSecrets.removed(COPY, uid)
    await settle()
    expect([ready()?.reason, world.api.at(secrets, COPY)]).toEqual(['CAKeyMissing', undefined])
  })

  it.each<[string, () => Record<string, string>, RegExp]>([
    [
      'another CA under another root',
      () => sourceSecret(other).data as Record<string, string>,
      /another certificate than the root that was published/,
    ],
    ['another root beside the same CA', () => ({ 'ca.crt': b64(pemOf(other.root)) }), /is not issued by/],
    ['no root', () => ({ 'ca.crt': '' }), /ca\.crt, where the root should be, is missing/],
    ['the key of another', () => ({ 'tls.key': b64(keyPem(other)) }), /tls\.key is not the key/],
  ])('into which somebody wrote %s signs no more', async (_what, data, message) => {
    begin(sourceSecret(one))
    await settle()
    const copy = at(secrets, COPY)
    const record = at(configMaps, RECORD)
    world.seen('caSecrets', { ...copy, data: { ...(copy.data as object), ...data() } })
    await settle()
    expect(ready()).toMatchObject({ status: 'False', reason: 'CAKeyInvalid', message: expect.stringMatching(message) })
    expect(at(configMaps, RECORD).data).toEqual(record.data)
  })
})

/** The company's CA was made anew under the same names. */
const renewed = await corporateCa({ below: 1 })

describe('a copy goes on signing', () => {
  const REPLACED =
    /^generation 1 signs until .*; Secret corporate-ca holds another CA than ClusterMutualAuthority default signs with: generation 1 goes on signing until a rotation/
  const replace = (secret: RawObject) => void world.api.put(secrets, secret)
  const ownSpec = { selfManaged: {} }
  const elsewhere = () => {
    world.api.put(secrets, sourceSecret(other, { metadata: { name: 'elsewhere' } }))
    respec({ caSecret: { name: 'elsewhere' } })
  }

  const changes: [string, string, () => void, RegExp, () => void][] = [
    ['its Secret holds another CA', 'RotationPending', () => replace(sourceSecret(other)), REPLACED, () => replace(sourceSecret(one))],
    [
      'its Secret holds another CA of the same names',
      'RotationPending',
      () => replace(sourceSecret(renewed)),
      REPLACED,
      () => replace(sourceSecret(one)),
    ],
    [
      'its Secret is gone',
      'CASourceNotFound',
      () => void world.api.client.delete(secrets, SOURCE, {}),
      /; Secret corporate-ca, from which CAs are taken, is not there; the copy goes on signing$/,
      () => replace(sourceSecret(one, { metadata: { uid: 'anew' } })),
    ],
    [
      'its Secret holds garbage',
      'CASourceInvalid',
      () => replace(holding(one, { 'tls.crt': b64('garbage') })),
      /; Secret corporate-ca holds no CA any more \(tls\.crt: PEM refused.*\); the copy goes on signing$/,
      () => replace(sourceSecret(one)),
    ],
    [
      'its Secret was emptied',
      'CASourceInvalid',
      () => replace({ ...sourceSecret(one), data: {} }),
      /holds no CA any more \(tls\.crt is missing or empty\)/,
      () => replace(sourceSecret(one)),
    ],
    [
      'its Secret lost its key',
      'CASourceInvalid',
      () => replace(holding(one, { 'tls.key': undefined })),
      /holds no CA any more \(tls\.key is missing or empty\)/,
      () => replace(sourceSecret(one)),
    ],
    [
      'its Secret became one of ours',
      'CASourceNotAllowed',
      () => replace(sourceSecret(one, { labels: { [labels.managedBy]: 'mutual-identity' } })),
      /; Secret corporate-ca is one of this operator's own; the copy goes on signing$/,
      () => replace(sourceSecret(one)),
    ],
    [
      'the spec asks for an own root',
      'RotationPending',
      () => respec(ownSpec),
      /; it was copied from Secret corporate-ca and the spec asks for an own root: generation 1 goes on signing until a rotation/,
      () => respec(FROM_SECRET),
    ],
    [
      'the spec names no back end any more',
      'RotationPending',
      () => respec({}),
      /the spec asks for an own root/,
      () => respec(FROM_SECRET),
    ],
    [
      'the spec names another Secret',
      'RotationPending',
      elsewhere,
      /; Secret elsewhere holds another CA than ClusterMutualAuthority default signs with/,
      () => respec(FROM_SECRET),
    ],
    [
      'the spec names a Secret that does not exist',
      'CASourceNotFound',
      () => respec({ caSecret: { name: 'nowhere' } }),
      /; Secret nowhere, from which CAs are taken, is not there/,
      () => respec(FROM_SECRET),
    ],
  ]

  it.each(changes)('when %s: Ready is True for reason %s, told by one event', async (_what, reason, change, message) => {
    begin(sourceSecret(one))
    await settle()
    change()
    await settle()
    expect(ready()).toMatchObject({ status: 'True', reason, message: expect.stringMatching(message) })
    expect(conditions().map(({ type }) => type)).toEqual(['Ready'])
    expect(warnings()).toEqual([reason])
  })

  it.each(changes)('when %s (%s): its key, its root and what leaves are signed with are what they were', async (_what, _reason, change) => {
    begin(sourceSecret(one))
    await settle()
    const [copy, record] = [at(secrets, COPY), at(configMaps, RECORD)]
    change()
    await settle()
    const { chain, ca } = await served()
    expect([at(secrets, COPY), at(configMaps, RECORD)]).toEqual([copy, record])
    expect([subjects(chain).slice(1), ca]).toEqual([['CN=Example Policy CA'], pemOf(one.root)])
    expect(world.api.all().filter(({ kind, metadata }) => kind === 'Secret' && /-ca-\d+$/.test(metadata.name))).toHaveLength(1)
  })

  it.each(changes)('when %s (%s) it is told until it is put back', async (_what, reason, change, _message, back) => {
    begin(sourceSecret(one))
    await settle()
    change()
    await settle()
    back()
    await settle()
    expect(ready()).toMatchObject({ status: 'True', reason: 'Current' })
    expect(warnings()).toEqual([reason])
  })

  it('and says nothing where another Secret holds the same CA', async () => {
    begin(sourceSecret(one))
    await settle()
    world.api.put(secrets, sourceSecret(one, { metadata: { name: 'moved' } }))
    respec({ caSecret: { name: 'moved' } })
    await settle()
    expect([ready()?.reason, warnings()]).toEqual(['Current', []])
  })

  it.each<[string, (() => void) | undefined, string]>([
    ['is as it was', undefined, 'Current'],
    ['holds another CA by then', () => replace(sourceSecret(other)), 'RotationPending'],
    ['is gone by then', () => void world.api.client.delete(secrets, SOURCE, {}), 'CASourceNotFound'],
  ])('after another start, where nothing is remembered of the Secret, which %s', async (_what, change, reason) => {
    begin(sourceSecret(one))
    await settle()
    change?.()
    const before = world
    world = passes()
    for (const object of before.api.all()) world.api.put(resourceFor(object), object)
    world.seen('authorities', before.api.at(clusterMutualAuthorities, AUTHORITY) as RawObject)
    world.seen('caSecrets', before.api.at(secrets, COPY) as RawObject)
    world.seen('bundleRecords', before.api.at(configMaps, RECORD) as RawObject)
    await settle()
    expect([ready()?.status, ready()?.reason]).toEqual(['True', reason])
    expect(at(secrets, COPY).data).toEqual(before.api.at(secrets, COPY)?.data)
  })
})

describe('an own root goes on signing', () => {
  it.each<[string, RawObject | undefined, string]>([
    ['holds a CA', sourceSecret(one), 'RotationPending'],
    ['does not exist', undefined, 'CASourceNotFound'],
    ['holds garbage', holding(one, { 'tls.crt': b64('garbage') }), 'CASourceInvalid'],
  ])('when the spec names a Secret that %s', async (_what, secret, reason) => {
    world.seen('authorities', authorityObject())
    await settle()
    const [own, record] = [at(secrets, COPY), at(configMaps, RECORD)]
    if (secret) world.api.put(secrets, secret)
    respec(FROM_SECRET)
    await settle()
    expect(ready()).toMatchObject({ status: 'True', reason })
    expect([at(secrets, COPY), at(configMaps, RECORD), warnings()]).toEqual([own, record, [reason]])
    const { chain, ca } = await served()
    expect([subjects(chain), ca]).toEqual([[''], text(record, 'ca.crt')])
  })
})

it('the copy ends with the CA: from then on nothing is issued', async () => {
  begin(await made({ recipe: { notAfter: NOW + hours(200) } }))
  await settle()
  await world.clock.advance(hours(200))
  await settle()
  expect(ready()).toMatchObject({ status: 'False', reason: 'CAExpired' })
})

it('no piece of a key is in logs, events, statuses, ConfigMaps or in what is remembered, whatever the Secret holds', async () => {
  begin(holding(one, { 'tls.key': b64(encrypted(one)), 'tls.crt': b64(pemOf(one.certificate) + keyPem(one)) }))
  await settle()
  for (const secret of [holding(one, { 'tls.key': b64(keyPem(other)) }), sourceSecret(one), sourceSecret(other)]) {
    world.api.put(secrets, secret)
    await settle()
  }
  await served()
  const seen = [
    ...world.lines,
    ...world.api
      .all()
      .filter(({ kind }) => kind !== 'Secret')
      .map((object) => JSON.stringify(object)),
    ...world.api.writes.filter(({ path }) => !path.startsWith('secrets')).map(({ body }) => JSON.stringify(body)),
    JSON.stringify([...world.stores.caSources.all()]),
    JSON.stringify([...world.stores.caSecrets.all()]),
  ]
  const find = keyDetector([keyPem(one), keyPem(other)])
  expect(seen.map(find).filter((found) => found !== undefined)).toEqual([])
  expect(world.api.at(mutualIdentities, { namespace: 'shop', name: 'payments' })).toBeDefined()
})
