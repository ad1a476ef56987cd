// A CA's certificate, its issuers up to the root, and whether its key fits: what a CA Secret of ours and one of somebody else have in common.
// Used by the codecs of both. Total: what cannot be used becomes a problem. The key is looked at and dropped.

import { type Certificate, readChain } from '../../pki/certificate.ts'
import { publicKeyHash } from '../../pki/key-type.ts'
import { parsePrivateKey } from '../../pki/private-key.ts'
import { verifyIssuers } from '../../pki/verify-chain.ts'
import { dataField, type RawStored, read } from './common.ts'

/** What of a CA is kept in memory. */
export interface CaPair {
  /** What signs. */
  readonly certificate: Certificate | undefined
  /** What is served after a leaf, so that who knows only the root can verify it: the CA itself where it is no root, and what is above it. */
  readonly intermediates: readonly Certificate[]
  /** The anchor: the CA itself where it signed itself. */
  readonly root: Certificate | undefined
  /** Why it cannot sign: garbage, no key, another key, no way up to a root. */
  readonly problem: string | undefined
}

/** Reads `tls.crt` (the CA first, each issued by the next), `tls.key`, and `ca.crt` (the root, where tls.crt does not end with it). */
export function readCaPair(raw: RawStored): CaPair {
  const nothing = { certificate: undefined, intermediates: [], root: undefined }
  const text = dataField(raw, 'tls.crt')
  if (!text) return { ...nothing, problem: 'tls.crt is missing or empty' }
  const chain = read(() => readChain(text.toString('latin1')))
  const [certificate] = chain.value ?? []
  if (!chain.value || !certificate) return { ...nothing, problem: `tls.crt: ${chain.problem}` }
  const way = wayUp(chain.value, raw)
  const pair = { certificate, intermediates: way.intermediates, root: way.root }
  return { ...pair, problem: keyProblem(raw, certificate) ?? way.problem }
}

/** The trust domain that a CA names in its URI SAN (X509-SVID 4.1), which nobody can edit; undefined where it names none. */
export function spiffeTrustDomain(certificate: Certificate | undefined): string | undefined {
  const [uri] = certificate?.uris ?? []
  return uri?.startsWith('spiffe://') ? uri.slice('spiffe://'.length) : undefined
}

type WayUp = Pick<CaPair, 'intermediates' | 'root' | 'problem'>

function wayUp(chain: readonly Certificate[], raw: RawStored): WayUp {
  const [certificate] = chain as [Certificate]
  if (certificate.selfSigned) {
    const problem = chain.length > 1 ? 'tls.crt holds more than the self-signed CA' : undefined
    return { intermediates: [], root: certificate, problem }
  }
  const last = chain.at(-1) as Certificate
  if (last.selfSigned) return verified(chain.slice(0, -1), last)
  const text = dataField(raw, 'ca.crt')
  if (!text)
    return {
      intermediates: chain,
      root: undefined,
      problem: 'the CA is not its own root, and ca.crt, where the root should be, is missing',
    }
  const roots = read(() => readChain(text.toString('latin1')))
  const root = roots.value?.[0]
  if (!root) return { intermediates: chain, root: undefined, problem: `ca.crt: ${roots.problem}` }
  if (roots.value?.length !== 1 || !root.selfSigned) {
    return { intermediates: chain, root: undefined, problem: 'ca.crt must hold one certificate, the self-signed root' }
  }
  return verified(chain, root)
}

function verified(intermediates: readonly Certificate[], root: Certificate): WayUp {
  const verdict = verifyIssuers([...intermediates, root])
  return { intermediates, root, problem: verdict.ok ? undefined : `${verdict.rule}: ${verdict.detail}` }
}

function keyProblem(raw: RawStored, certificate: Certificate): string | undefined {
  const text = dataField(raw, 'tls.key')
  if (!text) return 'tls.key is missing or empty'
  const keyHash = read(() => publicKeyHash(parsePrivateKey(text)))
  text.fill(0)
  if (!keyHash.value) return `tls.key: ${keyHash.problem}`
  return keyHash.value === certificate.publicKeyHash ? undefined : 'tls.key is not the key of the certificate in tls.crt'
}
