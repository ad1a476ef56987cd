// What the API server in memory can be made to do wrong, on single requests and to whole processes. Its own tests; there is no real server to compare.

import { describe, expect, it } from '@jest/globals'
import { createClient } from '../../../src/k8s/client.ts'
import { configMaps, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { steadyRandom } from '../../support/material.ts'
import type { Fault } from '../../support/memory-api/faults.ts'
import { settled } from '../../support/virtual-clock.ts'
import { type MemorySubject, openMemory } from './memory.ts'
import { listen, refusal, send, versionOf } from './subject.ts'

const configMap = (name: string, data: object = {}): RawObject => ({ metadata: { name, namespace: 'default' }, data })
const ref = (name: string) => ({ namespace: 'default', name })
const path = '/api/v1/namespaces/default/configmaps'
const body = { apiVersion: 'v1', kind: 'ConfigMap', ...configMap('a') }

/** Goes wrong once, at the first request that is asked for. */
function faulty(fault: Fault, verb = 'post'): MemorySubject {
  let left: Fault | undefined = fault
  return openMemory((request) => {
    if (request.verb !== verb) return undefined
    const now = left
    left = undefined
    return now
  })
}
const isThere = ({ api }: MemorySubject): boolean => api.object(configMaps, ref('a')) !== undefined

/** What a promise came to after some time has passed; undefined: nothing yet. */
async function outcomeAfter<T>({ clock }: MemorySubject, ms: number, call: Promise<T>): Promise<T | Error | undefined> {
  let outcome: T | Error | undefined
  call.then(
    (value) => {
      outcome = value
    },
    (error: Error) => {
      outcome = error
    },
  )
  await clock.advance(ms)
  await settled()
  return outcome
}

export function faultCases(): void {
  describe('a request that is made to fail', () => {
    it('by refuse is answered so, and not carried out', async () => {
      const memory = faulty({ kind: 'refuse', status: 429, retryAfterMs: 5000, details: { retryAfterSeconds: 5 } })
      const reply = await memory.transport.request({
        method: 'POST',
        verb: 'post',
        resource: 'x',
        path,
        body: JSON.stringify(body),
        deadlineMs: 1000,
      })
      expect([reply.status, reply.retryAfterMs]).toEqual([429, 5000])
      expect(JSON.parse(await reply.text())).toMatchObject({
        kind: 'Status',
        code: 429,
        reason: 'TooManyRequests',
        details: { retryAfterSeconds: 5 },
      })
      expect(isThere(memory)).toBe(false)
      expect(memory.api.requests).toMatchObject([
        { code: 429, fault: 'refuse', verb: 'post', resource: 'configmaps', namespace: 'default', name: 'a' },
      ])
      expect(memory.api.disturbed).toBe(true)
    })

    it('by refuse may say any reason', async () => {
      const memory = faulty(
        { kind: 'refuse', status: 403, reason: 'Forbidden', message: 'exceeded quota', details: { causes: [{ field: 'f' }] } },
        'create',
      )
      const error = await refusal(memory.client.create(configMaps, configMap('a')))
      expect(error).toEqual({ code: 403, status: 'Forbidden', message: 'exceeded quota', causes: [{ reason: '', field: 'f' }] })
    })

    it('by answer gets whatever body, and is not carried out', async () => {
      const memory = faulty({ kind: 'answer', status: 200, body: '{"half' }, 'create')
      await expect(memory.client.create(configMaps, configMap('a'))).rejects.toMatchObject({ reason: 'UnreadableReply' })
      expect(isThere(memory)).toBe(false)
    })

    it.each([
      ['breakBefore', false],
      ['breakAfter', true],
    ] as const)('by %s loses its connection; carried out: %s', async (kind, carriedOut) => {
      const memory = faulty({ kind }, 'create')
      await expect(memory.client.create(configMaps, configMap('a'))).rejects.toMatchObject({ reason: 'ConnectionLost', code: 0 })
      expect(isThere(memory)).toBe(carriedOut)
      expect(memory.api.requests).toMatchObject([{ code: carriedOut ? 201 : 0, fault: kind }])
    })

    it.each([
      ['hangBefore', false],
      ['hangAfter', true],
    ] as const)('by %s is silent until its deadline; carried out: %s', async (kind, carriedOut) => {
      const memory = faulty({ kind })
      const call = send(memory, 'POST', path, { body })
      expect(await outcomeAfter(memory, 19_999, call)).toBeUndefined()
      expect(memory.api.held).toBe(1)
      expect(await outcomeAfter(memory, 1, call)).toMatchObject({ reason: 'TimedOut', code: 0 })
      expect(memory.api.held).toBe(0)
      expect(isThere(memory)).toBe(carriedOut)
    })

    it('by hangBefore ends at once when the caller gives up', async () => {
      const memory = faulty({ kind: 'hangBefore' }, 'create')
      const aborter = new AbortController()
      const call = memory.client.create(configMaps, configMap('a'), { signal: aborter.signal })
      aborter.abort()
      await expect(call).rejects.toMatchObject({ reason: 'Cancelled' })
      expect(memory.clock.pending).toBe(0)
    })

    it('by delay is carried out at once and answered later', async () => {
      const memory = faulty({ kind: 'delay', ms: 3000 }, 'create')
      const call = memory.client.create(configMaps, configMap('a'))
      expect(await outcomeAfter(memory, 2999, call)).toBeUndefined()
      expect(isThere(memory)).toBe(true)
      expect(await outcomeAfter(memory, 1, call)).toMatchObject({ metadata: { name: 'a' } })
    })

    it.each([
      ['dieBefore', false],
      ['dieAfter', true],
    ] as const)('by %s takes its process with it; carried out: %s', async (kind, carriedOut) => {
      const memory = faulty({ kind }, 'create')
      expect(await outcomeAfter(memory, 3_600_000, memory.client.create(configMaps, configMap('a')))).toBeUndefined()
      expect(isThere(memory)).toBe(carriedOut)
      expect(memory.connection.dead).toBe(true)
      expect(await outcomeAfter(memory, 3_600_000, memory.client.get(secrets, ref('b')))).toBeUndefined()
      expect(memory.api.requests).toHaveLength(1)
      // Others live on.
      const other = createClient(memory.api.connect({ user: 'other' }), { clock: memory.clock, random: steadyRandom, fieldManager: 'o' })
      expect((await other.create(configMaps, configMap('b'))).metadata.name).toBe('b')
      expect(memory.api.requests.at(-1)).toMatchObject({ number: 2, user: 'other', code: 201, fault: undefined })
    })

    it('is repeated by the client as on a network', async () => {
      const memory = faulty({ kind: 'breakAfter' }, 'patch')
      await memory.client.create(configMaps, configMap('a'))
      const call = memory.client.mergePatch(configMaps, ref('a'), { data: { x: '1' } })
      expect(await outcomeAfter(memory, 1000, call)).toMatchObject({ data: { x: '1' } })
      expect(memory.api.requests.map(({ verb, code, fault }) => [verb, code, fault])).toEqual([
        ['create', 201, undefined],
        ['patch', 200, 'breakAfter'],
        ['patch', 200, undefined],
      ])
    })

    it('may be a watch', async () => {
      const refused = faulty({ kind: 'refuse', status: 410 }, 'watch')
      expect(await listen(refused, configMaps, { resourceVersion: '1' }).end).toMatchObject({ code: 410, reason: 'Expired' })
      const broken = faulty({ kind: 'breakBefore' }, 'watch')
      expect(await listen(broken, configMaps, { resourceVersion: '1' }).end).toMatchObject({ reason: 'ConnectionLost' })
      expect([refused.api.openWatches, broken.api.openWatches]).toEqual([0, 0])
    })
  })

  describe('a process', () => {
    it('that is killed hears and does nothing more', async () => {
      const memory = openMemory()
      const ear = listen(memory, configMaps, { namespace: 'default', resourceVersion: '' })
      await memory.client.create(configMaps, configMap('a'))
      await memory.eventually(() => expect(ear.heard).toEqual(['ADDED a']))
      memory.connection.kill()
      const other = createClient(memory.api.connect(), { clock: memory.clock, random: steadyRandom, fieldManager: 'o' })
      await other.create(configMaps, configMap('b'))
      expect(await outcomeAfter(memory, 60_000, ear.end)).toBeUndefined()
      expect(ear.heard).toEqual(['ADDED a'])
      expect(await outcomeAfter(memory, 60_000, memory.client.delete(configMaps, ref('a'), {}))).toBeUndefined()
      expect(isThere(memory)).toBe(true)
    })

    it('that closes its connection is told that all is cancelled', async () => {
      const memory = openMemory()
      const ear = listen(memory, configMaps, { resourceVersion: '1' })
      await settled()
      await memory.connection.close()
      expect(await ear.end).toMatchObject({ reason: 'Cancelled' })
      await expect(memory.client.get(configMaps, ref('a'))).rejects.toMatchObject({ reason: 'Cancelled' })
      expect(memory.api.openWatches).toBe(0)
    })

    it('that changes what it was given changes nothing that is stored', async () => {
      const memory = openMemory()
      const made = await memory.client.create(configMaps, configMap('a', { x: '1' }))
      Object.assign(made.data as object, { x: '2' })
      const seen = memory.api.object(configMaps, ref('a'))
      Object.assign(seen?.data as object, { x: '3' })
      Object.assign(memory.api.objects(configMaps)[0]?.data as object, { x: '4' })
      expect((await memory.client.get(configMaps, ref('a'))).data).toEqual({ x: '1' })
      expect(versionOf(made)).toBe(memory.api.object(configMaps, ref('a'))?.metadata.resourceVersion)
    })
  })
}
