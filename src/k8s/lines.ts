// Splits the bytes of a watch into lines, wherever the chunks were cut. Used by the exchange of a stream; knows nothing of what a line says.

const NEWLINE = 0x0a

/** The longest line that is put together: etcd holds objects of 1.5 MiB, a watch event of one is a small multiple of that. */
const MAX_LINE_BYTES = 64 * 1024 * 1024

export interface LineSplitter {
  /** The lines that this chunk completes, decoded from UTF-8, empty ones left out. Throws RangeError on a line of more than 64 MiB. */
  push(chunk: Buffer): string[]
  /** Bytes of a line that has begun and not ended. */
  readonly pendingBytes: number
}

/** Lines are decoded whole, so that a character cut in two by a chunk boundary is read right; bytes are copied once at most. */
export function createLineSplitter(): LineSplitter {
  let pending: Buffer[] = []
  let pendingBytes = 0
  return {
    push(chunk) {
      const lines: string[] = []
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
        const part = chunk.subarray(from, end)
        from = end + 1
        const line = (pendingBytes === 0 ? part : Buffer.concat([...pending, part])).toString('utf8')
        pending = []
        pendingBytes = 0
        if (line !== '' && line !== '\r') lines.push(line)
      }
      if (from < chunk.length) {
        pending.push(chunk.subarray(from))
        pendingBytes += chunk.length - from
        if (pendingBytes > MAX_LINE_BYTES) throw new RangeError('a line of more than 64 MiB')
      }
      return lines
    },
    get pendingBytes() {
      return pendingBytes
    },
  }
}
