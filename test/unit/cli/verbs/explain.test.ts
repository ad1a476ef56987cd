// The command against an API server on the loopback interface, under rights that a test takes away.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { publishedBundle } from '../../../../src/api/stored/bundle.ts'
import { hours } from '../../../../src/base/duration.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import { makeBundle } from '../../../../src/pki/bundle.ts'
import { runCli } from '../../../support/cli-run.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import { type Answer, failure, json, type LoopbackApi, loopbackApi } from '../../../support/loopback-api.ts'
import {
  authorityObject,
  bundleMap,
  caSecret,
  identityObject,
  leafSecret,
  makeCA,
  namespaceObject,
  podObject,
} from '../../../support/material.ts'

const folder = mkdtempSync(join(tmpdir(), 'explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

// The command reads the machine's clock, so this CA is of today.
const ca = await makeCA({ madeAt: Date.now() - hours(1) })
const bundle = publishedBundle(makeBundle([ca.certificate], Date.now()), 'cluster.local', 1)
const secret = caSecret(ca)
const objects: Readonly<Record<string, readonly RawObject[]>> = {
  '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities': [identityObject()],
  '/apis/mutualidentity.io/v1alpha1/clustermutualauthorities': [authorityObject()],
  '/api/v1/namespaces/shop/pods': [podObject('a')],
  '/api/v1/namespaces': [namespaceObject('shop')],
  '/api/v1/namespaces/mutual-identity-system/secrets': [secret],
  '/api/v1/namespaces/mutual-identity-system/configmaps': [bundleMap(bundle)],
}

function answering(refused: readonly string[] = [], more: typeof objects = {}): Answer {
  return (response, seen) => {
    const path = seen.url.split('?', 1)[0] ?? ''
    if (refused.some((one) => path === one)) return failure(403, 'Forbidden')(response, seen)
    return json(200, { kind: 'List', metadata: { resourceVersion: '100' }, items: more[path] ?? objects[path] ?? [] })(response, seen)
  }
}

async function run(args: readonly string[], ...answers: Answer[]) {
  await using api: LoopbackApi = await loopbackApi(...(answers.length > 0 ? answers : [answering()]))
  const file = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'one',
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
    clusters: [{ name: 'one', cluster: { server: api.access.server } }],
    users: [{ name: 'one', user: { token: 'a-token' } }],
  }
  writeFileSync(file, JSON.stringify(config))
  const { out, errors, code } = await runCli(['explain', ...args, '--kubeconfig', file])
  return { text: out, errors, exitCode: code, seen: [...api.seen] }
}

describe('explain', () => {
  it('tells what the controller would do next; something to do is exit code 3', async () => {
    const { text, exitCode } = await run(['payments', '-n', 'shop'])
    expect(text).toContain('issue a certificate for spiffe://cluster.local/ns/shop/sa/payments and create Secret payments-mtls')
    expect(exitCode).toBe(3)
  })

  it('exits with 4 where a person is needed', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const { text, exitCode } = await run(
      ['payments', '-n', 'shop'],
      answering([], { [path]: [identityObject({ certificate: { lifetime: '9999h' } })] }),
    )
    expect([exitCode, text.includes('LifetimeOutOfBounds')]).toEqual([4, true])
  })

  it('only reads', async () => {
    const { seen } = await run(['payments', '-n', 'shop'])
    expect(new Set(seen.map(({ method }) => method))).toEqual(new Set(['GET']))
  })

  it('asks for nothing outside the namespace and the operator’s, but for cluster objects', async () => {
    const { seen } = await run(['payments', '-n', 'shop'])
    const paths = seen.map(({ url }) => url.split('?', 1)[0] ?? '')
    expect(
      paths.filter(
        (path) =>
          /secrets|configmaps|pods|services|mutualidentities/.test(path) && !/\/namespaces\/(shop|mutual-identity-system)\//.test(path),
      ),
    ).toEqual([])
  })

  it('says unknown where Secrets may not be read', async () => {
    const { text, exitCode } = await run(['payments', '-n', 'shop'], answering(['/api/v1/namespaces/shop/secrets']))
    expect(text).toMatch(/Secret: +unknown/)
    expect(exitCode).toBe(3)
  })

  it('says unknown where CA Secrets may not be read, which is what most people see', async () => {
    const { text } = await run(['payments', '-n', 'shop'], answering(['/api/v1/namespaces/mutual-identity-system/secrets']))
    expect(text).toMatch(/Authority: .*unknown: its CA Secrets or its bundle may not be read/)
  })

  it('tells what was reported to a person who is bound in one namespace, and what it cannot tell', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const authorities = '/apis/mutualidentity.io/v1alpha1/clustermutualauthorities'
    const under = (reason: string, status: string, type = 'Ready', format = 'text') => {
      const conditions = [
        { type: 'Ready', status: status === 'True' ? 'True' : 'False', reason, message: 'as it stands', observedGeneration: 1 },
        ...(status === 'True' ? [] : [{ type, status: 'True', reason, message: 'as it stands', observedGeneration: 1 }]),
      ]
      const raw = identityObject()
      const identity = { ...raw, metadata: { ...raw.metadata, generation: 1 }, status: { conditions } }
      return run(['payments', '-n', 'shop', '-o', format], answering([authorities, '/api/v1/namespaces'], { [path]: [identity] }))
    }
    const ready = await under('Current', 'True')
    expect(ready.text).toMatch(/^State: +ready: Current: as it stands \(as reported\)$/m)
    expect(ready.text).toMatch(
      /^Next step: +cannot tell, because ClusterMutualAuthority default is unknown: it may not be read by this account/m,
    )
    const refused = await under('LifetimeOutOfBounds', 'False', 'Stalled')
    expect([ready.exitCode, refused.exitCode]).toEqual([3, 4])
    // Programs are told the same.
    const { text } = await under('LifetimeOutOfBounds', 'False', 'Stalled', 'json')
    expect(JSON.parse(text)).toMatchObject({
      standing: { state: 'refused', reason: 'LifetimeOutOfBounds', message: 'as it stands', asReported: true },
      plan: { readiness: { reason: 'AuthorityUnknown' } },
    })
    const all = await run(['authority', '-n', 'shop'], answering([authorities]))
    expect([all.exitCode, all.errors]).toEqual([1, expect.stringContaining('ClusterMutualAuthorities of the cluster may not be read')])
  })

  it('tells who works, by the Lease; unknown where it may not be read', async () => {
    const path = '/apis/coordination.k8s.io/v1/namespaces/mutual-identity-system/leases/mutual-identity'
    const spec = { holderIdentity: 'pod-1', leaseDurationSeconds: 15, renewTime: new Date().toISOString() }
    const lease: Answer = (response, seen) =>
      (seen.url === path ? json(200, { metadata: { name: 'mutual-identity' }, spec }) : answering())(response, seen)
    expect((await run(['payments', '-n', 'shop'], lease)).text).toMatch(/^Controller: +held by pod-1, renewed \ds ago$/m)
    const { text } = await run(['payments', '-n', 'shop'], answering([path]))
    expect(text).toMatch(/^Controller: +unknown: the Lease/m)
  })

  it('prints facts and plan as JSON, without any key', async () => {
    const leaf = await leafSecret(ca, { bundle, issuedAt: Date.now() - 1000 })
    const { text } = await run(['payments', '-n', 'shop', '-o', 'json'], answering([], { '/api/v1/namespaces/shop/secrets': [leaf] }))
    expect(JSON.parse(text)).toMatchObject({
      facts: { identity: { name: 'payments' }, secret: { leaf: { notAfter: expect.stringMatching(/^\d{4}-.*Z$/) } } },
      plan: { step: { kind: expect.any(String) } },
    })
    const keys = [leaf, secret].map((raw) => Buffer.from((raw['data'] as Record<string, string>)['tls.key'] ?? '', 'base64'))
    expect(keyDetector(keys)(text)).toBeUndefined()
  })

  it('says that there is no such identity, and guesses', async () => {
    const { errors, exitCode } = await run(['paymets', '-n', 'shop'])
    expect(errors).toContain('there is no MutualIdentity paymets in namespace shop; did you mean payments?')
    expect(exitCode).toBe(1)
  })

  it('does not say so where identities may not be read', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const { errors } = await run(['payments', '-n', 'shop'], answering([path]))
    expect(errors).toContain('MutualIdentities of namespace shop may not be read by this account')
  })

  it('says that the kinds are not installed', async () => {
    const { errors, exitCode } = await run(['payments', '-n', 'shop'], failure(404, 'NotFound'))
    expect([exitCode, errors]).toEqual([1, expect.stringContaining('install the CustomResourceDefinitions')])
  })

  it('says why, when the API server fails', async () => {
    const { errors, exitCode } = await run(['payments', '-n', 'shop'], failure(401, 'Unauthorized'))
    expect([exitCode, errors]).toEqual([1, expect.stringContaining('log in again')])
  })

  it('explains every identity where none is named, and ends with the worst code', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const raw = identityObject({ certificate: { lifetime: '9999h' } })
    const another = { ...raw, metadata: { ...raw.metadata, name: 'refused', uid: 'another' } }
    const both = [identityObject(), another]
    const { text, exitCode } = await run(['-n', 'shop'], answering([], { [path]: both }))
    expect([...text.matchAll(/^Identity: +(.+)$/gm)].map(([, name]) => name)).toEqual(['shop/payments', 'shop/refused'])
    expect(exitCode).toBe(4)
  })

  it('prints no escape sequence that somebody put into an object', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const evil = identityObject({ serviceAccountName: '\x1b]0;owned\x07\u202e' })
    const { text } = await run(['payments', '-n', 'shop'], answering([], { [path]: [evil] }))
    expect(text).toContain('\\x1b]0;owned\\x07\\u202e')
    const asYaml = await run(['payments', '-n', 'shop', '-o', 'yaml'], answering([], { [path]: [evil] }))
    expect(asYaml.text + text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u)
  })
})

