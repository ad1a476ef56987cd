// Whole passes over the restarts of an identity: what is written, what is told, how it goes on.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { hours, minutes } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { deployments, type RawObject, statefulSets } from '../../../../src/k8s/resource.ts'
import { identityObject, leafSecret, makeCA, NOW, namespaceObject, workloadObject } from '../../../support/material.ts'
import { type Passes, passes } from '../../../support/passes.ts'
import { apiFailure } from '../../../support/recording-client.ts'

const ca = await makeCA()
const secret = (issuedAt = NOW - hours(1)) => leafSecret(ca, { issuedAt, metadata: { creationTimestamp: formatInstant(NOW - hours(20)) } })
const first = await secret()
const serialOf = (raw: RawObject): string => raw.metadata.annotations?.['mutualidentity.io/serial-number'] ?? ''
const SERIAL = serialOf(first)
const REF = { namespace: 'shop', name: 'payments' }

let one: Passes
beforeEach(() => {
  one = passes()
  one.seen('namespaces', namespaceObject('shop'))
  renewed(first)
  one.seen('deployments', workloadObject())
})

/** The identity's controller has written this Secret and reported it. */
function renewed(raw: RawObject): void {
  const certificate = { serialNumber: serialOf(raw), notAfter: 'x', renewAt: 'x', issuedBy: 'x' }
  one.seen('leafSecrets', raw)
  one.seen('identities', identityObject({ restart: { onRenewal: true } }, { fields: { status: { certificate } } }))
}
const events = () => one.api.writes.filter(({ path }) => path.startsWith('events')).map(({ body }) => body)
const patches = () => one.api.writes.filter(({ verb }) => verb === 'mergePatch')
const recorded = (name = 'payments', resource = deployments) => {
  const spec = one.api.at(resource, { namespace: 'shop', name })?.['spec'] as { template: { metadata: { annotations: object } } }
  return (spec.template.metadata.annotations as Record<string, string>)['mutualidentity.io/restarted-for']
}
const lines = () => one.lines.map((line) => JSON.parse(line))

describe('a pass over a renewed certificate', () => {
  it('changes one annotation of the pod template at exactly that version, and nothing else', async () => {
    const before = one.api.at(deployments, REF) as RawObject
    expect(await one.restart()).toEqual({ at: NOW })
    const { uid, resourceVersion } = before.metadata
    const annotations = { 'mutualidentity.io/restarted-for': `${SERIAL} ${formatInstant(NOW)}` }
    expect(patches()).toEqual([
      {
        verb: 'mergePatch',
        path: 'deployments shop/payments',
        body: { metadata: { uid, resourceVersion }, spec: { template: { metadata: { annotations } } } },
      },
    ])
    const { metadata: _after, ...after } = one.api.at(deployments, REF) as RawObject
    expect(after['spec']).toMatchObject({ template: { metadata: { labels: { app: 'payments' } }, spec: { containers: [] } } })
  })

  it('tells it in one line and in one event of the identity', async () => {
    await one.restart()
    expect(lines()).toEqual([
      expect.objectContaining({ level: 'info', message: 'workload restarted', workload: 'Deployment payments', serialNumber: SERIAL }),
    ])
    expect(events()).toMatchObject([
      {
        reason: 'Restarted',
        type: 'Normal',
        note: expect.stringContaining(SERIAL),
        regarding: { kind: 'MutualIdentity', name: 'payments' },
      },
    ])
  })

  it('writes and says nothing the next time', async () => {
    await one.restart()
    const told = one.lines.length
    expect(await one.restart()).toEqual({ at: undefined })
    expect([patches().length, one.lines.length]).toEqual([1, told])
  })

  it('restarts one after the other, five seconds apart', async () => {
    one.seen('statefulSets', workloadObject('ledger'))
    await one.restart()
    expect(await one.restart()).toEqual({ at: NOW + 5_000 })
    expect(recorded('ledger', statefulSets)).toBeUndefined()
    await one.clock.advance(5_000)
    await one.restart()
    expect(recorded('ledger', statefulSets)).toBe(`${SERIAL} ${formatInstant(NOW + 5_000)}`)
  })

  it('keeps the hour, and then restarts for the certificate that is the present one', async () => {
    await one.restart()
    await one.clock.advance(minutes(10))
    renewed(await secret(NOW + minutes(5)))
    expect(await one.restart()).toEqual({ at: NOW + hours(1) })
    const last = await secret(NOW + minutes(7))
    renewed(last)
    await one.clock.advance(minutes(50))
    await one.restart()
    expect([patches().length, recorded()]).toEqual([2, `${serialOf(last)} ${formatInstant(NOW + hours(1))}`])
  })

  it('does not roll it again for somebody who takes the annotation away', async () => {
    await one.restart()
    await one.clock.advance(hours(2))
    one.seen('deployments', workloadObject())
    expect(await one.restart()).toEqual({ at: undefined })
    expect(patches()).toHaveLength(1)
  })

  it('does nothing for an identity that is gone', async () => {
    expect(await one.restart('shop', 'nobody')).toEqual({ at: undefined })
  })
})

