// The figures as pictures: plain SVG bars, made by the bench for docs/performance.md.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from './report.ts'

interface Bar {
  readonly label: string
  readonly value: number
  readonly text: string
  readonly colour?: string
}

const BAR = 26
const GAP = 12
const LEFT = 270
const WIDTH = 360
const TOP = 44
const COLOURS = ['#9db7e8', '#3367d6']

/** Writes rate.svg, cpu.svg and memory.svg into `folder`. `sizes`: the numbers of identities that were measured in one namespace. */
export function writeCharts(folder: string, report: Report, sizes: readonly number[]): void {
  mkdirSync(folder, { recursive: true })
  const bars = (name: string, unit: (value: number) => string): Bar[] =>
    sizes.map((count) => {
      const value = report.figureOf(`${name} ${count}/1`)
      return { label: `${count} identities`, value, text: unit(value) }
    })
  const cpu = ['kube-apiserver', 'controller', 'etcd', 'kube-controller-manager'].map((part): Bar => {
    const value = report.figureOf(`cpu ${part} ${sizes[0]}/1`)
    return { label: part, value, text: `${value.toFixed(2)} ms` }
  })
  const write = (name: string, title: string, of: readonly Bar[]): void => writeFileSync(join(folder, name), svg(title, of))
  const scripts = ['Secret and status', 'Secret, status and event'].map((name): Bar => {
    const value = report.figureOf(`ceiling ${name}`)
    return { label: `a script: ${name}`, value, text: `${value.toFixed(0)}/s, no certificate made` }
  })
  write('rate.svg', 'Certificates a second (first issuance, to Ready), and the same writes by a script', [
    ...bars('rate', (value) => `${value.toFixed(0)}/s`),
    ...scripts,
  ])
  write('cpu.svg', `CPU of one of ${sizes[0]} first issuances, by process`, cpu)
  write(
    'memory.svg',
    'Resident memory of the operator, after a collection',
    bars('memory', (value) => `${(value / 2 ** 20).toFixed(0)} MiB`),
  )
}

/** A picture of groups of bars, one of each colour in a group; SVG. */
export function groupedBars(
  title: string,
  groups: readonly { readonly label: string; readonly values: readonly number[] }[],
  text: (value: number) => string,
): string {
  return svg(
    title,
    groups.flatMap(({ label, values }) =>
      values.map((value, index) => ({ label: index === 0 ? label : '', value, text: text(value), colour: COLOURS[index] ?? '#333333' })),
    ),
  )
}

function svg(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const height = TOP + bars.length * (BAR + GAP) + GAP
  const rows = bars.flatMap(({ label, value, text, colour = '#3367d6' }, index) => {
    const y = TOP + index * (BAR + GAP)
    const width = Math.max(1, Math.round((value / most) * WIDTH))
    return [
      `<text x="${LEFT - 10}" y="${y + 18}" text-anchor="end">${label}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="3" fill="${colour}"/>`,
      `<text x="${LEFT + width + 8}" y="${y + 18}">${text}</text>`,
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 220}" height="${height}" viewBox="0 0 ${LEFT + WIDTH + 220} ${height}" font-family="sans-serif" font-size="14">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="16" y="26" font-weight="bold">${title}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n')
}
