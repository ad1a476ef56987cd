// What is served, and what is said where nothing is. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { configMaps, type Resource, resourcePath, secrets } from '../../../src/k8s/resource.ts'
import { listen, namesOf, type Place, refusal, send } from './subject.ts'
import { identitySpec } from './versions.ts'

const unserved: Resource = { group: 'nobody.example', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true }
const NOT_SERVED = { code: 404, status: 'NotFound', message: 'the server could not find the requested resource' }

export function discoveryCases(enter: () => Promise<Place>): void {
  describe('what is served', () => {
    it('is told by group and version, without subresources', async () => {
      const { client } = await enter()
      expect(await client.discover('', 'v1')).toEqual(expect.arrayContaining(['namespaces', 'pods', 'services', 'secrets', 'configmaps']))
      expect(await client.discover('apps', 'v1')).toEqual(expect.arrayContaining(['deployments', 'statefulsets', 'daemonsets']))
      expect([...(await client.discover('mutualidentity.io', 'v1alpha1'))].sort()).toEqual([
        'clustermutualauthorities',
        'mutualauthorities',
        'mutualidentities',
      ])
      expect(await client.discover('mutualidentity.io', 'v9')).toEqual([])
      expect(await client.discover('nobody.example', 'v1')).toEqual([])
    })

    it('is nothing of an unknown group, version or plural', async () => {
      const place = await enter()
      const { client, object, ref, namespace } = place
      for (const resource of [unserved, { ...configMaps, plural: 'things' }, { ...mutualIdentities, version: 'v9' }]) {
        const refused = [
          refusal(client.get(resource, ref('a'))),
          refusal(client.create(resource, object('a'))),
          refusal(client.delete(resource, ref('a'), {})),
          refusal(client.mergePatch(resource, ref('a'), {})),
          refusal(namesOf(place, resource, { namespace })),
        ]
        for (const call of refused) expect((await call).code).toBe(404)
        const ear = listen(place, resource, { resourceVersion: '1' })
        expect(await ear.end).toMatchObject({ code: 404 })
      }
    })

    it('is no subresource that a kind does not have', async () => {
      const { client, object, ref } = await enter()
      await client.create(configMaps, object('a'))
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      expect(await refusal(client.mergePatch(configMaps, ref('a'), { data: {} }, { subresource: 'status' }))).toMatchObject(NOT_SERVED)
      expect(await refusal(client.createSubresource(configMaps, ref('a'), 'token', {}))).toMatchObject(NOT_SERVED)
      expect(await refusal(client.createSubresource(mutualIdentities, ref('web'), 'scale', {}))).toMatchObject({ code: 404 })
    })

    it('is a status under its own path, which is the object', async () => {
      const { client, object, namespace, ref, ...place } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const at = resourcePath(mutualIdentities, namespace, 'web', 'status')
      const { status, body } = await send({ client, ...place }, 'GET', at)
      expect(status).toBe(200)
      expect(body).toEqual(await client.get(mutualIdentities, ref('web')))
    })

    it('does not take what is no JSON', async () => {
      const { namespace, transport } = await enter()
      const reply = await transport.request({
        method: 'POST',
        verb: 'create',
        resource: 'secrets',
        path: resourcePath(secrets, namespace),
        body: '{"kind":',
        deadlineMs: 20_000,
      })
      expect(reply.status).toBe(400)
      expect(JSON.parse(await reply.text())).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'BadRequest', code: 400 })
    })

    it('knows no method that makes no sense', async () => {
      const { namespace, ...place } = await enter()
      const { status, body } = await send(place, 'POST', resourcePath(secrets, namespace, 'a'), { body: {} })
      expect([status, body.reason]).toEqual([405, 'MethodNotAllowed'])
    })
  })
}
