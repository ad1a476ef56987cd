// All back ends keep the contract: a generation with a root of its own, and one that was copied from a CA below a root of others. Then what is
// their own: which Secret is read, how often, and what is believed.

import { describe, expect, it } from '@jest/globals'
import { publishedBundle } from '../../src/api/stored/bundle.ts'
import { renderCaSecret } from '../../src/api/stored/ca-secret.ts'
import { hours } from '../../src/base/duration.ts'
import { createGenerationIssuer } from '../../src/issuers/generation.ts'
import type { GenerationRef } from '../../src/issuers/issuer.ts'
import { type RawObject, secrets } from '../../src/k8s/resource.ts'
import { makeBundle } from '../../src/pki/bundle.ts'
import type { Certificate } from '../../src/pki/certificate.ts'
import { generateLeafKey, type KeyPair, renderPrivateKey } from '../../src/pki/keys.ts'
import { parseTrustDomain } from '../../src/pki/trust-domain.ts'
import { type CorporateCa, corporateCa } from '../support/corporate-ca.ts'
import {
  b64,
  type CA,
  caSecret,
  changed,
  DEFAULT_REF,
  leafProfile,
  leafSecret,
  makeCA,
  NOW,
  OPERATOR_NAMESPACE,
  pemOf,
  steadyRandom,
} from '../support/material.ts'
import { apiFailure, type RecordingClient, recordingClient } from '../support/recording-client.ts'
import { type IssuerScene, issuerContract } from './issuer.ts'

const [ca, stranger, sameSubject] = await Promise.all([makeCA(), makeCA(), makeCA({ generation: 2 })])
const { publicKey } = await generateLeafKey('ECDSAP256')
const pemOfKey = ({ keyPair }: { readonly keyPair: KeyPair }) => String(keyPair.privateKey.export({ format: 'pem', type: 'pkcs8' }))

interface GenerationScene extends IssuerScene {
  readonly api: RecordingClient
  /** The CA Secret as it stands. */
  secret(): RawObject
}

/** What signs, and its anchor. */
interface Signing {
  readonly keyPair: KeyPair
  readonly certificate: Certificate
  readonly root: Certificate
}
const ownRoot = (of: CA): Signing => ({ ...of, root: of.certificate })

function generationOf(secret: RawObject, of: Pick<Signing, 'certificate'> = ca): GenerationRef {
  const { name, uid = '', resourceVersion = '' } = secret.metadata
  return {
    number: 1,
    secretName: name,
    secretUid: uid,
    secretResourceVersion: resourceVersion,
    certificateFingerprint: of.certificate.fingerprint,
  }
}

async function generationScene(
  stored: RawObject,
  of: Signing,
  more: Readonly<Record<string, Record<string, string>>>,
): Promise<GenerationScene> {
  const api = recordingClient()
  const present = api.put(secrets, stored)
  const secret = (): RawObject => api.at(secrets, { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' }) as RawObject
  /** Other data under the same version: what the plan was made from is what is there, and it is no good. */
  const holding = (data: Record<string, string>) => () => void Object.assign(secret(), { data: { ...(secret().data as object), ...data } })
  const refusing = (code: number, reason: string) => () => {
    api.refuse = () => apiFailure(code, reason)
  }
  const dataOf = (raw: RawObject) => raw.data as Record<string, string>
  const leaf = await leafSecret(ca)
  const invalid = { consequence: 'blocked', reason: 'CAKeyInvalid' } as const
  const pem = pemOfKey(of)
  return {
    api,
    secret,
    issuer: createGenerationIssuer({ client: api.client, namespace: OPERATOR_NAMESPACE, random: steadyRandom }),
    bundle: publishedBundle(makeBundle([of.root], NOW), 'cluster.local', 7),
    request: { authority: DEFAULT_REF, generation: generationOf(present, of) },
    endsAt: of.certificate.notAfter,
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
      ...Object.fromEntries(Object.entries(more).map(([name, data]) => [name, { disturb: holding(data), ...invalid }])),
    },
  }
}

const selfManaged = (): Promise<GenerationScene> => generationScene(caSecret(ca), ownRoot(ca), {})

const [issuing, sibling, foreign] = await Promise.all([
  corporateCa({ below: 2 }),
  corporateCa({ below: 2 }),
  corporateCa({ below: 0, company: 'Other' }),
])

/** The generation that a copy of the CA is. */
function copyOf({ certificate, issuers, root, keyPair }: CorporateCa): RawObject {
  return changed(
    renderCaSecret(OPERATOR_NAMESPACE, {
      authority: DEFAULT_REF,
      generation: 1,
      trustDomain: parseTrustDomain('cluster.local'),
      certificate,
      issuers,
      root,
      privateKey: renderPrivateKey(keyPair.privateKey),
      longestLeafLifetime: hours(360),
      activatedAt: NOW - hours(24),
      copiedFrom: 'corporate-ca',
    }),
  )
}

const copied = (): Promise<GenerationScene> =>
  generationScene(copyOf(issuing), issuing, {
    'its root is missing': { 'ca.crt': '' },
    'its root is another': { 'ca.crt': b64(pemOf(foreign.root)) },
    'its root is a CA below one': { 'ca.crt': b64(pemOf(...issuing.issuers)) },
    'one of its issuers is missing': { 'tls.crt': b64(pemOf(issuing.certificate)) },
    'its issuers are those of another': { 'tls.crt': b64(pemOf(issuing.certificate, ...sibling.issuers)) },
    'its chain is out of order': { 'tls.crt': b64(pemOf(...issuing.issuers, issuing.certificate)) },
    'it is another CA, whole and good': copyOf(sibling).data as Record<string, string>,
  })

const TROUBLES = [
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
]
issuerContract('self-managed', selfManaged, TROUBLES)
issuerContract('of a copied CA', copied, [
  ...TROUBLES,
  'its root is missing',
  'its root is another',
  'its root is a CA below one',
  'one of its issuers is missing',
  'its issuers are those of another',
  'its chain is out of order',
  'it is another CA, whole and good',
])

describe('the issuer of a copied CA', () => {
  const ask = (scene: GenerationScene) => scene.issuer.issue({ ...scene.request, profile: leafProfile(), publicKey, now: NOW })

  it('gives what stands between the leaf and the root, in order, each time', async () => {
    const scene = await copied()
    for (let time = 0; time < 2; time++) {
      const { chain } = await ask(scene)
      expect(chain.map(({ issuer }) => issuer)).toEqual(['CN=Example Issuing CA', 'CN=Example Policy CA', 'CN=Example Root'])
    }
    expect(scene.api.reads).toHaveLength(1)
  })

  it('gives one intermediate where the CA is right below its root', async () => {
    const one = await corporateCa({ below: 1 })
    const { chain } = await ask(await generationScene(copyOf(one), one, {}))
    expect(chain.slice(1).map(({ fingerprint }) => fingerprint)).toEqual([one.certificate.fingerprint])
  })

  it('gives none where the CA is its own root', async () => {
    const { chain } = await ask(await generationScene(copyOf(foreign), foreign, {}))
    expect(chain).toHaveLength(1)
  })
})

describe('the self-managed issuer', () => {
  const ask = (scene: GenerationScene, generation = scene.request.generation, now = NOW) =>
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
    const { publicKey: other } = await generateLeafKey('ED25519')
    const request = { ...scene.request, profile: leafProfile(), publicKey: other, now: NOW }
    await expect(scene.issuer.issue(request)).rejects.toThrow('the profile asks for ECDSAP256, the key is another')
  })
})
