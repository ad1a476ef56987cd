// The controller's log lines made short for the screen: time, message, who, until when. Used by operator.ts. Pure; knows the fields of src/base/log.ts.

import type { LogFields } from '../../src/base/log.ts'
import { style } from './screen.ts'

type Entry = LogFields & { readonly time: string; readonly level: string; readonly message: string }

/** What a show does not need: the settings, and what the caches hold at the start. */
const UNINTERESTING: ReadonlySet<string> = new Set(['listed'])

/** Undefined: not worth a line. What is no JSON object passes as it is. */
export function shortLine(line: string): string | undefined {
  const entry = read(line)
  if (entry === undefined) return line
  if (UNINTERESTING.has(entry.message) && entry.level === 'info') return undefined
  const subject = [entry.namespace, entry.name].filter((part) => part !== undefined).join('/')
  const text = [entry.message, subject, ...specifics(entry)].filter((part) => part !== '').join('  ')
  return `${style('dim', entry.time.slice(11, 19))} ${coloured(entry.level, text)}`
}

function specifics({ spiffeID, notAfter, renewAt, detail = '', error = '', address = '', lease = '' }: Entry): readonly string[] {
  if (spiffeID !== undefined && notAfter !== undefined) {
    return [spiffeID, `until ${shortInstant(notAfter)}${renewAt === undefined ? '' : `, renews ${shortInstant(renewAt)}`}`]
  }
  return [address, lease, error, detail]
}

/** `2026-11-25 07:45` of RFC 3339 in UTC. */
const shortInstant = (instant: string): string => instant.slice(0, 16).replace('T', ' ')

function coloured(level: string, text: string): string {
  if (level === 'info' || level === 'debug') return text
  return style(level === 'warn' ? 'yellow' : 'red', `${level.toUpperCase()} ${text}`)
}

function read(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'message' in value ? (value as Entry) : undefined
  } catch {
    return undefined // not JSON: a stack of Node, say
  }
}
