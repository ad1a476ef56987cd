// The heap and the fifo that the queue is made of, against sorted arrays.

import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Fifo } from '../../../src/runtime/fifo.ts'
import { Heap } from '../../../src/runtime/heap.ts'

const change = fc.record({ key: fc.nat(30).map((n) => `k${n}`), due: fc.option(fc.nat(50), { nil: undefined, freq: 8 }) })

describe('the heap', () => {
  it('gives keys by due time, whatever was moved and taken out before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80, size: 'max' }), fc.integer({ min: 30, max: 50 }), (changes, now) => {
        const heap = new Heap()
        const model = new Map<string, number>()
        for (const { key, due } of changes) {
          if (due === undefined) heap.delete(key)
          else heap.set(key, due)
          if (due === undefined) model.delete(key)
          else model.set(key, due)
          expect(heap.nearest).toBe(model.size === 0 ? undefined : Math.min(...model.values()))
          expect(heap.dueOf(key)).toBe(due)
        }
        expect(heap.size).toBe(model.size)
        const taken: number[] = []
        for (let key = heap.takeDue(now); key !== undefined; key = heap.takeDue(now)) taken.push(model.get(key) as number)
        expect(taken).toEqual([...model.values()].filter((due) => due <= now).sort((a, b) => a - b))
      }),
      { numRuns: 500 },
    )
  })
})

describe('the fifo', () => {
  it('gives back what was put in, in order, over thousands', () => {
    const fifo = new Fifo<number>()
    let put = 0
    let got = 0
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 70; i++) fifo.push(put++)
      for (let i = 0; i < 50; i++) expect(fifo.shift()).toBe(got++)
      expect([fifo.size, fifo.first]).toEqual([put - got, got])
    }
    while (fifo.size > 0) expect(fifo.shift()).toBe(got++)
    expect([fifo.shift(), got]).toEqual([undefined, put])
  })
})
