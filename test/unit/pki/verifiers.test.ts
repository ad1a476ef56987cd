// What we make, judged by other programs' verifiers. All keys are made once; certificates by the system's clock, which Node judges by.
import { beforeAll, describe, expect, it } from '@jest/globals'
import { type Duration, hours, minutes } from '../../../src/base/duration.ts'
import { makeBundle } from '../../../src/pki/bundle.ts'
import { type Certificate, readChain } from '../../../src/pki/certificate.ts'
import { KEY_TYPES, type KeyType, parsePrivateKey, renderPrivateKey } from '../../../src/pki/keys.ts'
import { formatPem } from '../../../src/pki/pem.ts'
import { checkSigningPair } from '../../../src/pki/verify.ts'
import { aLeaf, aSigner, keyOf } from '../../support/certificates.ts'
import { type Case, goVerdicts, handshake, opensslCa, opensslText, opensslVerdict, type Party } from '../../support/verifiers.ts'

const now = Date.now()
const SERVER = 'web.shop.svc'
const URI = 'spiffe://example.org/ns/shop/sa/web'
const PAIRS = KEY_TYPES.flatMap((root) => KEY_TYPES.map((leaf) => [root, leaf] as const))

interface Made extends Case {
  readonly party: Party
}

const made = new Map<string, Made>()

async function make(root: KeyType, leaf: KeyType): Promise<Made> {
  const signer = await aSigner({ profile: { keyType: root }, now })
  const { certificate, keyPair } = await aLeaf(signer, { profile: { keyType: leaf }, now })
  const chain = formatPem('CERTIFICATE', certificate.der)
  const roots = formatPem('CERTIFICATE', signer.certificate.der)
  return { chain, roots, at: now, party: { key: renderPrivateKey(keyPair.privateKey), chain, ca: roots } }
}

const madeOf = (root: KeyType, leaf: KeyType): Made => made.get(`${root}/${leaf}`) as Made
const inGo = (one: Case) => ({ ...one, uri: URI, dnsName: SERVER })

beforeAll(async () => {
  await Promise.all(KEY_TYPES.flatMap((type) => [keyOf(type, 'root '), keyOf(type, 'leaf')]))
  for (const [root, leaf] of PAIRS) made.set(`${root}/${leaf}`, await make(root, leaf))
  // The first run compiles the Go program.
  await goVerdicts([])
}, 300_000)

describe.each(PAIRS)('a chain of a root with %s and a leaf with %s', (root, leaf) => {
  it('is accepted by OpenSSL, strictly', async () => {
    expect(await opensslVerdict(madeOf(root, leaf))).toBe('')
  })

  it('is shaken hands with by Node, at both ends', async () => {
    const { party } = madeOf(root, leaf)
    const { serverSaw, clientSaw } = await handshake(party, party, SERVER)
    expect(serverSaw).toBe(`URI:${URI}, DNS:web.shop, DNS:${SERVER}, DNS:${SERVER}.cluster.local`)
    expect(clientSaw).toBe(serverSaw)
  })
})

describe('Go', () => {
  it('accepts every chain, for servers and clients', async () => {
    const verdicts = await goVerdicts([...made.values()].map(inGo))
    expect(verdicts).toEqual(PAIRS.map(() => ''))
  })

  it('refuses what is not right', async () => {
    const good = madeOf('ECDSAP256', 'ECDSAP256')
    const other = madeOf('ECDSAP384', 'ECDSAP256')
    const verdicts = await goVerdicts([
      inGo(good),
      inGo({ ...good, roots: other.roots }),
      inGo({ ...good, at: now + hours(24) }),
      inGo({ ...good, at: now - minutes(6) }),
      { ...inGo(good), dnsName: 'db.shop.svc' },
      { ...inGo(good), uri: 'spiffe://example.org/ns/shop/sa/db' },
    ])
    expect(verdicts).toEqual([
      '',
      expect.stringMatching(/unknown authority/),
      expect.stringMatching(/expired/),
      expect.stringMatching(/not yet valid/),
      expect.stringMatching(/not db\.shop\.svc/),
      expect.stringMatching(/the URIs are/),
    ])
  })
})

