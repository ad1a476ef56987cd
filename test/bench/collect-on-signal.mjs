// Preloaded into the controller by the bench: on SIGUSR2 it tells how long the event loop was held at most since the last time (or since SIGHUP), collects
// all garbage and tells what memory is left. Never part of the product.

import { monitorEventLoopDelay } from 'node:perf_hooks'

const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()

process.on('SIGHUP', () => delays.reset())
process.on('SIGUSR2', () => {
  const heldMs = delays.max / 1e6
  for (let round = 0; round < 4; round++) globalThis.gc()
  // Freed pages are given back to the system a little later.
  setTimeout(() => {
    globalThis.gc()
    process.stderr.write(`${JSON.stringify({ bench: 'memory', heldMs, ...process.memoryUsage() })}\n`)
    setImmediate(() => delays.reset())
  }, 1000)
})