describe('explain authority', () => {
  it('tells what the controller would do next', async () => {
    const { text, exitCode } = await run(['authority', 'default'])
    expect(text).toMatch(/^Authority: +ClusterMutualAuthority default$/m)
    expect(text).toMatch(/^Generation 1: +active, signs until /m)
    expect(text).toMatch(/^State: +ready: Current: generation 1 signs until /m)
    expect(exitCode).toBe(0)
  })

  it('is data too, with what was reported, and without any key', async () => {
    const status = { trustBundle: { fingerprint: 'f', anchors: 1 } }
    const { text } = await run(
      ['authority', 'default', '-o', 'json'],
      answering([], { '/apis/mutualidentity.io/v1alpha1/clustermutualauthorities': [{ ...authorityObject(), status }] }),
    )
    expect(JSON.parse(text)).toMatchObject({
      facts: {
        authority: { status },
        generations: [{ number: 1, root: { fingerprint: ca.certificate.fingerprint, notAfter: expect.stringMatching(/Z$/) } }],
        record: { bundle: { anchors: [ca.certificate.fingerprint] } },
      },
      plan: { readiness: { state: 'ready' } },
    })
    const key = Buffer.from((secret['data'] as Record<string, string>)['tls.key'] ?? '', 'base64')
    expect(keyDetector([key])(text)).toBeUndefined()
  })

  it('does not plan a first CA where CA Secrets may not be read', async () => {
    const { text, exitCode } = await run(['authority'], answering(['/api/v1/namespaces/mutual-identity-system/secrets']))
    expect(text).toMatch(
      /^Next step: +cannot tell, because CA Secrets in namespace mutual-identity-system may not be read by this account$/m,
    )
    expect(text).not.toContain('GenerationCreated')
    expect(exitCode).toBe(3)
  })

  it('says which kind is missing from a list', async () => {
    const paths = [
      '/apis/mutualidentity.io/v1alpha1/mutualauthorities',
      '/apis/mutualidentity.io/v1alpha1/clustermutualauthorities',
    ] as const
    const own = authorityObject({}, { metadata: { name: 'internal', namespace: 'shop' } })
    const { text, errors } = await run(['authority', '-n', 'shop'], answering([paths[1]], { [paths[0]]: [own] }))
    expect(text).toMatch(/^Authority: +MutualAuthority shop\/internal$/m)
    expect(errors).toBe('ClusterMutualAuthorities may not be read by this account\n')
  })

  it('names what may be meant', async () => {
    const { errors } = await run(['authority', 'none', '-n', 'shop'])
    expect(errors).toContain('there is no ClusterMutualAuthority or MutualAuthority none in namespace shop')
  })
})

