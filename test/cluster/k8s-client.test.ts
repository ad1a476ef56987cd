import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { ClusterAccess } from '../../src/k8s/access.ts'
import { type Client, createClient, type WatchEvent } from '../../src/k8s/client.ts'
import {
  type ApiError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  isTooLargeResourceVersion,
} from '../../src/k8s/errors.ts'
import { createRecorder } from '../../src/k8s/events.ts'
import { loadAccess } from '../../src/k8s/kubeconfig.ts'
import { Election } from '../../src/k8s/lease.ts'
import { configMaps, events, leases, namespaces, pods, type RawObject, type Resource, secrets } from '../../src/k8s/resource.ts'
import { createTransport, type Transport } from '../../src/k8s/transport.ts'

const namespace = 'client-test'
const serviceAccounts: Resource = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true }
const reviews: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
}
const identityReviews: Resource = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
}

let plane: ControlPlane
let access: ClusterAccess
let client: Client
const transports: Transport[] = []

function connect(to: ClusterAccess): Client {
  const transport = createTransport(to, { clock: systemClock })
  transports.push(transport)
  return createClient(transport, { clock: systemClock, random: systemRandom, fieldManager: 'client-test' })
}

const configMap = (name: string, more: object = {}): RawObject => ({ metadata: { name, namespace }, data: { a: '1' }, ...more })
const ref = (name: string) => ({ namespace, name })
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries === 1000) throw new Error('this did not happen within 20 s')
    await wait(20)
  }
}
const versionOf = (object: RawObject): string => object.metadata.resourceVersion as string

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false, apiServerFlags: ['--etcd-compaction-interval=1s'], say: () => {} })
  access = await loadAccess({ clock: systemClock, kubeconfig: plane.kubeconfigFile, environment: {} })
  client = connect(access)
  await client.create(namespaces, { metadata: { name: namespace } })
})
afterAll(async () => {
  for (const transport of transports) await transport.close()
  await plane?.stop()
})

describe('objects', () => {
  it('are created and read; a second create of the name never takes over', async () => {
    const created = await client.create(configMaps, configMap('create'))
    expect(created).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'create', uid: expect.any(String) } })
    expect(await client.get(configMaps, ref('create'))).toEqual(created)
    expect(isAlreadyExists(await failureOf(client.create(configMaps, configMap('create'))))).toBe(true)
    expect(isNotFound(await failureOf(client.get(configMaps, ref('absent'))))).toBe(true)
  })

  it('are patched at the version seen, and at no other', async () => {
    const first = await client.create(configMaps, configMap('patch'))
    const { uid, resourceVersion } = first.metadata
    const second = await client.mergePatch(configMaps, ref('patch'), { metadata: { uid, resourceVersion }, data: { a: null, b: '2' } })
    expect(second.data).toEqual({ b: '2' })
    const stale = client.mergePatch(configMaps, ref('patch'), { metadata: { resourceVersion }, data: { b: '3' } })
    expect(isConflict(await failureOf(stale))).toBe(true)
    // Another object of that name: the version differs, and that is what the server looks at first (a wrong uid alone is a 422).
    await client.delete(configMaps, ref('patch'), {})
    await client.create(configMaps, configMap('patch'))
    const other = client.mergePatch(configMaps, ref('patch'), { metadata: { uid, resourceVersion: versionOf(second) } })
    expect(isConflict(await failureOf(other))).toBe(true)
  })

  it('have a status that is replaced and patched apart', async () => {
    const pod = { metadata: { name: 'web', namespace }, spec: { containers: [{ name: 'c', image: 'i' }], serviceAccountName: 'default' } }
    await client.create(serviceAccounts, { metadata: { name: 'default', namespace } })
    await client.create(pods, pod)
    const patched = await client.mergePatch(pods, ref('web'), { status: { message: 'patched' } }, { subresource: 'status' })
    expect(patched.status).toMatchObject({ message: 'patched' })
    const replaced = await client.replaceStatus(pods, { ...patched, status: { message: 'replaced' } })
    expect(replaced.status).toMatchObject({ message: 'replaced' })
  })

  it('are deleted only while they are the ones meant', async () => {
    const { uid, resourceVersion } = (await client.create(configMaps, configMap('delete'))).metadata as {
      uid: string
      resourceVersion: string
    }
    expect(isConflict(await failureOf(client.delete(configMaps, ref('delete'), { uid: '00000000-0000-0000-0000-000000000000' })))).toBe(
      true,
    )
    expect(isConflict(await failureOf(client.delete(configMaps, ref('delete'), { uid, resourceVersion: '1' })))).toBe(true)
    await client.delete(configMaps, ref('delete'), { uid, resourceVersion })
    expect(isNotFound(await failureOf(client.delete(configMaps, ref('delete'), { uid })))).toBe(true)
  })

  it('with a field that the API does not know are our mistake', async () => {
    const unknown = { code: 400, consequence: 'bug', message: expect.stringContaining('unknown field "dato"') }
    await expect(client.create(configMaps, configMap('strict', { dato: {} }))).rejects.toMatchObject(unknown)
    await client.create(configMaps, configMap('strict'))
    await expect(client.mergePatch(configMaps, ref('strict'), { dato: {} })).rejects.toMatchObject({ ...unknown, code: 422 })
  })

  it('are not quoted by the error of a patch that does not fit them', async () => {
    await client.create(secrets, { metadata: { name: 'quoted', namespace }, data: { key: 'c2VjcmV0LXRoaW5n' } })
    const failed = (await failureOf(client.mergePatch(secrets, ref('quoted'), { dato: {} }))) as ApiError
    expect(failed.message).toContain('unknown field')
    expect(JSON.stringify([failed, failed.message, failed.causes])).not.toContain('c2VjcmV0')
  })

  it('that are invalid wait for a person', async () => {
    const { metadata } = configMap('Not_A_Name')
    await expect(client.create(configMaps, { metadata })).rejects.toMatchObject({
      code: 422,
      consequence: 'blocked',
      reason: 'Invalid',
      causes: [{ field: 'metadata.name' }],
    })
  })
})

