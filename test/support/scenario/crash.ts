// Runs a story with one fault at one write: the process dies before it sends, or after it was carried out, or the reply is lost. Used by the crash
// suite; what must be true is judged by the oracles.

import type { Fault, FaultHook } from '../memory-api/faults.ts'
import { type Oracles, operatorWrites, watchOver } from './oracles.ts'
import type { Story } from './stories.ts'
import { createWorld, type World } from './world.ts'
import { isWriteVerb } from './write-verbs.ts'

/** How a write ends that goes wrong. */
export const DEATHS = {
  'dies before it sends': 'dieBefore',
  'dies after it was carried out': 'dieAfter',
  'loses the reply': 'breakAfter',
} as const satisfies Record<string, Fault['kind']>
export type Death = (typeof DEATHS)[keyof typeof DEATHS]

/** How a run ended. */
export interface Run {
  /** Writes that were asked for since faults began, in order. */
  readonly writes: readonly string[]
  readonly changes: Oracles['changes']
  /** Everything that is wrong: the end was not reached, or an oracle is broken. */
  readonly wrong: readonly string[]
  /** Operators that were started. */
  readonly starts: number
}

/** As long as a pod takes to be started again. */
const RESTART_MS = 3000

/** Tells the story; `fault` strikes once, at the write of that number (from 1). */
export async function tell(story: Story, fault?: { readonly write: number; readonly kind: Death }): Promise<Run> {
  let armed = false
  let count = 0
  const hook: FaultHook = ({ verb, resource }) => {
    if (!armed || !isWriteVerb(verb) || resource === 'leases') return undefined
    count++
    return fault && count === fault.write ? { kind: fault.kind } : undefined
  }
  let starts = 0
  const begin = async (world: World): Promise<void> => {
    starts++
    await world.start({ hook })
  }
  const world = createWorld(async (present) => {
    // Whoever finds the operator dead starts another one.
    while (present.processes.length > 0 && present.processes.every(({ connection }) => connection.dead)) {
      await present.clock.advance(RESTART_MS)
      await begin(present)
      await present.settle()
    }
  })
  await story.prepare(world)
  const oracles = watchOver(world, { mutual: !story.strangers })
  if (story.given) {
    await begin(world)
    await world.settle()
    await story.given(world)
    await world.settle()
  }
  const before = operatorWrites(world).length
  armed = true
  if (!story.given) await begin(world)
  await world.settle()
  await story.act(world)
  // Whatever was put off by a failure has come by then.
  await world.pass(60_000)
  armed = false
  const missing = story.missing(world)
  await oracles.comesToRest()
  const writes = operatorWrites(world)
    .slice(before)
    .map(
      ({ verb, resource, subresource, namespace, name }) =>
        `${verb} ${resource}${subresource && `/${subresource}`} ${namespace && `${namespace}/`}${name}`,
    )
  return {
    writes,
    changes: oracles.changes,
    wrong: [...(missing === undefined ? [] : [`not reached: ${missing}`]), ...oracles.finish()],
    starts,
  }
}
