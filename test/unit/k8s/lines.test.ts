import { describe, expect, it } from '@jest/globals'
import { createLineSplitter } from '../../../src/k8s/lines.ts'

/** All lines of `text` when it comes in chunks of `size` bytes, and what is left. */
function split(text: string, size: number): { lines: string[]; pendingBytes: number } {
  const bytes = Buffer.from(text)
  const splitter = createLineSplitter()
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)))
  return { lines, pendingBytes: splitter.pendingBytes }
}

describe('the line splitter', () => {
  it('gives the same lines wherever the chunks were cut, also within a character', () => {
    const text = '{"a":"ü€😀"}\n\n{"b":"\u0000é"}\r\n{"c":1}\n'
    const expected = ['{"a":"ü€😀"}', '{"b":"\u0000é"}\r', '{"c":1}']
    for (let size = 1; size <= Buffer.byteLength(text); size++) expect(split(text, size)).toEqual({ lines: expected, pendingBytes: 0 })
  })

  it('counts the bytes of a line that has not ended and does not give it out', () => {
    expect(split('one\ntwö', 2)).toEqual({ lines: ['one'], pendingBytes: 4 })
  })

  it('puts a line of 3 MiB together from chunks of 16 KiB', () => {
    const long = 'x'.repeat(3 * 1024 * 1024)
    expect(split(`${long}\nshort\n`, 16 * 1024).lines.map((line) => line.length)).toEqual([long.length, 5])
  })

  it('refuses a line of more than 64 MiB', () => {
    const splitter = createLineSplitter()
    const chunk = Buffer.alloc(16 * 1024 * 1024, 'x')
    for (let i = 0; i < 4; i++) splitter.push(chunk)
    expect(() => splitter.push(chunk)).toThrow(RangeError)
  })
})