describe('OpenSSL', () => {
  it.each([
    ['another root', (good: Case, other: Case) => ({ ...good, roots: other.roots }), /unable to get local issuer/],
    ['a leaf that has expired', (good: Case) => ({ ...good, at: now + hours(24) }), /expired/],
    ['a leaf that begins later', (good: Case) => ({ ...good, at: now - minutes(6) }), /not yet valid/],
  ])('refuses %s', async (_name, change, message) => {
    expect(await opensslVerdict(change(madeOf('ECDSAP256', 'ECDSAP256'), madeOf('ECDSAP384', 'ECDSAP256')))).toMatch(message)
  })

  it('accepts the right one of two roots of one trust domain, in any order', async () => {
    const one = madeOf('ECDSAP256', 'ED25519')
    const two = madeOf('ECDSAP384', 'ED25519')
    expect(await opensslVerdict({ ...one, roots: one.roots + two.roots })).toBe('')
    expect(await opensslVerdict({ ...one, roots: two.roots + one.roots })).toBe('')
  })

  it('prints a leaf as it was meant', async () => {
    const text = await opensslText(madeOf('ECDSAP256', 'RSA3072').chain)
    expect(text).toMatch(/Version: 3 /)
    expect(text).toMatch(/Subject: *\n/)
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE\n/)
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\n/)
    expect(text).toMatch(/X509v3 Extended Key Usage: *\s+TLS Web Server Authentication, TLS Web Client Authentication\n/)
    expect(text).toMatch(/X509v3 Authority Key Identifier: *\s+[0-9A-F:]{59}\n/)
    expect(text).toMatch(/X509v3 Subject Alternative Name: critical\s+URI:spiffe:[^\n]+, DNS:web.shop, DNS:web.shop.svc,[^\n]+\n/)
  })

  it('prints a root as it was meant', async () => {
    const text = await opensslText(madeOf('RSA3072', 'ED25519').roots)
    expect(text).toMatch(/Issuer: CN = example.org g1 [0-9a-f]{8}\n/)
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:TRUE\n/)
    expect(text).toMatch(/X509v3 Key Usage: critical\s+Certificate Sign, CRL Sign\n/)
    expect(text).toMatch(/X509v3 Subject Key Identifier: *\s+[0-9A-F:]{59}\n/)
    expect(text).toMatch(/X509v3 Subject Alternative Name: *\s+URI:spiffe:\/\/example.org\n/)
    expect(text).not.toMatch(/pathlen|Extended Key Usage/)
  })

  it('and Go accept what is signed after 2050', async () => {
    const later = Date.parse('2051-06-01T00:00:00Z')
    const signer = await aSigner({ profile: { lifetime: (later + hours(48) - now) as Duration }, now })
    const { certificate } = await aLeaf(signer, { now: later })
    const one = { chain: formatPem('CERTIFICATE', certificate.der), roots: formatPem('CERTIFICATE', signer.certificate.der), at: later }
    expect(await opensslVerdict(one)).toBe('')
    expect(await goVerdicts([inGo(one)])).toEqual([''])
  })
})

describe("a leaf by somebody else's CA, made with OpenSSL", () => {
  it('is accepted by OpenSSL and Go', async () => {
    const ca = await opensslCa('/C=DE/O=Müller & Söhne, Inc./OU=IT+CN=Corporate Root')
    const [certificate] = readChain(ca.certificate) as [Certificate]
    const signer = { certificate, privateKey: parsePrivateKey(ca.key) }
    expect(certificate.subject).toBe('OU=IT+CN=Corporate Root,O=Müller & Söhne\\, Inc.,C=DE')
    const at = Date.now() + minutes(1)
    expect(checkSigningPair(certificate, signer.privateKey, at)).toEqual({ ok: true })
    const leaf = await aLeaf(signer, { now: at })
    const one = { chain: formatPem('CERTIFICATE', leaf.certificate.der), roots: makeBundle([certificate], at).text, at }
    expect([await opensslVerdict(one), ...(await goVerdicts([inGo(one)]))]).toEqual(['', ''])
  })
})

describe('Node', () => {
  const good = () => madeOf('ECDSAP256', 'ECDSAP256').party
  const other = () => madeOf('ED25519', 'ECDSAP256').party

  it.each([
    ['a server of another root', () => handshake(other(), { ...good() }, SERVER), /self-signed certificate in certificate chain/],
    [
      'a client of another root',
      () => handshake({ ...good() }, { ...other(), ca: good().ca }, SERVER),
      /not authorized: .*(UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify)/,
    ],
    ['a server of another name', () => handshake(good(), good(), 'db.shop.svc'), /db\.shop\.svc/],
  ])('refuses %s', async (_name, run, message) => {
    await expect(run()).rejects.toThrow(message)
  })
})
