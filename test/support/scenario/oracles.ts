// What must be true at every step of every scenario, whatever goes wrong (O1 to O8). It judges what is stored and what was asked, with node:crypto
// and not with the code under test, and collects what is broken; the tests expect nothing.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { keyDetector } from '../key-detector.ts'
import type { StoredEvent } from '../memory-api/storage.ts'
import type { World } from './world.ts'
import { isWriteVerb } from './write-verbs.ts'

/** How long a running program may go on with the files it has read. */
const LAG_MS = 10 * 60_000
const OURS = 'mutual-identity'

/** What one state of a leaf Secret means to programs. */
interface LeafState {
  readonly at: number
  replacedAt: number | undefined
  readonly chain: readonly X509Certificate[]
  readonly anchors: readonly X509Certificate[]
}

export interface Oracles {
  /** One line for each breach, with its oracle. */
  readonly broken: readonly string[]
  /** Stored changes of Secrets and ConfigMaps by operators, by verb and object: what O6 compares. */
  readonly changes: Readonly<Record<string, number>>
  /** Private keys that were ever stored, PEM. */
  readonly keys: readonly string[]
  /** Nothing is written when all objects are looked at again and again (O5). */
  comesToRest(): Promise<void>
  /** No key stands where none may (O3), and others' objects are as they were (O7). Returns all that is broken. */
  finish(): readonly string[]
}

export interface OracleOptions {
  /** Identities of one namespace are meant to accept each other at all times; default true. */
  readonly mutual?: boolean
}

