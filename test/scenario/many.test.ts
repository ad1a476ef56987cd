// Thousands of certificates that are due in one minute, at an API server that takes 100 ms for a write and refuses some with 429.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { annotations } from '../../src/api/names.ts'
import { leafSecretMetadata } from '../../src/api/stored/leaf-secret.ts'
import { formatInstant } from '../../src/base/clock.ts'
import { hours, minutes, seconds } from '../../src/base/duration.ts'
import { configMaps, namespaces, type OwnerReference, secrets } from '../../src/k8s/resource.ts'
import { fingerprintOf } from '../../src/pki/fingerprint.ts'
import { generateLeafKey, privateKeyPem } from '../../src/pki/keys.ts'
import { signLeaf } from '../../src/pki/sign.ts'
import { workloadId } from '../../src/pki/spiffe-id.ts'
import { parseTrustDomain } from '../../src/pki/trust-domain.ts'
import { b64, DEFAULT_REF, OPERATOR_NAMESPACE, pemOf, steadyRandom } from '../support/material.ts'
import type { FaultHook } from '../support/memory-api/faults.ts'
import { authorityReadyOf } from '../support/scenario/cast.ts'
import { signerOf } from '../support/scenario/signer.ts'
import { BEGIN, createWorld, type World } from '../support/scenario/world.ts'
import { isWriteVerb } from '../support/scenario/write-verbs.ts'

/** A thousand in every run of the suite; IDENTITIES=10000 takes minutes. */
const COUNT = Number(process.env['IDENTITIES'] ?? 1_000)
const NAMESPACE = 'shop'
/** The first renewal; all others come within a minute. Not on the hour, when everything is listed anew. */
const DUE_AT = BEGIN + hours(12) + minutes(40)
/** Every so many-th write is refused. */
const REFUSED = 40
const RETRY_AFTER_MS = 3000
const CONCURRENCY = 32

interface Due {
  readonly renewAt: number
  readonly notAfter: number
}

/** A shuffled series of whole numbers below COUNT. */
const shuffled = (index: number, factor: number): number => (index * factor) % COUNT

/** As if they had been issued in the last hours by this authority. */
async function issueAll(world: World): Promise<Map<string, Due>> {
  const signer = signerOf(world, 'default')
  const bundle = world.api.object(configMaps, { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' })
  const { 'ca.crt': caCrt = '' } = (bundle?.['data'] ?? {}) as Record<string, string>
  const key = await generateLeafKey('ECDSAP256')
  const tlsKey = b64(privateKeyPem(key.privateKey))
  const due = new Map<string, Due>()
  for (let index = 0; index < COUNT; index++) {
    const name = `web-${index}`
    const { metadata } = await world.person.create(mutualIdentities, {
      metadata: { namespace: NAMESPACE, name },
      spec: { podSelector: { matchLabels: { app: name } }, serviceAccountName: name },
    })
    const profile = {
      spiffeId: workloadId(parseTrustDomain('cluster.local'), NAMESPACE, name),
      dnsNames: [],
      keyType: 'ECDSAP256',
      lifetime: hours(24),
    } as const
    // Of the same lifetime, issued within four minutes in an order that is not that of the renewals.
    const leaf = await signLeaf(profile, key.publicKey, signer, BEGIN - Math.floor((shuffled(index, 7) * minutes(4)) / COUNT), steadyRandom)
    const renewAt = DUE_AT + Math.floor((shuffled(index, 3) * seconds(60)) / COUNT / 1000) * 1000
    const profileHash = fingerprintOf(Buffer.from(JSON.stringify([profile.spiffeId.uri, 'ECDSAP256', 'default', 'Auto'])))
    const said = leafSecretMetadata({
      identity: { name, uid: metadata.uid ?? '' },
      authority: DEFAULT_REF,
      serialNumber: leaf.serialNumber,
      issuingGeneration: 1,
      renewAt: formatInstant(renewAt),
      profileHash,
      renewedFor: undefined,
      template: { labels: {}, annotations: {} },
    })
    const written = { ...said.annotations, [annotations.bundleFingerprint]: fingerprintOf(Buffer.from(caCrt)) }
    await world.person.create(secrets, {
      type: 'kubernetes.io/tls',
      metadata: {
        namespace: NAMESPACE,
        name: `${name}-mtls`,
        labels: said.labels,
        annotations: Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null)) as Record<string, string>,
        ownerReferences: said.ownerReferences as OwnerReference[],
      },
      data: { 'tls.crt': b64(pemOf(leaf)), 'tls.key': tlsKey, 'ca.crt': b64(caCrt) },
    })
    due.set(`${name}-mtls`, { renewAt, notAfter: leaf.notAfter })
  }
  return due
}

