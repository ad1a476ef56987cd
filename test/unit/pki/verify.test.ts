import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { hours, minutes } from '../../../src/base/duration.ts'
import { makeBundle } from '../../../src/pki/bundle.ts'
import { type Certificate, readCertificate } from '../../../src/pki/certificate.ts'
import { parseDnsName } from '../../../src/pki/dns-name.ts'
import type { Signer } from '../../../src/pki/sign.ts'
import { workloadId } from '../../../src/pki/spiffe-id.ts'
import { parseTrustDomain } from '../../../src/pki/trust-domain.ts'
import { checkIssued, checkSigningPair, type Verdict, verifyChain } from '../../../src/pki/verify.ts'
import { verifyIssuers } from '../../../src/pki/verify-chain.ts'
import {
  aLeaf,
  aSigner,
  Extension,
  KeyUsageFlags,
  keyOf,
  leafProfile,
  NOW,
  oddCertificate,
  type Recipe,
  rsaOf,
  subjectKeyOf,
} from '../../support/certificates.ts'

const OK = { ok: true }
const said = (verdict: Verdict): string => (verdict.ok ? 'ok' : `${verdict.rule}: ${verdict.detail}`)

const uri = { type: 'url', value: 'spiffe://example.org/ns/shop/sa/web' } as const

/** A CA below `signer`, with another key. */
async function anIntermediate(signer: Signer, recipe: Recipe = {}): Promise<Signer> {
  const key = await keyOf('ECDSAP256', 'intermediate')
  return { certificate: await oddCertificate({ key, signer, subject: 'intermediate', ...recipe }), privateKey: key.privateKey }
}

/** A leaf below `signer` that our own signing would not make. */
async function anOddLeaf(signer: Signer, recipe: Recipe = {}): Promise<Certificate> {
  const key = await keyOf('ECDSAP256', 'leaf')
  const flags = { ca: false, keyUsage: KeyUsageFlags.digitalSignature, extKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }
  return oddCertificate({ key, signer, subject: '', names: [uri], subjectKeyID: 'aa', ...flags, ...recipe })
}

/** The certificate with its last octet changed: the end of its signature. */
function forged(certificate: Certificate): Certificate {
  const der = Buffer.from(certificate.der)
  der[der.length - 1] = (der.at(-1) as number) ^ 1
  return readCertificate(der)
}