/** Watches over a world from now on. */
export function watchOver(world: World, { mutual = true }: OracleOptions = {}): Oracles {
  const broken: string[] = []
  const changes: Record<string, number> = {}
  const keys = new Set<string>()
  const leaves = new Map<string, LeafState[]>()
  const issued: { readonly namespace: string; readonly certificate: X509Certificate; readonly until: number }[] = []
  const caKeys = new Map<string, Set<string>>()
  const others = new Map<string, string>()
  const breach = (oracle: string, what: string): void =>
    void broken.push(`${oracle} at ${new Date(world.clock.now()).toISOString()}: ${what}`)

  world.api.listen((event) => {
    const { kind, object, by } = event
    if (event.type === 'DELETED' && by !== 'operator') others.delete(object.metadata.uid ?? '')
    if (kind.plural !== 'secrets' && kind.plural !== 'configmaps') return
    const name = `${kind.plural} ${object.metadata.namespace}/${object.metadata.name}`
    if (by === 'operator') {
      const change = `${event.type} ${name}`
      changes[change] = (changes[change] ?? 0) + 1
      if (!isOurs(event.before ?? object) || !isOurs(object)) breach('O7', `${name} is not ours and was ${event.type}`)
    }
    const role = object.metadata.labels?.['mutualidentity.io/role']
    if (kind.plural === 'secrets' && role === 'ca') judgeCA(event, name)
    if (kind.plural === 'secrets' && role === 'leaf') judgeLeaf(event, name)
    if (kind.plural === 'configmaps' && role === 'bundle' && by === 'operator' && event.type !== 'DELETED') judgeBundle(event, name)
  })
  for (const object of foreignObjects(world)) others.set(object.metadata.uid ?? '', JSON.stringify(object))

  /** O4 */
  function judgeCA({ type, object, by }: StoredEvent, name: string): void {
    if (type === 'DELETED' || by !== 'operator') return
    const pem = textOf(object, 'tls.key')
    keys.add(pem)
    const known = caKeys.get(name) ?? new Set<string>()
    caKeys.set(name, known.add(createHash('sha256').update(pem).digest('hex')))
    if (known.size > 1) breach('O4', `${name} has had ${known.size} keys`)
  }

  function judgeLeaf({ type, object, by }: StoredEvent, name: string): void {
    const now = world.clock.now()
    const states = leaves.get(name) ?? []
    leaves.set(name, states)
    const last = states.at(-1)
    if (last) last.replacedAt ??= now
    if (type === 'DELETED' || by !== 'operator') return
    const state = readLeaf(object, now)
    if (typeof state === 'string') return breach('O2', `${name}: ${state}`)
    keys.add(textOf(object, 'tls.key'))
    const namespace = object.metadata.namespace ?? ''
    judgePair(state, object, name)
    judgeDropped(last?.anchors ?? [], state.anchors, name, (leaf) => leaf.namespace === namespace)
    if (last?.chain[0]?.fingerprint256 !== state.chain[0]?.fingerprint256) {
      const [certificate] = state.chain as [X509Certificate]
      issued.push({ namespace, certificate, until: Date.parse(certificate.validTo) })
    }
    states.push(state)
    if (mutual) judgeHandshakes(namespace, now)
  }

  /** O2 */
  function judgePair({ chain, anchors }: LeafState, object: RawObject, name: string): void {
    const [leaf] = chain
    if (!leaf?.checkPrivateKey(createPrivateKey(textOf(object, 'tls.key')))) breach('O2', `${name}: the key is not the certificate's`)
    if (!verifies(chain, anchors)) breach('O2', `${name}: the chain does not verify to its own ca.crt`)
    if (!leaf?.subjectAltName?.includes(`/ns/${object.metadata.namespace}/sa/`)) breach('O2', `${name}: it is for ${leaf?.subjectAltName}`)
    if (leaf && Date.parse(leaf.validTo) <= world.clock.now()) breach('O2', `${name}: it has expired`)
  }

  /** O1: whoever may still use these files, old or new, is accepted by whoever may still use those. */
  function judgeHandshakes(namespace: string, now: number): void {
    const here = [...leaves].filter(([name]) => name.startsWith(`secrets ${namespace}/`))
    const inUse = (states: readonly LeafState[]): LeafState[] =>
      states.filter(({ replacedAt }) => replacedAt === undefined || now - replacedAt < LAG_MS)
    for (const [server, states] of here) {
      for (const [client, peers] of here) {
        if (client === server) continue
        for (const state of inUse(states)) {
          if (Date.parse(state.chain[0]?.validTo ?? '') <= now) continue
          for (const peer of inUse(peers))
            if (!verifies(state.chain, peer.anchors))
              breach('O1', `${client} would refuse ${server} (${since(state, now)} against ${since(peer, now)})`)
        }
      }
    }
  }

  function judgeBundle({ object, before }: StoredEvent, name: string): void {
    const data = (of: RawObject | undefined): string => (of?.['data'] as Record<string, string> | undefined)?.['ca.crt'] ?? ''
    const anchors = read(() => certificatesOf(data(object)))
    if (!anchors || anchors.length === 0) return breach('O2', `${name}: its ca.crt is empty or no PEM`)
    judgeDropped(read(() => certificatesOf(data(before))) ?? [], anchors, name, () => true)
  }

  /** O8 */
  function judgeDropped(
    before: readonly X509Certificate[],
    after: readonly X509Certificate[],
    name: string,
    concerns: (leaf: (typeof issued)[number]) => boolean,
  ): void {
    const left = new Set(after.map(({ fingerprint256 }) => fingerprint256))
    for (const anchor of before.filter(({ fingerprint256 }) => !left.has(fingerprint256))) {
      const used = issued.find((leaf) => concerns(leaf) && leaf.until > world.clock.now() && verifies([leaf.certificate], [anchor]))
      if (used) breach('O8', `${name} dropped ${anchor.subject} while a certificate of it lasts until ${used.certificate.validTo}`)
    }
  }

  return {
    broken,
    changes,
    get keys() {
      return [...keys]
    },
    async comesToRest() {
      await world.settle()
      for (let look = 0; look < 4; look++) {
        const before = operatorWrites(world).length
        for (const process of world.processes) if (!process.connection.dead) process.resync()
        await world.settle()
        const more = operatorWrites(world).slice(before)
        if (more.length > 0)
          breach(
            'O5',
            `looking again wrote ${more.map(({ verb, resource, subresource, name }) => `${verb} ${resource}${subresource && `/${subresource}`} ${name}`).join(', ')}`,
          )
      }
    },
    finish() {
      for (const object of foreignObjects(world)) {
        const known = others.get(object.metadata.uid ?? '')
        others.delete(object.metadata.uid ?? '')
        if (known !== undefined && known !== JSON.stringify(object)) breach('O7', `${object.metadata.name} was changed`)
      }
      for (const gone of others.values()) breach('O7', `an object of others is gone: ${gone.slice(0, 120)}`)
      const find = keyDetector([...keys])
      for (const text of publicTexts(world)) {
        const found = find(text)
        if (found !== undefined) breach('O3', `${found} stands in ${text.slice(0, 160)}`)
      }
      return broken
    },
  }
}

