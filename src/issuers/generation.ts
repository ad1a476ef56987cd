// Signs with the key of a generation's CA Secret in the operator's namespace, whether it was made there or copied from somebody's Secret.
// Holds the KeyObject of a CA by UID and resourceVersion of its Secret, nothing else; knows no other back end.

import type { KeyObject } from 'node:crypto'
import { readCaPair } from '../api/stored/ca-pair.ts'
import { dataField } from '../api/stored/common.ts'
import { messageOf, OperatorError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'
import type { Client } from '../k8s/client.ts'
import { secrets } from '../k8s/resource.ts'
import type { Certificate } from '../pki/certificate.ts'
import { parsePrivateKey } from '../pki/keys.ts'
import { type Signer, signLeaf } from '../pki/sign.ts'
import { checkSigningPair } from '../pki/verify.ts'
import type { GenerationRef, IssueRequest, Issuer } from './issuer.ts'

/** Signers that are kept at most: more generations than sign at once in any cluster; the oldest is forgotten first. */
const MAX_SIGNERS = 64

/** A CA, and what is served after its leaves. */
interface Generation extends Signer {
  readonly intermediates: readonly Certificate[]
}

/** An issuer that reads CA Secrets of `namespace` (the operator's) by name, once per version. */
export function createGenerationIssuer(options: { client: Client; namespace: string; random: Random }): Issuer {
  const { client, namespace, random } = options
  const signers = new Map<string, Promise<Generation>>()

  function signerOf(generation: GenerationRef, now: number): Promise<Generation> {
    const version = `${generation.secretUid}/${generation.secretResourceVersion}`
    const known = signers.get(version)
    if (known !== undefined) return known
    const loading = loadSigner(client, namespace, generation, now)
    signers.set(version, loading)
    if (signers.size > MAX_SIGNERS) signers.delete(signers.keys().next().value as string)
    loading.catch(() => signers.delete(version))
    return loading
  }

  return {
    async issue(request: IssueRequest) {
      const signer = await signerOf(request.generation, request.now)
      const leaf = await signLeaf(request.profile, request.publicKey, signer, request.now, random)
      return { chain: [leaf, ...signer.intermediates] }
    },
  }
}

async function loadSigner(client: Client, namespace: string, generation: GenerationRef, now: number): Promise<Generation> {
  const raw = await client.get(secrets, { namespace, name: generation.secretName })
  if (raw.metadata.uid !== generation.secretUid || raw.metadata.resourceVersion !== generation.secretResourceVersion) {
    throw new OperatorError('retry', 'CAKeyChanged', `CA Secret ${generation.secretName} changed since the plan was made`)
  }
  const { certificate, intermediates, problem } = readCaPair(raw)
  const keyText = dataField(raw, 'tls.key')
  if (problem !== undefined || !certificate || !keyText) throw invalid(generation, problem ?? 'tls.crt or tls.key is missing')
  if (certificate.fingerprint !== generation.certificateFingerprint)
    throw invalid(generation, 'it holds another certificate than the one that was published')
  const privateKey = readKey(generation, keyText)
  const verdict = checkSigningPair(certificate, privateKey, now)
  if (!verdict.ok) throw invalid(generation, `${verdict.rule}: ${verdict.detail}`)
  return { certificate, privateKey, intermediates }
}

function readKey(generation: GenerationRef, keyText: Buffer): KeyObject {
  try {
    return parsePrivateKey(keyText)
  } catch (error) {
    throw invalid(generation, messageOf(error))
  } finally {
    keyText.fill(0)
  }
}

function invalid(generation: GenerationRef, detail: string): OperatorError {
  return new OperatorError('blocked', 'CAKeyInvalid', `CA Secret ${generation.secretName} cannot sign: ${detail}. Restore it from a backup`)
}
