// Preloaded into the controller by the bench: on SIGUSR2 it collects all garbage and prints what memory is left. Never part of the product.

process.on('SIGUSR2', () => {
  for (let round = 0; round < 4; round++) globalThis.gc()
  // Freed pages are given back to the system a little later.
  setTimeout(() => {
    globalThis.gc()
    process.stderr.write(`${JSON.stringify({ bench: 'memory', ...process.memoryUsage() })}\n`)
  }, 1000)
})
