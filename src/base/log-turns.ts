// Gathers the lines of the log for a turn of the event loop and writes them at once: a thousand issuances are a thousand lines, and each write into a
// pipe costs a system call and wakes its reader. Used by the entry of the operator.

export interface LineGatherer {
  /** Takes a line; it is written within this turn of the event loop. */
  readonly write: (line: string) => void
  /** Writes what is there now: for the end of the process. */
  readonly flush: () => void
}

export function gatherLines(write: (lines: string) => void): LineGatherer {
  let gathered = ''
  const flush = (): void => {
    const lines = gathered
    gathered = ''
    if (lines !== '') write(lines)
  }
  return {
    write(line) {
      // biome-ignore lint/style/noRestrictedGlobals: no timer, it waits for no time to pass
      if (gathered === '') setImmediate(flush)
      gathered += line
    },
    flush,
  }
}
