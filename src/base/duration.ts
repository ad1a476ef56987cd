// Durations as people write them in Kubernetes objects (the grammar of Go's time.ParseDuration, as metav1.Duration uses it).
// Parsed at the edge into milliseconds; inside the code a duration is always a Duration.

/** Whole milliseconds; made only by parseDuration and the constants below. */
export type Duration = number & { readonly __duration: unique symbol }

/** `count` seconds as a Duration. */
export const seconds = (count: number): Duration => (count * 1000) as Duration
/** `count` minutes as a Duration. */
export const minutes = (count: number): Duration => seconds(count * 60)
/** `count` hours as a Duration. */
export const hours = (count: number): Duration => minutes(count * 60)

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h)/g

/**
 * Reads `90m`, `24h`, `1h30m`. Undefined for everything else: other units (`90d`), signs, blanks, an empty text,
 * and what is beyond Number.MAX_SAFE_INTEGER milliseconds.
 */
export function parseDuration(text: string): Duration | undefined {
  if (text.length > 64 || !WHOLE.test(text)) return undefined
  let ms = 0
  for (const [, count, unit] of text.matchAll(PART)) ms += Number(count) * (UNIT_MS[unit as string] as number)
  ms = Math.round(ms)
  return Number.isSafeInteger(ms) ? (ms as Duration) : undefined
}

/** The shortest spelling: 90 minutes is `1h30m`, a day `24h`, nothing `0s`; for people (whole seconds, milliseconds below one second). */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1000) return ms === 0 ? '0s' : `${Math.round(ms)}ms`
  const total = Math.round(ms / 1000)
  const parts: [number, string][] = [
    [Math.floor(total / 3600), 'h'],
    [Math.floor((total % 3600) / 60), 'm'],
    [total % 60, 's'],
  ]
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join('')
}
