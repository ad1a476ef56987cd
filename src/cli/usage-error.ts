// A command line that cannot be understood: named value, rule and remedy. Ends with exit code 2. And the nearest guess for a mistyped word.

import { OperatorError } from '../base/errors.ts'

const REASON = 'Usage'

export const usageError = (message: string): OperatorError => new OperatorError('blocked', REASON, message)

export const isUsageError = (error: unknown): boolean => error instanceof OperatorError && error.reason === REASON

/** ` Did you mean status?`, or nothing where no word is near. */
export function guess(word: string, known: readonly string[], spelled: (name: string) => string = (name) => name): string {
  const nearest = known.map((name) => ({ name, distance: distanceOf(word.toLowerCase(), name) })).sort((a, b) => a.distance - b.distance)[0]
  const near = nearest && (nearest.distance <= Math.max(1, Math.floor(nearest.name.length / 3)) || beginsLike(word, nearest.name))
  return near ? `; did you mean ${spelled(nearest.name)}?` : ''
}

const beginsLike = (word: string, name: string): boolean => word.length > 1 && name.startsWith(word.toLowerCase())

/** Insertions, deletions, substitutions and swaps of neighbours (Damerau-Levenshtein, restricted). */
function distanceOf(a: string, b: string): number {
  if (b.startsWith(a) && a.length > 1) return 1
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)])
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0
  for (let j = 0; j <= b.length; j++) (rows[0] as number[])[j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + cost, swapped ? at(i - 2, j - 2) + 1 : Infinity)
      ;(rows[i] as number[])[j] = best
    }
  }
  return at(a.length, b.length)
}
