// A certificate as people read one. Pure.

import type { Instant } from '../../base/instant.ts'
import { formatInstant } from '../../base/instant.ts'
import type { Certificate } from '../../pki/certificate.ts'
import { instantText } from '../output/instant.ts'
import type { Cell, PageRow } from '../output/table.ts'

/** All of it: of a leaf. */
export function leafRows(certificate: Certificate, now: Instant): PageRow[] {
  const { subject, uris, dnsNames, otherNames, serialNumber, issuer, keyType, signatureAlgorithm, criticalExtensions } = certificate
  return [
    ['Subject', subject || '(empty: the names below are its subject)'],
    ['URI', uris.join(', ') || 'none'],
    ['DNS names', dnsNames.join(', ') || 'none'],
    ...(otherNames > 0 ? [['Other names', { text: `${otherNames}, which nobody asked for`, style: 'bad' }] as const] : []),
    ['Issuer', issuer],
    ['Serial', serialNumber],
    ['Valid from', instantText(certificate.notBefore, now)],
    ['Valid until', endText(certificate, now)],
    ['Key', keyType ?? 'of another kind'],
    ['Signature', signatureAlgorithm],
    ['Usages', usagesOf(certificate)],
    ['Key IDs', `own ${certificate.subjectKeyID ?? 'none'}, of the issuer ${certificate.authorityKeyID ?? 'none'}`],
    ['Critical', criticalExtensions.join(', ') || 'no extension'],
    ['SHA-256', colons(certificate.fingerprint)],
  ]
}

/** In short: of an intermediate or an anchor. */
export function caRow(certificate: Certificate, name: string, now: Instant): PageRow[] {
  const { subject, serialNumber, keyType, pathLength, isCA } = certificate
  const what = isCA ? `CA${pathLength === undefined ? '' : `, path length ${pathLength}`}` : 'no CA'
  return [
    [name, `${subject || '(no subject)'}: ${what}, ${keyType ?? 'key of another kind'}, serial ${serialNumber}`],
    ['', endText(certificate, now)],
    ['', `SHA-256 ${colons(certificate.fingerprint)}`],
  ]
}

function endText({ notBefore, notAfter }: Certificate, now: Instant): Cell {
  const text = instantText(notAfter, now)
  if (notAfter <= now) return { text: `${text}: expired`, style: 'bad' }
  if (notBefore > now) return { text: `${text}: not valid yet`, style: 'bad' }
  return text
}

const usagesOf = ({ keyUsage, extKeyUsage }: Certificate): string => [...keyUsage, ...extKeyUsage].join(', ') || 'any'

/** As openssl and browsers show it. */
const colons = (hex: string): string => hex.toUpperCase().replace(/..(?=.)/g, '$&:')

/** For programs. */
export function certificateData(certificate: Certificate): object {
  const { subject, issuer, serialNumber, uris, dnsNames, keyType, signatureAlgorithm, keyUsage, extKeyUsage, isCA, fingerprint } =
    certificate
  return {
    subject,
    issuer,
    serialNumber,
    uris,
    dnsNames,
    notBefore: formatInstant(certificate.notBefore),
    notAfter: formatInstant(certificate.notAfter),
    keyType,
    signatureAlgorithm,
    keyUsage,
    extKeyUsage,
    isCA,
    subjectKeyID: certificate.subjectKeyID,
    authorityKeyID: certificate.authorityKeyID,
    sha256: fingerprint,
  }
}
