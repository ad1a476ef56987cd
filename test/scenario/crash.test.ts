// The crash suite: every story, every write in it, every kind of death. No oracle may be broken, the end must be reached, and nobody steps in.
// Prints the table of stories x faults x runs at the end.

import { afterAll, describe, expect, it } from '@jest/globals'
import { DEATHS, type Death, type Run, tell } from '../support/scenario/crash.ts'
import { STORIES } from '../support/scenario/stories.ts'

const table: string[] = []

afterAll(() => {
  const head = '| story | writes | runs | restarts | broken |'
  process.stderr.write(`\n${[head, '|---|---|---|---|---|', ...table].join('\n')}\n\n`)
})

describe.each(STORIES.map((story) => [story.name, story] as const))('%s', (_name, story) => {
  let calm: Run
  it('comes to its end, and breaks no oracle on the way', async () => {
    calm = await tell(story)
    expect(calm.wrong).toEqual([])
    expect(calm.writes.length).toBeGreaterThan(0)
  }, 60_000)

  it('comes to the same end wherever a write goes wrong', async () => {
    const broken: string[] = []
    let restarts = 0
    for (let write = 1; write <= calm.writes.length; write++) {
      for (const kind of Object.values(DEATHS) as Death[]) {
        const run = await tell(story, { write, kind })
        restarts += run.starts - calm.starts
        const where = `${kind} at write ${write} (${calm.writes[write - 1]})`
        broken.push(...run.wrong.map((what) => `${where}: ${what}`))
        broken.push(...differing(calm.changes, run.changes).map((what) => `${where}: O6: ${what}`))
      }
    }
    const runs = calm.writes.length * Object.keys(DEATHS).length
    table.push(`| ${story.name} | ${calm.writes.length} | ${runs} | ${restarts} | ${broken.length} |`)
    expect(broken).toEqual([])
  }, 120_000)
})

/** O6: what was stored of Secrets and ConfigMaps is what is stored when nothing goes wrong. */
function differing(calm: Run['changes'], faulted: Run['changes']): string[] {
  return [...new Set([...Object.keys(calm), ...Object.keys(faulted)])]
    .filter((change) => calm[change] !== faulted[change])
    .map((change) => `${change}: ${faulted[change] ?? 0} times instead of ${calm[change] ?? 0}`)
}
