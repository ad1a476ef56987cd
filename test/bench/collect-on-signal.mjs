// Preloaded into the controller by the bench: on SIGUSR2 it tells how long the event loop was held at most since the last time (or since SIGHUP), collects
// all garbage and tells what memory is left. Never part of the product.
//
// Held is the time by which a timer came late; computed the CPU that the thread used in that time. On a machine that is full a thread waits for its turn
// on a core as well, which no program can help.

import { PerformanceObserver, performance } from 'node:perf_hooks'

const TICK_MS = 2
let most = { heldMs: 0, computedMs: 0, collectedMs: 0 }
let lastAt = performance.now()
let lastCpu = cpuMs()

setInterval(() => {
  const now = performance.now()
  const cpu = cpuMs()
  most.heldMs = Math.max(most.heldMs, now - lastAt - TICK_MS)
  most.computedMs = Math.max(most.computedMs, Math.min(cpu - lastCpu, now - lastAt))
  lastAt = now
  lastCpu = cpu
}, TICK_MS).unref()

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) most.collectedMs = Math.max(most.collectedMs, duration)
}).observe({ entryTypes: ['gc'] })

process.on('SIGHUP', reset)
process.on('SIGUSR2', () => {
  const held = { ...most } // what is forced now is no doing of the controller's
  for (let round = 0; round < 4; round++) globalThis.gc()
  // Freed pages are given back to the system a little later.
  setTimeout(() => {
    globalThis.gc()
    process.stderr.write(`${JSON.stringify({ bench: 'memory', ...held, ...process.memoryUsage() })}\n`)
    setTimeout(reset, 10)
  }, 1000)
})

function cpuMs() {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function reset() {
  most = { heldMs: 0, computedMs: 0, collectedMs: 0 }
  lastAt = performance.now()
  lastCpu = cpuMs()
}
