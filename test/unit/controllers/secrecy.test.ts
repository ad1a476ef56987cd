// Oracle O3: the bytes of no private key appear in any log line, event, status, annotation, ConfigMap or error, at the most verbose level.

import { createPrivateKey } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { labels } from '../../../src/api/names.ts'
import { hours } from '../../../src/base/duration.ts'
import { certificateReadings } from '../../../src/controllers/identity/readings.ts'
import { authorityEnds, objectReadings } from '../../../src/controllers/object-readings.ts'
import { configMaps, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { formatPem } from '../../../src/pki/pem.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { keyDetector, WINDOW } from '../../support/key-detector.ts'
import {
  authorityObject,
  b64,
  identityObject,
  leafSecret,
  makeCA,
  NOW,
  namespaceObject,
  OPERATOR_NAMESPACE,
  podObject,
  serviceObject,
} from '../../support/material.ts'
import { type Passes, passes } from '../../support/passes.ts'
import { apiFailure } from '../../support/recording-client.ts'

const CA_REF = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }
const LEAF_REF = { namespace: 'shop', name: 'payments-mtls' }
const FIELD = 'tls.key'
const derOf = (pem: string) => createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' })

function world(): Passes {
  const one = passes()
  one.seen('authorities', authorityObject())
  one.seen('namespaces', namespaceObject('shop'))
  one.seen('pods', podObject('a'))
  one.seen('services', serviceObject('payments'))
  one.seen('identities', identityObject())
  return one
}

/** Every key that any write ever carried, as PEM. */
function keysOf({ api }: Passes): Buffer[] {
  const bodies = [...api.writes.map(({ body }) => body), ...api.all()] as Partial<RawObject>[]
  const texts = bodies.flatMap((body) => (body['data'] as Record<string, string> | undefined)?.[FIELD] ?? [])
  return [...new Set(texts)]
    .map((text) => Buffer.from(text, 'base64'))
    .filter((pem) => pem.includes('PRIVATE KEY-----') && pem.length > 200)
}

/** All that people can read without the right to read Secrets, and the Secrets without their key. */
async function readable({ api, lines, outcomes, stores }: Passes, errors: readonly unknown[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const [index, line] of lines.entries()) texts.set(`log line ${index}`, line)
  for (const { verb, path, body } of api.writes) texts.set(`${verb} ${path} ${texts.size}`, JSON.stringify(withoutKey(body as RawObject)))
  for (const object of api.all()) texts.set(`${object.kind} ${object.metadata.name}`, JSON.stringify(withoutKey(object)))
  for (const [index, error] of errors.entries())
    texts.set(`error ${index}`, inspect(error, { depth: 20, showHidden: true, maxStringLength: null }))
  const metrics = createMetrics({
    leading: () => true,
    queueDepths: () => ({}),
    identitiesAtOnce: () => 8,
    silences: () => ({}),
    certificates: () => certificateReadings(stores, NOW),
    objects: () => objectReadings(stores),
    authorityEnds: () => authorityEnds(stores),
  })
  for (const outcome of outcomes) metrics.step(outcome)
  texts.set('metrics', (await metrics.render()).text)
  texts.set('outcomes', JSON.stringify(outcomes))
  return texts
}

function withoutKey(object: RawObject): object {
  const data = object['data'] as Record<string, string> | undefined
  return data === undefined ? object : { ...object, data: { ...data, [FIELD]: '' } }
}

async function leaks(one: Passes, errors: readonly unknown[], keys = keysOf(one)): Promise<string[]> {
  const detect = keyDetector(keys)
  return [...(await readable(one, errors))].flatMap(([place, text]) => {
    const found = detect(text)
    return found === undefined ? [] : [`${place}: ${found}`]
  })
}

/** Passes until nothing changes, five at most; what they throw is collected. */
async function work(one: Passes, errors: unknown[]): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for (const pass of [() => one.authority(), () => one.identity(), () => one.bundle()]) {
      await pass().catch((error: unknown) => errors.push(error))
    }
  }
}

