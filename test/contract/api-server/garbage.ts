// Owner references, and the end of namespaces. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, namespaces, type OwnerReference, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { invalidity, listen, nowOf, type Place, refusal, uidOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const owner = ({ metadata: { name, uid = '' } }: RawObject): OwnerReference => ({
  apiVersion: 'mutualidentity.io/v1alpha1',
  kind: 'MutualIdentity',
  name,
  uid,
  controller: true,
})

export function garbageCases(enter: () => Promise<Place>): void {
  describe('owned objects', () => {
    it('go after their owner', async () => {
      const { client, object, ref, eventually } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.create(secrets, object('owned', {}, { ownerReferences: [owner(identity)] }))
      await client.create(secrets, object('free'))
      await client.delete(mutualIdentities, ref('web'), {})
      await eventually(async () => expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404))
      expect((await client.get(secrets, ref('free'))).metadata.name).toBe('free')
    })

    it('go too when they are made after their owner has gone', async () => {
      const { client, object, ref, eventually } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.delete(mutualIdentities, ref('web'), {})
      const made = await client.create(secrets, object('owned', {}, { ownerReferences: [owner(identity)] }))
      expect(made.metadata.ownerReferences).toHaveLength(1)
      await eventually(async () => expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404))
    })

    it('go when their owner was replaced by another of its name', async () => {
      const { client, object, ref, eventually } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.create(secrets, object('owned', {}, { ownerReferences: [owner(identity)] }))
      await client.delete(mutualIdentities, ref('web'), {})
      const second = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await eventually(async () => expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404))
      expect(uidOf(await client.get(mutualIdentities, ref('web')))).toBe(uidOf(second))
    })

    it('stay while one of their owners is there, and lose the reference to the one that has gone', async () => {
      const { client, object, ref, eventually } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const second = await client.create(mutualIdentities, object('web2', { spec: identitySpec }))
      const ownerReferences = [owner(identity), { ...owner(second), controller: false }]
      await client.create(secrets, object('owned', {}, { ownerReferences }))
      await client.delete(mutualIdentities, ref('web'), {})
      await eventually(async () =>
        expect((await client.get(secrets, ref('owned'))).metadata.ownerReferences).toMatchObject([{ name: 'web2', uid: uidOf(second) }]),
      )
      await client.delete(mutualIdentities, ref('web2'), {})
      await eventually(async () => expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404))
    })

    it('of an owner of the cluster go after it', async () => {
      const { client, object, ref, eventually, namespace: name } = await enter()
      const authority = await client.create(clusterMutualAuthorities, { metadata: { name }, spec: {} })
      const reference = { ...owner(authority), kind: 'ClusterMutualAuthority' }
      await client.create(configMaps, object('owned', {}, { ownerReferences: [reference] }))
      await client.delete(clusterMutualAuthorities, { namespace: '', name }, {})
      await eventually(async () => expect((await refusal(client.get(configMaps, ref('owned')))).code).toBe(404))
    })

    it('with a finalizer are marked, and wait for it', async () => {
      const { client, object, ref, eventually } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.create(secrets, object('owned', {}, { ownerReferences: [owner(identity)], finalizers: ['example.org/f'] }))
      await client.delete(mutualIdentities, ref('web'), {})
      await eventually(async () => expect((await client.get(secrets, ref('owned'))).metadata.deletionTimestamp).toBeDefined())
      await client.mergePatch(secrets, ref('owned'), { metadata: { finalizers: null } })
      expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404)
    })

    it('wait for an owner that waits for its own finalizer', async () => {
      const { client, object, ref, eventually, wait } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }, { finalizers: ['example.org/f'] }))
      await client.create(secrets, object('owned', {}, { ownerReferences: [owner(identity)] }))
      await client.delete(mutualIdentities, ref('web'), {})
      await wait(500)
      expect((await client.get(secrets, ref('owned'))).metadata).not.toHaveProperty('deletionTimestamp')
      await client.mergePatch(mutualIdentities, ref('web'), { metadata: { finalizers: null } })
      await eventually(async () => expect((await refusal(client.get(secrets, ref('owned')))).code).toBe(404))
    })

    it('may have one controller only, and whole references', async () => {
      const { client, object } = await enter()
      const identity = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const made = (ownerReferences: OwnerReference[]) => client.create(secrets, object('owned', {}, { ownerReferences }))
      const one = owner(identity)
      expect(await invalidity(made([one, { ...one, name: 'x', uid: '11111111-2222-4333-8444-555555555555' }]))).toEqual([
        'FieldValueInvalid metadata.ownerReferences',
      ])
      expect(await invalidity(made([{ ...one, uid: '' }]))).toEqual(['FieldValueRequired metadata.ownerReferences[0].uid'])
    })
  })

  describe('a namespace', () => {
    it('that is deleted takes what is in it with it', async () => {
      const place = await enter()
      const { client, object, ref, eventually, namespace } = place
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.create(secrets, object('a'))
      const ear = listen(place, secrets, { namespace, resourceVersion: await nowOf(place, secrets) })
      await client.delete(namespaces, { namespace: '', name: namespace }, {})
      await eventually(async () => expect((await refusal(client.get(namespaces, { namespace: '', name: namespace }))).code).toBe(404))
      expect((await refusal(client.get(mutualIdentities, ref('web')))).code).toBe(404)
      expect((await refusal(client.get(secrets, ref('a')))).code).toBe(404)
      await eventually(() => expect(ear.heard).toEqual(['DELETED a']))
      await ear.stop()
    })

    it('that is deleted waits for the finalizers in it', async () => {
      const { client, object, ref, eventually, namespace: name } = await enter()
      const at = { namespace: '', name }
      await client.create(secrets, object('a', {}, { finalizers: ['example.org/f'] }))
      await client.delete(namespaces, at, {})
      await eventually(async () => expect((await client.get(secrets, ref('a'))).metadata.deletionTimestamp).toBeDefined())
      const terminating = await client.get(namespaces, at)
      expect(terminating.metadata.deletionTimestamp).toBeDefined()
      expect(terminating.status).toMatchObject({ phase: 'Terminating' })
      await client.mergePatch(secrets, ref('a'), { metadata: { finalizers: null } })
      await eventually(async () => expect((await refusal(client.get(namespaces, at))).code).toBe(404))
    })

    it('is made with its name as a label, active, and held by the cluster', async () => {
      const { client, namespace: name } = await enter()
      expect(await client.get(namespaces, { namespace: '', name })).toMatchObject({
        metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      })
    })

    it('has a name without dots, of 63 characters at most', async () => {
      const { client } = await enter()
      for (const name of ['with.dot', 'a'.repeat(64)]) {
        expect(await invalidity(client.create(namespaces, { metadata: { name } }))).toContain('FieldValueInvalid metadata.name')
      }
    })
  })
}
