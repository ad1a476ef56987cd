// What may come next on the command line. The words are not finished, so they are not read as a command but looked at from the end.

import { clusterMutualAuthorities, mutualAuthorities, mutualIdentities } from '../../api/kinds.ts'
import { namespaces, type Resource } from '../../k8s/resource.ts'
import type { Cluster } from '../cluster.ts'
import { type Flag, type Flags, GLOBAL_FLAGS } from '../flags.ts'
import type { Session, Verb } from '../verb.ts'

export interface Candidate {
  readonly word: string
  readonly about?: string | undefined
}

/** Shells for which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `words`: all after the name of the command; the last one is being typed and may be empty. */
export async function candidatesFor(words: readonly string[], verbs: readonly Verb[], session: Session): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const all = await candidates(before, typed, { verbs: verbs.filter(({ summary }) => summary !== ''), session })
  return all.filter(({ word }) => word.startsWith(typed))
}

interface Context {
  readonly verbs: readonly Verb[]
  readonly session: Session
}

async function candidates(before: readonly string[], typed: string, context: Context): Promise<readonly Candidate[]> {
  const [name] = before
  if (name === undefined) return context.verbs.map((verb) => ({ word: verb.name, about: verb.summary }))
  const verb = context.verbs.find((candidate) => candidate.name === name)
  if (!verb) return []
  const flags: Flags = { ...verb.flags, ...GLOBAL_FLAGS }
  const open = openFlag(before.at(-1) ?? '', flags)
  if (open !== undefined) return await valuesOf(open, verb, before, context.session)
  const joined = /^--([a-z-]+)=/.exec(typed)?.[1]
  if (joined !== undefined) {
    const values = await valuesOf(joined, verb, before, context.session)
    return values.map(({ word, about }) => ({ word: `--${joined}=${word}`, about }))
  }
  if (typed.startsWith('-')) return Object.entries(flags).map(([flag, { help }]) => ({ word: `--${flag}`, about: help }))
  return await wordsOf(verb, before, context)
}

/** The flag whose value is being typed. */
function openFlag(word: string, flags: Flags): string | undefined {
  const found = Object.entries(flags).find(
    ([name, { short }]: [string, Flag]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  )
  return found?.[1].value === undefined ? undefined : found[0]
}

async function valuesOf(flag: string, verb: Verb, before: readonly string[], session: Session): Promise<readonly Candidate[]> {
  if (flag === 'output') return verb.formats.map((word) => ({ word }))
  if (flag === 'namespace' || flag === 'operator-namespace') return await names(before, session, ({ client }) => list(client, namespaces))
  return []
}

async function wordsOf(verb: Verb, before: readonly string[], { verbs, session }: Context): Promise<readonly Candidate[]> {
  if (verb.words === undefined) return []
  if (verb.words === 'verbs') return verbs.map(({ name, summary }) => ({ word: name, about: summary }))
  if (verb.words === 'shells') return SHELLS.map((word) => ({ word }))
  if (verb.words === 'identities')
    return await names(before, session, (cluster, namespace) => list(cluster.client, mutualIdentities, namespace))
  if (before.includes('authority')) {
    return await names(before, session, async ({ client }, namespace) => [
      ...(await list(client, clusterMutualAuthorities)),
      ...(await list(client, mutualAuthorities, namespace)),
    ])
  }
  const identities = await names(before, session, (cluster, namespace) => list(cluster.client, mutualIdentities, namespace))
  return [...identities, { word: 'authority', about: 'an authority instead of an identity' }]
}

/** Names from the cluster; none where it does not answer: a shell must not show errors between its words. */
async function names(
  before: readonly string[],
  session: Session,
  ask: (cluster: Cluster, namespace: string) => Promise<readonly string[]>,
): Promise<readonly Candidate[]> {
  try {
    const cluster = await session.connect({ kubeconfig: given(before, '--kubeconfig'), context: given(before, '--context') })
    try {
      const found = await ask(cluster, given(before, '--namespace') ?? given(before, '-n') ?? cluster.namespace)
      return found.map((word) => ({ word }))
    } finally {
      await cluster.close()
    }
  } catch {
    return []
  }
}

function given(words: readonly string[], flag: string): string | undefined {
  const at = words.lastIndexOf(flag)
  return at >= 0 ? words[at + 1] : words.findLast((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1)
}

/** A person waits at the key: one page, three seconds. */
const PATIENCE_MS = 3_000

async function list(client: Cluster['client'], resource: Resource, namespace?: string): Promise<readonly string[]> {
  for await (const { items } of client.listPages(resource, {
    deadlineMs: PATIENCE_MS,
    ...(namespace === undefined ? {} : { namespace }),
  })) {
    return items.map(({ metadata }) => metadata.name)
  }
  return []
}
