// What can be done to the API server in memory as a whole: watches that are held, doubled, reordered, ended, broken or silent; versions that are forgotten;
// a backup that is restored; controllers of the cluster that wait. Its own tests; there is no real server to compare.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { isTooLargeResourceVersion } from '../../../src/k8s/errors.ts'
import { configMaps, namespaces, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { openMemory } from './memory.ts'
import { type Ear, enter, listen, namesOf, nowOf, refusal, send, uidOf, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const opened = async () => {
  const memory = openMemory()
  return { ...memory, ...(await enter(memory)) }
}
type Scene = Awaited<ReturnType<typeof opened>>

const hear = async (scene: Scene): Promise<Ear> => {
  const { namespace } = scene
  const ear = listen(scene, secrets, { namespace, resourceVersion: await nowOf(scene, secrets) })
  await scene.clock.advance(0)
  return ear
}

export function disturbanceCases(): void {
  describe('watches that are disturbed', () => {
    it('hold back events and bookmarks until they are let go', async () => {
      const scene = await opened()
      const { api, client, object, clock } = scene
      const ear = await hear(scene)
      api.delivery.held = true
      await client.create(secrets, object('a'))
      await client.create(secrets, object('b'))
      await clock.advance(70_000)
      expect(ear.events).toEqual([])
      api.releaseEvents()
      await clock.advance(0)
      expect(ear.heard).toEqual(['ADDED a', 'ADDED b'])
      await client.create(secrets, object('c'))
      await clock.advance(0)
      expect(ear.heard).toHaveLength(3)
      await ear.stop()
    })

    it('tell each event twice', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      scene.api.delivery.duplicated = true
      await scene.client.create(secrets, scene.object('a'))
      await scene.clock.advance(0)
      expect(ear.heard).toEqual(['ADDED a', 'ADDED a'])
      await ear.stop()
    })

    it('change the order of events of different objects, never of one, and lose none', async () => {
      const scene = await opened()
      const { api, client, object, ref, clock } = scene
      const ear = await hear(scene)
      api.delivery.reordered = true
      await client.create(secrets, object('a'))
      await client.create(secrets, object('b'))
      await clock.advance(60)
      expect(ear.heard).toEqual(['ADDED b', 'ADDED a'])
      await client.mergePatch(secrets, ref('a'), { data: { x: 'MQ==' } })
      await client.delete(secrets, ref('a'), {})
      await clock.advance(60)
      expect(ear.heard.slice(2)).toEqual(['MODIFIED a', 'DELETED a'])
      await ear.stop()
    })

    it('are ended by the server, which is a normal end', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      expect(scene.api.openWatches).toBe(1)
      scene.api.endWatches()
      expect(await ear.end).toBeUndefined()
      expect(scene.api.openWatches).toBe(0)
    })

    it('break, which is not', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      scene.api.breakWatches()
      expect(await ear.end).toMatchObject({ reason: 'ConnectionLost' })
      expect(scene.api.openWatches).toBe(0)
    })

    it('fall silent, and break by their own idle time', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      scene.api.silenceWatches()
      await scene.client.create(secrets, scene.object('a'))
      await scene.clock.advance(299_999)
      expect([ear.events, scene.api.openWatches]).toEqual([[], 1])
      await scene.clock.advance(1)
      expect(await ear.end).toMatchObject({ reason: 'TimedOut' })
    })

    it('end when their reader leaves', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      await ear.stop()
      expect(await ear.end).toMatchObject({ reason: 'Cancelled' })
      expect([scene.api.openWatches, scene.clock.pending]).toEqual([0, 0])
    })

    it('get a bookmark each minute, with the newest version', async () => {
      const scene = await opened()
      const { client, object, clock, namespace } = scene
      const ear = await hear(scene)
      await client.create(configMaps, object('elsewhere'))
      const version = await nowOf(scene, secrets, namespace)
      await clock.advance(59_000)
      expect(ear.events).toEqual([])
      await clock.advance(11_000)
      expect(ear.events).toMatchObject([{ type: 'BOOKMARK', object: { kind: 'Secret', metadata: { resourceVersion: version } } }])
      await clock.advance(60_000)
      expect(ear.events).toHaveLength(2)
      await ear.stop()
    })

    it('from the future hear again once it has come', async () => {
      const scene = await opened()
      const { client, object, clock, namespace } = scene
      const future = Number(await nowOf(scene, secrets)) + 2
      const ear = listen(scene, secrets, { namespace, resourceVersion: String(future) })
      for (const name of ['a', 'b', 'c']) await client.create(secrets, object(name))
      await clock.advance(0)
      expect(ear.heard).toEqual(['ADDED c'])
      await ear.stop()
    })
  })

  describe('versions that are forgotten', () => {
    it('are answered 410 by watches, as an event', async () => {
      const scene = await opened()
      const { api, client, object, namespace } = scene
      const old = await nowOf(scene, secrets)
      await client.create(secrets, object('a'))
      api.compact()
      const late = listen(scene, secrets, { namespace, resourceVersion: old })
      expect(await late.end).toMatchObject({ code: 410, reason: 'Expired' })
      expect(api.openWatches).toBe(0)
      const fresh = listen(scene, secrets, { namespace, resourceVersion: await nowOf(scene, secrets) })
      await client.create(secrets, object('b'))
      await scene.eventually(() => expect(fresh.heard).toEqual(['ADDED b']))
      await fresh.stop()
    })

    it('are answered 410 by the next page of a list', async () => {
      const scene = await opened()
      const { api, client, object, namespace } = scene
      for (const name of ['a', 'b', 'c']) await client.create(secrets, object(name))
      const pages = client.listPages(secrets, { namespace, limit: 1 })[Symbol.asyncIterator]()
      await pages.next()
      await client.create(secrets, object('d'))
      api.compact()
      await expect(pages.next()).rejects.toMatchObject({ code: 410, reason: 'Expired' })
      expect(await namesOf(scene, secrets, { namespace, limit: 1 })).toEqual(['a', 'b', 'c', 'd'])
    })

    it('do not disturb watches that are open', async () => {
      const scene = await opened()
      const ear = await hear(scene)
      await scene.client.create(secrets, scene.object('a'))
      scene.api.compact()
      await scene.client.create(secrets, scene.object('b'))
      await scene.eventually(() => expect(ear.heard).toEqual(['ADDED a', 'ADDED b']))
      await ear.stop()
    })
  })

  describe('a backup that is restored', () => {
    it('brings back objects and version; what came since is gone, and nobody is told', async () => {
      const scene = await opened()
      const { api, client, object, ref, namespace, clock } = scene
      const first = await client.create(secrets, object('a', { data: { x: 'MQ==' } }))
      const backup = api.snapshot()
      const ear = await hear(scene)
      await client.mergePatch(secrets, ref('a'), { data: { x: 'Mg==' } })
      await client.create(secrets, object('b'))
      const later = await nowOf(scene, secrets)
      await clock.advance(0)
      api.restore(backup)
      await clock.advance(0)
      expect(ear.heard).toEqual(['MODIFIED a', 'ADDED b'])
      expect(await client.get(secrets, ref('a'))).toEqual(first)
      expect(await namesOf(scene, secrets, { namespace })).toEqual(['a'])
      expect(await nowOf(scene, secrets)).toBe(versionOf(first))
      const list = client.listPages(secrets, { namespace, resourceVersion: later })[Symbol.asyncIterator]().next()
      expect(isTooLargeResourceVersion(await list.catch((error: unknown) => error))).toBe(true)
      await ear.stop()
    })

    it('gives out the same versions again, and never a uid', async () => {
      const { api, client, object } = await opened()
      const backup = api.snapshot()
      const lost = await client.create(secrets, object('a'))
      api.restore(backup)
      const again = await client.create(secrets, object('a'))
      expect(versionOf(again)).toBe(versionOf(lost))
      expect(uidOf(again)).not.toBe(uidOf(lost))
    })

    it('knows the owners that it brought back', async () => {
      const { api, client, object, ref, clock } = await opened()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const backup = api.snapshot()
      await client.delete(mutualIdentities, ref('web'), {})
      api.restore(backup)
      const { uid = '' } = identity.metadata
      const ownerReferences = [{ apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', name: 'web', uid }]
      await client.create(secrets, object('owned', {}, { ownerReferences }))
      await clock.advance(5000)
      expect((await client.get(secrets, ref('owned'))).metadata.name).toBe('owned')
      await client.delete(mutualIdentities, ref('web'), {})
      await clock.advance(5000)
      expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404)
    })
  })

  describe('the controllers of the cluster', () => {
    it('wait, and go on where they were', async () => {
      const { api, client, object, ref, clock, namespace } = await opened()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const { uid = '' } = identity.metadata
      const ownerReferences = [{ apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', name: 'web', uid }]
      await client.create(secrets, object('owned', {}, { ownerReferences }))
      api.holdGarbage(true)
      await client.delete(mutualIdentities, ref('web'), {})
      await client.delete(namespaces, { namespace: '', name: namespace }, {})
      await clock.advance(3_600_000)
      expect((await client.get(secrets, ref('owned'))).metadata).not.toHaveProperty('deletionTimestamp')
      expect((await client.get(namespaces, { namespace: '', name: namespace })).status).toEqual({ phase: 'Terminating' })
      api.holdGarbage(false)
      await clock.advance(1000)
      expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404)
      expect((await refusal(client.get(namespaces, { namespace: '', name: namespace }))).code).toBe(404)
    })

    it('are told apart from the users whose changes one can listen to', async () => {
      const { api, client, object, ref, clock } = await opened()
      const changes: string[] = []
      const stop = api.listen(({ by, type, object: { metadata } }) => changes.push(`${by} ${type} ${metadata.name}`))
      const identity: RawObject = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const { uid = '' } = identity.metadata
      const ownerReferences = [{ apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity', name: 'web', uid }]
      await client.create(secrets, object('owned', {}, { ownerReferences }))
      await client.delete(mutualIdentities, ref('web'), {})
      await clock.advance(1000)
      stop()
      await client.create(secrets, object('later'))
      expect(changes).toEqual(['operator ADDED web', 'operator ADDED owned', 'operator DELETED web', 'cluster DELETED owned'])
    })
  })

  it('every request is on record', async () => {
    const scene = await opened()
    await send(scene, 'GET', '/api/v1/namespaces/default/secrets/none')
    expect(scene.api.requests.at(-1)).toMatchObject({
      user: 'operator',
      resource: 'secrets',
      namespace: 'default',
      name: 'none',
      code: 404,
    })
  })
}
