// Deep equality of projections: what counts as the same, and what never does.

import { describe, expect, it } from '@jest/globals'
import { equalData, equalDataBut } from '../../../src/k8s/equality.ts'

class Point {
  readonly x = 1
}

describe('equalData', () => {
  it.each<[string, unknown, unknown]>([
    ['nested records in another order', { a: { b: 1, c: [1, 2] } }, { a: { c: [1, 2], b: 1 } }],
    ['bytes', Buffer.from('abc'), new Uint8Array([97, 98, 99])],
    ['dates', new Date(5), new Date(5)],
    ['not-a-number', Number.NaN, Number.NaN],
    ['a field that is undefined and one that is missing', { a: 1, b: undefined }, { a: 1 }],
    ['a field that is missing and one that is undefined', { a: 1 }, { a: 1, b: undefined }],
    ['records without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])('holds for %s', (_, a, b) => {
    expect(equalData(a, b)).toBe(true)
  })

  it.each<[string, unknown, unknown]>([
    ['another value deep down', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
    ['one field more', { a: 1 }, { a: 1, b: null }],
    ['one field less', { a: 1, b: null }, { a: 1 }],
    ['other bytes', Buffer.from('abc'), Buffer.from('abd')],
    ['fewer items', [1, 2], [1]],
    ['items in another order', [1, 2], [2, 1]],
    ['an array and a record', [1], { 0: 1 }],
    ['null and a record', null, {}],
    ['a number and its text', 1, '1'],
    ['null and undefined', { a: null }, { a: undefined }],
    ['a label named like something inherited', {}, { constructor: 'x' }],
    ['the same the other way round', { toString: 'x' }, {}],
    ['maps, which it does not look into', new Map([[1, 2]]), new Map([[1, 2]])],
    ['instances of classes, which it does not look into', new Point(), new Point()],
    ['two undefined fields of other names', { a: undefined, b: 1 }, { c: 1, a: undefined }],
  ])('does not hold for %s', (_, a, b) => {
    expect(equalData(a, b)).toBe(false)
  })

  it('leaves one field of the outermost level out', () => {
    expect(equalDataBut('v', { v: 1, a: { v: 1 } }, { v: 2, a: { v: 1 } })).toBe(true)
    expect(equalDataBut('v', { v: 1, a: { v: 1 } }, { v: 1, a: { v: 2 } })).toBe(false)
  })
})
