import { expect, it } from '@jest/globals'
import { Patience } from '../../../../src/controllers/identity/patience.ts'

it('waiting is told once it has lasted two seconds, counted from the first look', () => {
  const patience = new Patience()
  expect([0, 500, 1999, 2000, 9000].map((now) => patience.left('shop/payments', now))).toEqual([2000, 1500, 1, 0, 0])
})

it('an identity that waits again is given its two seconds again', () => {
  const patience = new Patience()
  patience.left('shop/payments', 0)
  patience.forget('shop/payments')
  expect(patience.left('shop/payments', 5000)).toBe(2000)
})

it('identities wait each for itself', () => {
  const patience = new Patience()
  patience.left('shop/payments', 0)
  expect(patience.left('shop/orders', 1500)).toBe(2000)
})
