// Certificates for tests: good ones by our own signing, odd ones by @peculiar/x509, which refuses nothing. Keys are made once a file.
// It must not be used to judge anything: the library is a second encoder here, the judges are OpenSSL, Go and Node.

import 'reflect-metadata'
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { hours } from '../../src/base/duration.ts'
import type { Instant } from '../../src/base/instant.ts'
import type { Random } from '../../src/base/random.ts'
import { type Certificate, readCertificate } from '../../src/pki/certificate.ts'
import { type DnsName, parseDnsName } from '../../src/pki/dns-name.ts'
import { generateKeyPair, type KeyPair, type KeyType } from '../../src/pki/keys.ts'
import type { LeafProfile, RootProfile } from '../../src/pki/profile.ts'
import { createRoot, type Signer, signLeaf } from '../../src/pki/sign.ts'
import { workloadId } from '../../src/pki/spiffe-id.ts'
import type { SubjectPublicKey } from '../../src/pki/subject-public-key.ts'
import { parseTrustDomain } from '../../src/pki/trust-domain.ts'

export { Extension, KeyUsageFlags } from '@peculiar/x509'

cryptoProvider.set(webcrypto as unknown as Crypto)

/** The time of tests that choose it. */
export const NOW: Instant = Date.parse('2026-11-24T07:09:03.456Z')

const TRUST_DOMAIN = parseTrustDomain('example.org')

/** Randomness that does not vary: every byte and every draw as given. */
export function fixedRandom(byte: number, part = 0.5): Random {
  return { bytes: (count) => new Uint8Array(count).fill(byte), uniform: () => part }
}

const random: Random = { bytes: (count) => webcrypto.getRandomValues(new Uint8Array(count)), uniform: () => 0.5 }

const keys = new Map<string, Promise<KeyPair>>()

/** The key pair `name` of a kind, made at its first use. */
export function keyOf(type: KeyType, name = 'one'): Promise<KeyPair> {
  const known = keys.get(`${type}/${name}`)
  if (known !== undefined) return known
  const made = generateKeyPair(type)
  keys.set(`${type}/${name}`, made)
  return made
}

/** The public half as it goes into a leaf. */
export function subjectKeyOf({ type, publicKey }: KeyPair): SubjectPublicKey {
  return { type, der: publicKey.export({ format: 'der', type: 'spki' }) }
}

export function rootProfile(overrides: Partial<RootProfile> = {}): RootProfile {
  return { trustDomain: TRUST_DOMAIN, generation: 1, keyType: 'ECDSAP256', lifetime: hours(2160), ...overrides }
}

export function leafProfile(overrides: Partial<LeafProfile> = {}): LeafProfile {
  return {
    spiffeId: workloadId(TRUST_DOMAIN, 'shop', 'web'),
    dnsNames: ['web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local'].map((name) => parseDnsName(name)) as DnsName[],
    keyType: 'ECDSAP256',
    lifetime: hours(24),
    ...overrides,
  }
}

/** A root and its key. `name` tells keys apart: two names, two keys. */
export async function aSigner(options: { profile?: Partial<RootProfile>; name?: string; now?: Instant } = {}): Promise<Signer> {
  const profile = rootProfile(options.profile)
  const pair = await keyOf(profile.keyType, `root ${options.name ?? ''}`)
  return { certificate: await createRoot(profile, pair, options.now ?? NOW, random), privateKey: pair.privateKey }
}

/** A leaf and its key, signed by `signer`. */
export async function aLeaf(
  signer: Signer,
  options: { profile?: Partial<LeafProfile>; now?: Instant } = {},
): Promise<{ certificate: Certificate; keyPair: KeyPair; profile: LeafProfile }> {
  const profile = leafProfile(options.profile)
  const keyPair = await keyOf(profile.keyType, 'leaf')
  return { certificate: await signLeaf(profile, subjectKeyOf(keyPair), signer, options.now ?? NOW, random), keyPair, profile }
}