describe('lists and watches', () => {
  const labels = { of: 'lists' }
  const options = { namespace, labelSelector: 'of=lists' }

  it('come in pages of one version, and a watch goes on from there with events and bookmarks', async () => {
    for (let i = 0; i < 7; i++) await client.create(configMaps, { metadata: { name: `list-${i}`, namespace, labels } })
    const pages = []
    for await (const page of client.listPages(configMaps, { ...options, limit: 3 })) pages.push(page)
    expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 1])
    expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).toBe(1)

    const seen: WatchEvent[] = []
    const watching = (async () => {
      const resourceVersion = pages.at(-1)?.resourceVersion as string
      const watch = { ...options, resourceVersion, timeoutSeconds: 3, idleMs: 30_000, signal: new AbortController().signal }
      for await (const event of client.watch(configMaps, watch)) seen.push(event)
    })()
    const { uid } = (await client.create(configMaps, { metadata: { name: 'list-7', namespace, labels } })).metadata
    await client.mergePatch(configMaps, ref('list-7'), { data: { text: 'ü€😀' } })
    await client.delete(configMaps, ref('list-7'), { ...(uid ? { uid } : {}) })
    await watching
    expect(seen.filter(({ type }) => type !== 'BOOKMARK').map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'list-7'],
      ['MODIFIED', 'list-7'],
      ['DELETED', 'list-7'],
    ])
    expect(seen[1]?.object.data).toEqual({ text: 'ü€😀' })
    // The server sends one shortly before it ends a watch.
    expect(seen.at(-1)).toMatchObject({ type: 'BOOKMARK', object: { metadata: { resourceVersion: expect.any(String) } } })
  })

  it('from a version that the server has not reached are told apart', async () => {
    const pages = client.listPages(configMaps, { resourceVersion: '999999999' })
    expect(isTooLargeResourceVersion(await failureOf(pages[Symbol.asyncIterator]().next()))).toBe(true)
  })

  it('end when the reader leaves or the signal aborts', async () => {
    const aborter = new AbortController()
    const watch = client.watch(configMaps, { resourceVersion: '', timeoutSeconds: 60, idleMs: 60_000, signal: aborter.signal })
    for await (const event of watch) {
      expect(event.type).toBe('ADDED')
      break
    }
    const second = client.watch(configMaps, {
      namespace: 'empty',
      resourceVersion: '0',
      timeoutSeconds: 60,
      idleMs: 60_000,
      signal: aborter.signal,
    })
    const reading = (async () => {
      for await (const { type } of second) expect(type).toBe('BOOKMARK')
    })()
    setTimeout(() => aborter.abort(), 100)
    await expect(reading).rejects.toMatchObject({ reason: 'Cancelled' })
  })
})

