// Creates and what they are refused for. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, namespaces, resourcePath, secrets } from '../../../src/k8s/resource.ts'
import { invalidity, type Place, refusal, send, uidOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const MIB = 1024 * 1024
const base64 = (text: string): string => Buffer.from(text).toString('base64')

export function createCases(enter: () => Promise<Place>): void {
  describe('create', () => {
    it('fills in what is the server`s to say', async () => {
      const { client, object, namespace } = await enter()
      const made = await client.create(configMaps, object('a', { data: { x: '1' } }, { labels: { l: '1' } }))
      expect(made).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'a',
          namespace,
          labels: { l: '1' },
          uid: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          resourceVersion: expect.stringMatching(/^[1-9][0-9]*$/),
          creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        },
        data: { x: '1' },
      })
    })

    it('lets nobody choose uid, creation or deletion time', async () => {
      const { client, object } = await enter()
      const uid = '11111111-2222-4333-8444-555555555555'
      const made = await client.create(
        configMaps,
        object('a', {}, { uid, creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z', generation: 9 }),
      )
      expect(uidOf(made)).not.toBe(uid)
      expect(made.metadata.creationTimestamp).not.toBe('2001-01-01T00:00:00Z')
      expect(made.metadata).not.toHaveProperty('deletionTimestamp')
    })

    it('of a name that is taken says AlreadyExists and changes nothing', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(configMaps, object('a', { data: { x: '1' } }))
      expect(await refusal(client.create(configMaps, object('a', { data: { x: '2' } })))).toMatchObject({
        code: 409,
        status: 'AlreadyExists',
        message: 'configmaps "a" already exists',
        causes: [],
      })
      expect(await client.get(configMaps, ref('a'))).toEqual(made)
    })

    it('of a custom resource that is taken names the group', async () => {
      const { client, object } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const { code, status, message } = await refusal(client.create(mutualIdentities, object('web', { spec: identitySpec })))
      expect([code, status, message]).toEqual([409, 'AlreadyExists', 'mutualidentities.mutualidentity.io "web" already exists'])
    })

    it('says what is wrong with the object before it says that the name is taken', async () => {
      const { client, object } = await enter()
      await client.create(secrets, object('a'))
      const call = client.create(secrets, object('a', { type: 'kubernetes.io/tls', data: {} }))
      expect((await refusal(call)).code).toBe(422)
    })

    it('makes names of generateName, a different one each time', async () => {
      const { client, namespace } = await enter()
      const metadata = { namespace, generateName: 'gen-' } as unknown as { name: string }
      const made = [await client.create(configMaps, { metadata }), await client.create(configMaps, { metadata })]
      for (const object of made)
        expect(object.metadata).toMatchObject({ generateName: 'gen-', name: expect.stringMatching(/^gen-[a-z0-9]{5}$/) })
      expect(made[0]?.metadata.name).not.toBe(made[1]?.metadata.name)
    })

    it('without a name and without generateName is invalid', async () => {
      const { client, namespace } = await enter()
      const metadata = { namespace } as unknown as { name: string }
      expect(await invalidity(client.create(configMaps, { metadata }))).toEqual(['FieldValueRequired metadata.name'])
    })

    it('in a namespace that does not exist says which', async () => {
      const { client } = await enter()
      const metadata = { name: 'a', namespace: 'nowhere' }
      const missing = { code: 404, status: 'NotFound', message: 'namespaces "nowhere" not found' }
      expect(await refusal(client.create(configMaps, { metadata }))).toMatchObject(missing)
      expect(await refusal(client.create(mutualIdentities, { metadata, spec: identitySpec }))).toMatchObject(missing)
    })

    it('in a namespace that is being deleted is forbidden, with the cause', async () => {
      const { client, object, ref, namespace } = await enter()
      await client.create(configMaps, object('stays', {}, { finalizers: ['example.org/f'] }))
      await client.delete(namespaces, { namespace: '', name: namespace }, {})
      for (const call of [client.create(configMaps, object('a')), client.create(mutualIdentities, object('a', { spec: identitySpec }))]) {
        expect(await refusal(call)).toMatchObject({
          code: 403,
          status: 'Forbidden',
          message: expect.stringContaining(`unable to create new content in namespace ${namespace} because it is being terminated`),
          causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }],
        })
      }
      // What is there can still be written.
      const patched = await client.mergePatch(configMaps, ref('stays'), { data: { x: '1' } })
      expect(patched.data).toEqual({ x: '1' })
      await client.mergePatch(configMaps, ref('stays'), { metadata: { finalizers: [] } })
    })

    it('refuses names that are none', async () => {
      const { client, object } = await enter()
      for (const name of ['Not_A_Name', 'ends-', '.dot', 'a'.repeat(254)]) {
        expect(await invalidity(client.create(configMaps, object(name)))).toEqual(['FieldValueInvalid metadata.name'])
      }
      expect((await client.create(configMaps, object('a'.repeat(253)))).metadata.name).toHaveLength(253)
    })

    it('refuses labels that are none, keys and values', async () => {
      const { client, object } = await enter()
      const made = (labels: Record<string, string>) => client.create(configMaps, object('a', {}, { labels }))
      expect(await invalidity(made({ l: 'with space' }))).toEqual(['FieldValueInvalid metadata.labels'])
      expect(await invalidity(made({ l: 'v'.repeat(64) }))).toEqual(['FieldValueInvalid metadata.labels'])
      expect(await invalidity(made({ 'with space': 'v' }))).toEqual(['FieldValueInvalid metadata.labels'])
      expect(await invalidity(made({ 'UPPER.example/l': 'v' }))).toEqual(['FieldValueInvalid metadata.labels'])
      expect((await made({ l: '', 'example.org/L_1': 'v'.repeat(63) })).metadata.labels).toHaveProperty('l', '')
    })

    it('refuses annotations beyond 256 KiB, but not long ones', async () => {
      const { client, object } = await enter()
      const made = (size: number) => client.create(configMaps, object('a', {}, { annotations: { a: 'x'.repeat(size) } }))
      expect(await invalidity(made(256 * 1024))).toEqual(['FieldValueTooLong metadata.annotations'])
      expect((await made(256 * 1024 - 1)).metadata.annotations?.a).toHaveLength(256 * 1024 - 1)
    })

    it('refuses finalizers without a domain', async () => {
      const { client, object } = await enter()
      const made = (finalizer: string) => client.create(configMaps, object('a', {}, { finalizers: [finalizer] }))
      expect(await invalidity(made('plain'))).toEqual(['FieldValueInvalid metadata.finalizers[0]'])
    })

    it('refuses Secrets over 1 MiB, counted without base64', async () => {
      const { client, object } = await enter()
      expect(await invalidity(client.create(secrets, object('a', { data: { x: base64('x'.repeat(MIB + 1)) } })))).toEqual([
        'FieldValueTooLong data',
      ])
      expect((await client.create(secrets, object('a', { data: { x: base64('x'.repeat(MIB)) } }))).kind).toBe('Secret')
    })

    it('refuses ConfigMaps over 1 MiB, counted in bytes', async () => {
      const { client, object } = await enter()
      const made = (text: string) => client.create(configMaps, object('a', { data: { x: text } }))
      expect(await invalidity(made('x'.repeat(MIB + 1)))).toEqual(['FieldValueTooLong []'])
      expect((await refusal(made('ü'.repeat(MIB / 2 + 1)))).code).toBe(422)
      expect((await made('ü'.repeat(MIB / 2))).kind).toBe('ConfigMap')
    })

    it('refuses a patch that makes a Secret too large, and keeps what was', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { data: { x: base64('x'.repeat(MIB - 10)) } }))
      expect(await invalidity(client.mergePatch(secrets, ref('a'), { data: { y: base64('y'.repeat(11)) } }))).toEqual([
        'FieldValueTooLong data',
      ])
      expect(Object.keys((await client.get(secrets, ref('a'))).data as object)).toEqual(['x'])
    })

    it('refuses bodies over 3 MiB', async () => {
      const { client, object } = await enter()
      const call = client.create(configMaps, object('a', { data: { x: 'x'.repeat(3 * MIB) } }))
      expect(await refusal(call)).toMatchObject({ code: 413, status: 'RequestEntityTooLarge' })
    })

    it('refuses a kubernetes.io/tls Secret without its two keys', async () => {
      const { client, object } = await enter()
      const made = (data: object) => client.create(secrets, object('a', { type: 'kubernetes.io/tls', data }))
      expect(await invalidity(made({}))).toEqual(['FieldValueRequired data[tls.crt]', 'FieldValueRequired data[tls.key]'])
      expect(await invalidity(made({ 'tls.crt': '' }))).toEqual(['FieldValueRequired data[tls.key]'])
      // Empty ones will do, and what they hold is nobody's business here.
      expect((await made({ 'tls.crt': '', 'tls.key': '' })).type).toBe('kubernetes.io/tls')
    })

    it('refuses keys of data that are no file names', async () => {
      const { client, object } = await enter()
      expect(await invalidity(client.create(secrets, object('a', { data: { 'a/b': '' } })))).toEqual(['FieldValueInvalid data[a/b]'])
      expect(await invalidity(client.create(configMaps, object('a', { data: { 'a b': '' } })))).toEqual(['FieldValueInvalid data[a b]'])
    })

    it('gives a Secret the type Opaque, and turns stringData into data', async () => {
      const { client, object, ref } = await enter()
      await client.create(secrets, object('a', { stringData: { x: 'text' } }))
      const made = await client.get(secrets, ref('a'))
      expect(made).toMatchObject({ type: 'Opaque', data: { x: base64('text') } })
      expect(made).not.toHaveProperty('stringData')
    })

    it('refuses data of a Secret that is no base64', async () => {
      const { client, object } = await enter()
      expect(await refusal(client.create(secrets, object('a', { data: { x: 'not base64!' } })))).toMatchObject({
        code: 400,
        status: 'BadRequest',
      })
    })

    it('refuses unknown fields of a ConfigMap under strict validation, and drops them without', async () => {
      const { client, object, namespace, ...place } = await enter()
      const body = { apiVersion: 'v1', kind: 'ConfigMap', ...object('a', { data: { x: '1' }, dato: {} }) }
      expect(await refusal(client.create(configMaps, body))).toMatchObject({
        code: 400,
        status: 'BadRequest',
        message: expect.stringContaining('strict decoding error: unknown field "dato"'),
      })
      const { status, body: made } = await send({ client, ...place }, 'POST', resourcePath(configMaps, namespace), { body })
      expect(status).toBe(201)
      expect(made).not.toHaveProperty('dato')
    })

    it('refuses a body that names another namespace, or another kind', async () => {
      const { client, object, namespace, ...place } = await enter()
      const at = resourcePath(configMaps, namespace)
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } }
      expect(await send({ client, ...place }, 'POST', at, { body })).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
      expect(await send({ client, ...place }, 'POST', at, { body: { ...body, ...object('a'), kind: 'Secret' } })).toMatchObject({
        status: 400,
        body: { reason: 'BadRequest' },
      })
    })

    it('refuses an object that has a resource version already', async () => {
      const { client, object } = await enter()
      const { code, message } = await refusal(client.create(configMaps, object('a', {}, { resourceVersion: '5' })))
      // 500 is what it says, whatever one may think of it.
      expect([code, message]).toEqual([500, 'resourceVersion should not be set on objects to be created'])
    })
  })
}
