// Reads a Dockerfile and carries out the steps of its build stage in a folder, where there is no container engine. Used by the image test.
// It knows what our Dockerfile uses, and throws on anything else, so that no step is left out unseen.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface Instruction {
  readonly word: string
  readonly rest: string
}

/** Instructions by stage, in order; comments left out. Throws on a line that is none. */
export function stagesOf(text: string): readonly (readonly Instruction[])[] {
  const stages: Instruction[][] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [, word = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? []
    if (word === '') throw new Error(`no instruction: ${line}`)
    if (word === 'FROM') stages.push([])
    stages.at(-1)?.push({ word, rest })
  }
  return stages
}

/** The one instruction of a stage with that word. */
export function only(stage: readonly Instruction[], word: string): string {
  const found = stage.filter((instruction) => instruction.word === word)
  if (found.length !== 1) throw new Error(`${found.length} instructions ${word}`)
  return found[0]?.rest ?? ''
}

/** Carries out COPY and RUN of a build stage: `context` is the checkout, `root` an empty folder that stands for the image's root. */
export function buildStage(stage: readonly Instruction[], context: string, root: string, environment: NodeJS.ProcessEnv): void {
  let place = root
  for (const { word, rest } of stage) {
    if (word === 'WORKDIR') {
      place = join(root, rest)
      mkdirSync(place, { recursive: true })
    } else if (word === 'COPY') copy(rest.split(' '), context, place)
    else if (word === 'RUN') execFileSync('sh', ['-c', rest], { cwd: place, env: environment, stdio: ['ignore', 'ignore', 'inherit'] })
    else if (word !== 'FROM') throw new Error(`an instruction that this test does not carry out: ${word}`)
  }
}

/** The target is a folder where it ends with a slash, or the source is one. */
function copy(words: readonly string[], context: string, place: string): void {
  const target = words.at(-1) as string
  for (const source of words.slice(0, -1)) {
    const from = join(context, source)
    const into = target.endsWith('/') && statSync(from).isFile() ? join(target, basename(source)) : target
    cpSync(from, join(place, into), { recursive: true })
  }
}
