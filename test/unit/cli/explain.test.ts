// The command against an API server on the loopback interface, under rights that a test takes away.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import { publishedBundle } from '../../../src/api/stored/bundle.ts'
import { hours } from '../../../src/base/duration.ts'
import { EXPLAIN_USAGE, explain } from '../../../src/cli/explain.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { makeBundle } from '../../../src/pki/bundle.ts'
import { keyDetector } from '../../support/key-detector.ts'
import { type Answer, failure, json, type LoopbackApi, loopbackApi } from '../../support/loopback-api.ts'
import {
  authorityObject,
  bundleMap,
  caSecret,
  identityObject,
  leafSecret,
  makeCA,
  namespaceObject,
  podObject,
} from '../../support/material.ts'

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
  const answer = await explain([...args, '--kubeconfig', file], {})
  return { ...answer, seen: [...api.seen] }
}

describe('explain', () => {
  it('tells what the controller would do next; something to do is exit code 3', async () => {
    const { text, exitCode } = await run(['shop', 'payments'])
    expect(text).toContain('issue a certificate for spiffe://cluster.local/ns/shop/sa/payments and create Secret payments-mtls')
    expect(exitCode).toBe(3)
  })

  it('exits with 4 where a person is needed', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    const { text, exitCode } = await run(
      ['shop', 'payments'],
      answering([], { [path]: [identityObject({ certificate: { lifetime: '9999h' } })] }),
    )
    expect([exitCode, text.includes('LifetimeOutOfBounds')]).toEqual([4, true])
  })

  it('only reads', async () => {
    const { seen } = await run(['shop', 'payments'])
    expect(new Set(seen.map(({ method }) => method))).toEqual(new Set(['GET']))
  })

  it('asks for nothing outside the namespace and the operator’s, but for cluster objects', async () => {
    const { seen } = await run(['shop', 'payments'])
    const paths = seen.map(({ url }) => url.split('?', 1)[0] ?? '')
    expect(
      paths.filter(
        (path) =>
          /secrets|configmaps|pods|services|mutualidentities/.test(path) && !/\/namespaces\/(shop|mutual-identity-system)\//.test(path),
      ),
    ).toEqual([])
  })

  it('says unknown where Secrets may not be read', async () => {
    const { text, exitCode } = await run(['shop', 'payments'], answering(['/api/v1/namespaces/shop/secrets']))
    expect(text).toMatch(/Secret: +unknown/)
    expect(exitCode).toBe(3)
  })

  it('says unknown where CA Secrets may not be read, which is what most people see', async () => {
    const { text } = await run(['shop', 'payments'], answering(['/api/v1/namespaces/mutual-identity-system/secrets']))
    expect(text).toMatch(/Authority: .*unknown: its CA Secrets or its bundle may not be read/)
  })

  it('prints facts and plan as JSON, without any key', async () => {
    const leaf = await leafSecret(ca, { bundle, issuedAt: Date.now() - 1000 })
    const { text } = await run(['shop', 'payments', '-o', 'json'], answering([], { '/api/v1/namespaces/shop/secrets': [leaf] }))
    expect(JSON.parse(text)).toMatchObject({ facts: { identity: { name: 'payments' } }, plan: { step: { kind: expect.any(String) } } })
    const keys = [leaf, secret].map((raw) => Buffer.from((raw['data'] as Record<string, string>)['tls.key'] ?? '', 'base64'))
    expect(keyDetector(keys)(text)).toBeUndefined()
  })

  it('says that there is no such identity', async () => {
    await expect(run(['shop', 'nobody'])).rejects.toThrow('there is no MutualIdentity nobody in namespace shop')
  })

  it('does not say so where identities may not be read', async () => {
    const path = '/apis/mutualidentity.io/v1alpha1/namespaces/shop/mutualidentities'
    await expect(run(['shop', 'payments'], answering([path]))).rejects.toThrow('may not be read by this account')
  })

  it('says why, when the API server fails', async () => {
    await expect(run(['shop', 'payments'], failure(401, 'Unauthorized'))).rejects.toMatchObject({ reason: 'Unauthorized' })
  })
})

describe('arguments', () => {
  it.each([[[]], [['shop']], [['shop', 'payments', 'more']], [['shop', 'payments', '-o', 'xml']]])(
    '%j are answered with the usage',
    async (args) => {
      await expect(explain(args, {})).rejects.toThrow(`Usage: ${EXPLAIN_USAGE}`)
    },
  )
  it.each([[['shop', 'payments', '--unknown']], [['shop', 'payments', '--context']]])('%j are refused with the flag', async (args) => {
    await expect(explain(args, {})).rejects.toThrow(args[2])
  })
  it('a kubeconfig that is not there is named', async () => {
    await expect(explain(['shop', 'payments', '--kubeconfig', '/nowhere/at-all'], {})).rejects.toThrow('/nowhere/at-all')
  })
})
