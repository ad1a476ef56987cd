// All back ends keep the contract; then what is the self-managed one's own: which Secret it reads, how often, and what it believes.

import { describe, expect, it } from '@jest/globals'
import { createGenerationIssuer } from '../../src/issuers/generation.ts'
import type { GenerationRef } from '../../src/issuers/issuer.ts'
import { type RawObject, secrets } from '../../src/k8s/resource.ts'
import { generateKeyPair } from '../../src/pki/keys.ts'
import {
  b64,
  bundleOf,
  type CA,
  caSecret,
  DEFAULT_REF,
  leafProfile,
  leafSecret,
  makeCA,
  NOW,
  OPERATOR_NAMESPACE,
  steadyRandom,
} from '../support/material.ts'
import { apiFailure, type RecordingClient, recordingClient } from '../support/recording-client.ts'
import { type IssuerScene, issuerContract } from './issuer.ts'

const [ca, stranger, sameSubject] = await Promise.all([makeCA(), makeCA(), makeCA({ generation: 2 })])
const { publicKey } = await generateKeyPair('ECDSAP256')
const pemOfKey = ({ keyPair }: CA) => String(keyPair.privateKey.export({ format: 'pem', type: 'pkcs8' }))

interface SelfManagedScene extends IssuerScene {
  readonly api: RecordingClient
  /** The CA Secret as it stands. */
  secret(): RawObject
}

function generationOf(secret: RawObject, of = ca): GenerationRef {
  const { name, uid = '', resourceVersion = '' } = secret.metadata
  return {
    number: 1,
    secretName: name,
    secretUid: uid,
    secretResourceVersion: resourceVersion,
    certificateFingerprint: of.certificate.fingerprint,
  }
}

async function selfManaged(stored = caSecret(ca)): Promise<SelfManagedScene> {
  const api = recordingClient()
  const present = api.put(secrets, stored)
  const secret = (): RawObject => api.at(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }) as RawObject
  /** Other data under the same version: what the plan was made from is what is there, and it is no good. */
  const holding = (data: Record<string, string>) => () =>
    void Object.assign(secret(), { data: { ...(secret()['data'] as object), ...data } })
  const refusing = (code: number, reason: string) => () => {
    api.refuse = () => apiFailure(code, reason)
  }
  const dataOf = (raw: RawObject) => raw['data'] as Record<string, string>
  const leaf = await leafSecret(ca)
  const invalid = { consequence: 'blocked', reason: 'CAKeyInvalid' } as const
  const pem = pemOfKey(ca)
  return {
    api,
    secret,
    issuer: createGenerationIssuer({ client: api.client, namespace: OPERATOR_NAMESPACE, random: steadyRandom }),
    bundle: bundleOf(ca),
    request: { authority: DEFAULT_REF, generation: generationOf(present) },
    endsAt: ca.certificate.notAfter,
    secrets: [pem, pemOfKey(stranger)],
    troubles: {
      'its Secret changed': { disturb: () => void api.put(secrets, secret()), consequence: 'retry', reason: 'CAKeyChanged' },
      'its Secret was deleted and made again': {
        disturb: () => Object.assign(secret().metadata, { uid: 'another' }),
        consequence: 'retry',
        reason: 'CAKeyChanged',
      },
      'its Secret is gone': {
        disturb: refusing(404, 'NotFound'),
        consequence: 'retry',
        reason: 'NotFound',
      },
      'the API server is down': {
        disturb: refusing(503, 'ServiceUnavailable'),
        consequence: 'retry',
        reason: 'ServerError',
      },
      'it may not read Secrets': {
        disturb: refusing(403, 'Forbidden'),
        consequence: 'blocked',
        reason: 'Forbidden',
      },
      'its Secret is empty': { disturb: () => Object.assign(secret(), { data: undefined }), ...invalid },
      'its certificate is garbage': { disturb: holding({ 'tls.crt': b64('garbage') }), ...invalid },
      'its certificate is its key': { disturb: holding({ 'tls.crt': b64(pem) }), ...invalid },
      'its key is garbage': { disturb: holding({ 'tls.key': b64('garbage') }), ...invalid },
      'its key is cut off': { disturb: holding({ 'tls.key': b64(pem.slice(0, 180)) }), ...invalid },
      'its key is there twice': { disturb: holding({ 'tls.key': b64(pem + pem) }), ...invalid },
      'its key is another one': { disturb: holding({ 'tls.key': b64(pemOfKey(stranger)) }), ...invalid },
      'it is another CA than was published': { disturb: holding(dataOf(caSecret(stranger))), ...invalid },
      'it is a leaf': { disturb: holding(dataOf(leaf)), ...invalid },
    },
  }
}