describe('a chain', () => {
  it('verifies from a leaf to the root that signed it', async () => {
    const signer = await aSigner()
    const { certificate } = await aLeaf(signer)
    expect(verifyChain([certificate], [signer.certificate], NOW)).toEqual(OK)
    expect(verifyChain([certificate], [signer.certificate], undefined)).toEqual(OK)
  })

  it('verifies through intermediates, whichever root of several signed', async () => {
    const [root, other] = [await aSigner(), await aSigner({ name: 'other', profile: { generation: 2 } })]
    const intermediate = await anIntermediate(root)
    const leaf = await anOddLeaf(intermediate)
    expect(verifyChain([leaf, intermediate.certificate], [other.certificate, root.certificate], NOW)).toEqual(OK)
  })

  it('verifies when the right one of two roots of one name is chosen by its key', async () => {
    const [one, two] = [await aSigner(), await aSigner({ name: 'other' })]
    const twin = await oddCertificate({
      key: { privateKey: two.privateKey, publicKey: two.certificate.x509.publicKey },
      subject: one.certificate.subject.slice(3),
    })
    const { certificate } = await aLeaf(one)
    expect(twin.subjectDer).toEqual(one.certificate.subjectDer)
    expect(verifyChain([certificate], [twin, one.certificate], NOW)).toEqual(OK)
  })

  it('during a rotation verifies to the old root by the cross-certificate and to the new one without it, even when it has expired', async () => {
    const [old, fresh] = [await aSigner(), await aSigner({ name: 'fresh', profile: { generation: 2 } })]
    const { certificate } = await aLeaf(fresh)
    const cross = (notAfter: number) =>
      oddCertificate({
        key: { privateKey: fresh.privateKey, publicKey: fresh.certificate.x509.publicKey },
        signer: old,
        subject: fresh.certificate.subject.slice(3),
        subjectKeyID: fresh.certificate.subjectKeyID ?? '',
        pathLength: 0,
        notAfter,
      })
    const live = await cross(NOW + hours(1))
    const expired = await cross(NOW - minutes(1))
    expect(verifyChain([certificate, live], [old.certificate], NOW)).toEqual(OK)
    expect(verifyChain([certificate, expired], [fresh.certificate], NOW)).toEqual(OK)
    expect(said(verifyChain([certificate, expired], [old.certificate], NOW))).toMatch(/^validity: .*expired at/)
  })

  it.each([
    ['it is empty', async () => [[], [(await aSigner()).certificate]], /^chain: it is empty/],
    ['there is no anchor', async () => [[(await aLeaf(await aSigner())).certificate], []], /^anchor: .*not among the 0 trust anchors/],
    [
      'its root is another',
      async () => [
        [(await aLeaf(await aSigner())).certificate],
        [(await aSigner({ name: 'other', profile: { generation: 2 } })).certificate],
      ],
      /^anchor: spiffe:\/\/example.org\/ns\/shop\/sa\/web is issued by CN=example.org g1 \w+ with key \w+, which is not among the 1 trust anchors/,
    ],
    [
      'the signature is forged',
      async () => {
        const signer = await aSigner()
        return [[forged((await aLeaf(signer)).certificate)], [signer.certificate]]
      },
      /^signature: /,
    ],
    [
      'it is signed by an impostor of the same name and key identifier',
      async () => {
        const signer = await aSigner()
        const key = await keyOf('ECDSAP256', 'impostor')
        const recipe = { key, subject: signer.certificate.subject.slice(3), subjectKeyID: signer.certificate.subjectKeyID ?? '' }
        const impostor = { certificate: await oddCertificate(recipe), privateKey: key.privateKey }
        return [[await anOddLeaf(impostor)], [signer.certificate]]
      },
      /^signature: .*not by the key of CN=example.org g1/,
    ],
    [
      'it names another key of its issuer',
      async () => {
        const signer = await aSigner()
        return [[await anOddLeaf(signer, { authorityKeyID: 'ffff' })], [signer.certificate]]
      },
      /^anchor: .*with key ffff/,
    ],
    [
      'its order is wrong',
      async () => {
        const root = await aSigner()
        const intermediate = await anIntermediate(root)
        return [[intermediate.certificate, await anOddLeaf(intermediate)], [root.certificate]]
      },
      /^order: certificate 1 \(CN=intermediate\) is not issued by certificate 2/,
    ],
    [
      'something that does not belong to it follows',
      async () => {
        const root = await aSigner()
        const other = await aSigner({ name: 'other', profile: { generation: 2 } })
        return [[(await aLeaf(root)).certificate, other.certificate], [root.certificate]]
      },
      /^order: /,
    ],
    [
      'a leaf signed a leaf',
      async () => {
        const root = await aSigner()
        const leaf = await anIntermediate(root, { ca: false })
        return [[await anOddLeaf(leaf), leaf.certificate], [root.certificate]]
      },
      /^basicConstraints: CN=intermediate is no CA/,
    ],
    [
      'a CA signed that may not',
      async () => {
        const root = await aSigner()
        const ca = await anIntermediate(root, { keyUsage: KeyUsageFlags.cRLSign })
        return [[await anOddLeaf(ca), ca.certificate], [root.certificate]]
      },
      /^keyUsage: .*keyCertSign/,
    ],
    [
      'a CA is limited to servers',
      async () => {
        const root = await aSigner()
        const ca = await anIntermediate(root, { extKeyUsage: ['1.3.6.1.5.5.7.3.1'] })
        return [[await anOddLeaf(ca), ca.certificate], [root.certificate]]
      },
      /^extKeyUsage: /,
    ],
    [
      'it is longer than an anchor allows',
      async () => {
        const key = await keyOf('ECDSAP256', 'odd')
        const root = { certificate: await oddCertificate({ pathLength: 0 }), privateKey: key.privateKey }
        const intermediate = await anIntermediate(root)
        return [[await anOddLeaf(intermediate), intermediate.certificate], [root.certificate]]
      },
      /^pathLength: CN=odd allows 0 intermediate certificates below it, there are 1/,
    ],
    [
      'a CA has name constraints',
      async () => {
        const root = await aSigner()
        const ca = await anIntermediate(root, { extensions: [new Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))] })
        return [[await anOddLeaf(ca), ca.certificate], [root.certificate]]
      },
      /^nameConstraints: /,
    ],
    [
      'it has a critical extension that is not understood',
      async () => {
        const root = await aSigner()
        return [[await anOddLeaf(root, { extensions: [new Extension('1.2.3.4', true, new Uint8Array([5, 0]))] })], [root.certificate]]
      },
      /^criticalExtension: .*1\.2\.3\.4/,
    ],
    [
      'it is signed with SHA-1',
      async () => {
        const key = rsaOf(2048)
        const certificate = await oddCertificate({ key })
        return [[await anOddLeaf({ certificate, privateKey: key.privateKey }, { hash: 'SHA-1' })], [certificate]]
      },
      /^signatureAlgorithm: .*1\.2\.840\.113549\.1\.1\.5/,
    ],
    [
      'its root has RSA with 1024 bits',
      async () => {
        const key = rsaOf(1024)
        const certificate = await oddCertificate({ key })
        return [[await anOddLeaf({ certificate, privateKey: key.privateKey })], [certificate]]
      },
      /^publicKey: .*RSA of 1024 bits/,
    ],
  ] as [string, () => Promise<[Certificate[], Certificate[]]>, RegExp][])('is refused when %s', async (_name, make, message) => {
    const [chain, anchors] = await make()
    expect(said(verifyChain(chain, anchors, NOW))).toMatch(message)
  })

  it('is valid from the first to the last second of leaf and root, and at any time when none is given', async () => {
    const signer = await aSigner()
    const { certificate } = await aLeaf(signer)
    const at = (time: number | undefined) => said(verifyChain([certificate], [signer.certificate], time))
    const { notBefore, notAfter } = certificate
    expect([at(notBefore - 1), at(notBefore), at(notAfter), at(notAfter + 999), at(notAfter + 1000), at(undefined)]).toEqual([
      expect.stringMatching(/^validity: .*is not valid before 2026-11-24T07:04:03Z/),
      'ok',
      'ok',
      'ok',
      expect.stringMatching(/^validity: .*expired at 2026-11-25T07:04:03Z/),
      'ok',
    ])
    const short = await aSigner({ profile: { lifetime: hours(2) } })
    const long = await anOddLeaf(short, { notAfter: NOW + hours(9) })
    expect(said(verifyChain([long], [short.certificate], NOW + hours(3)))).toMatch(/^validity: CN=example.org g1 \w+ expired/)
  })
})

