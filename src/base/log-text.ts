// Log lines for people at a terminal: one JSON line in, one line of text out. Used by the entry and the demo.

import { printable } from './printable.ts'

const LEVELS: Readonly<Record<string, string>> = { debug: 'DEBUG', info: 'INFO ', warn: 'WARN ', error: 'ERROR' }

/** `07:09:03Z  INFO  certificate issued  identity shop/payments  reason=SecretMissing ...`. What is no JSON object passes as it is. Fingerprints are cut. */
export function textLines(line: string): string {
  const entry = parseEntry(line)
  // Not ours: somebody else wrote to the same stream.
  if (!entry) return line
  const { time, level, message, controller, namespace, name, ...fields } = entry
  const subject = [namespace, name].filter((part) => part !== undefined).join('/')
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? quoted(cut(value)) : JSON.stringify(value)}`,
  )
  return `${[`${String(time).slice(11, 19)}Z`, LEVELS[String(level)] ?? level, message, [controller, subject].filter(Boolean).join(' '), ...rest].filter(Boolean).join('  ')}\n`
}

function parseEntry(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** So many digits of a fingerprint tell it from any other that a person will see; the JSON has them all. */
const cut = (value: string): string => value.replace(/\b([0-9a-f]{16})[0-9a-f]{48}\b/g, '$1')

/** Control characters could drive the terminal; those above U+007F JSON leaves as they are. */
function quoted(value: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(value) ? printable(value) : printable(JSON.stringify(value))
}
