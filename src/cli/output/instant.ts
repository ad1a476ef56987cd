// Instants and spans as people read them. Pure: now is an argument.

import { formatInstant, type Instant } from '../../base/instant.ts'

const UNITS: readonly (readonly [ms: number, unit: string, smaller: number, smallerUnit: string, below: number])[] = [
  [86_400_000, 'd', 3_600_000, 'h', 8],
  [3_600_000, 'h', 60_000, 'm', 8],
  [60_000, 'm', 1000, 's', 5],
  [1000, 's', 1000, '', 0],
]

/** Two digits of sense, as kubectl shows ages: `45s`, `12m`, `3h20m`, `22h`, `5d4h`, `89d`. */
function roughly(ms: number): string {
  const span = Math.max(0, ms)
  for (const [unit, name, smaller, smallerName, below] of UNITS) {
    const count = Math.floor(span / unit)
    if (count < 1) continue
    const rest = Math.floor((span % unit) / smaller)
    return count < below && rest > 0 ? `${count}${name}${rest}${smallerName}` : `${count}${name}`
  }
  return '0s'
}

/** `in 3h20m`, `5m ago`. */
export function relative(at: Instant, now: Instant): string {
  return at >= now ? `in ${roughly(at - now)}` : `${roughly(now - at)} ago`
}

/** `2026-11-25T10:00:00Z (in 22h)`. */
export function instantText(at: Instant, now: Instant): string {
  return `${formatInstant(at)} (${relative(at, now)})`
}