/** A root and two CAs below it, each by a recipe; the lowest first. */
async function aPath(lowest: Recipe = {}, middle: Recipe = {}, top: Recipe = {}): Promise<Certificate[]> {
  const [one, two, three] = await Promise.all(['top', 'middle', 'lowest'].map((name) => keyOf('ECDSAP256', name)))
  if (!one || !two || !three) throw new Error('keys are missing')
  const root = await oddCertificate({ key: one, subject: 'top', subjectKeyID: 'a1', ...top })
  const between = await oddCertificate({
    key: two,
    subject: 'middle',
    subjectKeyID: 'a2',
    signer: { certificate: root, privateKey: one.privateKey },
    ...middle,
  })
  const signs = await oddCertificate({
    key: three,
    subject: 'lowest',
    subjectKeyID: 'a3',
    signer: { certificate: between, privateKey: two.privateKey },
    ...lowest,
  })
  return [signs, between, root]
}

describe('a CA and its issuers up to the root', () => {
  const critical = new Extension('1.2.3.4', true, new Uint8Array([5, 0]))
  const constraints = new Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))

  it.each<[string, [Recipe?, Recipe?, Recipe?]]>([
    ['that set no limits', []],
    ['that allow just as many as there are', [{ pathLength: 0 }, { pathLength: 1 }, { pathLength: 2 }]],
    ['that have expired: times are for who signs', [{ notAfter: NOW - minutes(1) }, {}, { notAfter: NOW - minutes(1) }]],
    ['with the purposes of both ends', [{ extKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }]],
    ['with any purpose', [{}, { extKeyUsage: ['2.5.29.37.0'] }]],
  ])('may stand above a leaf: %s', async (_what, recipes) => {
    expect(said(verifyIssuers(await aPath(...recipes)))).toBe('ok')
  })

  it('may be a root alone', async () => {
    expect(said(verifyIssuers([(await aPath())[2] as Certificate]))).toBe('ok')
  })

  it.each<[string, [Recipe?, Recipe?, Recipe?], RegExp]>([
    ['the lowest is no CA', [{ ca: false }], /^basicConstraints: CN=lowest is no CA/],
    ['one between is no CA', [{}, { ca: false }], /^basicConstraints: CN=middle is no CA/],
    ['the root is no CA', [{}, {}, { ca: false }], /^basicConstraints: CN=top is no CA/],
    ['one between may not sign certificates', [{}, { keyUsage: KeyUsageFlags.cRLSign }], /^keyUsage: CN=middle may not sign/],
    [
      'one between allows none below it',
      [{}, { pathLength: 0 }],
      /^pathLength: CN=middle allows 0 intermediate certificates below it, there are 1/,
    ],
    [
      'the root allows one below it',
      [{}, {}, { pathLength: 1 }],
      /^pathLength: CN=top allows 1 intermediate certificates below it, there are 2/,
    ],
    ['one between is limited to servers', [{}, { extKeyUsage: ['1.3.6.1.5.5.7.3.1'] }], /^extKeyUsage: CN=middle is limited to serverAuth/],
    ['one has name constraints', [{ extensions: [constraints] }], /^nameConstraints: CN=lowest/],
    ['the root has name constraints', [{}, {}, { extensions: [constraints] }], /^nameConstraints: CN=top/],
    ['one has a critical extension that is not understood', [{}, { extensions: [critical] }], /^criticalExtension: CN=middle .*1\.2\.3\.4/],
    ['one names another key of its issuer', [{ authorityKeyID: 'ffff' }], /^order: certificate 1 \(CN=lowest\)/],
  ])('are refused when %s', async (_what, recipes, message) => {
    expect(said(verifyIssuers(await aPath(...recipes)))).toMatch(message)
  })

  it('are refused when one is missing, out of order, or forged', async () => {
    const [lowest, middle, top] = (await aPath()) as [Certificate, Certificate, Certificate]
    expect(said(verifyIssuers([lowest, top]))).toMatch(/^order: certificate 1 \(CN=lowest\) is not issued by certificate 2 \(CN=top\)/)
    expect(said(verifyIssuers([middle, lowest, top]))).toMatch(/^order: certificate 1 \(CN=middle\)/)
    expect(said(verifyIssuers([forged(lowest), middle, top]))).toMatch(
      /^signature: the signature of CN=lowest is not by the key of CN=middle/,
    )
    expect(said(verifyIssuers([lowest, forged(middle), top]))).toMatch(/^signature: the signature of CN=middle/)
  })
})

