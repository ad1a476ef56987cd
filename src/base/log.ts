// The log: pino, JSON to standard output, one line a step performed. A constant message, fields from one list of keys.
// Key material must never get here; the redactor below is the second net, not the first.

import pino from 'pino'

/** The fields a log line may carry. A closed list, so that people can search and dashboards do not break. */
export interface LogFields {
  controller?: string
  kind?: string
  namespace?: string
  name?: string
  reason?: string
  /** What the step did, or why it did not, in a sentence for people. */
  detail?: string
  authority?: string
  spiffeID?: string
  dnsNames?: readonly string[]
  serialNumber?: string
  issuedBy?: string
  notAfter?: string
  renewAt?: string
  nextAt?: string
  secret?: string
  configMap?: string
  fingerprint?: string
  generation?: number
  attempts?: number
  resource?: string
  verb?: string
  code?: number
  count?: number
  durationMs?: number
  version?: string
  address?: string
  lease?: string
  holder?: string
  config?: unknown
  error?: string
  stack?: string
}

/** What the code logs with; `child` binds fields once per pass. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  child(fields: LogFields): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g

/** Takes PEM private keys out of a text. */
export function redact(text: string): string {
  return text.includes('PRIVATE KEY') ? text.replace(PRIVATE_KEY, '[private key removed]') : text
}

/** A log that writes one JSON object a line to `write`. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    { write: (line: string) => write(redact(line)) },
  )
  return wrap(logger)
}

/** A log that says nothing: for tests and for commands that print their own text. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLog }

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  }
}
