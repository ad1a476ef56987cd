// How an object stands, in one word, with its colour and exit code. Pure.

import { EXIT, type ExitCode } from '../exit-code.ts'
import type { Style } from '../output/colour.ts'

export type State = 'ready' | 'waiting' | 'refused'

export const STATE_STYLES: Readonly<Record<State, Style>> = { ready: 'good', waiting: 'waiting', refused: 'bad' }

const EXIT_CODES: Readonly<Record<State, ExitCode>> = { ready: EXIT.good, waiting: EXIT.waiting, refused: EXIT.refused }

/** What has expired is unhealthy, whatever was reported before. */
export const exitOfState = ({ state, expired }: { readonly state: State; readonly expired: boolean }): ExitCode =>
  expired ? EXIT.refused : EXIT_CODES[state]
