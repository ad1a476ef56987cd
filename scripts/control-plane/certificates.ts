// The certificates of one control plane: its authority, the API server's own, any number of clients, and the key
// pair of service account tokens. Used by start.ts. Keeps the authority's key in memory only, so nobody can make
// clients once the process that started the control plane has ended.
import 'reflect-metadata'
import { generateKeyPairSync } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** PEM texts. */
export interface KeyAndCertificate {
  readonly certificate: string
  readonly key: string
}

export interface Authority {
  /** PEM */
  readonly certificate: string
  issueServer(names: readonly x509.JsonGeneralName[]): Promise<KeyAndCertificate>
  /** Kubernetes takes the user from CN and the groups from O. */
  issueClient(user: string, groups: readonly string[]): Promise<KeyAndCertificate>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const lifetimeDays = 365 // a control plane left running for a while outlives no demo or test
const day = 24 * 60 * 60 * 1000

export async function createAuthority(now: Date = new Date()): Promise<Authority> {
  const validity = { notBefore: new Date(now.getTime() - 60_000), notAfter: new Date(now.getTime() + lifetimeDays * day) }
  const name: x509.JsonName = [{ CN: ['local-control-plane'] }]
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false),
    ],
  })

  async function issue(subject: x509.JsonName, extensions: x509.Extension[]): Promise<KeyAndCertificate> {
    const leafKeys = await generateKeys()
    const leaf = await x509.X509CertificateGenerator.create({
      subject,
      issuer: name,
      publicKey: leafKeys.publicKey,
      signingKey: keys.privateKey,
      ...validity,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false),
        ...extensions,
      ],
    })
    const der = await crypto.subtle.exportKey('pkcs8', leafKeys.privateKey)
    return { certificate: pem(leaf), key: `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n` }
  }

  return {
    certificate: pem(certificate),
    issueServer: (names) =>
      issue(
        [{ CN: ['kube-apiserver'] }],
        [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]), new x509.SubjectAlternativeNameExtension([...names])],
      ),
    issueClient: (user, groups) =>
      issue(
        [{ CN: [user] }, ...groups.map((group) => ({ O: [group] }))],
        [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])],
      ),
  }
}

/** Signs and verifies service account tokens; no certificate. */
export function createTokenKeys(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