describe('an account with few rights', () => {
  it('whose token was requested is known, and refused with the consequence that a person must help', async () => {
    await client.create(serviceAccounts, { metadata: { name: 'few', namespace } })
    const issued = await client.createSubresource(serviceAccounts, ref('few'), 'token', { spec: { expirationSeconds: 600 } })
    const { token } = issued.status as { token: string }
    const { tls } = await access.credentials()
    const few = connect({ ...access, credentials: async () => ({ tls: tokenTls, headers: { authorization: `Bearer ${token}` } }) })
    const tokenTls = tls.ca === undefined ? {} : { ca: tls.ca }

    const who = await few.review(identityReviews, {})
    expect(who.status).toMatchObject({ userInfo: { username: `system:serviceaccount:${namespace}:few` } })
    const may = await few.review(reviews, { spec: { resourceAttributes: { namespace, verb: 'create', resource: 'secrets' } } })
    expect(may.status).toMatchObject({ allowed: false })

    const refused = few.create(secrets, { metadata: { name: 'x', namespace } })
    await expect(refused).rejects.toMatchObject({ code: 403, consequence: 'blocked', reason: 'Forbidden' })
    expect(isForbidden(await failureOf(refused))).toBe(true)
    await expect(few.get(secrets, ref('x'))).rejects.toMatchObject({ message: expect.not.stringContaining(token) })
  })

  it('with a token that the server does not know is unauthorized, after one more look at the credentials', async () => {
    const { tls } = await access.credentials()
    let refusals = 0
    const wrong = connect({
      ...access,
      credentials: async () => ({ tls: caOnly, headers: { authorization: 'Bearer wrong' } }),
      refused: () => {
        refusals++
      },
    })
    const caOnly = tls.ca === undefined ? {} : { ca: tls.ca }
    await expect(wrong.get(secrets, ref('x'))).rejects.toMatchObject({ code: 401, consequence: 'retry', reason: 'Unauthorized' })
    expect(refusals).toBe(1)
  })
})

describe('the connection', () => {
  const over = (tls: object): Client => connect({ ...access, credentials: async () => ({ tls, headers: {} }) })

  it('is refused to a server whose certificate does not fit, before anything is sent', async () => {
    const { tls } = await access.credentials()
    for (const bad of [
      { cert: tls.cert, key: tls.key },
      { ...tls, servername: 'other.example' },
    ]) {
      await expect(over(bad).create(configMaps, configMap('never'), { deadlineMs: 2_000 })).rejects.toMatchObject({ reason: 'NotSent' })
    }
    expect(isNotFound(await failureOf(client.get(configMaps, ref('never'))))).toBe(true)
  })

  it('follows tls-server-name and, where the kubeconfig says so, skips the check', async () => {
    const { tls } = await access.credentials()
    expect((await over({ ...tls, servername: 'kubernetes.default.svc' }).get(namespaces, { namespace: '', name: namespace })).kind).toBe(
      'Namespace',
    )
    const { ca: _, ...withoutCa } = tls
    expect((await over({ ...withoutCa, rejectUnauthorized: false }).get(namespaces, { namespace: '', name: namespace })).kind).toBe(
      'Namespace',
    )
  })
})

describe('discovery', () => {
  it('says what is served', async () => {
    expect(await client.discover('', 'v1')).toContain('secrets')
    expect(await client.discover('certificates.k8s.io', 'v1')).toContain('certificatesigningrequests')
    expect(await client.discover('nobody.example', 'v1')).toEqual([])
  })
})

