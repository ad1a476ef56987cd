// An operator that is not in the namespace that was named, or in none: the verbs that would take its absence for lost CAs.

import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { rbacObjects } from '../../../src/api/rights.ts'
import { clusterRoleBindings } from '../../../src/cli/check/resources.ts'
import { leases, namespaces, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { forbidding, runInWorld } from '../../support/cli-run.ts'
import { OPERATOR_NAMESPACE } from '../../support/material.ts'
import { identity, openShop } from '../../support/scenario/cast.ts'
import { createWorld, type World } from '../../support/scenario/world.ts'

let world: World
let installed: ReturnType<World['api']['snapshot']>
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.person.create(namespaces, { metadata: { name: 'elsewhere' } })
  const account = { namespace: OPERATOR_NAMESPACE, serviceAccount: 'mutual-identity', options: [] }
  const binding = (rbacObjects(account) as readonly RawObject[]).find(({ kind }) => kind === 'ClusterRoleBinding')
  await world.person.create(clusterRoleBindings, binding as RawObject)
  const metadata = { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' }
  await world.person.create(leases, { metadata, spec: { holderIdentity: 'pod-1', leaseDurationSeconds: 15 } })
  await world.start()
  await identity(world, 'payments')
  await world.settle()
  for (const process of world.processes) process.kill()
  installed = world.api.snapshot()
})
beforeEach(() => world.api.restore(installed))

const HINT = `did you mean --operator-namespace ${OPERATOR_NAMESPACE}? ClusterRoleBinding mutual-identity-controller names the account there`

describe.each([[['explain', 'payments']], [['explain', 'authority', 'default']], [['status']], [['inspect', 'payments']], [['graph']]])(
  '%j',
  (words) => {
    it('where the operator’s namespace does not exist says so and which is meant, and gives no advice about CAs', async () => {
      const { code, out, errors } = await runInWorld(world, [...words, '--operator-namespace', 'nope'])
      expect([code, errors]).toEqual([1, `error: namespace nope, where the operator should live, does not exist; ${HINT}\n`])
      expect(out).not.toMatch(/CAKeyMissing|delete|Lease/)
    })

    it('where nothing there is of the operator says that', async () => {
      const { code, out, errors } = await runInWorld(world, [...words, '--operator-namespace', 'elsewhere'])
      expect([code, errors]).toEqual([
        1,
        `error: nothing in namespace elsewhere is of the operator: neither Lease nor Deployment mutual-identity, and no CA Secret that you may read; ${HINT}\n`,
      ])
      expect(out).not.toMatch(/CAKeyMissing|delete|Lease/)
    })

    it('asks for the namespace where bindings may not be read', async () => {
      const { code, errors } = await runInWorld(
        world,
        [...words, '--operator-namespace', 'elsewhere'],
        forbidding('clusterrolebindings', 'elsewhere/secrets'),
      )
      expect([code, errors]).toEqual([1, expect.stringContaining('; --operator-namespace says where it lives (kubectl mutual check ')])
    })

    it('believes the namespace where nothing of it may be read', async () => {
      const few = forbidding('clusterrolebindings', 'namespaces', 'elsewhere/leases', 'elsewhere/deployments', 'elsewhere/secrets')
      const { errors } = await runInWorld(world, [...words, '--operator-namespace', 'elsewhere'], few)
      expect(errors).toBe('')
    })
  },
)

it('a certificate is shown, and who trusts whom, also where nothing is left of the operator and nobody said where it lives', async () => {
  await world.person.delete(leases, { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' }, {})
  await world.person.delete(clusterRoleBindings, { namespace: '', name: 'mutual-identity-controller' }, {})
  for (const verb of [['inspect', 'payments'], ['graph']]) {
    const { out, errors } = await runInWorld(world, verb, forbidding(`${OPERATOR_NAMESPACE}/secrets`))
    expect([out, errors]).toEqual([expect.stringContaining('spiffe://'), ''])
  }
})

it('a forgotten namespace is guessed where something was not reported', async () => {
  await world.person.delete(leases, { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' }, {})
  for (const { metadata } of world.api.objects(secrets)) {
    if (metadata.namespace === OPERATOR_NAMESPACE)
      await world.person.delete(secrets, { namespace: OPERATOR_NAMESPACE, name: metadata.name }, {})
  }
  await world.person.mergePatch(
    clusterRoleBindings,
    { namespace: '', name: 'mutual-identity-controller' },
    { subjects: [{ kind: 'ServiceAccount', name: 'mutual-identity', namespace: 'elsewhere' }] },
  )
  expect((await runInWorld(world, ['status'])).code).toBe(0)
  await identity(world, 'new')
  const { code, out, errors } = await runInWorld(world, ['status'])
  expect(out).toMatch(/^payments +ready /m)
  expect([code, errors]).toEqual([1, expect.stringContaining('did you mean --operator-namespace elsewhere?')])
})

it('one that is installed and has not started, or worked and is gone, is where it was said to be', async () => {
  await world.person.delete(leases, { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' }, {})
  expect((await runInWorld(world, ['explain', 'payments'], forbidding('clusterrolebindings'))).errors).toBe('')
  expect((await runInWorld(world, ['explain', 'payments'], forbidding('mutual-identity-system/secrets'))).errors).toBe('')
})
