// The only source of randomness besides key generation; given to whoever draws something, so that tests decide what is drawn.

import { randomBytes } from 'node:crypto'

/** Randomness as an argument. */
export interface Random {
  /** Uniform in [0, 1), for jitter; not for secrets. */
  uniform(): number
  /** `count` bytes of a cryptographic generator: serial numbers and names. */
  bytes(count: number): Uint8Array
}

/** The machine's randomness. */
export const systemRandom: Random = {
  uniform: () => Math.random(),
  bytes: (count) => new Uint8Array(randomBytes(count)),
}