issuerContract('self-managed', selfManaged, [
  'its Secret changed',
  'its Secret was deleted and made again',
  'its Secret is gone',
  'the API server is down',
  'it may not read Secrets',
  'its Secret is empty',
  'its certificate is garbage',
  'its certificate is its key',
  'its key is garbage',
  'its key is cut off',
  'its key is there twice',
  'its key is another one',
  'it is another CA than was published',
  'it is a leaf',
])

describe('the self-managed issuer', () => {
  const ask = (scene: SelfManagedScene, generation = scene.request.generation, now = NOW) =>
    scene.issuer.issue({ authority: DEFAULT_REF, generation, profile: leafProfile(), publicKey, now })

  it('reads the key once for all requests, also for those that come together', async () => {
    const scene = await selfManaged()
    await Promise.all([ask(scene), ask(scene), ask(scene)])
    await ask(scene)
    expect(scene.api.reads).toEqual(['secrets mutual-identity-system/default-ca-1'])
  })

  it('reads it again when the Secret has another version', async () => {
    const scene = await selfManaged()
    await ask(scene)
    await ask(scene, generationOf(scene.api.put(secrets, scene.secret())))
    expect(scene.api.reads).toHaveLength(2)
  })

  it('reads it again when the Secret is another one of the same version', async () => {
    const scene = await selfManaged()
    await ask(scene)
    scene.secret().metadata.uid = 'another'
    await ask(scene, generationOf(scene.secret()))
    expect(scene.api.reads).toHaveLength(2)
  })

  it('reads it again after a failure', async () => {
    const scene = await selfManaged()
    scene.api.refuse = () => apiFailure(503, 'ServiceUnavailable')
    await expect(ask(scene)).rejects.toMatchObject({ reason: 'ServerError' })
    scene.api.refuse = () => undefined
    expect((await ask(scene)).chain).toHaveLength(1)
  })

  it('goes on with a key that it holds while the API server is down', async () => {
    const scene = await selfManaged()
    await ask(scene)
    scene.api.refuse = () => apiFailure(503, 'ServiceUnavailable')
    expect((await ask(scene)).chain).toHaveLength(1)
  })

  it('does not sign with a key that it holds once its root has expired', async () => {
    const scene = await selfManaged()
    await ask(scene)
    await expect(ask(scene, undefined, scene.endsAt)).rejects.toMatchObject({ consequence: 'blocked', reason: 'CAExpired' })
  })

  it('keeps the two keys of two generations apart', async () => {
    const scene = await selfManaged()
    const second = scene.api.put(secrets, caSecret(sameSubject))
    const [one, two] = [await ask(scene), await ask(scene, generationOf(second, sameSubject))]
    expect([one, two].map(({ chain }) => chain[0]?.authorityKeyID)).toEqual([
      ca.certificate.subjectKeyID,
      sameSubject.certificate.subjectKeyID,
    ])
  })

  it('writes nothing', async () => {
    const scene = await selfManaged()
    await ask(scene)
    expect(scene.api.writes).toEqual([])
  })

  it('makes a mistake of the caller a mistake, not a reason: a key of another kind than the profile says', async () => {
    const scene = await selfManaged()
    const { publicKey: other } = await generateKeyPair('ED25519')
    const request = { ...scene.request, profile: leafProfile(), publicKey: other, now: NOW }
    await expect(scene.issuer.issue(request)).rejects.toThrow('the profile asks for ECDSAP256, the key is another')
  })
})