/** What an odd certificate is made of. What is absent is as in a good CA. `null` leaves an extension out. */
export interface Recipe {
  readonly key?: KeyLike
  /** Who signs; absent: the certificate itself. */
  readonly signer?: { readonly certificate: Certificate; readonly privateKey: KeyObject }
  /** A common name; empty for an empty subject. */
  readonly subject?: string
  readonly serialNumber?: string
  readonly notBefore?: Instant
  readonly notAfter?: Instant
  readonly ca?: boolean | null
  readonly pathLength?: number
  readonly keyUsage?: number | null
  readonly extKeyUsage?: readonly string[]
  readonly names?: readonly JsonGeneralName[]
  readonly subjectKeyID?: string | null
  readonly authorityKeyID?: string
  readonly hash?: string
  readonly extensions?: readonly Extension[]
}

export interface KeyLike {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** A pair of a kind that we do not make. */
export const rsaOf = (modulusLength: number): KeyLike => generateKeyPairSync('rsa', { modulusLength })

/** The DER of a certificate by the recipe. */
export async function oddDer(recipe: Recipe = {}): Promise<Buffer> {
  const key = recipe.key ?? (await keyOf('ECDSAP256', 'odd'))
  const signerKey = recipe.signer?.privateKey ?? key.privateKey
  const hash = recipe.hash ?? 'SHA-256'
  const subject = recipe.subject === '' ? undefined : new Name([{ CN: [{ utf8String: recipe.subject ?? 'odd' }] }])
  const issuer = recipe.signer ? new Name(new Uint8Array(recipe.signer.certificate.subjectDer)) : subject
  const certificate = await X509CertificateGenerator.create({
    serialNumber: recipe.serialNumber ?? '0102',
    ...(subject ? { subject } : {}),
    ...(issuer ? { issuer } : {}),
    notBefore: new Date(recipe.notBefore ?? NOW - hours(1)),
    notAfter: new Date(recipe.notAfter ?? NOW + hours(24)),
    publicKey: new Uint8Array(key.publicKey.export({ format: 'der', type: 'spki' })),
    extensions: extensionsOf(recipe),
    signingKey: signerKey.toCryptoKey(importAlgorithm(signerKey, hash), false, ['sign']) as CryptoKey,
    signingAlgorithm: { name: importAlgorithm(signerKey, hash).name, hash } as EcdsaParams,
  })
  return Buffer.from(certificate.rawData)
}

/** The certificate by the recipe. */
export async function oddCertificate(recipe: Recipe = {}): Promise<Certificate> {
  return readCertificate(await oddDer(recipe))
}

function extensionsOf(recipe: Recipe): Extension[] {
  const { ca = true, keyUsage = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, subjectKeyID = '0102030405' } = recipe
  const authorityKeyID = recipe.authorityKeyID ?? recipe.signer?.certificate.subjectKeyID
  return [
    ...(ca === null ? [] : [new BasicConstraintsExtension(ca, recipe.pathLength, true)]),
    ...(keyUsage === null ? [] : [new KeyUsagesExtension(keyUsage, true)]),
    ...(recipe.extKeyUsage ? [new ExtendedKeyUsageExtension([...recipe.extKeyUsage])] : []),
    ...(subjectKeyID === null ? [] : [new SubjectKeyIdentifierExtension(subjectKeyID)]),
    ...(authorityKeyID === undefined ? [] : [new AuthorityKeyIdentifierExtension(authorityKeyID)]),
    ...(recipe.names ? [new SubjectAlternativeNameExtension([...recipe.names], recipe.subject === '')] : []),
    ...(recipe.extensions ?? []),
  ]
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }

function importAlgorithm(key: KeyObject, hash: string): { name: string; namedCurve?: string; hash: string } {
  const namedCurve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (namedCurve !== undefined) return { name: 'ECDSA', namedCurve, hash }
  return { name: key.asymmetricKeyType === 'ed25519' ? 'Ed25519' : 'RSASSA-PKCS1-v1_5', hash }
}
