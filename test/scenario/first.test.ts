import { expect, it } from '@jest/globals'
import { namespaces, pods, secrets } from '../../src/k8s/resource.ts'
import { mutualIdentities } from '../../src/api/kinds.ts'
import { createWorld } from '../support/scenario/world.ts'
import { OPERATOR_NAMESPACE } from '../support/material.ts'

it('runs', async () => {
  const world = createWorld()
  await world.person.create(namespaces, { metadata: { name: OPERATOR_NAMESPACE } })
  await world.person.create(namespaces, { metadata: { name: 'shop' } })
  const from = performance.now()
  await world.start()
  await world.settle()
  await world.person.create(pods, { metadata: { namespace: 'shop', name: 'a', labels: { app: 'payments' } }, spec: { serviceAccountName: 'payments' }, status: { phase: 'Running' } })
  await world.person.create(mutualIdentities, { metadata: { namespace: 'shop', name: 'payments' }, spec: { podSelector: { matchLabels: { app: 'payments' } } } })
  await world.settle()
  console.log(performance.now() - from, world.lines.join(''), world.api.requests.filter(({ verb }) => !['list', 'watch'].includes(verb)).map(({ verb, resource, subresource, name, code }) => [verb, resource, subresource, name, code].join(' ')))
  expect(world.api.object(secrets, { namespace: 'shop', name: 'payments-mtls' })).toBeDefined()
  const t = performance.now()
  await world.pass(24 * 3_600_000)
  console.log('a day', performance.now() - t, world.api.requests.length)
})
