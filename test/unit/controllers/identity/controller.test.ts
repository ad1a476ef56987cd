// Whole passes over an identity: what is written, in which order, and when to look again.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../src/api/kinds.ts'
import { hours } from '../../../../src/base/duration.ts'
import { type RawObject, secrets } from '../../../../src/k8s/resource.ts'
import { authorityObject, changed, identityObject, NOW, namespaceObject, podObject } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'
import { apiFailure } from '../../../support/recording-client.ts'

const REF = { namespace: 'shop', name: 'payments' }
const SECRET = { namespace: 'shop', name: 'payments-mtls' }
let one: Passes

/** An authority that signs and an identity with a pod, to which nothing was done yet. */
beforeEach(async () => {
  one = passes()
  one.seen('authorities', authorityObject())
  one.seen('namespaces', namespaceObject('shop'))
  one.seen('pods', podObject('a'))
  one.seen('identities', identityObject())
  for (let pass = 0; pass < 4; pass++) await one.authority()
  one.api.writes.length = 0
})
const written = () => one.api.writes.map(({ verb, path }) => `${verb} ${path.replace(/ .*/, '')}`)
const status = () =>
  one.api.at(mutualIdentities, REF)?.['status'] as
    | { conditions: { type: string; status: string; reason: string }[]; lastFailure?: object }
    | undefined
const ready = () => {
  const condition = status()?.conditions.find(({ type }) => type === 'Ready')
  return `${condition?.status} ${condition?.reason}`
}
const terminating = () => apiFailure(403, 'Forbidden', 'it goes', { causes: [{ reason: 'NamespaceTerminating' }] })

describe('a pass over an identity', () => {
  it('makes three writes for a first certificate: Secret, status, event', async () => {
    await one.identity()
    expect(written()).toEqual(['create secrets', 'replaceStatus mutualidentities', 'create events'])
    expect(ready()).toBe('True Current')
  })

  it('comes back at the instant of renewal, which is between half and six tenths of the lifetime', async () => {
    const { at } = await one.identity()
    expect(at).toBeGreaterThanOrEqual(NOW + hours(11.9))
    expect(at).toBeLessThanOrEqual(NOW + hours(14.4))
  })

  it('writes nothing and says nothing when nothing is to be done', async () => {
    const { at } = await one.identity()
    const before = [one.api.writes.length, one.lines.length]
    for (let pass = 0; pass < 3; pass++) expect(await one.identity()).toMatchObject({ at: expect.any(Number) })
    expect([one.api.writes.length, one.lines.length]).toEqual(before)
    expect(Math.abs(((await one.identity()).at ?? 0) - (at ?? 0))).toBeLessThan(1000)
  })

  it('tells metrics of each step, and of no quiet pass', async () => {
    await one.identity()
    await one.identity()
    expect(one.outcomes).toEqual([{ kind: 'issued', reason: 'SecretMissing', authority: 'default', durationMs: 0 }])
  })

  it('logs one line for a step', async () => {
    one.lines.length = 0
    await one.identity()
    expect(one.lines.map((line) => JSON.parse(line).message)).toEqual(['certificate issued'])
  })

  it('does nothing for an identity that is gone, or going', async () => {
    one.seen('identities', identityObject({}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }))
    expect([await one.identity(), await one.identity('shop', 'nobody')]).toEqual([{ at: undefined }, { at: undefined }])
    expect(written()).toEqual([])
  })

  it('takes its own writes for its own, though their events come before their answers, and what others write meanwhile for theirs', async () => {
    const { client } = one.api
    const { create, replaceStatus } = client
    const heard: unknown[] = []
    one.stores.leafSecrets.subscribe(({ own }) => heard.push(['secret', own]))
    one.stores.identities.subscribe(({ after, own }) => heard.push([after?.spec.serviceAccountName, own]))
    const edited = (raw: RawObject): RawObject => one.api.put(mutualIdentities, identityObject({ serviceAccountName: 'b' }, raw))
    Object.assign(client, {
      async create(...given: Parameters<typeof create>) {
        const raw = await create(...given)
        if (given[0] === secrets) one.stores.leafSecrets.apply({ type: 'ADDED', object: raw })
        return raw
      },
      async replaceStatus(...given: Parameters<typeof replaceStatus>) {
        const raw = await replaceStatus(...given)
        one.stores.identities.apply({ type: 'MODIFIED', object: raw })
        one.stores.identities.apply({ type: 'MODIFIED', object: edited(raw) })
        return raw
      },
    })
    await one.identity()
    expect(heard).toEqual([
      ['secret', true],
      [undefined, true],
      ['b', false],
    ])
  })

  it('looks again at once where it took back a Secret that the caches did not show, and takes what is left of ours out of it', async () => {
    one.seen('identities', identityObject({ delivery: { formats: ['CombinedPEM'] } }))
    await one.identity()
    const labels = { 'mutualidentity.io/role': undefined }
    const hidden = one.api.put(secrets, changed(one.api.at(secrets, SECRET) as RawObject, { labels }))
    one.stores.leafSecrets.apply({ type: 'DELETED', object: hidden })
    const present = one.api.at(mutualIdentities, REF) as RawObject
    one.seen('identities', { ...present, spec: { podSelector: { matchLabels: { app: 'payments' } } } })
    const files = () => Object.keys((one.api.at(secrets, SECRET)?.['data'] ?? {}) as object)
    expect(await one.identity()).toMatchObject({ at: 0 })
    expect(files()).toContain('tls-combined.pem')
    expect(await one.identity()).toMatchObject({ at: expect.any(Number) })
    expect(files().sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key'])
  })

  it('makes a Secret that cannot be changed anew, one write a pass', async () => {
    await one.identity()
    const present = one.api.at(secrets, SECRET) as RawObject
    one.seen('leafSecrets', { ...present, immutable: true, data: {} })
    one.api.writes.length = 0
    expect(await one.identity()).toMatchObject({ at: 0 })
    expect(written()).toEqual(['delete secrets', 'replaceStatus mutualidentities', 'create events'])
    await one.identity()
    expect(one.api.writes.slice(3).map(({ verb }) => verb)).toEqual(['create', 'replaceStatus', 'create'])
  })
})

