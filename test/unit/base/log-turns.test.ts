import { expect, test } from '@jest/globals'
import { gatherLines } from '../../../src/base/log-turns.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the lines of one turn are one write, in their order', async () => {
  const writes: string[] = []
  const lines = gatherLines((text) => writes.push(text))
  lines.write('a\n')
  lines.write('b\n')
  expect(writes).toEqual([])
  await turn()
  expect(writes).toEqual(['a\nb\n'])
  lines.write('c\n')
  await turn()
  expect(writes).toEqual(['a\nb\n', 'c\n'])
})

test('at the end of the process what was gathered is written, once', async () => {
  const writes: string[] = []
  const lines = gatherLines((text) => writes.push(text))
  lines.write('last words\n')
  lines.flush()
  lines.flush()
  await turn()
  expect(writes).toEqual(['last words\n'])
})