describe("an issuer's answer", () => {
  const asked = leafProfile()

  async function answer(recipe: Recipe | undefined, overrides: Partial<typeof asked> = {}, now = NOW) {
    const signer = await aSigner()
    const key = await keyOf('ECDSAP256', 'leaf')
    const chain = recipe ? [await anOddLeaf(signer, recipe)] : [(await aLeaf(signer)).certificate]
    return said(checkIssued({ ...asked, ...overrides }, subjectKeyOf(key), chain, makeBundle([signer.certificate], NOW), now))
  }

  const dns = asked.dnsNames.map((value) => ({ type: 'dns', value }) as const)
  const names = [uri, ...dns]

  it('is right when it is what was asked for', async () => {
    expect(await answer(undefined)).toBe('ok')
    expect(await answer({ names: [uri, ...dns.toReversed()] })).toBe('ok')
    expect(await answer({ names, notAfter: NOW + minutes(1) })).toBe('ok')
  })

  it.each([
    ['another key', { names, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }, {}, /^publicKey: /],
    ['a key of another type', { names }, { keyType: 'ED25519' as const }, /^keyType: .*ECDSAP256, ED25519 was asked for/],
    ['no SPIFFE ID', { names: dns }, {}, /^spiffeID: .*no SPIFFE ID/],
    [
      'another SPIFFE ID',
      { names },
      { spiffeId: workloadId(parseTrustDomain('example.org'), 'shop', 'db') },
      /^spiffeID: .*sa\/web, .*sa\/db was asked for/,
    ],
    ['two URIs', { names: [...names, { type: 'url', value: 'spiffe://example.org/b' } as const] }, {}, /^spiffeID: /],
    ['a DNS name less', { names: names.slice(0, -1) }, {}, /^dnsNames: .*lacks web.shop.svc.cluster.local/],
    ['a DNS name more', { names: [...names, { type: 'dns', value: 'bank' } as const] }, {}, /^dnsNames: .*holds bank/],
    ['an IP address', { names: [...names, { type: 'ip', value: '10.0.0.1' } as const] }, {}, /^otherNames: /],
    ['a CA', { names, ca: true }, {}, /^basicConstraints: /],
    ['no digitalSignature', { names, keyUsage: KeyUsageFlags.keyAgreement }, {}, /^keyUsage: .*lacks digitalSignature/],
    ['keyCertSign', { names, keyUsage: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign }, {}, /^keyUsage: .*has keyCertSign/],
    ['cRLSign', { names, keyUsage: KeyUsageFlags.digitalSignature | KeyUsageFlags.cRLSign }, {}, /^keyUsage: .*has cRLSign/],
    ['servers only', { names, extKeyUsage: ['1.3.6.1.5.5.7.3.1'] }, {}, /^extKeyUsage: .*lacks clientAuth/],
    ['clients only', { names, extKeyUsage: ['1.3.6.1.5.5.7.3.2'] }, {}, /^extKeyUsage: .*lacks serverAuth/],
    ['too long a life', { names, notAfter: NOW + hours(25) }, {}, /^lifetime: .*lasts 25h, 24h was asked for/],
    ['no life left', { names, notAfter: NOW - minutes(1) }, {}, /^lifetime: .*expired/],
    ['a life to come', { names, notBefore: NOW + minutes(1) }, {}, /^lifetime: .*not valid before/],
  ])('is refused when it has %s', async (_name, recipe, overrides, message) => {
    expect(await answer(recipe, overrides)).toMatch(message)
  })

  it('is refused when it is empty, or not of a published root', async () => {
    const { certificate, keyPair } = await aLeaf(await aSigner())
    const other = makeBundle([(await aSigner({ name: 'other', profile: { generation: 2 } })).certificate], NOW)
    expect(said(checkIssued(asked, subjectKeyOf(keyPair), [], other, NOW))).toMatch(/^chain: it is empty/)
    expect(said(checkIssued(asked, subjectKeyOf(keyPair), [certificate], other, NOW))).toMatch(/^anchor: /)
  })

  it('may hold a SAN that is not critical only beside a subject', async () => {
    expect(await answer({ subject: 'web', names })).toBe('ok')
    const { certificate } = await aLeaf(await aSigner())
    const relaxed = { ...certificate, criticalExtensions: ['keyUsage'] }
    const key = await keyOf('ECDSAP256', 'leaf')
    const bundle = makeBundle([(await aSigner()).certificate], NOW)
    expect(said(checkIssued(asked, subjectKeyOf(key), [relaxed], bundle, NOW))).toMatch(/^subjectAltName: /)
    expect(said(checkIssued(asked, subjectKeyOf(key), [{ ...certificate, criticalExtensions: ['subjectAltName'] }], bundle, NOW))).toMatch(
      /^keyUsage: it is not critical/,
    )
  })

  it('of a wildcard is compared as it stands', async () => {
    const dnsNames = [parseDnsName('*.db.shop.svc', { wildcard: true })]
    expect(await answer({ names: [uri, { type: 'dns', value: '*.db.shop.svc' }] }, { dnsNames })).toBe('ok')
    expect(await answer({ names: [uri, { type: 'dns', value: 'a.db.shop.svc' }] }, { dnsNames })).toMatch(/^dnsNames: /)
  })
})

