// The sections of the check as text, and what they come to. Pure.

import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Paint, Style } from '../output/colour.ts'
import { printable } from '../output/printable.ts'
import type { Level, Section } from './finding.ts'

/** As `linkerd check` marks its lines. */
const MARKS: Readonly<Record<Level, readonly [mark: string, style: Style]>> = {
  good: ['√', 'good'],
  warning: ['!', 'waiting'],
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
  const [wrong, doubtful] = [count('bad'), count('warning')]
  const hints = doubtful === 0 ? '' : `, ${doubtful} warning${doubtful === 1 ? '' : 's'}`
  if (wrong === 0) return paint('good', `Healthy${hints}.\n`)
  return paint('bad', `${wrong} thing${wrong === 1 ? ' is' : 's are'} wrong${hints}.\n`)
}

export const exitOfCheck = (sections: readonly Section[]): ExitCode =>
  sections.some(({ findings }) => findings.some(({ level }) => level === 'bad')) ? EXIT.refused : EXIT.good
