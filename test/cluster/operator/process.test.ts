// The process of the operator, on a real API server: killed at any time and started again, ended in order, side by side with another one, and with an
// API server that goes away. Whatever happens there is one CA, each identity has one Secret that fits, and nobody steps in.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { leases, secrets } from '../../../src/k8s/resource.ts'
import { inShort } from '../../support/cluster-audit.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, materialOf, rootsIn } from '../../support/cluster-material.ts'
import { bundleTextOf, createPlace, isReady, listAll, type Place, statusOf, trustBundle } from '../../support/cluster-objects.ts'
import { type LogEntry, OPERATOR, OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster()
})

afterAll(async () => {
  await cluster?.close()
})

afterEach(() => cluster?.killAll())

/** One CA; for each identity of the namespace one Secret whose parts fit together and that its status speaks of. */
async function allIsWell(place: Place): Promise<void> {
  const authorities = await listAll(cluster.client, secrets, OPERATOR_NAMESPACE)
  expect(authorities.map(({ metadata }) => metadata.name)).toEqual(['default-ca-1'])
  const made = cluster.audit.writes(OPERATOR, { namespace: OPERATOR_NAMESPACE })
  expect(made.filter(({ resource, verb, code }) => resource === 'secrets' && verb === 'create' && code === 201)).toHaveLength(1)
  const identities = await listAll(cluster.client, mutualIdentities, place.name)
  const leaves = await listAll(cluster.client, secrets, place.name)
  expect(leaves.map(({ metadata }) => metadata.name).sort()).toEqual(identities.map(({ metadata }) => `${metadata.name}-mtls`).sort())
  const bundle = bundleTextOf(await trustBundle(place)) ?? ''
  expect(rootsIn(bundle)).toHaveLength(1)
  for (const identity of identities) {
    const material = materialOf(await place.secret(identity.metadata.name))
    expect(material.ca).toBe(bundle)
    expect(fitsTogether(material)).toBe(true)
    expect(statusOf(identity).certificate?.serialNumber).toBe(material.serialNumber)
  }
}

const allReady = async (place: Place): Promise<boolean> => (await listAll(cluster.client, mutualIdentities, place.name)).every(isReady)

