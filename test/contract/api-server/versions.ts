// Resource versions, generations and what the server fills in. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, secrets } from '../../../src/k8s/resource.ts'
import { type Place, versionOf } from './subject.ts'

export const identitySpec = { podSelector: { matchLabels: { app: 'web' } } }

export function versionCases(enter: () => Promise<Place>): void {
  describe('versions', () => {
    it('grow with every change, over all objects', async () => {
      const { client, object, ref } = await enter()
      const first = await client.create(configMaps, object('a'))
      const second = await client.create(secrets, object('b'))
      const third = await client.mergePatch(configMaps, ref('a'), { data: { x: '1' } })
      const versions = [first, second, third].map((written) => BigInt(versionOf(written)))
      expect([...versions].sort((a, b) => (a < b ? -1 : 1))).toEqual(versions)
      expect(new Set(versions).size).toBe(3)
    })

    it('stay when a merge patch changes nothing', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(configMaps, object('a', { data: { x: '1' } }, { labels: { l: '1' } }))
      const patched = await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { l: '1', m: null } }, data: { x: '1' } })
      expect(patched).toEqual(made)
    })

    it('of a custom resource stay when a patch changes nothing, and when it writes a default', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: { ...identitySpec, certificate: {} } }))
      const patched = await client.mergePatch(mutualIdentities, ref('web'), { spec: { certificate: { keyType: 'ECDSAP256' } } })
      expect(versionOf(patched)).toBe(versionOf(made))
      const removed = await client.mergePatch(mutualIdentities, ref('web'), { spec: { certificate: { keyType: null } } })
      expect(versionOf(removed)).toBe(versionOf(made))
    })

    it('are the ones of the object that was read: what a write answers is what a read finds', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(configMaps, object('a', { data: { x: '1' } }))
      expect(await client.get(configMaps, ref('a'))).toEqual(made)
      const patched = await client.mergePatch(configMaps, ref('a'), { data: { x: '2' } })
      expect(await client.get(configMaps, ref('a'))).toEqual(patched)
      expect(patched.metadata).toMatchObject({ uid: made.metadata.uid, creationTimestamp: made.metadata.creationTimestamp })
    })
  })

  describe('generations', () => {
    it('of our kinds begin with 1 and count changes of the spec alone', async () => {
      const { client, object, ref } = await enter()
      const generation = async (): Promise<unknown> => (await client.get(mutualIdentities, ref('web'))).metadata.generation
      expect((await client.create(mutualIdentities, object('web', { spec: identitySpec }))).metadata.generation).toBe(1)
      await client.mergePatch(mutualIdentities, ref('web'), {
        metadata: { labels: { a: '1' }, annotations: { b: '2' }, finalizers: ['example.org/f'] },
      })
      expect(await generation()).toBe(1)
      await client.mergePatch(mutualIdentities, ref('web'), { status: { observedGeneration: 1 } }, { subresource: 'status' })
      expect(await generation()).toBe(1)
      await client.mergePatch(mutualIdentities, ref('web'), { spec: { serviceAccountName: 'web' } })
      expect(await generation()).toBe(2)
      await client.mergePatch(mutualIdentities, ref('web'), { metadata: { generation: 7 } })
      expect(await generation()).toBe(2)
    })

    it('of a cluster-scoped kind of ours too', async () => {
      const { client, namespace: name } = await enter()
      const ref = { namespace: '', name }
      expect((await client.create(clusterMutualAuthorities, { metadata: { name }, spec: {} })).metadata.generation).toBe(1)
      const patched = await client.mergePatch(clusterMutualAuthorities, ref, { spec: { leaf: { lifetime: '12h' } } })
      expect(patched.metadata.generation).toBe(2)
      await client.delete(clusterMutualAuthorities, ref, {})
    })

    it('are none of Secrets and ConfigMaps', async () => {
      const { client, object } = await enter()
      expect((await client.create(configMaps, object('a'))).metadata).not.toHaveProperty('generation')
      expect((await client.create(secrets, object('a'))).metadata).not.toHaveProperty('generation')
    })

    it('grow when an object is marked as deleted', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }, { finalizers: ['example.org/f'] }))
      await client.delete(mutualIdentities, ref('web'), {})
      expect((await client.get(mutualIdentities, ref('web'))).metadata.generation).toBe(2)
      await client.mergePatch(mutualIdentities, ref('web'), { metadata: { finalizers: [] } })
    })
  })
}
