// A CA that somebody else keeps: a root of a company and CAs below it, and the Secret of the operator's namespace that holds one with its key.
// Made by @peculiar/x509 (see certificates.ts), so that they are not our own kind. It must not be used to judge anything.

import { hours } from '../../src/base/duration.ts'
import type { RawObject } from '../../src/k8s/resource.ts'
import type { Certificate } from '../../src/pki/certificate.ts'
import { generateKeyPair, type KeyPair, type KeyType, renderPrivateKey } from '../../src/pki/keys.ts'
import { oddCertificate, type Recipe } from './certificates.ts'
import { b64, changed, NOW, OPERATOR_NAMESPACE, pemOf, type RawChange } from './material.ts'

/** A CA with its key, and the way up from it. */
export interface CorporateCa {
  readonly keyPair: KeyPair
  /** What signs. */
  readonly certificate: Certificate
  /** From the one that issued `certificate` up, without the root. */
  readonly issuers: readonly Certificate[]
  readonly root: Certificate
}

export interface CorporateOptions {
  /** CAs below the root; 0: the root itself signs. */
  readonly below?: number
  readonly keyType?: KeyType
  /** Of the one that signs; of the root. */
  readonly recipe?: Recipe
  readonly rootRecipe?: Recipe
  /** In the names of all. */
  readonly company?: string
}

const NAMES = ['Root', 'Policy CA', 'Issuing CA', 'Department CA']
let made = 0

/** `below` CAs under a root, each with a year to go; the lowest signs. */
export async function corporateCa(options: CorporateOptions = {}): Promise<CorporateCa> {
  const { below = 1, keyType = 'ECDSAP256', recipe = {}, rootRecipe = {}, company = 'Example' } = options
  const path: { certificate: Certificate; keyPair: KeyPair }[] = []
  for (let level = 0; level <= below; level++) {
    const keyPair = await generateKeyPair(level === below ? keyType : 'ECDSAP256')
    const above = path[0]
    const serial = (++made).toString(16).padStart(4, '0')
    const certificate = await oddCertificate({
      key: keyPair,
      ...(above ? { signer: { certificate: above.certificate, privateKey: above.keyPair.privateKey } } : {}),
      subject: `${company} ${NAMES[level]}`,
      serialNumber: `01${serial}`,
      subjectKeyID: `aa${serial}`,
      notBefore: NOW - hours(24),
      notAfter: NOW + hours(8760),
      ...(level === 0 ? rootRecipe : {}),
      ...(level === below ? recipe : {}),
    })
    path.unshift({ certificate, keyPair })
  }
  const [signer, ...above] = path as [(typeof path)[0], ...typeof path]
  const certificates = above.map(({ certificate }) => certificate)
  return {
    keyPair: signer.keyPair,
    certificate: signer.certificate,
    issuers: certificates.slice(0, -1),
    root: certificates.at(-1) ?? signer.certificate,
  }
}

/** PKCS#8 PEM. */
export const keyPem = ({ keyPair }: Pick<CorporateCa, 'keyPair'>): string => renderPrivateKey(keyPair.privateKey).toString()

/** Secret corporate-ca of the operator's namespace, as cert-manager or a person would put it there; the root of a CA that is none stands in ca.crt. */
export function sourceSecret(ca: CorporateCa, change: RawChange & { rootIn?: 'ca.crt' | 'tls.crt' | 'both' } = {}): RawObject {
  const { rootIn = 'ca.crt', ...more } = change
  const isRoot = ca.certificate === ca.root
  const data = {
    'tls.crt': b64(pemOf(ca.certificate, ...ca.issuers, ...(isRoot || rootIn === 'ca.crt' ? [] : [ca.root]))),
    'tls.key': b64(keyPem(ca)),
    ...(rootIn === 'tls.crt' ? {} : { 'ca.crt': b64(pemOf(ca.root)) }),
  }
  const metadata = { namespace: OPERATOR_NAMESPACE, name: 'corporate-ca' }
  return changed({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data } as RawObject, more)
}
