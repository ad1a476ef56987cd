// Finds a free loopback port for the API server. Used by start.ts, which tries again where the race is lost.
// Must not hand out a port of the system's range for outgoing connections (from 32768 on Linux, 49152 on macOS):
// a client that keeps dialling a stopped API server there may be given that very port, connect to itself and hold it.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { ControlPlaneFailure } from './failure.ts'

const lowest = 20_000
const highest = 32_000
const tries = 50

export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const port = randomInt(lowest, highest)
    if (await isFree(port)) return port
  }
  throw new ControlPlaneFailure(`no free port on 127.0.0.1: tried ${tries} at random between ${lowest} and ${highest}`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    // Whatever the reason (taken, reserved, refused): this port is not for us.
    probe.once('error', () => resolve(false))
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