describe('events', () => {
  it('are accepted by the API, their series too', async () => {
    let now = 0
    const clock = { ...systemClock, monotonic: () => now }
    const failures: unknown[] = []
    const log = { ...silentLog, debug: (_: string, fields: unknown) => failures.push(fields) }
    const recorder = createRecorder({ client, clock, random: systemRandom, log, controller: 'client.example/test', instance: 'pod-1' })
    const { uid } = (await client.get(namespaces, { namespace: '', name: namespace })).metadata as { uid: string }
    const regarding = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace, uid }
    const event = { regarding, type: 'Warning', reason: 'Tried', action: 'Try', note: '€'.repeat(1000) } as const
    await recorder.record(event)
    now += 600_000
    await recorder.record(event)
    await recorder.record({ ...event, regarding: { ...regarding, namespace, kind: 'ConfigMap', name: 'a' }, note: 'in a namespace' })
    expect(failures).toEqual([])
    const written: RawObject[] = []
    for await (const { items } of client.listPages(events)) written.push(...items)
    expect(
      written
        .map(({ metadata, series }) => [
          metadata.namespace,
          series === undefined || series === null ? 1 : (series as { count: number }).count,
        ])
        .sort(),
    ).toEqual([
      [namespace, 1],
      ['default', 2],
    ])
  })
})

describe('an election', () => {
  /** The Lease that was made after the one with this uid was deleted. */
  async function leaseOtherThan(uid: string): Promise<RawObject> {
    for (let tries = 0; tries < 400; tries++) {
      const found = await client.get(leases, ref('leader')).catch((error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (found !== undefined && found.metadata.uid !== uid) return found
      await wait(50)
    }
    throw new Error('nobody made the Lease again within 20 s')
  }

  it('has one leader, passes on when it stops, and survives the deletion of its Lease', async () => {
    const calls: string[] = []
    const candidate = (identity: string): Election =>
      new Election({
        client,
        clock: systemClock,
        random: systemRandom,
        log: silentLog,
        lease: ref('leader'),
        identity,
        onAcquired: () => calls.push(`${identity} leads`),
        onLost: () => calls.push(`${identity} lost`),
        durationMs: 3_000,
        renewDeadlineMs: 2_000,
        retryMs: 200,
      })
    const [a, b] = [candidate('a'), candidate('b')]
    a.start()
    await until(() => calls.length > 0)
    b.start()
    await wait(1_000)
    const { uid } = (await client.get(leases, ref('leader'))).metadata as { uid: string }
    await client.delete(leases, ref('leader'), { uid })
    // Whoever creates it first after the deletion leads; the other, if it led before, finds out at its next renewal.
    const again = await leaseOtherThan(uid)
    const { holderIdentity } = again.spec as { holderIdentity: string }
    expect(['a', 'b']).toContain(holderIdentity)
    await until(() => a.leading === (holderIdentity === 'a') && b.leading === (holderIdentity === 'b'))
    const [leader, other] = a.leading ? [a, b] : [b, a]
    await leader.stop()
    expect(leader.leading).toBe(false)
    await until(() => other.leading)
    await other.stop()
    expect((await client.get(leases, ref('leader'))).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
  })

  it('passes on when the API server is away for longer than the deadline, and has a leader again when it is back', async () => {
    const calls: string[] = []
    const election = new Election({
      client,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      lease: ref('outage'),
      identity: 'only',
      onAcquired: () => calls.push('leads'),
      onLost: () => calls.push('lost'),
      durationMs: 3_000,
      renewDeadlineMs: 2_000,
      retryMs: 200,
    })
    election.start()
    await until(() => calls.length > 0)
    await plane.stopApiServer()
    await wait(3_000)
    expect(calls).toEqual(['leads', 'lost'])
    await plane.startApiServer()
    await until(() => calls.length >= 3)
    expect(calls).toEqual(['leads', 'lost', 'leads'])
    await election.stop()
  })
})

describe('after a restart of the API server', () => {
  it('a list that was begun before is gone in the middle, once etcd was compacted', async () => {
    const pages = client.listPages(configMaps, { limit: 3 })[Symbol.asyncIterator]()
    await pages.next()
    for (let i = 0; i < 4; i++) {
      await client.mergePatch(configMaps, ref('list-0'), { data: { i: String(i) } })
      await wait(1_000)
    }
    // Before the restart the server would go on from a snapshot in its memory.
    await plane.stopApiServer()
    await plane.startApiServer()
    expect(isGone(await failureOf(pages.next()))).toBe(true)
  })

  it('a watch from a version of long ago is gone', async () => {
    const watch = client.watch(configMaps, {
      resourceVersion: '1',
      timeoutSeconds: 5,
      idleMs: 30_000,
      signal: new AbortController().signal,
    })
    expect(isGone(await failureOf(watch[Symbol.asyncIterator]().next()))).toBe(true)
  })
})
