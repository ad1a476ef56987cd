// The watcher and its store against a real API server: selectors, our own writes, rights and collections that come later, pages,
// a server that is killed, a network that falls silent.

import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { ClusterAccess } from '../../src/k8s/access.ts'
import { type Client, createClient } from '../../src/k8s/client.ts'
import { loadAccess } from '../../src/k8s/kubeconfig.ts'
import { configMaps, namespaces, type RawObject, type Resource } from '../../src/k8s/resource.ts'
import { type Change, Store, type Stored, storedMeta } from '../../src/k8s/store.ts'
import { createTransport, type Transport } from '../../src/k8s/transport.ts'
import { Watcher, type WatcherOptions } from '../../src/k8s/watcher.ts'

const namespace = 'watched'
const widgets: Resource = { group: 'watcher.example.test', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true }
const definitions: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
}
const roles: Resource = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'roles', kind: 'Role', namespaced: true }
const bindings: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'rolebindings',
  kind: 'RoleBinding',
  namespaced: true,
}

interface Item extends Stored {
  readonly value: string
}

let plane: ControlPlane
let access: ClusterAccess
let client: Client
const transports: Transport[] = []
const watchers: Watcher<Item>[] = []

function connect(to: ClusterAccess): Client {
  const transport = createTransport(to, { clock: systemClock })
  transports.push(transport)
  return createClient(transport, { clock: systemClock, random: systemRandom, fieldManager: 'watcher-test' })
}

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false, say: () => {} })
  access = await loadAccess({ clock: systemClock, kubeconfig: plane.kubeconfigFile, environment: {} })
  client = connect(access)
  await client.create(namespaces, { metadata: { name: namespace } })
})
afterEach(async () => {
  for (const watcher of watchers.splice(0)) await watcher.stop()
})
afterAll(async () => {
  for (const transport of transports) await transport.close()
  await plane?.stop()
})

/** Watches ConfigMaps with the label `test: name`; not started yet. */
function watched(name: string, more: Partial<WatcherOptions<Item>> = {}) {
  const resource = more.resource ?? configMaps
  const store = new Store<Item>({
    resource,
    project: (raw) => ({ ...storedMeta(raw), value: (raw.data as { value?: string } | undefined)?.value ?? '' }),
    indexes: { value: (item) => [item.value] },
  })
  const changes: Change<Item>[] = []
  store.subscribe((change) => changes.push(change))
  const watcher = new Watcher({
    client,
    store,
    resource,
    labelSelector: `test=${name}`,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    ...more,
  })
  watchers.push(watcher)
  const object = (id: string, value = ''): RawObject => ({
    metadata: { name: `${name}-${id}`, namespace, labels: { test: name } },
    data: { value },
  })
  const ref = (id: string) => ({ namespace, name: `${name}-${id}` })
  const shown = (): string[] => [...store.all()].map((item) => `${item.name.slice(name.length + 1)}=${item.value}`).sort()
  return { store, watcher, changes, object, ref, shown }
}

/** Waits until `look` gives what is expected, 60 s at most. */
async function until<T>(look: () => T, expected: T, ms = 60_000): Promise<void> {
  const end = Date.now() + ms
  while (JSON.stringify(look()) !== JSON.stringify(expected) && Date.now() < end) await wait(10)
  expect(look()).toEqual(expected)
}

