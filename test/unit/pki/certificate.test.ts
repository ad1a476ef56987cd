import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hours } from '../../../src/base/duration.ts'
import { type Certificate, readCertificate, readChain } from '../../../src/pki/certificate.ts'
import { element, sequence } from '../../../src/pki/der-writer.ts'
import { fingerprintOf, parseFingerprint } from '../../../src/pki/fingerprint.ts'
import { publicKeyHash } from '../../../src/pki/keys.ts'
import { formatPem } from '../../../src/pki/pem.ts'
import { aLeaf, aSigner, Extension, keyOf, NOW, oddCertificate, oddDer, rsaOf } from '../../support/certificates.ts'
import { accepted, refused } from '../../support/refusals.ts'

const pemOf = (...certificates: Certificate[]): string => certificates.map(({ der }) => formatPem('CERTIFICATE', der)).join('')

/** The same octets with `from` replaced by `to` of the same length; the signature does not matter here. */
function patched(der: Buffer, from: string, to: string): Buffer {
  const at = der.indexOf(Buffer.from(from, 'hex'))
  if (at < 0 || from.length !== to.length) throw new Error(`cannot replace ${from}`)
  const copy = Buffer.from(der)
  copy.set(Buffer.from(to, 'hex'), at)
  return copy
}

const extension = (oid: string, critical: boolean, value: Buffer): Extension => new Extension(oid, critical, new Uint8Array(value))
const ALT_NAME = '2.5.29.17'
const uri = (text: string): Buffer => element(0x86, Buffer.from(text, 'latin1'))
const dns = (text: string): Buffer => element(0x82, Buffer.from(text, 'latin1'))

