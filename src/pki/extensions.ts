// The extensions of a certificate as plain values (RFC 5280 section 4.2), from their DER. Used by the reader of certificates only.
// Names are taken out of the structure, never out of a printed form, where one name can pass for two (CVE-2021-44532).

import {
  type Element,
  expectTag,
  malformed,
  readBitString,
  readBoolean,
  readElement,
  readElements,
  readOid,
  readSmallInteger,
  TAG,
} from './der.ts'

/** What the extensions say; the values of absent ones are empty, false or undefined. */
export interface Extensions {
  readonly isCA: boolean
  readonly pathLength: number | undefined
  readonly keyUsage: readonly string[]
  readonly extKeyUsage: readonly string[]
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly otherNames: number
  readonly subjectKeyID: string | undefined
  readonly authorityKeyID: string | undefined
  readonly hasNameConstraints: boolean
  readonly criticalExtensions: readonly string[]
}

type Values = { -readonly [Field in keyof Extensions]: Extensions[Field] }
type Read = (value: Buffer, into: Values) => void

/** The extensions that are understood here. One that is critical and not among them refuses the certificate (section 4.2). */
const KNOWN: Readonly<Record<string, { readonly name: string; readonly read: Read }>> = {
  '2.5.29.14': { name: 'subjectKeyIdentifier', read: readSubjectKeyID },
  '2.5.29.15': { name: 'keyUsage', read: readKeyUsage },
  '2.5.29.17': { name: 'subjectAltName', read: readNames },
  '2.5.29.19': { name: 'basicConstraints', read: readBasicConstraints },
  '2.5.29.30': {
    name: 'nameConstraints',
    read: (_value, into) => {
      into.hasNameConstraints = true
    },
  },
  '2.5.29.35': { name: 'authorityKeyIdentifier', read: readAuthorityKeyID },
  '2.5.29.37': { name: 'extKeyUsage', read: readExtKeyUsage },
}

/** Section 4.2.1.3, in the order of the bits. */
const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]

/** Section 4.2.1.12. */
const EXT_KEY_USAGES: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
}

/** Reads the Extensions element of a TBSCertificate. Throws `CertificateInvalid` (blocked). */
export function readExtensions(extensions: Element | undefined): Extensions {
  const values: Values = {
    isCA: false,
    pathLength: undefined,
    keyUsage: [],
    extKeyUsage: [],
    uris: [],
    dnsNames: [],
    otherNames: 0,
    subjectKeyID: undefined,
    authorityKeyID: undefined,
    hasNameConstraints: false,
    criticalExtensions: [],
  }
  if (!extensions) return values
  const seen = new Set<string>()
  const critical: string[] = []
  for (const extension of readElements(expectTag(extensions, TAG.sequence, 'the list of extensions').content, 'the list of extensions')) {
    const { oid, isCritical, value } = readExtension(extension)
    // Section 4.2. Libraries differ in which of two they believe.
    if (seen.has(oid)) throw malformed(`extension ${oid} occurs twice`)
    seen.add(oid)
    const known = KNOWN[oid]
    if (isCritical) critical.push(known?.name ?? oid)
    known?.read(value, values)
  }
  values.criticalExtensions = critical
  return values
}

/** `name` is what criticalExtensions holds: the name of an extension that is understood here, else its OID. */
export function isUnderstood(name: string): boolean {
  return Object.values(KNOWN).some((known) => known.name === name)
}

function readExtension(extension: Element): { oid: string; isCritical: boolean; value: Buffer } {
  const parts = readElements(expectTag(extension, TAG.sequence, 'an extension').content, 'an extension')
  const oid = readOid(parts[0], 'the type of an extension')
  const isCritical = parts.length === 3 && readBoolean(parts[1] as Element, `the critical mark of extension ${oid}`)
  if (parts.length > 3 || (parts.length === 3 && !isCritical)) throw malformed(`extension ${oid} is not in DER`)
  return { oid, isCritical, value: expectTag(parts.at(-1), TAG.octetString, `the value of extension ${oid}`).content }
}