describe('a watcher', () => {
  it('shows what is there, what comes, what changes and what goes', async () => {
    const { watcher, object, ref, shown } = watched('plain')
    await client.create(configMaps, object('old', '1'))
    await watcher.start()
    expect(shown()).toEqual(['old=1'])
    await client.create(configMaps, object('new', '1'))
    await client.mergePatch(configMaps, ref('old'), { data: { value: '2' } })
    await until(shown, ['new=1', 'old=2'])
    await client.delete(configMaps, ref('old'), {})
    await until(shown, ['new=1'])
    expect(watcher.lists).toBe(1)
  })

  it('loses sight of what leaves the selection and sees it again, the same object, when it comes back', async () => {
    const { watcher, object, ref, shown, changes } = watched('label')
    const { uid } = (await client.create(configMaps, object('a', '1'))).metadata
    await watcher.start()
    await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { test: null } } })
    await until(shown, [])
    await client.mergePatch(configMaps, ref('a'), { metadata: { labels: { test: 'label' } } })
    await until(shown, ['a=1'])
    expect(changes.map(({ before, after }) => [before?.uid, after?.uid])).toEqual([
      [undefined, uid],
      [uid, undefined],
      [undefined, uid],
    ])
  })

  it('reads our own writes at once and hears of each once', async () => {
    const { watcher, object, ref, shown, changes, store } = watched('own')
    await watcher.start()
    for (let i = 0; i < 20; i++) {
      const made = await client.create(configMaps, object('a', `${i}`))
      store.wrote(made)
      expect(shown()).toEqual([`a=${i}`])
      store.wrote(await client.mergePatch(configMaps, ref('a'), { data: { value: `${i}!` } }))
      expect(shown()).toEqual([`a=${i}!`])
      await client.delete(configMaps, ref('a'), { uid: made.metadata.uid as string })
      store.removed(ref('a'), made.metadata.uid as string)
      expect(shown()).toEqual([])
    }
    // Something after all that, so that all of it has come.
    await client.create(configMaps, object('end'))
    await until(shown, ['end='])
    expect(changes.length).toBe(20 * 3 + 1)
  })

  it('shows what we deleted and finalizers keep', async () => {
    const { watcher, object, ref, shown, store } = watched('held')
    const held = object('a', '1')
    const { uid = '' } = (await client.create(configMaps, { ...held, metadata: { ...held.metadata, finalizers: ['example.test/hold'] } }))
      .metadata
    await watcher.start()
    await client.delete(configMaps, ref('a'), { uid })
    store.removed(ref('a'), uid)
    await until(shown, ['a=1'])
    await client.mergePatch(configMaps, ref('a'), { metadata: { finalizers: null } })
    await until(shown, [])
  })

  it('takes in more than one page', async () => {
    const { watcher, object, shown } = watched('many')
    const ids = Array.from({ length: 1200 }, (_, i) => String(i).padStart(4, '0'))
    for (let i = 0; i < ids.length; i += 50) await Promise.all(ids.slice(i, i + 50).map((id) => client.create(configMaps, object(id))))
    await watcher.start()
    expect(shown()).toEqual(ids.map((id) => `${id}=`))
  })

  it('waits for rights and for the collection itself', async () => {
    const kubeconfig = await plane.clientKubeconfig('reader', [])
    const reader = connect(await loadAccess({ clock: systemClock, kubeconfig, environment: {} }))
    const { watcher, shown } = watched('late', { client: reader, resource: widgets, namespace })
    let synced = false
    const starting = watcher.start().then(() => (synced = true))
    await wait(500)
    expect(synced).toBe(false)
    const rules = [{ apiGroups: [widgets.group], resources: [widgets.plural], verbs: ['list', 'watch'] }]
    await client.create(roles, { metadata: { name: 'reader', namespace }, rules })
    await client.create(bindings, {
      metadata: { name: 'reader', namespace },
      roleRef: { apiGroup: roles.group, kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: roles.group, kind: 'User', name: 'reader' }],
    })
    await wait(1500)
    expect(synced).toBe(false)
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    await client.create(definitions, {
      metadata: { name: `${widgets.plural}.${widgets.group}` },
      spec: {
        group: widgets.group,
        scope: 'Namespaced',
        names: { plural: widgets.plural, singular: 'widget', kind: widgets.kind },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    })
    await starting
    await client.create(widgets, { metadata: { name: 'late-a', namespace, labels: { test: 'late' } }, data: { value: '1' } })
    await until(shown, ['a=1'])
  })
})

describe('a server that is killed', () => {
  it('is followed again when it is back, with what happened meanwhile', async () => {
    const { watcher, object, ref, shown, changes } = watched('killed')
    await client.create(configMaps, object('stays', '1'))
    await client.create(configMaps, object('changes', '1'))
    await watcher.start()
    changes.length = 0
    await plane.stopApiServer('SIGKILL')
    expect(shown()).toEqual(['changes=1', 'stays=1'])
    await wait(1000)
    await plane.startApiServer()
    await client.mergePatch(configMaps, ref('changes'), { data: { value: '2' } })
    await client.create(configMaps, object('new', '1'))
    await until(shown, ['changes=2', 'new=1', 'stays=1'])
    expect(changes.length).toBe(2)
  })
})

describe('a network that falls silent', () => {
  let proxy: Server
  const sockets = new Set<Socket>()
  let silent = false

  beforeAll(async () => {
    const target = new URL(access.server)
    proxy = createServer((inner) => {
      const outer = connectSocket(Number(target.port), target.hostname)
      for (const [from, to] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(from)
        from.on('data', (chunk: Buffer) => {
          if (!silent) to.write(chunk)
        })
        from.on('error', () => {})
        from.on('close', () => to.destroy())
      }
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => proxy.close(resolve))
  })

  it('is found out by the silence, and followed again when it speaks', async () => {
    const { port } = proxy.address() as { port: number }
    const muted = connect({
      ...access,
      server: `https://127.0.0.1:${port}`,
      credentials: () => access.credentials(),
      refused: () => access.refused(),
    })
    const { watcher, object, shown } = watched('silent', { client: muted, idleMs: 2000 })
    await watcher.start()
    await client.create(configMaps, object('a'))
    await until(shown, ['a='])
    silent = true
    await client.create(configMaps, object('b'))
    await wait(3000)
    expect(shown()).toEqual(['a='])
    expect(watcher.silentMs).toBeGreaterThan(2500)
    silent = false
    await until(shown, ['a=', 'b='])
  })
})
