// inspect in a cluster in memory, of what an operator really made.

import { beforeAll, describe, expect, it } from '@jest/globals'
import { secrets } from '../../../../src/k8s/resource.ts'
import { forbidding, runInWorld } from '../../../support/cli-run.ts'
import { keyDetector } from '../../../support/key-detector.ts'
import { file, identity, openShop, SHOP, secretOf } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await identity(world, 'payments')
  await world.settle()
})

describe('the page', () => {
  it('shows the certificate as people read certificates, chain and anchors, and that all verifies', async () => {
    const { out, code, errors } = await runInWorld(world, ['inspect', 'payments'])
    expect(errors).toBe('')
    expect(out).toMatch(/^Identity: +shop\/payments$/m)
    expect(out).toMatch(/^Secret: +payments-mtls: ca.crt, tls.crt, tls.key$/m)
    expect(out).toMatch(/^URI: +spiffe:\/\/cluster.local\/ns\/shop\/sa\/payments$/m)
    expect(out).toMatch(/^DNS names: +payments.shop, payments.shop.svc, payments.shop.svc.cluster.local$/m)
    expect(out).toMatch(/^Valid until: +2026-11-25T\d\d:\d\d:\d\dZ \(in 23h\)$/m)
    expect(out).toMatch(/^Key: +ECDSAP256$/m)
    expect(out).toMatch(/^Usages: +digitalSignature, serverAuth, clientAuth$/m)
    expect(out).toMatch(/^SHA-256: +([0-9A-F]{2}:){31}[0-9A-F]{2}$/m)
    expect(out).toMatch(/^Anchor 1: +.+: CA, /m)
    expect(out).toMatch(/^With ca.crt: +yes: /m)
    expect(out).toMatch(/^With authority: +yes: /m)
    expect(out).toMatch(/^Private key: +yes: fits the certificate/m)
    expect(code).toBe(0)
  })

  it.each(['text', 'json', 'yaml'])('never holds the private key (%s)', async (format) => {
    const { out } = await runInWorld(world, ['inspect', 'payments', '-o', format])
    expect(keyDetector([Buffer.from(file(secretOf(world, 'payments-mtls'), 'tls.key'))])(out)).toBeUndefined()
  })

  it('is data for programs', async () => {
    const { out } = await runInWorld(world, ['inspect', 'payments', '-o', 'json'])
    expect(JSON.parse(out)).toMatchObject({
      chain: [{ uris: ['spiffe://cluster.local/ns/shop/sa/payments'], keyType: 'ECDSAP256', isCA: false }],
      anchors: [{ isCA: true }],
      findings: [{ ok: true }, { ok: true }, { ok: true }],
    })
  })
})

describe('under few rights', () => {
  it('says unknown where Secrets may not be read, and shows what was reported and the bundle', async () => {
    const { out, code } = await runInWorld(world, ['inspect', 'payments'], forbidding('secrets'))
    expect(out).toMatch(/^Secret: +payments-mtls: unknown: it may not be read by this account$/m)
    expect(out).toMatch(/^URI: +spiffe:\/\/cluster.local\/ns\/shop\/sa\/payments \(as reported\)$/m)
    expect(out).toMatch(/^Anchor 1: +/m)
    expect(code).toBe(3)
  })

  it('says unknown of the bundle too', async () => {
    const { out } = await runInWorld(world, ['inspect', 'payments'], forbidding('secrets', 'configmaps'))
    expect(out).toMatch(/^Anchors: +unknown: ConfigMap default-trust-bundle may not be read/m)
  })

  it('says unknown of the authority’s bundle where only that is closed', async () => {
    const { out, code } = await runInWorld(world, ['inspect', 'payments'], forbidding('mutual-identity-system/configmaps'))
    expect(out).toMatch(/^With ca.crt: +yes/m)
    expect(out).toMatch(/^With authority: +unknown/m)
    expect(code).toBe(0)
  })
})

it('what was edited does not verify', async () => {
  for (const process of world.processes) process.kill()
  await world.person.mergePatch(secrets, { namespace: SHOP, name: 'payments-mtls' }, { data: { 'ca.crt': 'bWluZQ==' } })
  const { out, code } = await runInWorld(world, ['inspect', 'payments'])
  expect(out).toMatch(/^With ca.crt: +no: ca.crt: /m)
  expect(code).toBe(4)
})

it('what is not there yet is waited for', async () => {
  await identity(world, 'orders')
  const { out, code } = await runInWorld(world, ['inspect', 'orders'])
  expect(out).toMatch(/^Secret: +orders-mtls: there is none yet$/m)
  expect(code).toBe(3)
})

it.each([[[]], [['a', 'b']], [['../x']]])('%j are refused', async (args) => {
  expect((await runInWorld(world, ['inspect', ...args])).code).toBe(2)
})
