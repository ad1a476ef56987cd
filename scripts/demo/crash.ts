// Kills the controller in the middle of its first issuance (--crash): when it has made its CA key, and nothing else yet. Used by show.ts.

import { EventEmitter, once } from 'node:events'
import { PATIENCE_MS } from './names.ts'
import type { Operator } from './operator.ts'
import type { Stage } from './stage.ts'

/** Call it before the example is applied; the result resolves when the next controller is ready. */
export async function crashOnFirstStep(stage: Stage, operator: Operator): Promise<void> {
  const { screen } = stage
  const heard = new EventEmitter()
  const forget = operator.onLine((line) => line.includes('"authority changed"') && heard.emit('step'))
  await stage.wait(once(heard, 'step'), PATIENCE_MS, 'the first step of the authority').finally(forget)
  screen.say(`kill -9 ${operator.pid}; a new controller waits for the lease of the dead one (15 s) and goes on from what is in the cluster`)
  await operator.crash()
}
