// Keystores in PKCS#12 (RFC 7292), the format of Java since 9 and of most other programs. Used by whoever renders a leaf Secret.
// The only file that knows pkijs, which is loaded when the first store is made: most installations never make one. What the library leaves to
// its global engine is given to it by argument, so that nothing is drawn but from the Random at hand.

import { hash, webcrypto } from 'node:crypto'
import type { Attribute, ContentInfo, CryptoEngine, EncryptedContentInfo, SafeBag } from 'pkijs'
import type { Random } from '../../base/random.ts'
import type { Certificate } from '../certificate.ts'
import { checkAlias, checkAnchors, type KeyStoreContent, splitChain, type TrustStoreContent } from './content.ts'
import { checkKeystorePassword } from './password.ts'

/** What Java 17 writes, for each of key derivation and MAC (java.security, keystore.pkcs12.*IterationCount); OpenSSL has 2,048. */
const ITERATIONS = 10_000
const HASH = 'SHA-256'
const AES_256_CBC = { name: 'AES-CBC', length: 256 }

/** RFC 7292 appendix D, RFC 2985, RFC 5652. */
const OID = {
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  encryptedData: '1.2.840.113549.1.7.6',
  data: '1.2.840.113549.1.7.1',
  /** KnownOIDs.ORACLE_TrustedKeyUsage: without it Java does not take a certificate for trusted. */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
} as const

type Libraries = Readonly<{ pkijs: typeof import('pkijs'); asn1: typeof import('asn1js') }>

/** What each step of making one store needs. */
interface Workshop extends Libraries {
  readonly engine: CryptoEngine
  /** ASCII. Zeroed at the end. */
  readonly password: ArrayBuffer
}

/**
 * A key, its leaf (both named `alias`, which Java shows in small letters, and tied by the same localKeyId) and intermediates: all under PBES2
 * with AES-256-CBC and PBKDF2-HMAC-SHA-256, MAC with HMAC-SHA-256. Needs 224 bytes of `random`. Holds up the event loop for 7 ms in a piece: the
 * MAC's own derivation (RFC 7292 appendix B) is JavaScript; the rest works on the thread pool.
 * Throws `KeystorePasswordInvalid` or `KeystoreAliasInvalid` (blocked).
 */
export async function pkcs12KeyStore(content: KeyStoreContent, random: Random): Promise<Buffer> {
  const { alias, privateKey, chain, password } = content
  checkKeystorePassword(password, 'PKCS12')
  checkAlias(alias)
  const { leaf, intermediates } = splitChain(chain)
  return inWorkshop(password, random, async (shop) => {
    // Any octets do, if they are the same at both ends.
    const tie = (): Attribute[] => [friendlyName(shop, alias), localKeyId(shop, hash('sha256', leaf.der, 'buffer'))]
    const keyBag = await shroudedKeyBag(shop, privateKey, tie())
    const certBags = [certBag(shop, leaf, tie()), ...intermediates.map((certificate) => certBag(shop, certificate))]
    return [plainContent(shop, [keyBag]), await encryptedContent(shop, certBags)]
  })
}

/** Anchors that Java takes for trusted, each under its alias. Needs 144 bytes of `random`. Throws as `pkcs12KeyStore` does. */
export async function pkcs12TrustStore(content: TrustStoreContent, random: Random): Promise<Buffer> {
  const { anchors, password } = content
  checkKeystorePassword(password, 'PKCS12')
  checkAnchors(anchors)
  return inWorkshop(password, random, async (shop) => {
    const bags = anchors.map(({ alias, certificate }) => certBag(shop, certificate, [friendlyName(shop, alias), trustedKeyUsage(shop)]))
    return [await encryptedContent(shop, bags)]
  })
}

/** Loads the library, makes the contents and seals them with the MAC. */
async function inWorkshop(password: string, random: Random, contentsOf: (shop: Workshop) => Promise<ContentInfo[]>): Promise<Buffer> {
  const libraries = await loadLibraries()
  const { PFX, AuthenticatedSafe } = libraries.pkijs
  const shop: Workshop = { ...libraries, engine: engineOf(libraries, random), password: exactly(Buffer.from(password, 'latin1')) }
  try {
    const authenticatedSafe = new AuthenticatedSafe({ safeContents: await contentsOf(shop) })
    const store = new PFX({ parsedValue: { integrityMode: 0, authenticatedSafe } })
    const mac = { password: shop.password, iterations: ITERATIONS, pbkdf2HashAlgorithm: HASH, hmacHashAlgorithm: HASH }
    await store.makeInternalValues(mac, shop.engine)
    return Buffer.from(store.toSchema().toBER())
  } finally {
    zero(shop.password)
  }
}

async function loadLibraries(): Promise<Libraries> {
  const [pkijs, asn1] = await Promise.all([import('pkijs'), import('asn1js')])
  return { pkijs, asn1 }
}

