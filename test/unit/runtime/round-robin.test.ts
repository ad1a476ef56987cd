import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { RoundRobin } from '../../../src/runtime/round-robin.ts'

const drained = (queue: RoundRobin<string>): string[] => Array.from({ length: queue.size }, () => queue.shift() as string)

test('groups take turns, and within one the first comes first', () => {
  const queue = new RoundRobin<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) queue.push(item[0] as string, item)
  expect([...queue.heads()]).toEqual(['a1', 'b1', 'c1'])
  expect(drained(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  expect([queue.size, queue.shift(), [...queue.heads()]]).toEqual([0, undefined, []])
})

test('a group that comes late waits for one turn of each other one', () => {
  const queue = new RoundRobin<string>()
  for (let index = 0; index < 5000; index++) queue.push('crowd', `crowd ${index}`)
  queue.shift()
  queue.push('late', 'late')
  expect([queue.shift(), queue.shift()]).toEqual(['crowd 1', 'late'])
})

test('whatever comes and goes, nothing is lost, nothing is doubled, and no group is passed over', () => {
  const step = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd'), fc.constant(undefined))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new RoundRobin<string>()
      const waiting: string[] = []
      /** Of each group, how many others were served since it waits. */
      const passed = new Map<string, number>()
      let count = 0
      for (const group of steps) {
        if (group !== undefined) {
          const item = `${group}${count++}`
          queue.push(group, item)
          waiting.push(item)
          if (!passed.has(group)) passed.set(group, 0)
          continue
        }
        const item = queue.shift()
        expect(item === undefined).toBe(waiting.length === 0)
        if (item === undefined) continue
        expect(waiting.find((one) => one[0] === item[0])).toBe(item)
        waiting.splice(waiting.indexOf(item), 1)
        for (const [other, times] of passed) {
          if (other === item[0]) continue
          expect(times).toBeLessThan(4)
          passed.set(other, times + 1)
        }
        if (waiting.some((one) => one[0] === item[0])) passed.set(item[0] as string, 0)
        else passed.delete(item[0] as string)
      }
      expect(queue.size).toBe(waiting.length)
    }),
  )
})
