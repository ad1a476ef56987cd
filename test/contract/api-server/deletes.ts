// Deletes, finalizers, and names that are free again. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, secrets } from '../../../src/k8s/resource.ts'
import { listen, nowOf, type Place, refusal, uidOf, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const ELSE = '11111111-2222-4333-8444-555555555555'
const FINALIZER = 'example.org/f'

export function deleteCases(enter: () => Promise<Place>): void {
  describe('delete', () => {
    it('removes at once what nothing holds', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a'))
      await client.delete(configMaps, ref('a'), {})
      expect(await refusal(client.get(configMaps, ref('a')))).toMatchObject({
        code: 404,
        status: 'NotFound',
        message: 'configmaps "a" not found',
      })
    })

    it('of another uid or version is a conflict and removes nothing', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(secrets, object('a'))
      const refused = await refusal(client.delete(secrets, ref('a'), { uid: ELSE }))
      expect(refused).toMatchObject({ code: 409, status: 'Conflict', causes: [] })
      expect(refused.message).toContain(`the UID in the precondition (${ELSE}) does not match the UID in record (${uidOf(made)})`)
      expect(await refusal(client.delete(secrets, ref('a'), { uid: uidOf(made), resourceVersion: '1' }))).toMatchObject({
        code: 409,
        status: 'Conflict',
      })
      expect(await client.get(secrets, ref('a'))).toEqual(made)
      await client.delete(secrets, ref('a'), { uid: uidOf(made), resourceVersion: versionOf(made) })
      expect((await refusal(client.get(secrets, ref('a')))).code).toBe(404)
    })

    it('of an object that is not there says so, whatever the preconditions', async () => {
      const { client, ref } = await enter()
      expect(await refusal(client.delete(configMaps, ref('a'), {}))).toMatchObject({ code: 404, status: 'NotFound' })
      expect(await refusal(client.delete(configMaps, ref('a'), { uid: ELSE }))).toMatchObject({ code: 404, status: 'NotFound' })
    })

    it('frees the name: a new object has another uid', async () => {
      const { client, object, ref } = await enter()
      const first = await client.create(configMaps, object('a'))
      await client.delete(configMaps, ref('a'), {})
      const second = await client.create(configMaps, object('a'))
      expect(uidOf(second)).not.toBe(uidOf(first))
      expect((await refusal(client.delete(configMaps, ref('a'), { uid: uidOf(first) }))).code).toBe(409)
    })

    it('of an object with a finalizer marks it, and its name stays taken', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: identitySpec }, { finalizers: [FINALIZER] }))
      await client.delete(mutualIdentities, ref('web'), { uid: uidOf(made) })
      const marked = await client.get(mutualIdentities, ref('web'))
      expect(marked.metadata).toMatchObject({
        uid: uidOf(made),
        finalizers: [FINALIZER],
        deletionTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        deletionGracePeriodSeconds: 0,
      })
      const again = client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const refused = await refusal(again)
      expect(refused).toMatchObject({ code: 409, status: 'AlreadyExists' })
      expect(refused.message).toBe('object is being deleted: mutualidentities.mutualidentity.io "web" already exists')
      await client.mergePatch(mutualIdentities, ref('web'), { metadata: { finalizers: null } })
    })

    it('of an object that is marked already changes nothing', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a', {}, { finalizers: [FINALIZER] }))
      await client.delete(configMaps, ref('a'), {})
      const marked = await client.get(configMaps, ref('a'))
      await client.delete(configMaps, ref('a'), {})
      expect(await client.get(configMaps, ref('a'))).toEqual(marked)
      await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: null } })
    })

    it('ends when the last finalizer goes, with a resource version that is the deletion`s', async () => {
      const { client, object, ref, namespace, eventually, ...rest } = await enter()
      const place = { client, object, ref, namespace, eventually, ...rest }
      const ear = listen(place, configMaps, { namespace, labelSelector: 'l=1', resourceVersion: await nowOf(place, configMaps) })
      await client.create(configMaps, object('a', {}, { labels: { l: '1' }, finalizers: [FINALIZER, 'example.org/g'] }))
      await client.delete(configMaps, ref('a'), {})
      const left = await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: ['example.org/g'] } })
      expect(left.metadata.deletionTimestamp).toBeDefined()
      const last = await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: [] } })
      expect(last.metadata.name).toBe('a')
      expect((await refusal(client.get(configMaps, ref('a')))).code).toBe(404)
      await eventually(() => expect(ear.heard).toEqual(['ADDED a', 'MODIFIED a', 'MODIFIED a', 'DELETED a']))
      const versions = ear.events.map(({ object: seen }) => BigInt(versionOf(seen)))
      expect([...versions].sort((a, b) => (a < b ? -1 : 1))).toEqual(versions)
      expect(new Set(versions).size).toBe(4)
      // The last that was stored: the patch that ended it never was.
      expect(ear.events.at(-1)?.object.metadata.finalizers).toEqual(['example.org/g'])
      await ear.stop()
    })

    it('lets no finalizer be added to what is marked', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a', {}, { finalizers: [FINALIZER] }))
      await client.delete(configMaps, ref('a'), {})
      const added = client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: [FINALIZER, 'example.org/g'] } })
      expect(await refusal(added)).toMatchObject({
        code: 422,
        status: 'Invalid',
        causes: [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers' }],
      })
      await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: null } })
    })

    it('lets what is marked be patched, its status too', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }, { finalizers: [FINALIZER] }))
      await client.delete(mutualIdentities, ref('web'), {})
      const { metadata } = await client.get(mutualIdentities, ref('web'))
      const told = await client.replaceStatus(mutualIdentities, { metadata, status: { observedGeneration: 2 } })
      expect(told.status).toEqual({ observedGeneration: 2 })
      const patched = await client.mergePatch(mutualIdentities, ref('web'), { metadata: { deletionTimestamp: null, labels: { a: '1' } } })
      expect(patched.metadata.deletionTimestamp).toBeDefined()
      expect(patched.metadata.labels).toEqual({ a: '1' })
      await client.mergePatch(mutualIdentities, ref('web'), { metadata: { finalizers: null } })
      expect((await refusal(client.get(mutualIdentities, ref('web')))).code).toBe(404)
    })
  })
}
