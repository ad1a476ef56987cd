// The entry of the operator: flags, signals, exit codes. Everything else is wired in operator.ts.

import { systemClock } from './base/clock.ts'
import { processEnvironment } from './base/environment.ts'
import { messageOf } from './base/errors.ts'
import { createLog } from './base/log.ts'
import { textLines } from './base/log-text.ts'
import { gatherLines } from './base/log-turns.ts'
import { systemRandom } from './base/random.ts'
import { OWN_VERSION } from './base/version.ts'
import { type Config, changedConfig, parseConfig } from './config.ts'
import { createOperator } from './operator.ts'
import { loadCaLibrary } from './pki/ca-builder.ts'

const parsed = parseConfig(process.argv.slice(2), processEnvironment(), process.stdout.isTTY ?? false)
if (parsed.kind === 'say') {
  const stream = parsed.exitCode === 0 ? process.stdout : process.stderr
  stream.write(parsed.text)
  process.exitCode = parsed.exitCode
} else {
  await run(parsed.config)
}

async function run(config: Config): Promise<void> {
  const lines = gatherLines((text) => void process.stdout.write(text))
  process.on('exit', lines.flush)
  const log = createLog(config.logLevel, config.logFormat === 'text' ? (line) => lines.write(textLines(line)) : lines.write)
  const { environment: _environment, ...shown } = config
  log.info('starting', { config: config.logFormat === 'text' ? changedConfig(config) : shown, version: OWN_VERSION, node: process.version })
  // Before there is a lease or a probe that it could hold up.
  await loadCaLibrary()
  let stopping: Promise<void> | undefined
  let exitCode = 0
  const operator = await createOperator({ config, clock: systemClock, random: systemRandom, log }).catch((error: unknown) => {
    log.error('cannot start', { error: messageOf(error) })
    return undefined
  })
  if (!operator) {
    process.exitCode = 1
    return
  }
  const stop = (): Promise<void> => {
    stopping ??= operator.stop().then(() => {
      log.info('stopped')
      process.exit(exitCode)
    })
    return stopping
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info('stopping', { detail: signal })
      void stop()
    })
  }
  try {
    await operator.start()
  } catch (error) {
    if (stopping !== undefined) return
    log.error('cannot start', { error: messageOf(error) })
    exitCode = 1
    await stop()
  }
}
