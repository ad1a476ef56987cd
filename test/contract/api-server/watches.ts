// Watches: where they begin, what they tell, how they end. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, secrets } from '../../../src/k8s/resource.ts'
import { listen, nowOf, type Place, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

export function watchCases(enter: () => Promise<Place>): void {
  describe('watch', () => {
    it('tells all changes after a version, in order, the ones before the watch too', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      await client.create(secrets, object('before'))
      const resourceVersion = await nowOf(place, secrets, namespace)
      await client.create(secrets, object('a'))
      await client.mergePatch(secrets, ref('before'), { data: { x: 'MQ==' } })
      const ear = listen(place, secrets, { namespace, resourceVersion })
      await eventually(() => expect(ear.heard).toHaveLength(2))
      await client.create(secrets, object('b'))
      await client.delete(secrets, ref('a'), {})
      await eventually(() => expect(ear.heard).toEqual(['ADDED a', 'MODIFIED before', 'ADDED b', 'DELETED a']))
      await ear.stop()
    })

    it('from the version of an object tells what came after it', async () => {
      const place = await enter()
      const { client, object, namespace, eventually } = place
      const made = await client.create(secrets, object('a'))
      await client.create(secrets, object('b'))
      const ear = listen(place, secrets, { namespace, resourceVersion: versionOf(made) })
      await eventually(() => expect(ear.heard).toEqual(['ADDED b']))
      await ear.stop()
    })

    it('without a version, or from 0, begins with what is there', async () => {
      const place = await enter()
      const { client, object, namespace, eventually } = place
      await client.create(secrets, object('a'))
      await client.create(secrets, object('b'))
      for (const resourceVersion of ['', '0']) {
        const ear = listen(place, secrets, { namespace, resourceVersion })
        await eventually(() => expect(ear.heard).toHaveLength(2))
        expect([...ear.heard].sort()).toEqual(['ADDED a', 'ADDED b'])
        await ear.stop()
      }
    })

    it('carries whole objects, with kind and apiVersion, as they were after each change', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      const ear = listen(place, secrets, { namespace, resourceVersion: await nowOf(place, secrets) })
      const made = await client.create(secrets, object('a', { data: { x: 'MQ==' } }))
      const patched = await client.mergePatch(secrets, ref('a'), { data: { x: 'Mg==' } })
      await client.delete(secrets, ref('a'), {})
      await eventually(() => expect(ear.heard).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']))
      const [added, modified, deleted] = ear.events.filter(({ type }) => type !== 'BOOKMARK').map((event) => event.object)
      expect(added).toEqual(made)
      expect(modified).toEqual(patched)
      // The last state, under the version of the deletion.
      expect(deleted).toEqual({ ...patched, metadata: { ...patched.metadata, resourceVersion: expect.any(String) } })
      expect(BigInt(versionOf(deleted as typeof made))).toBeGreaterThan(BigInt(versionOf(patched)))
      await ear.stop()
    })

    it('tells nothing of writes that change nothing', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      await client.create(secrets, object('a', { data: { x: 'MQ==' } }))
      const ear = listen(place, secrets, { namespace, resourceVersion: await nowOf(place, secrets) })
      await client.mergePatch(secrets, ref('a'), { data: { x: 'MQ==' } })
      await client.create(secrets, object('b'))
      await eventually(() => expect(ear.heard).toEqual(['ADDED b']))
      await ear.stop()
    })

    it('tells of a status like of a spec', async () => {
      const place = await enter()
      const { client, object, namespace, eventually } = place
      const { metadata } = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const ear = listen(place, mutualIdentities, { namespace, resourceVersion: await nowOf(place, mutualIdentities) })
      await client.replaceStatus(mutualIdentities, { metadata, status: { observedGeneration: 1 } })
      await eventually(() => expect(ear.heard).toEqual(['MODIFIED web']))
      expect(ear.events[0]?.object.status).toEqual({ observedGeneration: 1 })
      await ear.stop()
    })

    it('keeps to its namespace; of the whole cluster it tells of all', async () => {
      const place = await enter()
      const { client, object, namespace, eventually } = place
      const resourceVersion = await nowOf(place, secrets)
      const labels = { of: namespace }
      const here = listen(place, secrets, { namespace, resourceVersion })
      const all = listen(place, secrets, { resourceVersion, labelSelector: `of=${namespace}` })
      await client.create(secrets, { metadata: { name: `x-${namespace}`, namespace: 'default', labels } })
      await client.create(secrets, object('a', {}, { labels }))
      await eventually(() => expect(all.heard).toEqual([`ADDED x-${namespace}`, 'ADDED a']))
      await eventually(() => expect(here.heard).toEqual(['ADDED a']))
      await client.delete(secrets, { namespace: 'default', name: `x-${namespace}` }, {})
      await here.stop()
      await all.stop()
    })

    it('with a label selector tells what comes into it as ADDED and what leaves it as DELETED', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      const label = (l: string | null) => client.mergePatch(configMaps, ref('a'), { metadata: { labels: { l } } })
      const ear = listen(place, configMaps, { namespace, labelSelector: 'l=in', resourceVersion: await nowOf(place, configMaps) })
      await client.create(configMaps, object('a'))
      await label('in')
      await client.mergePatch(configMaps, ref('a'), { data: { x: '1' } })
      const left = await label('out')
      await client.mergePatch(configMaps, ref('a'), { data: { x: '2' } })
      await label('in')
      await label(null)
      await client.delete(configMaps, ref('a'), {})
      await client.create(configMaps, object('last', {}, { labels: { l: 'in' } }))
      await eventually(() => expect(ear.heard.at(-1)).toBe('ADDED last'))
      expect(ear.heard).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED a', 'DELETED a', 'ADDED last'])
      // One that leaves is shown as it was when it still fitted, under the version of the change.
      const [, , gone] = ear.events.filter(({ type }) => type !== 'BOOKMARK')
      expect(gone?.object).toMatchObject({ data: { x: '1' }, metadata: { labels: { l: 'in' }, resourceVersion: versionOf(left) } })
      await ear.stop()
    })

    it('with a field selector is about one object', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      const fieldSelector = 'metadata.name=b'
      const ear = listen(place, secrets, { namespace, fieldSelector, resourceVersion: await nowOf(place, secrets) })
      for (const name of ['a', 'b', 'c']) await client.create(secrets, object(name))
      await client.delete(secrets, ref('b'), {})
      await eventually(() => expect(ear.heard).toEqual(['ADDED b', 'DELETED b']))
      await ear.stop()
    })

    it('with a selector tells a deletion of what fitted, and of nothing else', async () => {
      const place = await enter()
      const { client, object, ref, namespace, eventually } = place
      await client.create(configMaps, object('in', {}, { labels: { l: '1' } }))
      await client.create(configMaps, object('out'))
      const ear = listen(place, configMaps, { namespace, labelSelector: 'l', resourceVersion: await nowOf(place, configMaps) })
      await client.delete(configMaps, ref('out'), {})
      await client.delete(configMaps, ref('in'), {})
      await eventually(() => expect(ear.heard).toEqual(['DELETED in']))
      await ear.stop()
    })

    it('ends normally after timeoutSeconds, with a bookmark 2 s before, from which another goes on', async () => {
      const place = await enter()
      const { client, object, namespace, wait, eventually } = place
      const ear = listen(place, secrets, { namespace, resourceVersion: await nowOf(place, secrets), timeoutSeconds: 5 })
      await client.create(secrets, object('a'))
      await eventually(() => expect(ear.heard).toEqual(['ADDED a']))
      // The real one sends no bookmark of a version that it began with, so there has to be a change that it did not begin with.
      const last = await client.create(secrets, object('b'))
      await wait(5500)
      expect(await ear.end).toBeUndefined()
      expect(ear.heard).toEqual(['ADDED a', 'ADDED b'])
      const bookmark = ear.events.at(-1)
      expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'Secret' } })
      const resourceVersion = versionOf(bookmark?.object as typeof last)
      expect(BigInt(resourceVersion)).toBeGreaterThanOrEqual(BigInt(versionOf(last)))
      await client.create(secrets, object('c'))
      const second = listen(place, secrets, { namespace, resourceVersion })
      await eventually(() => expect(second.heard).toEqual(['ADDED c']))
      await second.stop()
    })

    it('from a version of the future tells nothing until it ends, and breaks nothing', async () => {
      const place = await enter()
      const { client, object, namespace, wait } = place
      const future = String(BigInt(await nowOf(place, secrets)) + 1_000_000n)
      const ear = listen(place, secrets, { namespace, resourceVersion: future, timeoutSeconds: 2 })
      await client.create(secrets, object('a'))
      await wait(2500)
      const end = await ear.end
      expect(ear.events).toEqual([])
      expect(end).toBeUndefined()
    })

    it('of a namespace that does not exist is silent', async () => {
      const place = await enter()
      const ear = listen(place, secrets, { namespace: 'nowhere', resourceVersion: await nowOf(place, secrets), timeoutSeconds: 1 })
      await place.wait(1500)
      expect(await ear.end).toBeUndefined()
      expect(ear.heard).toEqual([])
    })

    it('from a version that is none is refused', async () => {
      const place = await enter()
      const ear = listen(place, secrets, { namespace: place.namespace, resourceVersion: 'nonsense' })
      expect(await ear.end).toMatchObject({ code: 500 })
    })
  })
}