function readSubjectKeyID(value: Buffer, into: Values): void {
  into.subjectKeyID = readElement(value, TAG.octetString, 'subjectKeyIdentifier').content.toString('hex')
}

/** Section 4.2.1.1: the key identifier is context tag 0; issuer (1) and serial (2) beside it are passed over. */
function readAuthorityKeyID(value: Buffer, into: Values): void {
  const parts = readElements(readElement(value, TAG.sequence, 'authorityKeyIdentifier').content, 'authorityKeyIdentifier')
  const keyID = parts[0]?.tag === 0x80 ? parts.shift() : undefined
  const rest = parts.map((part) => part.tag).join()
  if (rest !== '' && rest !== `${0xa1},${0x82}`) throw malformed('authorityKeyIdentifier has parts of no known kind')
  into.authorityKeyID = keyID?.content.toString('hex')
}

function readBasicConstraints(value: Buffer, into: Values): void {
  const what = 'basicConstraints'
  const parts = readElements(readElement(value, TAG.sequence, what).content, what)
  if (parts[0]?.tag === TAG.boolean) {
    into.isCA = readBoolean(parts.shift() as Element, what)
    if (!into.isCA) throw malformed(`${what} is not in DER`)
  }
  const pathLength = parts.shift()
  if (pathLength) into.pathLength = readSmallInteger(pathLength, 'pathLenConstraint')
  if (parts.length > 0) throw malformed(`${what} has too many parts`)
  if (into.pathLength !== undefined && !into.isCA) throw malformed('pathLenConstraint stands in a certificate that is no CA')
}

function readKeyUsage(value: Buffer, into: Values): void {
  const { bytes } = readBitString(readElement(value, TAG.bitString, 'keyUsage'), 'keyUsage')
  into.keyUsage = KEY_USAGES.filter((_name, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
  if (into.keyUsage.length === 0) throw malformed('keyUsage allows nothing')
}

function readExtKeyUsage(value: Buffer, into: Values): void {
  const oids = readElements(readElement(value, TAG.sequence, 'extKeyUsage').content, 'extKeyUsage')
  if (oids.length === 0) throw malformed('extKeyUsage is empty')
  into.extKeyUsage = oids.map((element) => {
    const oid = readOid(element, 'a purpose in extKeyUsage')
    return EXT_KEY_USAGES[oid] ?? oid
  })
}

/** Section 4.2.1.6, context tags: all kinds of names there are. URI and DNS name are IA5String. */
const NAME_TAGS = {
  otherName: 0xa0,
  email: 0x81,
  dns: 0x82,
  x400: 0xa3,
  directory: 0xa4,
  ediParty: 0xa5,
  uri: 0x86,
  ip: 0x87,
  registeredID: 0x88,
}

function readNames(value: Buffer, into: Values): void {
  const names = readElements(readElement(value, TAG.sequence, 'subjectAltName').content, 'subjectAltName')
  if (names.length === 0) throw malformed('subjectAltName is empty')
  const known: readonly number[] = Object.values(NAME_TAGS)
  if (names.some((name) => !known.includes(name.tag))) throw malformed('subjectAltName holds a name of no known kind')
  into.uris = names.filter((name) => name.tag === NAME_TAGS.uri).map(printable)
  into.dnsNames = names.filter((name) => name.tag === NAME_TAGS.dns).map(printable)
  into.otherNames = names.length - into.uris.length - into.dnsNames.length
}

/** A NUL or a newline in a name is an attack on whoever reads it as a C string or as a line. */
function printable(name: Element): string {
  if (name.content.length === 0) throw malformed('subjectAltName holds an empty name')
  if (name.content.some((byte) => byte <= 0x20 || byte >= 0x7f)) {
    throw malformed('subjectAltName holds a name with characters that are not allowed')
  }
  return name.content.toString('latin1')
}