describe('a CA and its key', () => {
  const own = async (recipe: Recipe = {}): Promise<[Certificate, KeyObject]> => {
    const key = recipe.key ?? (await keyOf('ECDSAP256', 'odd'))
    return [await oddCertificate({ ...recipe, key }), key.privateKey]
  }

  it.each([
    ['of ours', async () => [(await aSigner()).certificate, (await aSigner()).privateKey]],
    ["of someone else's", () => own()],
    ['with RSA of 2048 bits', () => own({ key: rsaOf(2048) })],
    ['with a path length of 0', () => own({ pathLength: 0 })],
    ['that another CA signed', async () => own({ signer: await aSigner() })],
    ['with Ed25519', async () => own({ key: await keyOf('ED25519') })],
    ['with P-384', async () => own({ key: await keyOf('ECDSAP384'), hash: 'SHA-384' })],
  ] as [string, () => Promise<[Certificate, KeyObject]>][])('%s can sign', async (_name, make) => {
    const [certificate, key] = await make()
    expect(checkSigningPair(certificate, key, NOW)).toEqual(OK)
  })

  it.each([
    [
      'the key is another',
      async () => [(await aSigner()).certificate, (await aSigner({ name: 'other' })).privateKey],
      /^privateKey: it is not the key of CN=example.org/,
    ],
    [
      'the key is of another kind',
      async () => [(await aSigner()).certificate, (await keyOf('ED25519')).privateKey],
      /^privateKey: it is not the key/,
    ],
    [
      'the key is of a kind that cannot sign',
      async () => [(await aSigner()).certificate, generateKeyPairSync('x25519').privateKey],
      /^privateKey: it is X25519/,
    ],
    [
      'it is a leaf',
      async () => [(await aLeaf(await aSigner())).certificate, (await keyOf('ECDSAP256', 'leaf')).privateKey],
      /^basicConstraints: /,
    ],
    ['it may not sign certificates', () => own({ keyUsage: KeyUsageFlags.digitalSignature }), /^keyUsage: /],
    ['it has no keyUsage', () => own({ keyUsage: null }), /^keyUsage: /],
    ['it has expired', () => own({ notAfter: NOW - minutes(1) }), /^notAfter: CN=odd expired at/],
    ['it is not yet in force', () => own({ notBefore: NOW + minutes(1) }), /^notBefore: CN=odd is not valid before/],
    ['it has no subject', async () => own({ subject: '', signer: await aSigner(), names: [uri] }), /^subject: /],
    ['it has no key identifier', () => own({ subjectKeyID: null }), /^subjectKeyID: /],
    ['it was signed with SHA-1', () => own({ key: rsaOf(2048), hash: 'SHA-1' }), /^signatureAlgorithm: /],
    ['it has RSA with 1024 bits', () => own({ key: rsaOf(1024) }), /^publicKey: /],
    ['it is limited to clients', () => own({ extKeyUsage: ['1.3.6.1.5.5.7.3.2'] }), /^extKeyUsage: /],
    [
      'it has name constraints',
      () => own({ extensions: [new Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))] }),
      /^nameConstraints: /,
    ],
  ] as [string, () => Promise<[Certificate, KeyObject]>, RegExp][])('cannot sign when %s', async (_name, make, message) => {
    const [certificate, key] = await make()
    expect(said(checkSigningPair(certificate, key, NOW))).toMatch(message)
  })
})
