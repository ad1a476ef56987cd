// The sections of the check as text, and what they come to. Pure.

import { EXIT, type ExitCode, worst } from '../exit-code.ts'
import type { Paint, Style } from '../output/colour.ts'
import { printable } from '../output/printable.ts'
import type { Level, Section } from './finding.ts'

/** As `linkerd check` marks its lines. */
const MARKS: Readonly<Record<Level, readonly [mark: string, style: Style]>> = {
  good: ['√', 'good'],
  warning: ['!', 'waiting'],
  unknown: ['?', 'waiting'],
  bad: ['×', 'bad'],
}

export function sectionText({ title, findings }: Section, paint: Paint): string {
  const lines = findings.map(({ level, text, remedy }) => {
    const [mark, style] = MARKS[level]
    return `${paint(style, mark)} ${printable(text)}\n${remedy === undefined ? '' : `    ${paint('dim', printable(remedy))}\n`}`
  })
  return `${paint('bold', title)}\n${lines.join('')}`
}

export function conclusion(sections: readonly Section[], paint: Paint): string {
  const count = (level: Level): number => sections.flatMap(({ findings }) => findings).filter((finding) => finding.level === level).length
  const [wrong, doubtful, unseen] = [count('bad'), count('warning'), count('unknown')]
  const hints = (doubtful === 0 ? '' : `, ${doubtful} warning${doubtful === 1 ? '' : 's'}`) + (unseen === 0 ? '' : `, ${unseen} unknown`)
  if (wrong === 0) return unseen === 0 ? paint('good', `Healthy${hints}.\n`) : paint('waiting', `Nothing wrong seen${hints}.\n`)
  return paint('bad', `${wrong} thing${wrong === 1 ? ' is' : 's are'} wrong${hints}.\n`)
}

/** What could not be seen is not called good: whoever asks with too few rights would never hear of a fault. */
const EXIT_CODES: Readonly<Record<Level, ExitCode>> = { good: EXIT.good, warning: EXIT.good, unknown: EXIT.waiting, bad: EXIT.refused }

export const exitOfCheck = (sections: readonly Section[]): ExitCode =>
  worst(sections.flatMap(({ findings }) => findings.map(({ level }) => EXIT_CODES[level])))