describe('a restart that fails', () => {
  const refusing = (error: Error) => {
    one.api.refuse = (verb, path) => (verb === 'mergePatch' && path === 'deployments shop/payments' ? error : undefined)
  }

  it.each<[string, Error, string]>([
    ['the account may not', apiFailure(403, 'Forbidden', 'no'), 'Forbidden'],
    ['the workload is gone', apiFailure(404, 'NotFound', 'gone'), 'NotFound'],
    ['a policy refuses it', apiFailure(422, 'Invalid', 'no'), 'Invalid'],
  ])('because %s is told as an event of the identity and left to the queue', async (_what, error, reason) => {
    refusing(error)
    await expect(one.restart()).rejects.toMatchObject({ reason })
    expect(events()).toMatchObject([{ reason, type: 'Warning', note: expect.stringMatching(/^Deployment payments was not restarted/) }])
    expect(one.lines).toEqual([])
  })

  it('because somebody changed the workload meanwhile is decided anew, without a word', async () => {
    const seen = one.stores.deployments.get('shop', 'payments')
    const changed = one.api.put(deployments, workloadObject('payments', { metadata: { uid: seen?.uid ?? '' } }))
    await expect(one.restart()).rejects.toMatchObject({ reason: 'Conflict' })
    expect([events(), one.lines]).toEqual([[], []])
    one.stores.deployments.wrote(changed)
    await one.clock.advance(5_000)
    await one.restart()
    expect(recorded()).toContain(SERIAL)
  })

  it('does not hold up the other workloads, and takes its turn like any other', async () => {
    refusing(apiFailure(403, 'Forbidden', 'no'))
    one.seen('statefulSets', workloadObject('ledger'))
    await expect(one.restart()).rejects.toMatchObject({ reason: 'Forbidden' })
    expect(await one.restart()).toEqual({ at: NOW + 5_000 })
    await one.clock.advance(5_000)
    await one.restart()
    expect(recorded('ledger', statefulSets)).toContain(SERIAL)
  })
})

describe('workloads that cannot be listed', () => {
  beforeEach(() => one.stores.statefulSets.markUnreadable())

  it('are no news while the first lists may be under way', async () => {
    await one.restart()
    expect(await one.restart()).toEqual({ at: NOW + 30_000 })
  })

  it('are told of once then, as what waits for a person', async () => {
    await one.restart()
    await one.clock.advance(30_000)
    for (const _again of [1, 2]) {
      await expect(one.restart()).rejects.toMatchObject({ consequence: 'blocked', reason: 'WorkloadsUnreadable' })
    }
    expect(events().slice(1)).toMatchObject([
      { reason: 'WorkloadsUnreadable', type: 'Warning', note: expect.stringContaining('StatefulSets') },
    ])
  })
})
