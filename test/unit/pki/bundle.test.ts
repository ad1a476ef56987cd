import { describe, expect, it } from '@jest/globals'
import { hours } from '../../../src/base/duration.ts'
import { makeBundle, parseBundle } from '../../../src/pki/bundle.ts'
import type { Certificate } from '../../../src/pki/certificate.ts'
import { fingerprintOf } from '../../../src/pki/fingerprint.ts'
import { renderPrivateKey } from '../../../src/pki/keys.ts'
import { formatPem } from '../../../src/pki/pem.ts'
import { aLeaf, aSigner, KeyUsageFlags, keyOf, NOW, oddCertificate, rsaOf } from '../../support/certificates.ts'
import { refused } from '../../support/refusals.ts'

const pemOf = ({ der }: Certificate): string => formatPem('CERTIFICATE', der)
const fingerprints = (anchors: readonly Certificate[]): string[] => anchors.map(({ fingerprint }) => fingerprint)

/** Three roots: of two generations, and an expired one. */
async function threeRoots(): Promise<[Certificate, Certificate, Certificate]> {
  const one = await aSigner({ name: 'one' })
  const two = await aSigner({ name: 'two', profile: { generation: 2 } })
  const expired = await aSigner({ name: 'old', now: NOW - hours(48), profile: { lifetime: hours(24) } })
  return [one.certificate, two.certificate, expired.certificate]
}

describe('a bundle', () => {
  it('keeps the order it is made in, and its text is that of its anchors', async () => {
    const [one, two] = await threeRoots()
    const bundle = makeBundle([two, one], NOW)
    expect(bundle.text).toBe(pemOf(two) + pemOf(one))
    expect(bundle.fingerprint).toBe(fingerprintOf(Buffer.from(bundle.text)))
    expect(fingerprints(bundle.anchors)).toEqual(fingerprints([two, one]))
  })

  it('is itself again when its text is parsed', async () => {
    const [one, two] = await threeRoots()
    const bundle = makeBundle([one, two], NOW)
    const { text, fingerprint, anchors } = parseBundle(bundle.text)
    expect({ text, fingerprint, anchors: fingerprints(anchors) }).toEqual({ ...bundle, anchors: fingerprints(bundle.anchors) })
  })

  it('of any accepted spelling has the canonical text', async () => {
    const [one] = await threeRoots()
    const odd = `\r\n${pemOf(one).replaceAll('\n', '\r\n')}\n \n`
    expect(parseBundle(odd).text).toBe(pemOf(one))
  })

  it('holds repeated anchors once', async () => {
    const [one, two] = await threeRoots()
    expect(makeBundle([one, two, one], NOW).text).toBe(pemOf(one) + pemOf(two))
    expect(parseBundle(pemOf(one) + pemOf(one)).text).toBe(pemOf(one))
  })

  it('drops expired anchors when it is made', async () => {
    const [one, , expired] = await threeRoots()
    expect(makeBundle([expired, one], NOW).text).toBe(pemOf(one))
    expect(makeBundle([one], one.notAfter - 1).text).toBe(pemOf(one))
    expect(refused(() => makeBundle([one], one.notAfter))).toMatch(/^BundleInvalid: .*no trust anchor that is in force/)
  })

  it('is never empty', async () => {
    const [, , expired] = await threeRoots()
    expect(refused(() => makeBundle([], NOW))).toMatch(/BundleInvalid: .*no trust anchor/)
    expect(refused(() => makeBundle([expired], NOW))).toMatch(/no trust anchor/)
    expect(refused(() => parseBundle(''))).toMatch(/BundleInvalid: .*no trust anchor/)
    expect(refused(() => parseBundle('\n\n'))).toMatch(/no trust anchor/)
  })

  it.each([
    ['a leaf', async () => (await aLeaf(await aSigner())).certificate, /is no CA/],
    ['a CA=FALSE', () => oddCertificate({ ca: false }), /basicConstraints: CN=odd is no CA/],
    ['a CA that may not sign', () => oddCertificate({ keyUsage: KeyUsageFlags.digitalSignature }), /keyCertSign/],
    ['a CA without keyUsage', () => oddCertificate({ keyUsage: null }), /keyCertSign/],
    ['a CA for servers only', () => oddCertificate({ extKeyUsage: ['1.3.6.1.5.5.7.3.1'] }), /limited to serverAuth/],
    ['a CA that another signed', async () => oddCertificate({ signer: await aSigner() }), /is not self-signed/],
    ['a CA with RSA of 1024 bits', () => oddCertificate({ key: rsaOf(1024) }), /RSA of 1024 bits/],
  ])('with %s is refused, which ever way it comes', async (_name, make, message) => {
    const [one] = await threeRoots()
    const odd = await make()
    expect(refused(() => makeBundle([one, odd], NOW))).toMatch(/^BundleInvalid: the bundle is refused: block 2: /)
    expect(refused(() => makeBundle([one, odd], NOW))).toMatch(message)
    expect(refused(() => parseBundle(pemOf(one) + pemOf(odd)))).toMatch(message)
  })

  it.each([
    ['a private key', (pem: string, key: string) => pem + key, /block 2 is a private key: take it out/],
    ['a CRL', (pem: string) => pem + formatPem('X509 CRL', Buffer.of(0x30, 0)), /block 2 is a X509 CRL/],
    ['a byte order mark', (pem: string) => `\ufeff${pem}`, /byte order mark/],
    ['no newline between two', (pem: string) => pem.trimEnd() + pem, /block 1 \(CERTIFICATE\) has a boundary inside/],
    ['a bad block', (pem: string) => pem + formatPem('CERTIFICATE', Buffer.from('hello')) + pem, /block 2: the certificate is refused/],
    ['a comment', (pem: string) => `# our root\n${pem}`, /before the first block/],
    ['more than 1 MiB', (pem: string) => pem.padEnd(1024 * 1024 + 1, '\n'), /1048577 bytes, 1048576 are allowed/],
    ['151 blocks', (pem: string) => pem.repeat(151), /more than 150 blocks/],
  ])('with %s is refused', async (_name, text, message) => {
    const [one] = await threeRoots()
    const key = renderPrivateKey((await keyOf('ECDSAP256')).privateKey).toString()
    expect(refused(() => parseBundle(text(pemOf(one), key)))).toMatch(/^BundleInvalid: the bundle is refused: /)
    expect(refused(() => parseBundle(text(pemOf(one), key)))).toMatch(message)
    expect(refused(() => parseBundle(text(pemOf(one), key)))).not.toContain(key.slice(30, 60))
  })

  it('of more anchors than are allowed is refused before it is written', async () => {
    const many = await Promise.all(Array.from({ length: 151 }, (_, index) => oddCertificate({ subject: `root ${index}` })))
    expect(makeBundle(many.slice(1), NOW).anchors).toHaveLength(150)
    expect(refused(() => makeBundle(many, NOW))).toMatch(/151 trust anchors, 150 are allowed/)
  })

  it('of more than 1 MiB is refused before it is written', async () => {
    const names = Array.from({ length: 300 }, (_, index) => ({ type: 'dns', value: `${'x'.repeat(60)}.${index}` }) as const)
    const large = await Promise.all(Array.from({ length: 40 }, (_, index) => oddCertificate({ subject: `root ${index}`, names })))
    expect(refused(() => makeBundle(large, NOW))).toMatch(/bytes, 1048576 are allowed/)
  })
})
