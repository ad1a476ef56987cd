// The command lines of the bench: --help tells the usage; what cannot be understood is told with it, and ends the process with 2.

import { type ParseArgsConfig, parseArgs } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: boolean }>>

/** Flags with values, and, where it `takesCommand`, what stands behind `--`. */
export function readFlags<const O extends Options>(
  usage: string,
  options: O,
  takesCommand = false,
): Pick<Parsed<O>, 'values' | 'positionals'> {
  try {
    const config = { options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: takesCommand } as const
    const { values, positionals } = parseArgs(config)
    if ((values as { help?: boolean }).help) {
      console.log(usage)
      process.exit(0)
    }
    return { values: values as Parsed<O>['values'], positionals: positionals as Parsed<O>['positionals'] }
  } catch (error) {
    return refuse(usage, error instanceof Error ? error.message : String(error))
  }
}

/** A number of things, at least `least`. */
export function readCount(usage: string, flag: string, text: string, least = 1): number {
  return /^\d{1,9}$/.test(text) && Number(text) >= least
    ? Number(text)
    : refuse(usage, `--${flag} ${text}: a number from ${least} is needed`)
}

/** Says what is wrong, and how it is right. */
export function refuse(usage: string, complaint: string): never {
  console.error(`${complaint}\n\n${usage}`)
  process.exit(2)
}