describe('the detector', () => {
  const ca = makeCA()
  it.each<[string, (pem: string, der: Buffer) => string]>([
    ['a PEM block', (pem) => `certificate issued: ${pem}`],
    ['a PEM block within JSON', (pem) => JSON.stringify({ detail: pem })],
    ['the base64 of a PEM block', (pem) => JSON.stringify({ data: b64(pem) })],
    ['the base64 of the DER', (_pem, der) => der.toString('base64')],
    ['the base64 of the DER within other bytes', (_pem, der) => Buffer.concat([Buffer.of(1), der]).toString('base64')],
    ['the DER in hex', (_pem, der) => der.toString('hex')],
    ['a part of the key in the middle of a sentence', (_pem, der) => `look: ${der.toString('base64').slice(50, 50 + WINDOW)} !`],
  ])('finds %s', async (_what, plant) => {
    const { keyPair } = await ca
    const pem = String(keyPair.privateKey.export({ format: 'pem', type: 'pkcs8' }))
    const der = keyPair.privateKey.export({ format: 'der', type: 'pkcs8' })
    expect(keyDetector([pem])(plant(pem, der))).toMatch(/of key 0$/)
  })

  it('does not take a certificate, a public key or another key for the key', async () => {
    const { keyPair, certificate } = await ca
    const stranger = await makeCA()
    const detect = keyDetector([String(keyPair.privateKey.export({ format: 'pem', type: 'pkcs8' }))])
    const harmless = [
      certificate.der,
      keyPair.publicKey.export({ format: 'der', type: 'spki' }),
      stranger.keyPair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    ]
    for (const bytes of harmless)
      for (const encoding of ['base64', 'hex'] as const) expect(detect(bytes.toString(encoding))).toBeUndefined()
  })
})