const says = (message: string, pid?: number): LogEntry[] =>
  cluster.log.filter((entry) => entry.fields?.message === message && (pid === undefined || entry.pid === pid))

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function drawer(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('a controller that is killed at any time and started again', () => {
  const IDENTITIES = 60
  const WITHOUT_LEASE = ['--leader-election', 'false', '--concurrency', '4']
  let place: Place

  /** Runs a controller until it has printed so many lines since it knew its cluster, or all is done; then some milliseconds longer, and kills it. */
  async function runUntilKilled(lines: number, milliseconds: number): Promise<void> {
    const enough = Promise.withResolvers<void>()
    let pid = 0
    let count = 0
    const run = cluster.start({
      flags: WITHOUT_LEASE,
      onStarted(started) {
        pid = started
      },
      onEntry({ fields }) {
        if (fields?.message === 'cluster configured' || count > 0) count++
        if (count >= lines) enough.resolve()
      },
    })
    const ended = run.then(
      (controller) => controller.ended,
      () => undefined, // killed before it was ready
    )
    await Promise.race([enough.promise, eventually(() => allReady(place))])
    await sleep(milliseconds)
    process.kill(pid, 'SIGKILL')
    expect((await ended)?.signal ?? 'SIGKILL').toBe('SIGKILL')
  }

  it('makes every identity ready, under one CA, each with one Secret that fits; and then it is quiet', async () => {
    place = await createPlace(cluster.client, 'crash')
    for (let number = 0; number < IDENTITIES; number++) {
      await place.identity(`web-${number}`, { certificate: { keyType: number % 3 === 0 ? 'RSA3072' : 'ECDSAP256' } })
    }
    const draw = drawer(20261124)
    let kills = 0
    while (!(await allReady(place))) {
      // Some are killed while they fill their caches or make the CA, most while they issue.
      await runUntilKilled(1 + Math.floor(draw() * 36), Math.floor(draw() * 40))
      kills++
      expect(kills).toBeLessThan(60)
    }
    expect(kills).toBeGreaterThanOrEqual(3)
    const controller = await cluster.start({ flags: WITHOUT_LEASE })
    await eventually(() => trustBundle(place))
    await eventually(() => says('controllers started', controller.pid).length > 0)
    await allIsWell(place)
    const before = cluster.audit.writes(OPERATOR).length
    await sleep(1_000)
    expect(cluster.audit.writes(OPERATOR)).toHaveLength(before)
    expect((await controller.stop()).code).toBe(0)
  }, 240_000)

  it('has made no certificate more than once for a Secret that was there', () => {
    const made = cluster.audit.writes(OPERATOR, { namespace: 'crash' })
    const created = made.filter(({ resource, verb, code }) => resource === 'secrets' && verb === 'create' && code === 201)
    const names = created.map(({ name }) => name)
    expect(names).toHaveLength(new Set(names).size)
    // A create whose caller was killed before the answer may be stored and yet be audited with another code, and without a name.
    const unanswered = made.filter(({ resource, verb, code }) => resource === 'secrets' && verb === 'create' && code !== 201)
    expect(names.length + unanswered.length).toBeGreaterThanOrEqual(IDENTITIES)
    expect(made.filter(({ resource, verb }) => resource === 'secrets' && verb !== 'create')).toEqual([])
  })
})

describe('the lease', () => {
  const holder = async (): Promise<string> => {
    const lease = await cluster.client.get(leases, { namespace: OPERATOR_NAMESPACE, name: 'mutual-identity' })
    return (lease.spec as { holderIdentity?: string }).holderIdentity ?? ''
  }
  const metrics = async ({ address }: ControllerProcess): Promise<string> => (await fetch(`http://${address}/metrics`)).text()
  const leads = async (controller: ControllerProcess): Promise<boolean> => /^mutual_identity_leader 1$/m.test(await metrics(controller))

  it('is given back within 10 s of SIGTERM in the middle of the work, with exit code 0, and the next start goes on at once', async () => {
    const place = await createPlace(cluster.client, 'sigterm')
    for (let number = 0; number < 40; number++) await place.identity(`web-${number}`, { certificate: { keyType: 'RSA3072' } })
    const begun = Promise.withResolvers<void>()
    const controller = await cluster.start({
      onEntry({ fields }) {
        if (fields?.message === 'certificate issued') begun.resolve()
      },
    })
    await begun.promise
    const from = performance.now()
    const ended = await controller.stop()
    expect(ended).toEqual({ code: 0, signal: null })
    expect(performance.now() - from).toBeLessThan(10_000)
    expect(await allReady(place)).toBe(false)
    expect(await holder()).toBe('')

    const next = await cluster.start()
    const readyAt = performance.now()
    await eventually(() => leads(next), 10_000)
    // Nobody waits for the 15 s that a lease lasts.
    expect(performance.now() - readyAt).toBeLessThan(10_000)
    await eventually(() => allReady(place))
    await eventually(() => trustBundle(place))
    await allIsWell(place)
    await next.stop()
  })

  it('is held by one of two side by side; when that is killed the other issues within 20 s', async () => {
    const place = await createPlace(cluster.client, 'pair')
    const first = await cluster.start()
    await eventually(() => leads(first))
    const second = await cluster.start()
    await place.identity('before')
    await place.ready('before')
    expect([await leads(first), await leads(second)]).toEqual([true, false])
    // Who does not lead writes nothing at all.
    expect(await metrics(second)).not.toMatch(/^mutual_identity_api_requests_total\{verb="(create|patch|delete)"/m)
    await first.kill()
    const from = performance.now()
    await place.identity('after')
    await place.ready('after', 20_000)
    expect(performance.now() - from).toBeLessThan(20_000)
    expect(await leads(second)).toBe(true)
    await allIsWell(place)
    await second.stop()
  })

  it('is lost by a leader that stands still beyond it: the other goes on, and who wakes up writes nothing', async () => {
    const place = await createPlace(cluster.client, 'stale')
    for (let number = 0; number < 40; number++) await place.identity(`web-${number}`, { certificate: { keyType: 'RSA3072' } })
    const begun = Promise.withResolvers<void>()
    const first = await cluster.start({
      onEntry({ fields }) {
        if (fields?.message === 'certificate issued') begun.resolve()
      },
    })
    const second = await cluster.start()
    await begun.promise
    // In the middle of the work, with steps under way.
    process.kill(first.pid, 'SIGSTOP')
    const from = performance.now()
    await eventually(() => leads(second), 20_000)
    expect(performance.now() - from).toBeLessThan(20_000)
    await eventually(() => allReady(place))
    await allIsWell(place)
    // Events come after the certificates that they tell of.
    await eventually(() => cluster.audit.writes(OPERATOR, { after: Date.now() - 3_000 }).length === 0)
    const wokenAt = Date.now()
    process.kill(first.pid, 'SIGCONT')
    await eventually(() => says('lease lost', first.pid).length === 1)
    await sleep(3_000)
    // The other one has nothing left to do, so any write is the stale leader's.
    expect(cluster.audit.writes(OPERATOR, { after: wokenAt }).map(inShort)).toEqual([])
    expect(await leads(second)).toBe(true)
    await allIsWell(place)
    await Promise.all([first.stop(), second.stop()])
  }, 120_000)
})

describe('an API server that goes away', () => {
  it('and does not answer for 6 s costs the leader nothing', async () => {
    const place = await createPlace(cluster.client, 'frozen')
    const controller = await cluster.start()
    await place.identity('before')
    await place.ready('before')
    const pid = cluster.plane.pids['kube-apiserver'] ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await sleep(6_000)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await place.identity('after')
    await place.ready('after')
    expect(says('lease lost', controller.pid)).toEqual([])
    expect(await controller.stop()).toEqual({ code: 0, signal: null })
  })

  it('for longer than the leader may go on without it is found again by the same process, which leads again', async () => {
    const place = await createPlace(cluster.client, 'gone')
    const controller = await cluster.start()
    for (const name of ['before', 'due']) await place.identity(name)
    for (const name of ['before', 'due']) await place.ready(name)
    // Events are a courtesy: one that is on its way is lost with the API server.
    await place.told('due', ['Issued'])
    await cluster.plane.stopApiServer()
    await eventually(() => says('lease lost', controller.pid).length === 1)
    await cluster.plane.startApiServer()
    await eventually(() => place.identity('after'))
    // The watches try again after up to half a minute.
    await place.ready('after', 90_000)
    expect(says('lease acquired', controller.pid)).toHaveLength(2)
    await place.patch(mutualIdentities, 'due', {
      metadata: { annotations: { 'mutualidentity.io/renew-requested-at': '2030-01-01T00:00:00Z' } },
    })
    await place.told('due', ['Issued', 'Renewed'])
    await place.delete(secrets, 'before-mtls')
    await eventually(async () => expect(fitsTogether(materialOf(await place.secret('before')))).toBe(true))
    await eventually(() => allReady(place))
    await allIsWell(place)
    expect(await controller.stop()).toEqual({ code: 0, signal: null })
  }, 240_000)
})

it('no line of the log is an error, and no piece of a private key is in what people see', async () => {
  const errors = cluster.log.filter(({ fields }) => fields?.level === 'error')
  expect(errors.map(({ line }) => line)).toEqual([])
  expect(cluster.keys.keys.size).toBeGreaterThan(100)
  expect(cluster.keys.piecesIn(await cluster.visibleText())).toBe(0)
})
