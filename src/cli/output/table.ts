// Tables and pages in plain text, aligned by spaces, as kubectl prints them. Pure. Every cell is made printable here, so that no caller can forget it.

import { type Paint, plain, type Style } from './colour.ts'
import { printable } from './printable.ts'

export type Cell = string | { readonly text: string; readonly style?: Style | undefined }

/** A name and a value; `undefined` is an empty line. */
export type PageRow = readonly [name: string, value: Cell] | undefined

const GAP = 3
const textOf = (cell: Cell): string => printable(typeof cell === 'string' ? cell : cell.text)
const styleOf = (cell: Cell): Style | undefined => (typeof cell === 'string' ? undefined : cell.style)
/** In characters, not in UTF-16 units. */
const widthOf = (text: string): number => [...text].length

/** How wide each column must be for all of these rows. */
export function widthsOf(rows: readonly (readonly Cell[])[]): number[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  return Array.from({ length: columns }, (_, column) => Math.max(0, ...rows.map((row) => widthOf(textOf(row[column] ?? '')))))
}

/** One line, without blanks at its end, with a line end. */
export function tableLine(row: readonly Cell[], widths: readonly number[], paint: Paint = plain): string {
  const cells = row.map((cell, column) => {
    const text = textOf(cell)
    const isLast = row.slice(column + 1).every((later) => textOf(later) === '')
    const padding = isLast ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text)) + GAP)
    return paint(styleOf(cell), text) + padding
  })
  return `${cells.join('').trimEnd()}\n`
}

/** Header and rows; an empty cell shows as `-`, so that columns can be counted. */
export function table(header: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint = plain): string {
  const filled = rows.map((row) => row.map((cell) => (textOf(cell) === '' ? '-' : cell)))
  const widths = widthsOf([header, ...filled])
  return [header.map((text): Cell => ({ text, style: 'bold' })), ...filled].map((row) => tableLine(row, widths, paint)).join('')
}

/** Names in one column, values in the other. */
export function page(rows: readonly PageRow[], paint: Paint = plain): string {
  const width = Math.max(14, ...rows.map((row) => (row ? widthOf(printable(row[0])) + 2 : 0)))
  return rows
    .map((row) => {
      if (!row) return '\n'
      const [name, value] = row
      const label = name === '' ? '' : `${printable(name)}:`
      return `${`${label.padEnd(width)}${paint(styleOf(value), textOf(value))}`.trimEnd()}\n`
    })
    .join('')
}
