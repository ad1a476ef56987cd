import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Certificate, readCertificate } from '../../../src/pki/certificate.ts'
import { spiffeBundleJson } from '../../../src/pki/spiffe-bundle.ts'
import { type KeyLike, keyOf, oddCertificate, rsaOf } from '../../support/certificates.ts'

const OPTIONS = { sequence: 7, refreshHintSeconds: 300 }

const NAMES = ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA'] as const
const MEMBERS: Readonly<Record<(typeof NAMES)[number], readonly string[]>> = {
  'P-256': ['kty', 'crv', 'x', 'y', 'use', 'x5c'],
  'P-384': ['kty', 'crv', 'x', 'y', 'use', 'x5c'],
  'P-521': ['kty', 'crv', 'x', 'y', 'use', 'x5c'],
  Ed25519: ['kty', 'crv', 'x', 'use', 'x5c'],
  RSA: ['kty', 'n', 'e', 'use', 'x5c'],
}

let anchors: Readonly<Record<(typeof NAMES)[number], Certificate>>
beforeAll(async () => {
  const [p256, p384, p521, ed25519] = await Promise.all(
    (['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'] as const).map((type) => keyOf(type)),
  )
  const keys = { 'P-256': p256, 'P-384': p384, 'P-521': p521, Ed25519: ed25519, RSA: rsaOf(2048) } as Record<string, KeyLike>
  const made = await Promise.all(NAMES.map(async (name) => [name, await oddCertificate({ subject: name, key: keys[name] as KeyLike })]))
  anchors = Object.fromEntries(made)
})

interface Bundle {
  readonly keys: readonly (JsonWebKey & { readonly use: string; readonly x5c: readonly string[] })[]
  readonly spiffe_sequence: number
  readonly spiffe_refresh_hint: number
}

function bundleOf(names: readonly (typeof NAMES)[number][] = NAMES): Bundle {
  const chosen = names.map((name) => anchors[name])
  return JSON.parse(spiffeBundleJson(chosen, OPTIONS))
}

describe('a SPIFFE bundle', () => {
  it.each(NAMES)('gives the certificate and the key of an anchor on %s', (name) => {
    const [jwk, ...rest] = bundleOf([name]).keys
    expect(rest).toEqual([])
    expect(Object.keys(jwk ?? {})).toEqual(MEMBERS[name])
    expect(jwk?.use).toBe('x509-svid')
    expect(jwk?.x5c).toEqual([anchors[name].der.toString('base64')])
    const certificate = readCertificate(Buffer.from(jwk?.x5c[0] ?? '', 'base64'))
    expect(createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).equals(certificate.x509.publicKey)).toBe(true)
  })

  it('holds one key an anchor, in their order, and never a private one', () => {
    const { keys } = bundleOf()
    expect(keys.map(({ x5c }) => x5c[0])).toEqual(NAMES.map((name) => anchors[name].der.toString('base64')))
    const forbidden = ['kid', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'k']
    expect(keys.flatMap((key) => Object.keys(key)).filter((member) => forbidden.includes(member))).toEqual([])
  })

  it('says its sequence and how soon to look again, as whole numbers after the keys', () => {
    expect(Object.keys(bundleOf())).toEqual(['keys', 'spiffe_sequence', 'spiffe_refresh_hint'])
    expect([bundleOf().spiffe_sequence, bundleOf().spiffe_refresh_hint]).toEqual([7, 300])
  })

  it('is the same text for the same anchors, with one newline at the end', () => {
    const text = spiffeBundleJson(Object.values(anchors), OPTIONS)
    expect(spiffeBundleJson(Object.values(anchors), OPTIONS)).toBe(text)
    expect(text).toMatch(/[^\n]\n$/)
    expect(text).not.toContain('\r')
  })

  it.each([
    ['sequence', { ...OPTIONS, sequence: 1.5 }],
    ['sequence', { ...OPTIONS, sequence: -1 }],
    ['sequence', { ...OPTIONS, sequence: 2 ** 53 }],
    ['refresh hint', { ...OPTIONS, refreshHintSeconds: Number.NaN }],
  ])('is not made with a bad %s', (what, options) => {
    expect(() => spiffeBundleJson([], options)).toThrow(what)
  })
})