describe('arguments', () => {
  it.each([
    [['shop', 'payments'], 'for identity payments of namespace shop say payments -n shop'],
    [['shop/payments'], '"shop" is none of the kinds here: explain takes NAME, identity/NAME or authority/NAME; for identity payments of'],
    [['pod', 'x'], '"pod" is none of the kinds here: explain takes NAME, identity/NAME or authority/NAME'],
    [['autority/x'], '"autority" is none of the kinds here; did you mean authority?'],
    [['shop/'], '"shop" is none of the kinds here: explain takes NAME, identity/NAME or authority/NAME\n'],
    [['a', 'b', 'c'], '"a" is none of the kinds here: explain takes NAME, identity/NAME or authority/NAME\n'],
    [['payments', '--all'], '--all is every one'],
    [['payments', '-n', 'shop', '-o', 'xml'], 'must be one of text, json, yaml'],
    [['payments', '-n', '../x'], '--namespace is "../x"'],
    [['UP'], 'no name of an object'],
    [['payments', '--kontext', 'a'], 'did you mean --context?'],
    [['payments', '--context'], '--context needs a value'],
    [['payments', '--all=yes'], 'takes no value'],
  ])('%j are refused', async (args, words) => {
    const { code, errors } = await runCli(['explain', ...args, '--kubeconfig', '/nowhere/at-all'])
    expect([code, errors]).toEqual([2, expect.stringContaining(words)])
  })

  it('a kubeconfig that is not there is named', async () => {
    const { code, errors } = await runCli(['explain', '--kubeconfig', '/nowhere/at-all'])
    expect([code, errors]).toEqual([1, expect.stringContaining('/nowhere/at-all')])
  })
})