describe('a certificate', () => {
  it('is read as Node reads it', async () => {
    const { certificate, keyPair } = await aLeaf(await aSigner())
    const { x509 } = certificate
    expect(certificate).toMatchObject({
      fingerprint: x509.fingerprint256.replaceAll(':', '').toLowerCase(),
      serialNumber: x509.serialNumber.toLowerCase(),
      publicKeyHash: publicKeyHash(keyPair.publicKey),
      notBefore: x509.validFromDate.getTime(),
      notAfter: x509.validToDate.getTime(),
      issuer: x509.issuer,
    })
    expect(x509.subjectAltName).toBe([`URI:${certificate.uris[0]}`, ...certificate.dnsNames.map((name) => `DNS:${name}`)].join(', '))
  })

  it('does not change with the bytes it was read from', async () => {
    const der = await oddDer()
    const certificate = readCertificate(der)
    der.fill(0)
    expect(fingerprintOf(certificate.der)).toBe(certificate.fingerprint)
    expect(certificate.subjectDer[0]).toBe(0x30)
  })

  it('is self-signed only when names and signature say so', async () => {
    const { certificate } = await aSigner()
    const impostor = await oddCertificate({
      signer: { certificate, privateKey: (await keyOf('ECDSAP256', 'odd')).privateKey },
      subject: 'x',
    })
    const broken = Buffer.from(certificate.der)
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1
    expect([certificate.selfSigned, impostor.selfSigned, readCertificate(broken).selfSigned]).toEqual([true, false, false])
  })

  it('is refused where the curve of its key is given by numbers instead of its name', () => {
    const folder = mkdtempSync(join(tmpdir(), 'explicit-'))
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit']
    const args = ['req', '-x509', ...curve, '-nodes', '-keyout', join(folder, 'key.pem'), '-subj', '/CN=x', '-outform', 'DER']
    const der = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    rmSync(folder, { recursive: true })
    expect(() => readCertificate(der)).toThrow('the curve of its public key is not named (RFC 5480 section 2.1.1)')
  })

  it.each([
    ['a comma, a plus and an equals sign', 'a, O=b+c=d', 'CN=a\\, O=b\\+c=d'],
    ['blanks at its ends', ' #a ', 'CN=\\ #a\\ '],
    ['a newline', 'a\nb', 'CN=a\\0ab'],
    ['letters of other alphabets', 'Пример', 'CN=Пример'],
  ])('with %s in its name shows it in one line', async (_name, subject, text) => {
    expect((await oddCertificate({ subject })).subject).toBe(text)
  })

  it('with names of all kinds gives those that count and the number of the others', async () => {
    const names = [
      { type: 'url', value: 'spiffe://example.org/a' },
      { type: 'dns', value: 'web' },
      { type: 'ip', value: '10.0.0.1' },
      { type: 'email', value: 'a@example.org' },
    ] as const
    expect(await oddCertificate({ names })).toMatchObject({ uris: ['spiffe://example.org/a'], dnsNames: ['web'], otherNames: 2 })
  })

  it('cannot pass one name for two (CVE-2021-44532)', async () => {
    const { x509, ...certificate } = await oddCertificate({ names: [{ type: 'url', value: 'spiffe://example.org/a,DNS:bank' }] })
    expect(certificate).toMatchObject({ uris: ['spiffe://example.org/a,DNS:bank'], dnsNames: [] })
  })

  it.each([
    ['of RSA with 1024 bits', () => rsaOf(1024)],
    ['of RSA with 2048 bits', () => rsaOf(2048)],
  ])('with a key %s is read and has none of our key types', async (_name, make) => {
    expect((await oddCertificate({ key: make() })).keyType).toBeUndefined()
  })

  it('without extensions has none of their values', async () => {
    const bare = await oddCertificate({ ca: null, keyUsage: null, subjectKeyID: null })
    expect(bare).toMatchObject({ isCA: false, keyUsage: [], extKeyUsage: [], uris: [], subjectKeyID: undefined, authorityKeyID: undefined })
  })

  it('lists its critical extensions, unknown ones by their OID', async () => {
    const { criticalExtensions } = await oddCertificate({ extensions: [extension('1.2.3.4', true, Buffer.of(5, 0))] })
    expect(criticalExtensions).toEqual(['basicConstraints', 'keyUsage', '1.2.3.4'])
  })

  it.each([
    ['a NUL in a DNS name', [extension(ALT_NAME, false, sequence(dns('web\0.bank')))], /names? with characters/],
    ['a newline in a URI', [extension(ALT_NAME, false, sequence(uri('spiffe://a\nb')))], /names? with characters/],
    ['a letter beyond ASCII in a DNS name', [extension(ALT_NAME, false, sequence(dns('wéb')))], /names? with characters/],
    ['an empty name', [extension(ALT_NAME, false, sequence(dns('')))], /empty name/],
    ['an empty SAN', [extension(ALT_NAME, false, sequence())], /subjectAltName is empty/],
    [
      'two SANs',
      [extension(ALT_NAME, false, sequence(dns('a'))), extension(ALT_NAME, false, sequence(dns('b')))],
      /2.5.29.17 occurs twice/,
    ],
    ['a name of no known kind', [extension(ALT_NAME, false, sequence(dns('a'), element(0x89, Buffer.of(1))))], /no known kind/],
    ['half an authority', [extension('2.5.29.35', false, sequence(element(0x82, Buffer.of(1))))], /authorityKeyIdentifier/],
    ['something that OpenSSL cannot read', [extension('2.5.29.31', false, Buffer.of(5, 0))], /OpenSSL cannot read one/],
    [
      'something after its SAN',
      [extension(ALT_NAME, false, Buffer.concat([sequence(dns('a')), Buffer.of(5, 0)]))],
      /followed by something/,
    ],
    ['no purpose in extKeyUsage', [extension('2.5.29.37', false, sequence())], /extKeyUsage is empty/],
  ])('with %s is refused', async (_name, extensions, message) => {
    const der = await oddDer({ extensions })
    expect(refused(() => readCertificate(der))).toMatch(/^CertificateInvalid: /)
    expect(refused(() => readCertificate(der))).toMatch(message)
  })

  it.each([
    ['a path length without being a CA', [extension('2.5.29.19', true, sequence(element(2, Buffer.of(0))))], /no CA/],
    ['a CA mark of false written out', [extension('2.5.29.19', true, sequence(element(1, Buffer.of(0))))], /not in DER/],
    [
      'a path length of 70000',
      [extension('2.5.29.19', true, sequence(element(1, Buffer.of(255)), element(2, Buffer.of(1, 17, 112))))],
      /too large/,
    ],
    ['no usage in keyUsage', [extension('2.5.29.15', true, element(3, Buffer.of(7, 0)))], /allows nothing/],
  ])('that has %s is refused', async (_name, extensions, message) => {
    const der = await oddDer({ ca: null, keyUsage: null, extensions })
    expect(refused(() => readCertificate(der))).toMatch(message)
  })

  it.each([
    ['version 1', 'a003020102', 'a003020100', /version 3/],
    ['a negative serial number', '02020102', '02028102', /serial number is negative/],
    ['two signature algorithms', '06082a8648ce3d040302', '06082a8648ce3d040303', /two signature algorithms/],
    ['a month of 13', '170d32363131', '170d32363133', /notBefore is no time that exists/],
  ])('of %s is refused', async (_name, from, to, message) => {
    expect(refused(() => readCertificate(Buffer.from([])))).toMatch(/cut off/)
    const der = await oddDer()
    expect(refused(() => readCertificate(patched(der, from, to)))).toMatch(message)
  })

  it('with a serial number of 21 octets is refused', async () => {
    const der = await oddDer({ serialNumber: '01'.repeat(21) })
    expect(refused(() => readCertificate(der))).toMatch(/more than 20 octets/)
  })

  it('of more than 64 KiB is refused before it is parsed', () => {
    expect(refused(() => readCertificate(Buffer.alloc(65_537)))).toMatch(/65537 bytes, 65536 are allowed/)
  })

  it('that is cut off or followed by something is refused', async () => {
    const der = await oddDer()
    expect(refused(() => readCertificate(der.subarray(0, -1)))).toMatch(/cut off/)
    expect(refused(() => readCertificate(Buffer.concat([der, Buffer.of(0)])))).toMatch(/followed/)
  })

  it('that was tampered with is refused, or read as Node reads it', async () => {
    const { certificate } = await aLeaf(await aSigner())
    const root = (await aSigner()).certificate
    let read = 0
    fc.assert(
      fc.property(
        fc.constantFrom(certificate.der, root.der),
        fc.nat(certificate.der.length - 1),
        fc.integer({ min: 1, max: 255 }),
        (good, at, by) => {
          const der = Buffer.from(good)
          der[at % der.length] = (der[at % der.length] as number) ^ by
          const odd = accepted(() => readCertificate(der))
          if (!odd) return
          read++
          const { x509 } = odd
          expect(odd.serialNumber).toBe(x509.serialNumber.toLowerCase())
          expect([odd.notBefore, odd.notAfter]).toEqual([x509.validFromDate.getTime(), x509.validToDate.getTime()])
          // Not the other way: Node also says CA where there is keyCertSign without basicConstraints, or no extension at all.
          if (odd.isCA && (odd.keyUsage.length === 0 || odd.keyUsage.includes('keyCertSign'))) expect(x509.ca).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
    expect(read).toBeGreaterThan(100)
  })

  it('made of any bytes is refused, with nothing else thrown', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => expect(accepted(() => readCertificate(bytes))).toBeUndefined()))
  })
})