describe('a step that fails', () => {
  it('is a fact: it stands in the status, and the pass comes back for the next attempt', async () => {
    one.api.refuse = (verb, path) => (verb === 'create' && path.startsWith('secrets') ? apiFailure(503, 'ServiceUnavailable') : undefined)
    expect(await one.identity()).toMatchObject({ at: NOW + 2000 })
    expect(status()?.lastFailure).toMatchObject({ reason: 'ServerError', attempts: 1 })
    expect(ready()).toBe('False ServerError')
  })

  it('is not tried again before its time, whatever wakes the pass', async () => {
    one.api.refuse = (verb, path) => (verb === 'create' && path.startsWith('secrets') ? apiFailure(503, 'ServiceUnavailable') : undefined)
    await one.identity()
    one.api.refuse = () => undefined
    one.api.writes.length = 0
    expect(await one.identity()).toMatchObject({ at: NOW + 2000 })
    expect(written()).toEqual([])
    await one.clock.advance(2000)
    await one.identity()
    expect(ready()).toBe('True Current')
    expect(status()?.lastFailure).toBeUndefined()
  })

  it('by a lost race goes to the queue, and people are told nothing', async () => {
    await one.identity()
    one.api.writes.length = 0
    await one.clock.advance(hours(20))
    one.api.refuse = (verb, path) => (verb === 'mergePatch' && path.startsWith('secrets') ? apiFailure(409, 'Conflict') : undefined)
    await expect(one.identity()).rejects.toMatchObject({ reason: 'Conflict' })
    expect(written()).toEqual([])
  })

  it('by a mistake of ours goes to the queue with its stack', async () => {
    const error = new TypeError('oops')
    one.api.refuse = (verb) => (verb === 'create' ? error : undefined)
    await expect(one.identity()).rejects.toBe(error)
  })

  it('in a namespace that goes away, before its cache shows that, is no certificate: nobody is told of one', async () => {
    one.api.refuse = (verb) => (verb === 'create' ? terminating() : undefined)
    expect(await one.identity()).toMatchObject({ at: undefined })
    expect(ready()).not.toContain('True')
  })

  it('when only the bundle is to be written, is held back too', async () => {
    await one.identity()
    const present = one.api.at(secrets, SECRET) as RawObject
    one.seen('leafSecrets', { ...present, data: { ...(present['data'] as object), 'ca.crt': 'eA==' } })
    one.seen('authorities', authorityObject({ policy: { allowedNamespaces: ['other'] } }))
    one.api.refuse = (verb, path) =>
      verb === 'mergePatch' && path.startsWith('secrets') ? apiFailure(503, 'ServiceUnavailable') : undefined
    await one.identity()
    one.api.refuse = () => undefined
    one.api.writes.length = 0
    await one.identity()
    expect(written()).toEqual([])
  })
})

describe('a status', () => {
  it('of an identity that was deleted meanwhile is nobody’s business', async () => {
    one.api.refuse = (verb) => (verb === 'replaceStatus' ? apiFailure(404, 'NotFound') : undefined)
    expect(await one.identity()).toMatchObject({ at: expect.any(Number) })
  })

  it('that cannot be written fails the pass, and the next one writes it without a second certificate', async () => {
    one.api.refuse = (verb) => (verb === 'replaceStatus' ? apiFailure(503, 'ServiceUnavailable') : undefined)
    await expect(one.identity()).rejects.toMatchObject({ reason: 'ServerError' })
    one.api.refuse = () => undefined
    one.api.writes.length = 0
    await one.identity()
    expect(written()).toEqual(['replaceStatus mutualidentities'])
    expect(ready()).toBe('True Current')
  })

  it('of waiting is written once, and only when it has lasted', async () => {
    one.seen('pods', podObject('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }))
    const { at } = await one.identity()
    expect(written()).toEqual([])
    await one.clock.advance((at ?? 0) - NOW)
    await one.identity()
    await one.identity()
    expect(written()).toEqual(['replaceStatus mutualidentities'])
    expect(ready()).toBe('False NoServiceAccount')
  })
})
