// Runs the command within the test: its words in, what it printed and its exit code out. Used by the tests of the verbs.

import { systemClock } from '../../src/base/clock.ts'
import { type Cluster, type Connect, connector } from '../../src/cli/cluster.ts'
import { runCommand } from '../../src/cli/command.ts'
import type { Session } from '../../src/cli/verb.ts'
import type { Reply } from '../../src/k8s/call.ts'
import { createClient } from '../../src/k8s/client.ts'
import type { Transport } from '../../src/k8s/transport.ts'
import { steadyRandom } from './material.ts'
import type { FaultHook } from './memory-api/faults.ts'
import type { World } from './scenario/world.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly errors: string
}

/** By the machine's clock, and a kubeconfig that the words name. */
export async function runCli(args: readonly string[], change: Partial<Session> = {}): Promise<Ran> {
  let out = ''
  let errors = ''
  const environment = {}
  const code = await runCommand(args, {
    clock: systemClock,
    random: steadyRandom,
    environment,
    connect: connector({ clock: systemClock, random: steadyRandom, environment }),
    write: (text) => {
      out += text
    },
    complain: (text) => {
      errors += text
    },
    terminal: false,
    signal: new AbortController().signal,
    ...change,
  })
  return { code, out, errors }
}

/** In a world, as a person whose context stands in the namespace shop; `hook` takes rights away. */
export function runInWorld(world: World, args: readonly string[], hook?: FaultHook, change: Partial<Session> = {}): Promise<Ran> {
  return runCli(args, { clock: world.clock, connect: connectWorld(world, hook), ...change })
}

function connectWorld(world: World, hook?: FaultHook): Connect {
  return async (): Promise<Cluster> => {
    const transport = besides(world.api.connect({ user: 'viewer', ...(hook ? { hook } : {}) }), world, hook)
    return {
      client: createClient(transport, { clock: world.clock, random: steadyRandom, fieldManager: 'kubectl-mutual' }),
      transport,
      namespace: 'shop',
      describe: 'memory',
      close: () => transport.close(),
    }
  }
}

/** Answers besides what is stored: the version of the server, and what RBAC would say, by the same hook. */
function besides(connection: Transport, world: World, hook: FaultHook | undefined): Transport {
  const answer = (body: object): Reply => ({
    status: 200,
    retryAfterMs: undefined,
    date: Math.floor(world.clock.now() / 1000) * 1000,
    text: async () => JSON.stringify(body),
    async *lines() {},
  })
  return {
    async request(call) {
      if (call.path === '/version') return answer({ major: '1', minor: '37', gitVersion: 'v1.37.2' })
      if (call.resource !== 'selfsubjectaccessreviews') return connection.request(call)
      const { spec } = JSON.parse(call.body ?? '{}') as { spec: { resourceAttributes: Record<'verb' | 'resource' | 'namespace', string> } }
      const { verb, resource, namespace = '' } = spec.resourceAttributes
      const fault = hook?.({ number: 0, user: 'viewer', verb, resource, subresource: '', namespace, name: '', call })
      return answer({ status: { allowed: fault === undefined } })
    },
    close: () => connection.close(),
  }
}

/** What RBAC says to somebody without rights to these: plural, or namespace/plural. */
export const forbidding =
  (...places: readonly string[]): FaultHook =>
  ({ verb, resource, namespace }) =>
    places.includes(resource) || places.includes(`${namespace}/${resource}`)
      ? { kind: 'refuse', status: 403, reason: 'Forbidden', message: `User "viewer" cannot ${verb} resource "${resource}"` }
      : undefined