describe('a chain', () => {
  it('is read leaf first', async () => {
    const signer = await aSigner()
    const { certificate } = await aLeaf(signer)
    expect(readChain(pemOf(certificate, signer.certificate)).map(({ fingerprint }) => fingerprint)).toEqual([
      certificate.fingerprint,
      signer.certificate.fingerprint,
    ])
  })

  it.each([
    ['nothing', () => '', /CertificateInvalid: .*holds no certificate/],
    [
      'a private key in it',
      (root: Certificate) => `${pemOf(root)}${formatPem('PRIVATE KEY', Buffer.of(1))}`,
      /block 2 of the chain is a PRIVATE KEY/,
    ],
    ['a bad certificate', () => formatPem('CERTIFICATE', Buffer.of(0x30, 0)), /CertificateInvalid/],
    ['11 certificates', (root: Certificate) => pemOf(...Array.from({ length: 11 }, () => root)), /PemInvalid: .*more than 10 blocks/],
    ['10,000 certificates', (root: Certificate) => pemOf(root).repeat(10_000), /PemInvalid: .*are allowed/],
    ['text', () => 'hello', /PemInvalid/],
  ])('is not read from %s', async (_name, text, message) => {
    const { certificate } = await aSigner()
    expect(refused(() => readChain(text(certificate)))).toMatch(message)
  })
})

describe('a fingerprint', () => {
  it('is SHA-256 in lower-case hex', () => {
    expect(fingerprintOf(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it.each(['', 'ab', 'A'.repeat(64), 'g'.repeat(64), 'a'.repeat(65), `${'a'.repeat(64)}\n`])('is not read from %j', (text) => {
    expect(parseFingerprint(text)).toBeUndefined()
  })

  it('is read from what was written', () => {
    const fingerprint = fingerprintOf(Buffer.of(1))
    expect(parseFingerprint(fingerprint)).toBe(fingerprint)
  })
})

it('a certificate that ends in another century is read', async () => {
  const { notAfter } = await oddCertificate({ notAfter: NOW - (NOW % 1000) + hours(24 * 365 * 100) })
  expect(notAfter).toBe(NOW - (NOW % 1000) + hours(24 * 365 * 100))
})