/** Node's WebCrypto (which works on the thread pool) with our randomness. pkijs draws IVs and salts by `getRandomValues` and nothing else. */
function engineOf({ pkijs }: Libraries, random: Random): CryptoEngine {
  const getRandomValues = (view: Uint8Array): Uint8Array => {
    view.set(random.bytes(view.length))
    return view
  }
  const crypto = { subtle: webcrypto.subtle, getRandomValues } as unknown as Crypto
  return new pkijs.CryptoEngine({ name: 'mutual-identity', crypto })
}

async function shroudedKeyBag(shop: Workshop, privateKey: Buffer, attributes: Attribute[]): Promise<SafeBag> {
  const { pkijs, asn1 } = shop
  const plain = exactly(privateKey)
  const encrypted = await encrypt(shop, plain).finally(() => zero(plain))
  const bagValue = new pkijs.PKCS8ShroudedKeyBag({
    encryptionAlgorithm: encrypted.contentEncryptionAlgorithm,
    encryptedData: new asn1.OctetString({ valueHex: encrypted.getEncryptedContent() }),
  })
  return new pkijs.SafeBag({ bagId: OID.shroudedKeyBag, bagValue, bagAttributes: sorted(attributes) })
}

function certBag({ pkijs, asn1 }: Workshop, { der }: Certificate, attributes: Attribute[] = []): SafeBag {
  const bagValue = new pkijs.CertBag({ certId: OID.x509Certificate, certValue: new asn1.OctetString({ valueHex: exactly(der) }) })
  return new pkijs.SafeBag({
    bagId: OID.certBag,
    bagValue,
    ...(attributes.length > 0 ? { bagAttributes: sorted(attributes) } : {}),
  })
}

function plainContent({ pkijs, asn1 }: Workshop, safeBags: SafeBag[]): ContentInfo {
  const bytes = new pkijs.SafeContents({ safeBags }).toSchema().toBER()
  return new pkijs.ContentInfo({ contentType: OID.data, content: new asn1.OctetString({ valueHex: bytes }) })
}

async function encryptedContent(shop: Workshop, safeBags: SafeBag[]): Promise<ContentInfo> {
  const { pkijs } = shop
  const encryptedContentInfo = await encrypt(shop, new pkijs.SafeContents({ safeBags }).toSchema().toBER())
  const content = new pkijs.EncryptedData({ encryptedContentInfo }).toSchema()
  return new pkijs.ContentInfo({ contentType: OID.encryptedData, content })
}

/** PBES2 (RFC 8018 section 6.2). The library cuts what it encrypts into pieces of indefinite length, which strict readers refuse: joined again. */
async function encrypt({ pkijs, asn1, engine, password }: Workshop, contentToEncrypt: ArrayBuffer): Promise<EncryptedContentInfo> {
  const pieces = await engine.encryptEncryptedContentInfo({
    password,
    contentToEncrypt,
    contentType: OID.data,
    // The type asks for an IV, which the library draws itself.
    contentEncryptionAlgorithm: AES_256_CBC as AesCbcParams & AesDerivedKeyParams,
    hmacHashAlgorithm: HASH,
    iterationCount: ITERATIONS,
  })
  return new pkijs.EncryptedContentInfo({
    contentType: pieces.contentType,
    contentEncryptionAlgorithm: pieces.contentEncryptionAlgorithm,
    encryptedContent: new asn1.OctetString({ valueHex: pieces.getEncryptedContent() }),
    disableSplit: true,
  })
}

const friendlyName = ({ pkijs, asn1 }: Workshop, name: string): Attribute =>
  new pkijs.Attribute({ type: OID.friendlyName, values: [new asn1.BmpString({ value: name })] })

const localKeyId = ({ pkijs, asn1 }: Workshop, id: Buffer): Attribute =>
  new pkijs.Attribute({ type: OID.localKeyId, values: [new asn1.OctetString({ valueHex: exactly(id) })] })

const trustedKeyUsage = ({ pkijs, asn1 }: Workshop): Attribute =>
  new pkijs.Attribute({ type: OID.trustedKeyUsage, values: [new asn1.ObjectIdentifier({ value: OID.anyExtendedKeyUsage })] })

/** In the order of their encodings, as DER wants the elements of a SET OF (X.690 section 11.6). */
function sorted(attributes: readonly Attribute[]): Attribute[] {
  const encoded = attributes.map((attribute) => ({ attribute, der: Buffer.from(attribute.toSchema().toBER()) }))
  return encoded.sort((one, other) => Buffer.compare(one.der, other.der)).map(({ attribute }) => attribute)
}

/** A copy that fills its buffer, as the library wants it: it looks at the whole of one. */
function exactly(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length)
  new Uint8Array(copy).set(bytes)
  return copy
}

const zero = (buffer: ArrayBuffer): Uint8Array => new Uint8Array(buffer).fill(0)
