// What the Secret of an identity holds besides PEM: files of formats with their passwords, labels and annotations of people's templates. Whole passes,
// with real keys; the files are read by others than this project.

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../src/api/kinds.ts'
import { FORMATS, type Format } from '../../../../src/api/mutual-identity.ts'
import { annotations, labels } from '../../../../src/api/names.ts'
import { hours } from '../../../../src/base/duration.ts'
import { type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import { itWithJava, javaEntries, opensslKey, readJks } from '../../../support/keystore-readers.ts'
import { authorityObject, b64, identityObject, namespaceObject, podObject } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'

const SECRET = { namespace: 'shop', name: 'payments-mtls' }
const IDENTITY = { namespace: 'shop', name: 'payments' }
const PASSWORD = 'a-password-of-20-let'
const REF = { name: 'java', key: 'password' }
const PEM = ['ca.crt', 'tls.crt', 'tls.key']

/** An authority that signs and an identity with a pod, to which nothing was done yet. */
async function scene(delivery: object = {}, spec: object = {}): Promise<Passes> {
  const one = passes()
  one.seen('authorities', authorityObject())
  one.seen('namespaces', namespaceObject('shop'))
  one.seen('pods', podObject('a'))
  one.seen('identities', identityObject({ delivery, ...spec }))
  for (let pass = 0; pass < 4; pass++) await one.authority()
  one.api.writes.length = 0
  return one
}

/** The same, served. */
async function served(delivery: object = {}, spec: object = {}): Promise<Passes> {
  const one = await scene(delivery, spec)
  await one.identity()
  one.api.writes.length = 0
  return one
}

const secretIn = (one: Passes): RawObject => {
  const secret = one.api.at(secrets, SECRET)
  if (!secret) throw new Error('there is no Secret')
  return secret
}
const dataIn = (one: Passes): Record<string, string> => secretIn(one)['data'] as Record<string, string>
const fileIn = (one: Passes, name: string): Buffer => {
  const content = dataIn(one)[name]
  if (content === undefined) throw new Error(`the Secret holds no ${name}`)
  return Buffer.from(content, 'base64')
}
const textIn = (one: Passes, name: string): string => fileIn(one, name).toString('latin1')
const namesIn = (one: Passes): string[] => Object.keys(dataIn(one)).sort()
const leafIn = (one: Passes) => new X509Certificate(fileIn(one, 'tls.crt'))
const derIn = (one: Passes) => createPrivateKey(fileIn(one, 'tls.key')).export({ format: 'der', type: 'pkcs8' })
const blocksOf = (text: string): string[] => [...text.matchAll(/-----BEGIN ([A-Z ]+)-----/g)].map(([, label = '']) => label)
const certificatesOf = (text: string) =>
  (text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((pem) =>
    Buffer.from(new X509Certificate(pem).raw),
  )

const statusIn = (one: Passes) =>
  one.api.at(mutualIdentities, IDENTITY)?.['status'] as {
    conditions: { type: string; status: string; reason: string; message: string }[]
    lastFailure?: { reason: string; message: string }
  }
const readyIn = (one: Passes) => statusIn(one).conditions.find(({ type }) => type === 'Ready')
/** What was read of the namespace. */
const readsOf = (one: Passes) => one.api.reads.filter((path) => path.includes(' shop/'))
const reasonsOf = (one: Passes) => one.outcomes.map(({ kind, reason }) => `${kind} ${reason}`)

/** The spec as somebody changed it. */
function respec(one: Passes, delivery: object): void {
  const present = one.api.at(mutualIdentities, IDENTITY) as RawObject
  const metadata = { ...present.metadata, generation: (present.metadata.generation ?? 1) + 1 }
  one.seen('identities', { ...present, metadata, spec: { ...(present['spec'] as object), delivery } })
}

/** The Secret as somebody edited it: null takes an entry away. */
function edited(one: Passes, change: { data?: object; labels?: object; annotations?: object }): void {
  const present = secretIn(one)
  const merged = (before: unknown, after: object = {}) =>
    Object.fromEntries(
      Object.entries({ ...(before as Record<string, string>), ...after }).filter((entry): entry is [string, string] => entry[1] !== null),
    )
  const metadata = {
    ...present.metadata,
    labels: merged(present.metadata.labels, change.labels),
    annotations: merged(present.metadata.annotations, change.annotations),
  }
  one.seen('leafSecrets', { ...present, metadata, data: merged(present['data'], change.data) })
}

function passwordIs(one: Passes, value: string | Buffer | undefined, key = REF.key): void {
  const data = value === undefined ? {} : { [key]: b64(value) }
  one.api.put(secrets, { metadata: { namespace: 'shop', name: REF.name }, data } as unknown as RawObject)
}

const FILES: Record<Format, readonly string[]> = {
  CombinedPEM: ['tls-combined.pem'],
  SPIFFE: ['cluster.local.spiffe-trust-bundle.x509.pem', 'credential-bundle.private-key.x509.pem'],
  PKCS12: ['keystore.p12', 'truststore.p12'],
  JKS: ['keystore.jks', 'truststore.jks'],
  DER: ['key.der'],
}

describe('a format', () => {
  it.each(FORMATS)('%s adds its files and no others', async (format) => {
    const one = await served({ formats: [format] })
    expect(namesIn(one)).toEqual([...PEM, ...FILES[format]].sort())
  })

  it('that is not asked for leaves no file', async () => {
    expect(namesIn(await served())).toEqual(PEM)
  })

  it('beside all others makes one Secret with all files', async () => {
    const one = await scene({ formats: [...FORMATS] })
    await one.identity()
    expect(namesIn(one)).toEqual([...PEM, ...Object.values(FILES).flat()].sort())
    expect(one.api.writes.map(({ verb, path }) => `${verb} ${path.split(' ')[0]}`)).toEqual([
      'create secrets',
      'replaceStatus mutualidentities',
      'create events',
    ])
  })

  it('makes a Secret that the next pass leaves alone', async () => {
    const one = await served({ formats: [...FORMATS] })
    await one.identity()
    expect(one.api.writes).toEqual([])
  })
})

describe('the files of all formats hold the pair of tls.crt and tls.key', () => {
  it('CombinedPEM: the chain, then the key, as HAProxy and others read it', async () => {
    const one = await served({ formats: ['CombinedPEM'] })
    const text = textIn(one, 'tls-combined.pem')
    expect(text).toBe(textIn(one, 'tls.crt') + textIn(one, 'tls.key'))
    expect(blocksOf(text)).toEqual(['CERTIFICATE', 'PRIVATE KEY'])
  })

  it('SPIFFE: key, then chain, and the anchors under the name of their trust domain', async () => {
    const one = await served({ formats: ['SPIFFE'] })
    expect(textIn(one, 'credential-bundle.private-key.x509.pem')).toBe(textIn(one, 'tls.key') + textIn(one, 'tls.crt'))
    expect(textIn(one, 'cluster.local.spiffe-trust-bundle.x509.pem')).toBe(textIn(one, 'ca.crt'))
  })

  it('DER: PKCS#8, which is the key of the certificate', async () => {
    const one = await served({ formats: ['DER'] })
    const key = createPrivateKey({ key: fileIn(one, 'key.der'), format: 'der', type: 'pkcs8' })
    expect(leafIn(one).checkPrivateKey(key)).toBe(true)
  })

  it('PKCS12: openssl reads key and chain with the standard password', async () => {
    const one = await served({ formats: ['PKCS12'] })
    const { key, certificates } = await opensslKey(fileIn(one, 'keystore.p12'), 'changeit')
    expect(key?.export({ format: 'der', type: 'pkcs8' })).toEqual(derIn(one))
    expect(certificates).toEqual(certificatesOf(textIn(one, 'tls.crt')))
    const { key: none, certificates: anchors } = await opensslKey(fileIn(one, 'truststore.p12'), 'changeit')
    expect([none, anchors]).toEqual([undefined, certificatesOf(textIn(one, 'ca.crt'))])
  })

  it('JKS: key and chain under the name of the identity, anchors as trusted entries', async () => {
    const one = await served({ formats: ['JKS'] })
    const [entry, ...more] = readJks(fileIn(one, 'keystore.jks'), 'changeit')
    expect(more).toEqual([])
    expect(entry).toMatchObject({ alias: 'payments', key: derIn(one), certificates: certificatesOf(textIn(one, 'tls.crt')) })
    const anchors = readJks(fileIn(one, 'truststore.jks'), 'changeit')
    expect(anchors.map(({ alias, key }) => [alias, key])).toEqual([['ca-1', undefined]])
    expect(anchors.flatMap(({ certificates }) => certificates)).toEqual(certificatesOf(textIn(one, 'ca.crt')))
  })

  itWithJava('PKCS12 and JKS: keytool lists a key and a trusted certificate in each', async () => {
    const one = await served({ formats: ['PKCS12', 'JKS'] })
    const chain = certificatesOf(textIn(one, 'tls.crt'))
    for (const [file, format] of [
      ['keystore.p12', 'PKCS12'],
      ['keystore.jks', 'JKS'],
    ] as const) {
      expect(await javaEntries(fileIn(one, file), format, 'changeit')).toEqual([
        { alias: 'payments', type: 'PrivateKeyEntry', certificates: chain },
      ])
    }
    for (const [file, format] of [
      ['truststore.p12', 'PKCS12'],
      ['truststore.jks', 'JKS'],
    ] as const) {
      expect(await javaEntries(fileIn(one, file), format, 'changeit')).toEqual([
        { alias: 'ca-1', type: 'trustedCertEntry', certificates: certificatesOf(textIn(one, 'ca.crt')) },
      ])
    }
  })

  it.each(['ED25519', 'RSA3072', 'ECDSAP384'] as const)('for a key of type %s too', async (keyType) => {
    const one = await served({ formats: [...FORMATS] }, { certificate: { keyType } })
    expect(leafIn(one).checkPrivateKey(createPrivateKey({ key: fileIn(one, 'key.der'), format: 'der', type: 'pkcs8' }))).toBe(true)
    const { key } = await opensslKey(fileIn(one, 'keystore.p12'), 'changeit')
    expect(key && createPublicKey(key).equals(leafIn(one).publicKey)).toBe(true)
    expect(readJks(fileIn(one, 'keystore.jks'), 'changeit')[0]?.key).toEqual(derIn(one))
  })

  it('after a renewal as after the first certificate', async () => {
    const one = await served({ formats: [...FORMATS] })
    const before = derIn(one)
    await one.clock.advance(hours(15))
    await one.identity()
    expect(reasonsOf(one)).toEqual(['issued SecretMissing', 'issued RenewalDue'])
    expect(derIn(one)).not.toEqual(before)
    expect(fileIn(one, 'key.der')).toEqual(derIn(one))
    expect(readJks(fileIn(one, 'keystore.jks'), 'changeit')[0]?.key).toEqual(derIn(one))
    expect((await opensslKey(fileIn(one, 'keystore.p12'), 'changeit')).key?.export({ format: 'der', type: 'pkcs8' })).toEqual(derIn(one))
  })
})

describe('the password of the keystores', () => {
  const delivery = { formats: ['PKCS12', 'JKS'], keystorePasswordRef: REF }

  it('is that of the Secret that the identity names', async () => {
    const one = await scene(delivery)
    passwordIs(one, PASSWORD)
    await one.identity()
    expect((await opensslKey(fileIn(one, 'keystore.p12'), PASSWORD)).key?.export({ format: 'der', type: 'pkcs8' })).toEqual(derIn(one))
    expect(readJks(fileIn(one, 'keystore.jks'), PASSWORD)[0]?.key).toEqual(derIn(one))
    expect(readJks(fileIn(one, 'truststore.jks'), PASSWORD)).toHaveLength(1)
    expect(() => readJks(fileIn(one, 'keystore.jks'), 'changeit')).toThrow('the digest is wrong')
    await expect(opensslKey(fileIn(one, 'keystore.p12'), 'changeit')).rejects.toThrow(/invalid password/)
  })

  it('is read once for all stores of one Secret, and not where nothing is made', async () => {
    const one = await scene(delivery)
    passwordIs(one, PASSWORD)
    await one.identity()
    await one.identity()
    expect(readsOf(one)).toEqual(['secrets shop/java'])
  })

  it('is not looked for where there is no keystore', async () => {
    const one = await scene({ formats: ['DER', 'SPIFFE'], keystorePasswordRef: REF })
    await one.identity()
    expect([readsOf(one), readyIn(one)?.reason]).toEqual([[], 'Current'])
  })

  it.each<[string, string, RegExp, (one: Passes) => void]>([
    ['the Secret is not there', 'KeystorePasswordMissing', /there is no Secret java in namespace shop/, () => undefined],
    ['the key is not there', 'KeystorePasswordMissing', /Secret java has no key password/, (one) => passwordIs(one, PASSWORD, 'other')],
    ['the key is empty', 'KeystorePasswordMissing', /no key password, or it is empty/, (one) => passwordIs(one, '')],
    [
      'it is no UTF-8',
      'KeystorePasswordMissing',
      /no UTF-8 text/,
      (one) => passwordIs(one, Buffer.from([0xff, 0xfe, ...Buffer.from('changeit')])),
    ],
    [
      'it is too short for Java',
      'KeystorePasswordInvalid',
      /fewer than 6 characters.*store a longer one/,
      (one) => passwordIs(one, 'short'),
    ],
    ['it ends with a line break', 'KeystorePasswordInvalid', /control character.*printf %s/, (one) => passwordIs(one, `${PASSWORD}\n`)],
    ['no Java opens a PKCS#12 store with it', 'KeystorePasswordInvalid', /outside ASCII/, (one) => passwordIs(one, 'pässwörter')],
  ])('stops a first certificate where %s: %s, and nothing is signed for it', async (_what, reason, message, prepare) => {
    const one = await scene(delivery)
    prepare(one)
    await one.identity()
    expect(one.api.at(secrets, SECRET)).toBeUndefined()
    expect(readyIn(one)).toMatchObject({ status: 'False', reason, message: expect.stringMatching(message) })
    expect(statusIn(one).conditions.some(({ type, status }) => type === 'Stalled' && status === 'True')).toBe(true)
    const events = one.api.writes.filter(({ path }) => path.startsWith('events')).map(({ body }) => (body as { reason: string }).reason)
    expect(events).toEqual([reason])
  })

  it('outside ASCII is good enough for JKS alone', async () => {
    const one = await scene({ ...delivery, formats: ['JKS'] })
    passwordIs(one, 'pässwörter')
    await one.identity()
    expect(readJks(fileIn(one, 'keystore.jks'), 'pässwörter')[0]?.key).toEqual(derIn(one))
  })

  it.each<[string, string, string | undefined]>([
    ['goes away', 'KeystorePasswordMissing', undefined],
    ['becomes too short', 'KeystorePasswordInvalid', 'short'],
  ])('that %s before a renewal leaves the last good Secret, which is told', async (_what, reason, password) => {
    const one = await scene(delivery)
    passwordIs(one, PASSWORD)
    await one.identity()
    const before = secretIn(one)
    passwordIs(one, password)
    await one.clock.advance(hours(15))
    await one.identity()
    expect(secretIn(one)).toEqual(before)
    expect(readyIn(one)).toMatchObject({ status: 'False', reason, message: expect.stringMatching(/The present certificate stays$/) })
  })

  it('that is gone keeps no anchors from who reads PEM', async () => {
    const one = await scene(delivery)
    passwordIs(one, PASSWORD)
    await one.identity()
    const anchors = textIn(one, 'ca.crt')
    passwordIs(one, undefined)
    edited(one, { data: { 'ca.crt': b64('mine') } })
    await one.identity()
    expect(textIn(one, 'ca.crt')).toBe(anchors)
    expect(statusIn(one).lastFailure?.reason).toBe('KeystorePasswordMissing')
  })

  it('that comes is taken at the next attempt, with nothing else to do', async () => {
    const one = await scene(delivery)
    const { at } = await one.identity()
    passwordIs(one, PASSWORD)
    await one.clock.advance((at ?? 0) - one.clock.now())
    await one.identity()
    expect(readyIn(one)).toMatchObject({ status: 'True', reason: 'Current' })
    expect(statusIn(one).lastFailure).toBeUndefined()
    expect(readJks(fileIn(one, 'keystore.jks'), PASSWORD)[0]?.key).toEqual(derIn(one))
  })

  it('stands in no message, log line, event or annotation', async () => {
    const one = await scene(delivery)
    passwordIs(one, 'short')
    await one.identity()
    passwordIs(one, PASSWORD)
    await one.clock.advance(hours(1))
    await one.identity()
    const others = one.api.all().filter((object) => object.metadata.name !== REF.name)
    const seen = [...one.lines, JSON.stringify(others), JSON.stringify(one.api.writes)].join('\n')
    for (const password of [PASSWORD, b64(PASSWORD), '"short"', b64('short')]) expect(seen).not.toContain(password)
  })

  it('under another name makes the keystores anew', async () => {
    const one = await scene(delivery)
    passwordIs(one, PASSWORD)
    await one.identity()
    const before = derIn(one)
    respec(one, { formats: ['PKCS12', 'JKS'] })
    await one.identity()
    expect(derIn(one)).not.toEqual(before)
    expect(readJks(fileIn(one, 'keystore.jks'), 'changeit')[0]?.key).toEqual(derIn(one))
    expect(readJks(fileIn(one, 'truststore.jks'), 'changeit')).toHaveLength(1)
  })
})

describe('a format that is', () => {
  it.each(FORMATS)('added (%s) makes a new pair, since nobody remembers the old key, with the reason FormatsChanged', async (format) => {
    const one = await served()
    const before = derIn(one)
    respec(one, { formats: [format] })
    await one.identity()
    expect(reasonsOf(one)).toEqual(['issued SecretMissing', 'issued FormatsChanged'])
    expect(derIn(one)).not.toEqual(before)
    expect(namesIn(one)).toEqual([...PEM, ...FILES[format]].sort())
    expect(readyIn(one)).toMatchObject({ status: 'True', reason: 'Current' })
  })

  it.each(FORMATS)('removed (%s) takes its files away', async (format) => {
    const one = await served({ formats: [format] })
    respec(one, {})
    await one.identity()
    await one.identity()
    expect(reasonsOf(one)).toEqual(['issued SecretMissing', 'issued FormatsChanged'])
    expect(namesIn(one)).toEqual(PEM)
    expect(Object.keys(secretIn(one).metadata.annotations ?? {})).not.toContain(annotations.keyFilesHash)
    expect(Object.keys(secretIn(one).metadata.annotations ?? {})).not.toContain(annotations.trustFilesHash)
  })

  it('removed takes no other file away', async () => {
    const one = await served({ formats: ['DER', 'JKS'] })
    respec(one, { formats: ['DER'] })
    await one.identity()
    expect(namesIn(one)).toEqual(['ca.crt', 'key.der', 'tls.crt', 'tls.key'])
    expect(fileIn(one, 'key.der')).toEqual(derIn(one))
  })
})

describe('a file that somebody', () => {
  it.each(['keystore.p12', 'keystore.jks', 'key.der', 'tls-combined.pem', 'credential-bundle.private-key.x509.pem'])(
    'edits (%s) is made again, with a new pair',
    async (name) => {
      const one = await served({ formats: [...FORMATS] })
      const before = derIn(one)
      edited(one, { data: { [name]: b64('mine') } })
      await one.identity()
      expect(reasonsOf(one).at(-1)).toBe('issued FormatsChanged')
      expect(textIn(one, name)).not.toBe('mine')
      expect(derIn(one)).not.toEqual(before)
      expect(fileIn(one, 'key.der')).toEqual(derIn(one))
    },
  )

  it.each(['keystore.p12', 'key.der'])('takes away (%s) is made again, with a new pair', async (name) => {
    const one = await served({ formats: [...FORMATS] })
    edited(one, { data: { [name]: null } })
    await one.identity()
    expect(reasonsOf(one).at(-1)).toBe('issued FormatsChanged')
    expect(namesIn(one)).toContain(name)
  })

  const ANCHORS = ['truststore.p12', 'truststore.jks', 'cluster.local.spiffe-trust-bundle.x509.pem', 'ca.crt']
  it.each(ANCHORS)('edits (%s) is repaired, and the pair stays', async (name) => {
    const one = await served({ formats: [...FORMATS] })
    const before = dataIn(one)
    edited(one, { data: { [name]: b64('mine') } })
    await one.identity()
    expect(reasonsOf(one).at(-1)).toBe('updated BundleOutdated')
    expect(textIn(one, name)).not.toBe('mine')
    for (const file of ['tls.crt', 'tls.key', 'keystore.p12', 'keystore.jks', 'key.der']) expect(dataIn(one)[file]).toBe(before[file])
    one.api.writes.length = 0
    await one.identity()
    expect(one.api.writes).toEqual([])
  })

  it.each(ANCHORS)('takes away (%s) is made again, and the pair stays', async (name) => {
    const one = await served({ formats: [...FORMATS] })
    const before = dataIn(one)['tls.key']
    edited(one, { data: { [name]: null } })
    await one.identity()
    expect([reasonsOf(one).at(-1), namesIn(one).includes(name), dataIn(one)['tls.key'] === before]).toEqual([
      'updated BundleOutdated',
      true,
      true,
    ])
  })

  it('adds under a name of ours, without having asked for the format, goes away', async () => {
    const one = await served()
    edited(one, { data: { 'evil.test.spiffe-trust-bundle.x509.pem': b64('mine'), 'truststore.p12': b64('mine') } })
    await one.identity()
    expect([reasonsOf(one).at(-1), namesIn(one)]).toEqual(['updated BundleOutdated', PEM])
  })

  it('fills the Secret up with, so that there is no room for ours, goes: edited anchors are put right', async () => {
    const one = await served()
    const before = textIn(one, 'ca.crt')
    edited(one, { data: { 'ca.crt': b64('x'), filler: b64('y'.repeat(1_000_000)), small: b64('z') } })
    await one.identity()
    expect([textIn(one, 'ca.crt'), namesIn(one)]).toEqual([before, PEM])
    edited(one, { data: { 'tls.key': b64('x'), filler: b64('y'.repeat(1_000_000)) } })
    await one.identity()
    expect([reasonsOf(one).at(-1), namesIn(one)]).toEqual(['issued KeyInvalid', PEM])
  })

  it('puts beside ours under another name stays, through repairs, new pairs and removed formats', async () => {
    const one = await served({ formats: ['DER'] })
    edited(one, { data: { 'notes.txt': b64('ours'), 'truststore.pem': b64('ours too') } })
    await one.identity()
    expect(one.api.writes).toEqual([])
    edited(one, { data: { 'ca.crt': b64('mine') } })
    await one.identity()
    respec(one, {})
    await one.identity()
    expect(namesIn(one)).toEqual(['ca.crt', 'notes.txt', 'tls.crt', 'tls.key', 'truststore.pem'])
    expect([textIn(one, 'notes.txt'), textIn(one, 'truststore.pem')]).toEqual(['ours', 'ours too'])
  })
})

it('the bytes of no key of any format are in a status, event, log line, label, annotation, or any object but leaf and CA Secrets', async () => {
  const one = await served({ formats: [...FORMATS], secretTemplate: { annotations: { team: 'red' } } })
  const keys = [fileIn(one, 'tls.key')]
  edited(one, { data: { 'keystore.p12': b64('mine') } })
  await one.identity()
  keys.push(fileIn(one, 'tls.key'))
  edited(one, { data: { 'tls.key': b64('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n') } })
  await one.identity()
  keys.push(fileIn(one, 'tls.key'))
  const find = keyDetector(keys)
  const withoutData = (object: object) => JSON.stringify({ ...object, data: undefined })
  for (const text of [...one.lines, ...one.api.all().map(withoutData), ...one.api.writes.map(({ body }) => withoutData(body as object))])
    expect(find(text)).toBeUndefined()
  // And the search does find what is there.
  expect(find(JSON.stringify(dataIn(one)))).toBeDefined()
  expect(find(`x${dataIn(one)['key.der']}`)).toBeDefined()
})

describe('a template', () => {
  const template = { labels: { team: 'red' }, annotations: { 'example.com/reload': 'true' } }
  const metadataIn = (one: Passes) => secretIn(one).metadata

  it('gives its labels and annotations to the first Secret', async () => {
    const one = await served({ secretTemplate: template })
    expect(metadataIn(one)).toMatchObject(template)
    await one.identity()
    expect(one.api.writes).toEqual([])
  })

  it('that is added, changed and taken away changes the Secret, and the pair stays', async () => {
    const one = await served()
    const before = dataIn(one)
    respec(one, { secretTemplate: template })
    await one.identity()
    expect(metadataIn(one)).toMatchObject(template)
    respec(one, { secretTemplate: { labels: { team: 'blue', tier: 'back' } } })
    await one.identity()
    expect(metadataIn(one).labels).toMatchObject({ team: 'blue', tier: 'back' })
    expect(Object.keys(metadataIn(one).annotations ?? {})).not.toContain('example.com/reload')
    respec(one, {})
    await one.identity()
    for (const key of ['team', 'tier']) expect(Object.keys(metadataIn(one).labels ?? {})).not.toContain(key)
    expect(Object.keys(metadataIn(one).annotations ?? {})).not.toContain(annotations.template)
    expect(dataIn(one)).toEqual(before)
    expect(reasonsOf(one)).toEqual(['issued SecretMissing', ...Array(3).fill('updated MetadataChanged')])
  })

  it.each<[string, object]>([
    ['edits a label of it', { labels: { team: 'mine' } }],
    ['takes a label of it away', { labels: { team: null } }],
    ['edits an annotation of it', { annotations: { 'example.com/reload': 'mine' } }],
    ['takes an annotation of it away', { annotations: { 'example.com/reload': null } }],
    ['takes away what is remembered of it', { annotations: { [annotations.template]: null } }],
    ['makes nonsense of what is remembered of it', { annotations: { [annotations.template]: '{"labels":7' } }],
  ])('is put right where somebody %s', async (_what, change) => {
    const one = await served({ secretTemplate: template })
    edited(one, change)
    await one.identity()
    expect(reasonsOf(one).at(-1)).toBe('updated MetadataChanged')
    expect(metadataIn(one)).toMatchObject(template)
    one.api.writes.length = 0
    await one.identity()
    expect(one.api.writes).toEqual([])
  })

  it('changes together with a new certificate in one write', async () => {
    const one = await served({ secretTemplate: template })
    respec(one, { secretTemplate: { labels: { tier: 'back' } }, formats: ['DER'] })
    await one.identity()
    expect(one.api.writes.filter(({ path }) => path.startsWith('secrets'))).toHaveLength(1)
    expect(metadataIn(one).labels).toMatchObject({ tier: 'back' })
    expect(Object.keys(metadataIn(one).labels ?? {})).not.toContain('team')
    expect(Object.keys(metadataIn(one).annotations ?? {})).not.toContain('example.com/reload')
  })

  it('leaves the labels and annotations of other people alone', async () => {
    const one = await served({ secretTemplate: template })
    edited(one, { labels: { mine: 'x' }, annotations: { 'example.org/mine': 'y' } })
    respec(one, {})
    await one.identity()
    expect(metadataIn(one)).toMatchObject({ labels: { mine: 'x' }, annotations: { 'example.org/mine': 'y' } })
  })

  describe('with reserved keys, stored before the schema refused them,', () => {
    const OURS = {
      labels: {
        [labels.managedBy]: 'mutual-identity',
        [labels.role]: 'leaf',
        [labels.identity]: 'payments',
        [labels.authority]: 'default',
        [labels.authorityKind]: 'ClusterMutualAuthority',
      },
    }
    const ALL = {
      labels: Object.fromEntries(Object.values(labels).map((key) => [key, 'mine'])),
      annotations: Object.fromEntries(Object.values(annotations).map((key) => [key, 'mine'])),
    }

    it.each([0, 1])('never wins over ours in the first Secret (%i repair later)', async (repairs) => {
      const one = await served({ secretTemplate: ALL })
      for (let pass = 0; pass < repairs; pass++) await one.identity()
      expect(metadataIn(one)).toMatchObject(OURS)
      expect(Object.values(metadataIn(one).annotations ?? {})).not.toContain('mine')
      expect(Object.values(metadataIn(one).labels ?? {})).not.toContain('mine')
    })

    it('is no reason to write the Secret again and again', async () => {
      const one = await served({ secretTemplate: { labels: { ...ALL.labels, team: 'red' }, annotations: ALL.annotations } })
      for (let pass = 0; pass < 4; pass++) await one.identity()
      expect(one.api.writes).toEqual([])
      expect(metadataIn(one).labels).toMatchObject({ team: 'red' })
    })

    it.each(Object.entries(annotations))('does not write the annotation %s (%s) into a Secret that is there', async (_name, key) => {
      const one = await served()
      const before = metadataIn(one).annotations
      respec(one, { secretTemplate: { annotations: { [key]: 'mine' } } })
      for (let pass = 0; pass < 3; pass++) await one.identity()
      const { [annotations.template]: _remembered, ...rest } = metadataIn(one).annotations ?? {}
      expect(rest).toEqual(before)
    })

    it('takes nothing of ours away when it goes', async () => {
      const one = await served({ secretTemplate: ALL })
      respec(one, {})
      for (let pass = 0; pass < 2; pass++) await one.identity()
      expect(metadataIn(one)).toMatchObject(OURS)
      expect(metadataIn(one).annotations).toHaveProperty([annotations.serialNumber])
      expect(metadataIn(one).annotations).toHaveProperty([annotations.bundleFingerprint])
    })
  })
})
