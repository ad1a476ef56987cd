// Lists: pages, selectors, scope. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { isTooLargeResourceVersion } from '../../../src/k8s/errors.ts'
import { configMaps, resourcePath, secrets } from '../../../src/k8s/resource.ts'
import { namesOf, type Place, refusal, send } from './subject.ts'
import { identitySpec } from './versions.ts'

export function listCases(enter: () => Promise<Place>): void {
  const filled = async (): Promise<Place> => {
    const place = await enter()
    for (const [name, labels] of [
      ['a', { tier: 'front', app: 'x' }],
      ['b', { tier: 'back', app: 'x' }],
      ['c', { tier: 'back' }],
      ['d', { app: '' }],
      ['e', undefined],
    ] as const) {
      await place.client.create(secrets, place.object(name, {}, labels === undefined ? {} : { labels }))
    }
    return place
  }

  describe('list', () => {
    it('of a namespace is sorted by name and knows no other namespace', async () => {
      const place = await enter()
      const { client, object, namespace } = place
      for (const name of ['b', 'c', 'a', 'a-1', 'a.1']) await client.create(secrets, object(name))
      await client.create(secrets, { metadata: { name: 'elsewhere', namespace: 'default' } })
      expect(await namesOf(place, secrets, { namespace })).toEqual(['a', 'a-1', 'a.1', 'b', 'c'])
      await client.delete(secrets, { namespace: 'default', name: 'elsewhere' }, {})
    })

    it('of the whole cluster has the objects of all namespaces', async () => {
      const place = await enter()
      const { client, object, namespace } = place
      const labels = { of: namespace }
      await client.create(secrets, object('a', {}, { labels }))
      await client.create(secrets, { metadata: { name: `z-${namespace}`, namespace: 'default', labels } })
      expect(await namesOf(place, secrets, { labelSelector: `of=${namespace}` })).toEqual(['a', `z-${namespace}`])
      await client.delete(secrets, { namespace: 'default', name: `z-${namespace}` }, {})
    })

    it('of a namespace that does not exist is empty', async () => {
      const place = await enter()
      expect(await namesOf(place, secrets, { namespace: 'nowhere' })).toEqual([])
    })

    it('has items without kind and apiVersion for built-in kinds, with them for ours', async () => {
      const { client, object, namespace, ...place } = await enter()
      await client.create(secrets, object('a'))
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const of = (resource: typeof secrets) => send({ client, ...place }, 'GET', resourcePath(resource, namespace))
      const builtIn = (await of(secrets)).body
      expect(builtIn).toMatchObject({ kind: 'SecretList', apiVersion: 'v1', items: [{ metadata: { name: 'a' } }] })
      const [item] = builtIn.items as object[]
      expect(item).not.toHaveProperty('kind')
      expect(item).not.toHaveProperty('apiVersion')
      expect((await of(mutualIdentities)).body).toMatchObject({
        kind: 'MutualIdentityList',
        apiVersion: 'mutualidentity.io/v1alpha1',
        items: [{ kind: 'MutualIdentity', apiVersion: 'mutualidentity.io/v1alpha1', metadata: { name: 'web' } }],
      })
    })

    it('comes in pages of the size that was asked for, all of one version', async () => {
      const { client, namespace } = await filled()
      const pages = []
      for await (const page of client.listPages(secrets, { namespace, limit: 2 })) pages.push(page)
      expect(pages.map(({ items }) => items.map(({ metadata }) => metadata.name))).toEqual([['a', 'b'], ['c', 'd'], ['e']])
      expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).toBe(1)
    })

    it('says how many are left, unless a selector was given', async () => {
      const { namespace, ...place } = await filled()
      const at = resourcePath(secrets, namespace)
      const first = (await send(place, 'GET', at, { query: { limit: '2' } })).body.metadata as Record<string, unknown>
      expect(first).toMatchObject({ remainingItemCount: 3, continue: expect.any(String) })
      const selected = (await send(place, 'GET', at, { query: { limit: '1', labelSelector: 'app' } })).body.metadata
      expect(selected).toHaveProperty('continue')
      expect(selected).not.toHaveProperty('remainingItemCount')
      const all = (await send(place, 'GET', at, { query: { limit: '5' } })).body.metadata as Record<string, unknown>
      expect(all.continue ?? '').toBe('')
    })

    it('shows its pages as it was when it began, while objects change', async () => {
      const { client, object, ref, namespace } = await filled()
      const pages = client.listPages(secrets, { namespace, limit: 2 })[Symbol.asyncIterator]()
      const first = (await pages.next()).value
      await client.create(secrets, object('c-new'))
      await client.delete(secrets, ref('d'), {})
      await client.mergePatch(secrets, ref('c'), { metadata: { labels: { tier: 'new' } } })
      await client.mergePatch(secrets, ref('e'), { metadata: { labels: { tier: 'new' } } })
      await client.delete(secrets, ref('e'), {})
      const second = (await pages.next()).value
      const third = (await pages.next()).value
      expect(second.items.map(({ metadata }: { metadata: object }) => metadata)).toMatchObject([
        { name: 'c', labels: { tier: 'back' } },
        { name: 'd' },
      ])
      expect(third.items).toMatchObject([{ metadata: { name: 'e' } }])
      expect(third.items[0].metadata).not.toHaveProperty('labels')
      expect(third.resourceVersion).toBe(first.resourceVersion)
      expect((await pages.next()).done).toBe(true)
    })

    it('with a selector fills its pages with what fits', async () => {
      const { client, namespace } = await filled()
      const pages = []
      for await (const { items } of client.listPages(secrets, { namespace, labelSelector: 'app', limit: 2 })) {
        pages.push(items.map(({ metadata }) => metadata.name))
      }
      expect(pages).toEqual([['a', 'b'], ['d']])
    })

    for (const [labelSelector, names] of [
      ['tier=back', 'bc'],
      ['tier==back', 'bc'],
      ['tier!=back', 'ade'],
      ['tier in (front,back)', 'abc'],
      ['tier in (front)', 'a'],
      ['tier notin (front)', 'bcde'],
      ['tier', 'abc'],
      ['!tier', 'de'],
      ['app=', 'd'],
      ['app,tier', 'ab'],
      ['app=x,tier!=front', 'b'],
      ['tier in (back),!app', 'c'],
      ['nothing=here', ''],
    ] as const) {
      it(`takes the label selector ${labelSelector}`, async () => {
        const place = await filled()
        expect((await namesOf(place, secrets, { namespace: place.namespace, labelSelector })).join('')).toBe(names)
      })
    }

    it('takes the field selector metadata.name, and both selectors at once', async () => {
      const place = await filled()
      const { namespace } = place
      expect(await namesOf(place, secrets, { namespace, fieldSelector: 'metadata.name=b' })).toEqual(['b'])
      expect(await namesOf(place, secrets, { namespace, fieldSelector: 'metadata.name!=b' })).toEqual(['a', 'c', 'd', 'e'])
      expect(await namesOf(place, secrets, { fieldSelector: `metadata.namespace=${namespace},metadata.name=c` })).toEqual(['c'])
      expect(await namesOf(place, secrets, { namespace, fieldSelector: 'metadata.name=b', labelSelector: 'tier=front' })).toEqual([])
      await place.client.create(mutualIdentities, place.object('web', { spec: identitySpec }))
      expect(await namesOf(place, mutualIdentities, { namespace, fieldSelector: 'metadata.name=web' })).toEqual(['web'])
    })

    it('refuses selectors that are none', async () => {
      const place = await enter()
      const { namespace } = place
      const bad = { code: 400, status: 'BadRequest' }
      expect(await refusal(namesOf(place, secrets, { namespace, labelSelector: 'a in b' }))).toMatchObject(bad)
      expect(await refusal(namesOf(place, secrets, { namespace, labelSelector: 'a=with space' }))).toMatchObject(bad)
      expect(await refusal(namesOf(place, secrets, { namespace, fieldSelector: 'data.x=1' }))).toMatchObject(bad)
      expect(await refusal(namesOf(place, mutualIdentities, { namespace, fieldSelector: 'spec.x=1' }))).toMatchObject(bad)
    })

    it('refuses a continue token that is none', async () => {
      const { namespace, ...place } = await enter()
      const answer = await send(place, 'GET', resourcePath(secrets, namespace), { query: { limit: '1', continue: 'nonsense' } })
      expect(answer).toMatchObject({ status: 400, body: { reason: 'BadRequest' } })
    })

    it('from the cache (version 0) has what was written before', async () => {
      const place = await enter()
      const { client, object, namespace, eventually } = place
      await client.create(configMaps, object('a', {}, { labels: { l: '1' } }))
      await eventually(async () =>
        expect(await namesOf(place, configMaps, { namespace, labelSelector: 'l=1', resourceVersion: '0' })).toEqual(['a']),
      )
    })

    it('of a version that the server has not reached is refused as too large', async () => {
      const { client, namespace } = await enter()
      const first = client.listPages(secrets, { namespace, resourceVersion: '999999999' })[Symbol.asyncIterator]().next()
      const error = await first.catch((thrown: unknown) => thrown)
      expect(isTooLargeResourceVersion(error)).toBe(true)
      expect(error).toMatchObject({ code: 504, status: 'Timeout' })
    })
  })
}
