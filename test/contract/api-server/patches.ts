// Merge patches. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, secrets } from '../../../src/k8s/resource.ts'
import { invalidity, type Place, refusal, uidOf, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const ELSE = '11111111-2222-4333-8444-555555555555'

export function patchCases(enter: () => Promise<Place>): void {
  describe('merge patch', () => {
    it('merges objects, replaces lists, removes by null', async () => {
      const { client, object, ref } = await enter()
      const metadata = { labels: { a: '1', b: '1' }, annotations: { a: '1' }, finalizers: ['example.org/a', 'example.org/b'] }
      await client.create(configMaps, object('a', { data: { x: '1', y: '1' } }, metadata))
      const patched = await client.mergePatch(configMaps, ref('a'), {
        metadata: { labels: { a: null, c: '2' }, annotations: null, finalizers: ['example.org/c'] },
        data: { x: null, z: '2' },
      })
      expect(patched.metadata).toMatchObject({ labels: { b: '1', c: '2' }, finalizers: ['example.org/c'] })
      expect(patched.metadata).not.toHaveProperty('annotations')
      expect(patched.data).toEqual({ y: '1', z: '2' })
      await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: null } })
    })

    it('drops what becomes empty: labels of metadata, data', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a', { data: { x: '1' } }, { labels: { a: '1' } }))
      const patched = await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { a: null } }, data: { x: null } })
      expect(patched.metadata).not.toHaveProperty('labels')
      expect(patched).not.toHaveProperty('data')
    })

    it('with a resource version is for that version alone', async () => {
      const { client, object, ref } = await enter()
      const first = await client.create(configMaps, object('a'))
      const second = await client.mergePatch(configMaps, ref('a'), { metadata: { resourceVersion: versionOf(first) }, data: { x: '1' } })
      const stale = client.mergePatch(configMaps, ref('a'), { metadata: { resourceVersion: versionOf(first) }, data: { x: '2' } })
      expect(await refusal(stale)).toMatchObject({
        code: 409,
        status: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
        causes: [],
      })
      expect(await client.get(configMaps, ref('a'))).toEqual(second)
    })

    it('with an old resource version is a conflict even if it would change nothing', async () => {
      const { client, object, ref } = await enter()
      const first = await client.create(configMaps, object('a'))
      await client.mergePatch(configMaps, ref('a'), { data: { x: '1' } })
      const repeated = client.mergePatch(configMaps, ref('a'), { metadata: { resourceVersion: versionOf(first) }, data: { x: '1' } })
      expect((await refusal(repeated)).code).toBe(409)
    })

    it('with another uid alone is invalid, with a version that differs too a conflict', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(configMaps, object('a'))
      expect(await invalidity(client.mergePatch(configMaps, ref('a'), { metadata: { uid: ELSE }, data: { x: '1' } }))).toEqual([
        'FieldValueInvalid metadata.uid',
      ])
      const both = { metadata: { uid: ELSE, resourceVersion: '1' }, data: { x: '1' } }
      expect(await refusal(client.mergePatch(configMaps, ref('a'), both))).toMatchObject({ code: 409, status: 'Conflict' })
      const right = { metadata: { uid: uidOf(made), resourceVersion: versionOf(made) }, data: { x: '1' } }
      expect((await client.mergePatch(configMaps, ref('a'), right)).data).toEqual({ x: '1' })
    })

    it('of a custom resource with another uid is refused alike', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const patch = (metadata: object) => client.mergePatch(mutualIdentities, ref('web'), { metadata, spec: { serviceAccountName: 'a' } })
      expect((await refusal(patch({ uid: ELSE }))).code).toBe(422)
      expect(await refusal(patch({ uid: ELSE, resourceVersion: '1' }))).toMatchObject({ code: 409, status: 'Conflict' })
    })

    it('of a status looks at the resource version and not at the uid', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const patch = (metadata: object) =>
        client.mergePatch(mutualIdentities, ref('web'), { metadata, status: { observedGeneration: 1 } }, { subresource: 'status' })
      expect(await refusal(patch({ uid: uidOf(made), resourceVersion: '1' }))).toMatchObject({ code: 409, status: 'Conflict' })
      const patched = await patch({ uid: ELSE, resourceVersion: versionOf(made) })
      expect(patched.status).toEqual({ observedGeneration: 1 })
      expect(uidOf(patched)).toBe(uidOf(made))
    })

    it('cannot change name, namespace or creation time', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(configMaps, object('a'))
      expect(await refusal(client.mergePatch(configMaps, ref('a'), { metadata: { name: 'b' } }))).toMatchObject({ code: 400 })
      expect(await refusal(client.mergePatch(configMaps, ref('a'), { metadata: { namespace: 'default' } }))).toMatchObject({ code: 400 })
      const patched = await client.mergePatch(configMaps, ref('a'), { metadata: { creationTimestamp: '2001-01-01T00:00:00Z' } })
      expect(patched.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp)
      expect(versionOf(patched)).toBe(versionOf(made))
    })

    it('of an object leaves its status alone', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      await client.mergePatch(mutualIdentities, ref('web'), { status: { observedGeneration: 1 } }, { subresource: 'status' })
      const patched = await client.mergePatch(mutualIdentities, ref('web'), {
        metadata: { labels: { a: '1' } },
        status: { observedGeneration: 2, spiffeID: 'spiffe://example.org/x' },
      })
      expect(patched.status).toEqual({ observedGeneration: 1 })
      expect(patched.metadata.labels).toEqual({ a: '1' })
    })

    it('of a status leaves spec and metadata alone', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: identitySpec }, { labels: { a: '1' } }))
      const patched = await client.mergePatch(
        mutualIdentities,
        ref('web'),
        {
          metadata: { labels: { a: '2' }, annotations: { b: '1' }, finalizers: ['example.org/f'] },
          spec: { serviceAccountName: 'other' },
          status: { observedGeneration: 1 },
        },
        { subresource: 'status' },
      )
      expect(patched.spec).toEqual(made.spec)
      expect(patched.status).toEqual({ observedGeneration: 1 })
      expect(patched.metadata.labels).toEqual({ a: '1' })
      expect(patched.metadata).not.toHaveProperty('annotations')
      expect(patched.metadata).not.toHaveProperty('finalizers')
    })

    it('of a status merges by field and replaces lists whole', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const patch = (status: object) => client.mergePatch(mutualIdentities, ref('web'), { status }, { subresource: 'status' })
      const condition = (type: string) => ({ type, status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' })
      await patch({ observedGeneration: 1, conditions: [condition('Ready'), condition('Other')] })
      const patched = await patch({ spiffeID: 'spiffe://example.org/x', conditions: [condition('Ready')] })
      expect(patched.status).toEqual({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x', conditions: [condition('Ready')] })
      expect((await patch({ conditions: null, observedGeneration: null, spiffeID: null })).status).toEqual({})
    })

    it('of an immutable Secret may change metadata alone', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { immutable: true, data: { x: 'MQ==' } }))
      expect(await invalidity(client.mergePatch(secrets, ref('a'), { data: { x: 'Mg==' } }))).toEqual(['FieldValueForbidden data'])
      expect(await invalidity(client.mergePatch(secrets, ref('a'), { immutable: null }))).toEqual(['FieldValueForbidden immutable'])
      const patched = await client.mergePatch(secrets, ref('a'), { metadata: { labels: { a: '1' } }, data: { x: 'MQ==' } })
      expect(patched.metadata.labels).toEqual({ a: '1' })
    })

    it('of an immutable ConfigMap may change metadata alone', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a', { immutable: true, data: { x: '1' }, binaryData: { b: 'MQ==' } }))
      expect(await invalidity(client.mergePatch(configMaps, ref('a'), { data: { x: '2' } }))).toEqual(['FieldValueForbidden data'])
      expect(await invalidity(client.mergePatch(configMaps, ref('a'), { binaryData: null }))).toEqual(['FieldValueForbidden binaryData'])
      expect(await invalidity(client.mergePatch(configMaps, ref('a'), { immutable: false }))).toEqual(['FieldValueForbidden immutable'])
      expect((await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { a: '1' } } })).metadata.labels).toEqual({ a: '1' })
    })

    it('may make a Secret immutable', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { data: { x: 'MQ==' } }))
      const patched = await client.mergePatch(secrets, ref('a'), { immutable: true, data: { x: 'Mg==' } })
      expect(patched).toMatchObject({ immutable: true, data: { x: 'Mg==' } })
    })

    it('cannot change the type of a Secret', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { data: { 'tls.crt': '', 'tls.key': '' } }))
      expect(await invalidity(client.mergePatch(secrets, ref('a'), { type: 'kubernetes.io/tls' }))).toEqual(['FieldValueInvalid type'])
    })

    it('cannot take the keys from a kubernetes.io/tls Secret', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }))
      expect(await invalidity(client.mergePatch(secrets, ref('a'), { data: { 'tls.key': null } }))).toEqual([
        'FieldValueRequired data[tls.key]',
      ])
    })

    it('of an object that is not there says so, of its status too', async () => {
      const { client, ref } = await enter()
      expect(await refusal(client.mergePatch(configMaps, ref('a'), { data: {} }))).toMatchObject({
        code: 404,
        status: 'NotFound',
        message: 'configmaps "a" not found',
      })
      const missing = { code: 404, status: 'NotFound', message: 'mutualidentities.mutualidentity.io "web" not found' }
      expect(await refusal(client.mergePatch(mutualIdentities, ref('web'), { spec: {} }))).toMatchObject(missing)
      const status = client.mergePatch(mutualIdentities, ref('web'), { status: {} }, { subresource: 'status' })
      expect(await refusal(status)).toMatchObject(missing)
    })
  })
}
