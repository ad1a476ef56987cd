// Runs many small jobs with a fixed number under way. Used by the bench.

/** Calls `job` for 0 .. count-1, `width` at once; rejects with the first failure. */
export async function inParallel(count: number, width: number, job: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await job(next++)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker))
}
