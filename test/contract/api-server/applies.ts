// Server-side apply, of a status above all. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import type { Client } from '../../../src/k8s/client.ts'
import { configMaps, type RawObject } from '../../../src/k8s/resource.ts'
import { invalidity, type Place, refusal, uidOf, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const ELSE = '11111111-2222-4333-8444-555555555555'
const condition = (type: string, reason = 'R') => ({
  type,
  status: 'True',
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
})
const certificate = { serialNumber: '1', notAfter: '2026-01-02T00:00:00Z', renewAt: '2026-01-01T12:00:00Z', issuedBy: 'a' }

interface Stage extends Place {
  readonly made: RawObject
  tell(status: object, metadata?: object, by?: Client): Promise<RawObject>
  told(): Promise<unknown>
}

export function applyCases(enter: () => Promise<Place>): void {
  const stage = async (): Promise<Stage> => {
    const place = await enter()
    const { client, object, ref } = place
    const made = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
    const tell = (status: object, metadata: object = {}, by = client) =>
      by.apply(mutualIdentities, object('web', { status }, metadata), { subresource: 'status' })
    return { ...place, made, tell, told: async () => (await client.get(mutualIdentities, ref('web'))).status }
  }

  describe('apply of a status', () => {
    it('sets fields, and takes away those that it does not name any more', async () => {
      const { tell, told } = await stage()
      await tell({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x', certificate })
      await tell({ observedGeneration: 2 })
      expect(await told()).toEqual({ observedGeneration: 2 })
    })

    it('takes away single fields of an object', async () => {
      const { tell, told } = await stage()
      const failure = { reason: 'R', message: 'm', at: 'a', attempts: 1, nextAttemptAt: 'n' }
      await tell({ observedGeneration: 1, lastFailure: failure, certificate })
      await tell({ certificate, observedGeneration: 1 })
      expect(await told()).toEqual({ observedGeneration: 1, certificate })
    })

    it('adds, changes and removes entries of a list of type map by their keys', async () => {
      const { tell, told } = await stage()
      await tell({ conditions: [condition('Ready'), condition('Other')] })
      await tell({ conditions: [condition('Ready', 'S'), condition('Third')] })
      expect(await told()).toEqual({ conditions: [condition('Ready', 'S'), condition('Third')] })
      await tell({ conditions: [condition('Third')] })
      expect(await told()).toEqual({ conditions: [condition('Third')] })
    })

    it('takes the order of a list of type map from what is applied', async () => {
      const { tell, told } = await stage()
      await tell({ conditions: [condition('A'), condition('B')] })
      await tell({ conditions: [condition('B'), condition('A')] })
      expect(await told()).toEqual({ conditions: [condition('B'), condition('A')] })
    })

    it('takes away an optional field of an entry', async () => {
      const { tell, told } = await stage()
      await tell({ conditions: [{ ...condition('Ready'), observedGeneration: 1 }] })
      await tell({ conditions: [condition('Ready')] })
      expect(await told()).toEqual({ conditions: [condition('Ready')] })
    })

    it('leaves what other managers applied', async () => {
      const { tell, told, other } = await stage()
      await tell({ spiffeID: 'spiffe://example.org/x', conditions: [condition('Foreign')] }, {}, other)
      await tell({ observedGeneration: 1, conditions: [condition('Ready')] })
      await tell({ observedGeneration: 1 })
      expect(await told()).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x', conditions: [condition('Foreign')] })
    })

    it('leaves what two managers applied until neither names it', async () => {
      const { tell, told, other } = await stage()
      await tell({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x' })
      await tell({ spiffeID: 'spiffe://example.org/x' }, {}, other)
      await tell({ observedGeneration: 1 })
      expect(await told()).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x' })
      await tell({}, {}, other)
      expect(await told()).toEqual({ observedGeneration: 1 })
    })

    it('takes a field from another manager by force: the other does not remove it any more', async () => {
      const { tell, told, other } = await stage()
      await tell({ spiffeID: 'spiffe://example.org/x' }, {}, other)
      await tell({ spiffeID: 'spiffe://example.org/y' })
      await tell({ observedGeneration: 1 }, {}, other)
      expect(await told()).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://example.org/y' })
    })

    it('leaves what a merge patch set', async () => {
      const { tell, told, client, ref } = await stage()
      const patch = { status: { spiffeID: 'spiffe://example.org/x' } }
      await client.mergePatch(mutualIdentities, ref('web'), patch, { subresource: 'status' })
      await tell({ observedGeneration: 1 })
      await tell({})
      expect(await told()).toEqual({ spiffeID: 'spiffe://example.org/x' })
    })

    it('does not remove what a merge patch has changed since', async () => {
      const { tell, told, client, ref } = await stage()
      await tell({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x' })
      const patch = { status: { spiffeID: 'spiffe://example.org/y' } }
      await client.mergePatch(mutualIdentities, ref('web'), patch, { subresource: 'status' })
      await tell({ observedGeneration: 1 })
      expect(await told()).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://example.org/y' })
    })

    it('leaves spec, labels and generation alone', async () => {
      const { made, client, object } = await stage()
      const body = object(
        'web',
        { spec: { podSelector: {}, serviceAccountName: 'b' }, status: { observedGeneration: 1 } },
        { labels: { a: '1' } },
      )
      const after = await client.apply(mutualIdentities, body, { subresource: 'status' })
      expect(after.spec).toEqual(made.spec)
      expect(after.metadata.generation).toBe(1)
      expect(after.metadata).not.toHaveProperty('labels')
    })

    it('does not look at the uid: an object of the same name made since is written', async () => {
      const { tell, told, made } = await stage()
      const answer = await tell({ observedGeneration: 2 }, { uid: ELSE })
      expect(uidOf(answer)).toBe(uidOf(made))
      expect(await told()).toEqual({ observedGeneration: 2 })
    })

    it('takes a list of type map away with its last entry', async () => {
      const { tell, told } = await stage()
      await tell({ observedGeneration: 1, conditions: [condition('Ready')] })
      await tell({ observedGeneration: 1 })
      expect(await told()).toEqual({ observedGeneration: 1 })
    })

    it('may be empty at first, but cannot take away the last field', async () => {
      const { tell, told } = await stage()
      expect((await tell({})).status).toEqual({})
      await tell({ observedGeneration: 1 })
      // What is left is null, which is no object.
      expect(await invalidity(tell({}))).toEqual(['FieldValueInvalid <nil>', 'FieldValueTypeInvalid status'])
      expect(await told()).toEqual({ observedGeneration: 1 })
    })

    it('puts what it adds behind what others have in the list', async () => {
      const { tell, told, other } = await stage()
      await tell({ conditions: [condition('Foreign')] }, {}, other)
      await tell({ conditions: [condition('A'), condition('B')] })
      await tell({ conditions: [condition('Z'), condition('B'), condition('A')] })
      expect(((await told()) as { conditions: { type: string }[] }).conditions.map(({ type }) => type)).toEqual(['Foreign', 'Z', 'B', 'A'])
    })

    it('for an old resource version is a conflict', async () => {
      const { made, tell } = await stage()
      await tell({ observedGeneration: 1 }, { resourceVersion: versionOf(made) })
      expect(await refusal(tell({ observedGeneration: 2 }, { resourceVersion: versionOf(made) }))).toMatchObject({
        code: 409,
        status: 'Conflict',
      })
    })

    it('of an object that is not there creates nothing', async () => {
      const { client, object, ref } = await enter()
      const missing = { code: 404, status: 'NotFound', message: 'mutualidentities.mutualidentity.io "web" not found' }
      const body = object('web', { status: { observedGeneration: 1 } })
      expect(await refusal(client.apply(mutualIdentities, body, { subresource: 'status' }))).toMatchObject(missing)
      const withUid = object('web', { status: { observedGeneration: 1 } }, { uid: ELSE })
      expect(await refusal(client.apply(mutualIdentities, withUid, { subresource: 'status' }))).toMatchObject({ code: 404 })
      expect(await refusal(client.get(mutualIdentities, ref('web')))).toMatchObject(missing)
    })

    it('that does not fit the schema is refused', async () => {
      const { tell } = await stage()
      const refused = await refusal(tell({ observedGeneration: -1 }))
      expect(refused).toMatchObject({
        code: 422,
        status: 'Invalid',
        causes: [{ reason: 'FieldValueInvalid', field: 'status.observedGeneration' }],
      })
    })
  })

  describe('apply of an object', () => {
    it('creates it, changes it, and takes away what it does not name any more', async () => {
      const { client, object } = await enter()
      const first = await client.apply(configMaps, object('a', { data: { x: '1', y: '1' } }, { labels: { l: '1' } }))
      const second = await client.apply(configMaps, object('a', { data: { y: '2' } }))
      expect(uidOf(second)).toBe(uidOf(first))
      expect(second.data).toEqual({ y: '2' })
      expect(second.metadata).not.toHaveProperty('labels')
    })

    it('leaves what others set', async () => {
      const { client, object, ref } = await enter()
      await client.apply(configMaps, object('a', { data: { x: '1' } }))
      await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { l: '1' } }, data: { y: '1' } })
      expect((await client.apply(configMaps, object('a', { data: { z: '1' } }))).data).toEqual({ y: '1', z: '1' })
      expect((await client.get(configMaps, ref('a'))).metadata.labels).toEqual({ l: '1' })
    })

    it('does not own what a create of the same manager made', async () => {
      const { client, object } = await enter()
      await client.create(configMaps, object('a', { data: { x: '1' } }))
      expect((await client.apply(configMaps, object('a', { data: { y: '1' } }))).data).toEqual({ x: '1', y: '1' })
    })

    it('of a name that was deleted and made again owns nothing of the new one', async () => {
      const { client, object, ref } = await enter()
      await client.apply(configMaps, object('a', { data: { x: '1' } }))
      await client.delete(configMaps, ref('a'), {})
      await client.create(configMaps, object('a', { data: { x: '1' } }))
      expect((await client.apply(configMaps, object('a', { data: { y: '1' } }))).data).toEqual({ x: '1', y: '1' })
    })

    it('does not take away what a create made, though it was applied since', async () => {
      const { client, object } = await enter()
      await client.create(configMaps, object('a', { data: { x: '1' } }))
      await client.apply(configMaps, object('a', { data: { x: '1', y: '1' } }))
      expect((await client.apply(configMaps, object('a', { data: { y: '1' } }))).data).toEqual({ x: '1', y: '1' })
      await client.apply(configMaps, object('a', { data: { x: '2' } }))
      expect(await client.apply(configMaps, object('a', {}))).not.toHaveProperty('data')
    })

    it('with another uid is invalid', async () => {
      const { client, object } = await enter()
      await client.create(configMaps, object('a'))
      expect(await invalidity(client.apply(configMaps, object('a', { data: { x: '1' } }, { uid: ELSE })))).toEqual([
        'FieldValueInvalid metadata.uid',
      ])
    })

    it('with a uid never creates', async () => {
      const { client, object } = await enter()
      expect(await refusal(client.apply(configMaps, object('a', { data: {} }, { uid: ELSE })))).toMatchObject({
        code: 409,
        status: 'Conflict',
        message: expect.stringContaining('uid mismatch'),
      })
    })
  })
}