describe('no private key is to be seen', () => {
  it('after an authority and an identity came to be, were renewed and repaired', async () => {
    const one = world()
    const errors: unknown[] = []
    await work(one, errors)
    await one.clock.advance(hours(20))
    await work(one, errors)
    one.seen('leafSecrets', { ...(one.api.at(secrets, LEAF_REF) as RawObject), data: {} })
    await work(one, errors)
    expect(errors).toEqual([])
    // The CA key and three leaf keys: the passes did work, and their keys are what was looked for.
    expect(keysOf(one)).toHaveLength(4)
    expect(one.lines.length).toBeGreaterThan(4)
    expect(await leaks(one, errors)).toEqual([])
  })

  it.each<[string, (one: Passes) => void]>([
    [
      'the API server refuses every Secret',
      ({ api }) =>
        Object.assign(api, {
          refuse: (verb: string, path: string) => (verb !== 'get' && path.startsWith('secrets ') ? apiFailure(422, 'Invalid') : undefined),
        }),
    ],
    [
      'the API server fails at every write',
      ({ api }) => Object.assign(api, { refuse: (verb: string) => (verb === 'get' ? undefined : apiFailure(500, 'InternalError')) }),
    ],
    ['the Secret is somebody else’s', ({ api }) => void api.put(secrets, { metadata: LEAF_REF, data: { [FIELD]: b64('x') } })],
    [
      'the ConfigMap is somebody else’s',
      ({ api }) => void api.put(configMaps, { metadata: { namespace: 'shop', name: 'default-trust-bundle' }, data: {} }),
    ],
  ])('when %s', async (_what, disturb) => {
    const one = world()
    const errors: unknown[] = []
    disturb(one)
    await work(one, errors)
    one.api.refuse = () => undefined
    await one.clock.advance(hours(1))
    await work(one, errors)
    expect(keysOf(one).length).toBeGreaterThan(0)
    expect(await leaks(one, errors)).toEqual([])
  })

  const broken: [string, (pem: string, crt: string) => Record<string, string>][] = [
    ['has its key where the certificate belongs', (pem) => ({ 'tls.crt': b64(pem), [FIELD]: b64(pem) })],
    ['has certificate and key in one field', (pem, crt) => ({ 'tls.crt': b64(crt + pem), [FIELD]: b64(pem) })],
    ['has a key that is cut off', (pem) => ({ [FIELD]: b64(pem.slice(0, 180)) })],
    ['has a key without its boundaries', (pem) => ({ [FIELD]: b64(pem.split('\n').slice(1, -2).join('\n')) })],
    ['has a key with headers', (pem) => ({ [FIELD]: b64(pem.replace('\n', '\nProc-Type: 4\n\n')) })],
    ['has its key twice', (pem) => ({ [FIELD]: b64(pem + pem) })],
    ['has a key whose DER is cut off', (pem) => ({ [FIELD]: b64(formatPem('PRIVATE KEY', derOf(pem).subarray(0, -10))) })],
    ['has a key with bytes after it', (pem) => ({ [FIELD]: b64(formatPem('PRIVATE KEY', Buffer.concat([derOf(pem), Buffer.of(0)]))) })],
    ['has its key under another label', (pem) => ({ [FIELD]: b64(pem.replaceAll('PRIVATE KEY', 'SECRET')) })],
    ['has its key as an encrypted one', (pem) => ({ [FIELD]: b64(pem.replaceAll('PRIVATE', 'ENCRYPTED PRIVATE')) })],
    ['has its key in the bundle', (pem) => ({ 'ca.crt': b64(pem) })],
  ]
  it.each(broken)('when a Secret %s', async (_what, breakIt) => {
    const one = world()
    const errors: unknown[] = []
    await work(one, errors)
    const keys = keysOf(one)
    for (const [cache, ref] of [
      ['caSecrets', CA_REF],
      ['leafSecrets', LEAF_REF],
    ] as const) {
      const present = one.api.at(secrets, ref) as RawObject
      const data = present['data'] as Record<string, string>
      const [pem = '', crt = ''] = [FIELD, 'tls.crt'].map((field) => Buffer.from(data[field] ?? '', 'base64').toString())
      one.seen(cache, { ...present, data: { ...data, ...breakIt(pem, crt) } })
    }
    const before = one.api.writes.length
    await work(one, errors)
    // The broken objects themselves hold what people put into them; what we wrote and said since must not.
    const ours = {
      ...one,
      api: { ...one.api, writes: one.api.writes.slice(before), all: () => one.api.all().filter(({ kind }) => kind !== 'Secret') },
    }
    expect(await leaks(ours, errors, keys)).toEqual([])
  })

  it('when the key of the CA changes between plan and signature', async () => {
    const one = world()
    const errors: unknown[] = []
    await work(one, errors)
    const stranger = await leafSecret(await makeCA())
    one.api.put(secrets, { ...(one.api.at(secrets, CA_REF) as RawObject), data: stranger['data'] })
    one.seen('leafSecrets', { ...(one.api.at(secrets, LEAF_REF) as RawObject), data: {} })
    one.stores.caSecrets.wrote({ ...(one.api.at(secrets, CA_REF) as RawObject) })
    await work(one, errors)
    expect(await leaks(one, errors)).toEqual([])
  })

  it('in the cache, in whatever depth', async () => {
    const one = world()
    await work(one, [])
    const detect = keyDetector(keysOf(one))
    for (const store of Object.values(one.stores)) {
      const text = JSON.stringify([...store.all()], (_key, value: unknown) =>
        value && typeof value === 'object' && 'type' in value && value.type === 'Buffer'
          ? Buffer.from((value as unknown as { data: number[] }).data).toString('base64')
          : value,
      )
      expect(detect(text)).toBeUndefined()
    }
    expect([...one.stores.leafSecrets.all()][0]?.labels[labels.role]).toBe('leaf')
  })
})

it('the keys in Secrets are keys indeed: a control of this test', async () => {
  const one = world()
  await work(one, [])
  expect(keysOf(one).map((pem) => createPrivateKey(pem).type)).toEqual(['private', 'private'])
})
