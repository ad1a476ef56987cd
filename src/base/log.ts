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
  /** `Deployment web` */
  workload?: string
  fingerprint?: string
  generation?: number
  attempts?: number
  resource?: string
  verb?: string
  code?: number
  count?: number
  durationMs?: number
  version?: string
  /** Of the Node that the process runs on. */
  node?: string
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

/** A PEM private key, also one that is cut off: then to the end of its JSON string. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----END )[^"])*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g
/** The base64 of any PEM text, as in the data of a Secret: `-----BEGIN` and what follows. */
const ENCODED_PEM = /LS0tLS1CRUdJTi[A-Za-z0-9+/=]+/g

/** Takes private keys out of a line of JSON: PEM, and the base64 of PEM. */
function redact(line: string): string {
  return line.replace(PRIVATE_KEY, '[private key removed]').replace(ENCODED_PEM, '[PEM in base64 removed]')
}

/** A log that writes one JSON object a line to `write`. */
export function createLog(level: LogLevel, write: (line: string) => void): Log {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, cut(value)])),
      },
      messageKey: 'message',
    },
    { write: (line: string) => write(redact(line)) },
  )
  return wrap(logger)
}

/** No text of ours is longer, but what it quotes may be: a name in an owner reference has as many characters as fit into an object. */
const LONGEST_TEXT = 8192

function cut(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= LONGEST_TEXT) return value
  return `${value.slice(0, LONGEST_TEXT).toWellFormed()}... (${value.length} characters)`
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