describe('thousands of certificates that are due in one minute', () => {
  it('are renewed in order of expiry, no faster than the API server takes it, and none expires', async () => {
    const world = createWorld()
    for (const name of [OPERATOR_NAMESPACE, NAMESPACE]) await world.person.create(namespaces, { metadata: { name } })
    const first = await world.start()
    await world.settle()
    expect(authorityReadyOf(world, 'default')).toBe('Current')
    await first.stop()
    const due = await issueAll(world)

    // The first look of the operator finds all in order, and only tells it.
    let slow = false
    let writes = 0
    let atOnce = 0
    let most = 0
    const hook: FaultHook = ({ verb }) => {
      if (!slow || !isWriteVerb(verb)) return undefined
      if (++writes % REFUSED === 0) return { kind: 'refuse', status: 429, reason: 'TooManyRequests', retryAfterMs: RETRY_AFTER_MS }
      most = Math.max(most, ++atOnce)
      world.clock.after(100, () => atOnce--)
      return { kind: 'delay', ms: 100 }
    }
    const operator = await world.start({ hook })
    // So many first looks take the machine longer than settling is patient.
    while (operator.busy > 0) await world.settle()
    expect(world.clock.now()).toBeLessThan(DUE_AT)
    slow = true
    await world.pass(DUE_AT - world.clock.now() + minutes(10))

    const renewals = world.api.requests.filter(
      ({ user, verb, resource, code, at, body }) =>
        user === 'operator' && verb === 'patch' && resource === 'secrets' && code === 200 && at >= DUE_AT && body?.includes('tls.key'),
    )
    expect(new Set(renewals.map(({ name }) => name)).size).toBe(COUNT)
    expect(renewals).toHaveLength(COUNT)
    expect(renewals.filter(({ name, at }) => at >= (due.get(name)?.notAfter ?? 0))).toEqual([])

    // Of those that were due and not yet begun, it was always one of the first to expire: those under way, or put off by a 429, do not count.
    const order = renewals.map(({ name, at }) => ({ at, ...(due.get(name) as Due) }))
    let worst = 0
    for (let index = 0; index < order.length; index += 7) {
      const { at, notAfter } = order[index] as (typeof order)[number]
      let overtaken = 0
      for (let later = index + 1; later < order.length; later++) {
        const other = order[later] as (typeof order)[number]
        if (other.notAfter < notAfter && other.renewAt <= at - 1000) overtaken++
      }
      worst = Math.max(worst, overtaken)
    }
    expect(worst).toBeLessThan(CONCURRENCY * 4)

    // Paced by what is under way at once, and by Retry-After.
    expect(most).toBeLessThanOrEqual(3 * CONCURRENCY)
    const refused = world.api.requests.filter(({ code, resource }) => code === 429 && resource !== 'events')
    expect(refused.length).toBeGreaterThan(COUNT / 50)
    const byObject = Map.groupBy(
      world.api.requests.filter(({ user, verb }) => user === 'operator' && verb === 'patch'),
      ({ resource, subresource, name }) => `${resource}/${subresource}/${name}`,
    )
    const hurried = refused.filter(({ resource, subresource, name, at, number }) =>
      byObject.get(`${resource}/${subresource}/${name}`)?.some((again) => again.number > number && again.at < at + RETRY_AFTER_MS),
    )
    expect(hurried).toEqual([])
  }, 900_000)
})
