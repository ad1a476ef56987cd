// Triggers: a change of a stored object wakes keys.

import { describe, expect, it } from '@jest/globals'
import type { AddOptions } from '../../../src/runtime/queue.ts'
import { trigger } from '../../../src/runtime/triggers.ts'
import { configMap, itemStore } from '../../support/store-objects.ts'

describe('a trigger', () => {
  it('wakes the keys of both sides of a change and says whose doing it was', () => {
    const store = itemStore()
    const woken: [string, AddOptions | undefined][] = []
    const end = trigger(store, { enqueue: (key, options) => woken.push([key, options]) }, ({ before, after }) =>
      [before?.color, after?.color].filter((color) => color !== undefined),
    )
    store.apply({ type: 'ADDED', object: configMap('a/x', { version: '1', color: 'red' }) })
    store.wrote(configMap('a/x', { version: '2', color: 'blue' }))
    end()
    store.wrote(configMap('a/x', { version: '3', color: 'green' }))
    expect(woken).toEqual([
      ['red', { own: false }],
      ['red', { own: true }],
      ['blue', { own: true }],
    ])
  })
})