const SECRETS = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true } as const
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true } as const

/** What operators asked to be changed, whether it was carried out or not. */
export const operatorWrites = ({ api }: Pick<World, 'api'>) =>
  api.requests.filter(({ user, verb, resource }) => user === 'operator' && isWriteVerb(verb) && resource !== 'leases')

function foreignObjects({ api }: World): RawObject[] {
  return [...api.objects(SECRETS), ...api.objects(CONFIG_MAPS)].filter((object) => !isOurs(object))
}

/** By its label, or by an annotation of ours where somebody took the label away. */
function isOurs({ metadata }: RawObject): boolean {
  if (metadata.labels?.['app.kubernetes.io/managed-by'] === OURS) return true
  return Object.keys(metadata.annotations ?? {}).some((key) => key.startsWith('mutualidentity.io/'))
}

const since = ({ at, replacedAt }: LeafState, now: number): string =>
  `${replacedAt === undefined ? 'current' : 'former'}, ${Math.round((now - at) / 1000)} s old`

function readLeaf(object: RawObject, at: number): LeafState | string {
  const chain = read(() => certificatesOf(textOf(object, 'tls.crt')))
  const anchors = read(() => certificatesOf(textOf(object, 'ca.crt')))
  if (!chain?.length) return 'tls.crt cannot be read'
  if (!anchors?.length) return 'ca.crt is empty or cannot be read'
  return { at, replacedAt: undefined, chain, anchors }
}

const textOf = (object: RawObject, field: string): string =>
  Buffer.from((object['data'] as Record<string, string> | undefined)?.[field] ?? '', 'base64').toString('latin1')

const parsed = new Map<string, X509Certificate>()

function certificatesOf(text: string): X509Certificate[] {
  return (text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map((pem) => {
    const certificate = parsed.get(pem) ?? new X509Certificate(pem)
    parsed.set(pem, certificate)
    return certificate
  })
}

function read<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

const verdicts = new Map<string, boolean>()

/** Whether a chain, leaf first, ends at one of the anchors: names and signatures. */
function verifies(chain: readonly X509Certificate[], anchors: readonly X509Certificate[]): boolean {
  return chain.some((certificate, index) => {
    const below = chain.slice(0, index).every((child, at) => isIssued(child, chain[at + 1] as X509Certificate))
    return below && anchors.some((anchor) => isIssued(certificate, anchor))
  })
}

function isIssued(child: X509Certificate, issuer: X509Certificate): boolean {
  const key = `${child.fingerprint256}${issuer.fingerprint256}`
  const known = verdicts.get(key)
  if (known !== undefined) return known
  const verdict = child.checkIssued(issuer) && child.verify(issuer.publicKey)
  verdicts.set(key, verdict)
  return verdict
}

/** All texts in which no key may stand: logs, what was sent but the data of Secrets, what is stored but that. */
function publicTexts({ api, lines }: World): string[] {
  const bodies = api.requests.flatMap(({ user, resource, body }) =>
    user !== 'operator' || body === undefined ? [] : [resource === 'secrets' ? withoutData(body) : body],
  )
  return [...lines, ...bodies]
}

function withoutData(body: string): string {
  const { data: _data, ...rest } = JSON.parse(body) as { data?: unknown }
  return JSON.stringify(rest)
}
