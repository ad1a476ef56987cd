// What was measured, as one table for people and one object for charts. Used by the bench.

import { availableParallelism, totalmem } from 'node:os'
import type { Held } from './measured-controller.ts'

export interface Report {
  row(name: string, value: string): void
  /** A figure for the charts. */
  figure(name: string, value: number): void
  figureOf(name: string): number
  print(): void
}

export const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
export const kB = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`
export const perSecond = (rate: number): string => `${rate.toFixed(0)}/s`
export const heldText = ({ heldMs, computedMs, collectedMs }: Held): string =>
  `${ms(heldMs)} at most (computing ${ms(computedMs)} at most, longest collection ${ms(collectedMs)})`
export const ms = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`

/** CPU of `count` things, by process; seconds. */
export const cpuText = (seconds: Readonly<Record<string, number>>, count: number): string =>
  Object.entries(seconds)
    .map(([name, one]) => `${name} ${ms((one / count) * 1000)}`)
    .join(', ')

/** The value below which `part` (0 to 1) of the values lie. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] as number
}

/** Of milliseconds. */
export const percentiles = (values: readonly number[]): string => `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}`

export function createReport(): Report {
  const rows: [string, string][] = []
  const figures = new Map<string, number>()
  return {
    row: (name, value) => void rows.push([name, value]),
    figure: (name, value) => void figures.set(name, value),
    figureOf: (name) => figures.get(name) ?? Number.NaN,
    print() {
      console.log(`\n${availableParallelism()} cores, ${mib(totalmem())}, Node ${process.version}, everything on this machine\n`)
      const width = Math.max(...rows.map(([name]) => name.length))
      for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`)
    },
  }
}
