// Runs the command within the test: its words in, what it printed and its exit code out. Used by the tests of the verbs.

import { systemClock } from '../../src/base/clock.ts'
import { type Cluster, type Connect, connector } from '../../src/cli/cluster.ts'
import { runCommand } from '../../src/cli/command.ts'
import type { Session } from '../../src/cli/verb.ts'
import { createClient } from '../../src/k8s/client.ts'
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
    const transport = world.api.connect({ user: 'viewer', ...(hook ? { hook } : {}) })
    return {
      client: createClient(transport, { clock: world.clock, random: steadyRandom, fieldManager: 'kubectl-mutual' }),
      transport,
      namespace: 'shop',
      describe: 'memory',
      close: () => transport.close(),
    }
  }
}

/** What RBAC says to somebody without rights to these: plural, or namespace/plural. */
export const forbidding =
  (...places: readonly string[]): FaultHook =>
  ({ verb, resource, namespace }) =>
    places.includes(resource) || places.includes(`${namespace}/${resource}`)
      ? { kind: 'refuse', status: 403, reason: 'Forbidden', message: `User "viewer" cannot ${verb} resource "${resource}"` }
      : undefined
