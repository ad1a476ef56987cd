import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Duration, hours, minutes, seconds } from '../../../src/base/duration.ts'
import { backdating, clampRenewAt, drawRenewAt } from '../../../src/pki/profile.ts'
import { fixedRandom, NOW } from '../../support/certificates.ts'

describe('backdating', () => {
  it.each([
    [hours(24), minutes(5)],
    [hours(1), minutes(5)],
    [minutes(50), minutes(5)],
    [(minutes(50) - 1) as Duration, 299_999],
    [minutes(10), minutes(1)],
    [seconds(0), 0],
  ])('of %d ms is %d ms', (lifetime, before) => {
    expect(backdating(lifetime)).toBe(before)
  })
})

describe('the time of renewal', () => {
  const leaf = { notBefore: NOW - minutes(5), notAfter: NOW + hours(24) - minutes(5) }
  const left = leaf.notAfter - NOW

  it.each([
    [0, 0.5],
    [0.5, 0.55],
    [0.999, 0.5999],
  ])('drawn at %d is %d of what is left', (draw, part) => {
    expect(drawRenewAt(leaf, NOW, fixedRandom(0, draw))).toBe(Math.round(NOW + part * left))
  })

  it('drawn at issue is not moved when it is clamped later, for any lifetime', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 40_000_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (count, draw) => {
          const lifetime = seconds(count)
          const notBefore = NOW - backdating(lifetime)
          const certificate = { notBefore, notAfter: notBefore + lifetime }
          const renewAt = drawRenewAt(certificate, NOW, fixedRandom(0, draw))
          const rest = certificate.notAfter - NOW
          expect(renewAt).toBeGreaterThanOrEqual(NOW + 0.5 * rest - 1)
          expect(renewAt).toBeLessThanOrEqual(NOW + 0.6 * rest + 1)
          expect(clampRenewAt(renewAt, certificate)).toBe(renewAt)
        },
      ),
    )
  })

  it.each([
    ['missing', undefined, 0.7],
    ['in the past', 0, 0.5],
    ['far in the future', leaf.notAfter * 2, 0.7],
  ])('that is %s becomes one within the bounds', (_name, stored, part) => {
    expect(clampRenewAt(stored, leaf)).toBe(leaf.notBefore + Math.floor(part * hours(24)))
  })
})
