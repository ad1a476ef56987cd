// The stories of a life with the operator, each from a beginning to an end that can be recognised. Used by the crash suite and by perturbations.

import { mutualIdentities } from '../../../src/api/kinds.ts'
import { hours, minutes } from '../../../src/base/duration.ts'
import { configMaps, namespaces, pods, secrets } from '../../../src/k8s/resource.ts'
import { corporateCa, sourceSecret } from '../corporate-ca.ts'
import { OPERATOR_NAMESPACE } from '../material.ts'
import {
  authority,
  authorityReadyOf,
  file,
  identity,
  openShop,
  pod,
  readyOf,
  respec,
  SHOP,
  secretOf,
  service,
  tenantAuthority,
} from './cast.ts'
import type { World } from './world.ts'

export interface Story {
  readonly name: string
  /** What is there before the first operator starts. */
  prepare(world: World): Promise<void>
  /** What is there, and at rest, before faults begin. */
  given?(world: World): Promise<void>
  /** What people do; faults strike from here on. */
  act(world: World): Promise<void>
  /** The end that must be reached; a text says what is missing. */
  missing(world: World): string | undefined
  /** Identities of the namespace do not accept each other the whole time. */
  readonly strangers?: true
}

const shopOpens = (world: World): Promise<void> => openShop(world)

async function twoIdentities(world: World): Promise<void> {
  await identity(world, 'payments')
  await identity(world, 'orders')
}

/** Of an hour each, so that a story that waits for the end of certificates does not take days. */
async function twoForAnHour(world: World): Promise<void> {
  await identity(world, 'payments', { certificate: { lifetime: '1h' } })
  await identity(world, 'orders', { certificate: { lifetime: '1h' } })
}

const allCurrent = (world: World, ...names: string[]): string | undefined =>
  names
    .map((name) => (readyOf(world, name) === 'Current' ? undefined : `${name} is ${readyOf(world, name)}`))
    .find((text) => text !== undefined)

function overdue(world: World, ...names: string[]): string | undefined {
  const renewAt = (name: string): string => secretOf(world, `${name}-mtls`)?.metadata.annotations?.['mutualidentity.io/renew-at'] ?? ''
  const late = names.find((name) => !(Date.parse(renewAt(name)) > world.clock.now()))
  return late && `the renewal of ${late} is overdue`
}

export const STORIES: readonly Story[] = [
  {
    name: 'install',
    prepare: async (world) => {
      await world.person.create(namespaces, { metadata: { name: OPERATOR_NAMESPACE } })
    },
    act: (world) => world.settle(),
    missing: (world) =>
      authorityReadyOf(world, 'default') === 'Current' ? undefined : `the authority is ${authorityReadyOf(world, 'default')}`,
  },
  {
    name: 'first identities',
    prepare: shopOpens,
    act: twoIdentities,
    missing: (world) => allCurrent(world, 'payments', 'orders'),
  },
  {
    name: 'renewal',
    prepare: shopOpens,
    given: twoIdentities,
    act: (world) => world.pass(hours(14)),
    missing: (world) => allCurrent(world, 'payments', 'orders') ?? overdue(world, 'payments', 'orders'),
  },
  {
    name: 'spec changed',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      await respec(world, 'payments', {
        certificate: { keyType: 'ED25519' },
        delivery: { formats: ['CombinedPEM', 'SPIFFE', 'DER', 'JKS'], secretTemplate: { labels: { team: 'a' } } },
      })
    },
    missing: (world) => {
      const secret = secretOf(world, 'payments-mtls')
      const files = Object.keys((secret?.['data'] ?? {}) as object).length
      return allCurrent(world, 'payments') ?? (files === 9 && secret?.metadata.labels?.['team'] === 'a' ? undefined : `${files} files`)
    },
  },
  {
    name: 'service added',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      await service(world, 'ledger', 'orders')
    },
    missing: (world) => {
      const names = (world.processes.at(-1)?.stores.leafSecrets.get(SHOP, 'orders-mtls')?.leaf?.dnsNames ?? []).join()
      return names.includes('ledger.shop.svc') ? allCurrent(world, 'orders') : `orders is known as ${names}`
    },
  },
  {
    name: 'secret renamed',
    prepare: shopOpens,
    given: twoForAnHour,
    act: async (world) => {
      await respec(world, 'payments', { delivery: { secretName: 'payments-tls' } })
      await world.pass(minutes(70))
    },
    missing: (world) =>
      secretOf(world, 'payments-mtls')
        ? 'the former Secret is still there'
        : secretOf(world, 'payments-tls')
          ? undefined
          : 'there is no new Secret',
  },
  {
    name: 'authority switched',
    prepare: async (world) => {
      await openShop(world)
      await authority(world, 'default', { trustDomain: 'old.test' })
      await authority(world, 'next', { trustDomain: 'next.test' })
    },
    given: twoForAnHour,
    act: async (world) => {
      await respec(world, 'orders', { trust: { additionalAuthorities: [{ name: 'next', pooled: true }] } })
      await respec(world, 'payments', { authorityRef: { name: 'next' } })
      await world.pass(minutes(12))
      await respec(world, 'orders', { authorityRef: { name: 'next' }, trust: null })
      await world.pass(minutes(80))
    },
    missing: (world) => {
      const roots = ['payments-mtls', 'orders-mtls'].map((name) => (file(secretOf(world, name), 'ca.crt').match(/BEGIN/g) ?? []).length)
      return allCurrent(world, 'payments', 'orders') ?? (roots.join() === '1,1' ? undefined : `${roots.join()} roots are trusted`)
    },
  },
  {
    name: 'bundle repaired and spread',
    prepare: async (world) => {
      await openShop(world)
      await authority(world, 'default', { trustBundle: { namespaces: { policy: 'Selector', selector: { matchLabels: { mesh: 'yes' } } } } })
    },
    given: twoIdentities,
    act: async (world) => {
      await world.person.mergePatch(configMaps, { namespace: SHOP, name: 'default-trust-bundle' }, { data: { 'ca.crt': 'mine' } })
      await world.person.create(namespaces, { metadata: { name: 'bank', labels: { mesh: 'yes' } } })
    },
    missing: (world) => {
      const texts = ['bank', SHOP, OPERATOR_NAMESPACE].map(
        (namespace) =>
          (world.api.object(configMaps, { namespace, name: 'default-trust-bundle' })?.['data'] as Record<string, string> | undefined)?.[
            'ca.crt'
          ],
      )
      return new Set(texts).size === 1 && texts[0] !== undefined ? undefined : 'the copies differ'
    },
  },
  {
    name: 'identity deleted',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      await world.person.delete(mutualIdentities, { namespace: SHOP, name: 'payments' }, {})
      await world.pass(minutes(1))
      await identity(world, 'payments')
    },
    missing: (world) => allCurrent(world, 'payments', 'orders'),
  },
  {
    name: 'namespace deleted and made again',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      await world.person.delete(namespaces, { namespace: '', name: SHOP }, {})
      await world.pass(minutes(1))
      await world.person.create(namespaces, { metadata: { name: SHOP } })
      await pod(world, 'payments-1', 'payments')
      await identity(world, 'payments')
    },
    missing: (world) => allCurrent(world, 'payments'),
  },
  {
    name: 'upgrade of the operator',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      for (const process of world.processes) process.kill()
      // As the version before wrote it.
      await world.person.mergePatch(
        configMaps,
        { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' },
        {
          data: { 'bundle.json': null },
          metadata: { annotations: { 'mutualidentity.io/bundle-sequence': null, 'mutualidentity.io/trust-domain': null } },
        },
      )
      await world.person.mergePatch(configMaps, { namespace: SHOP, name: 'default-trust-bundle' }, { data: { 'bundle.json': null } })
      await world.pass(minutes(1))
    },
    missing: (world) => {
      const data = world.api.object(configMaps, { namespace: SHOP, name: 'default-trust-bundle' })?.['data'] as Record<string, string>
      return data['bundle.json'] === undefined ? 'the copy has no bundle.json' : allCurrent(world, 'payments', 'orders')
    },
  },
  {
    name: 'uninstalled, and installed again',
    prepare: shopOpens,
    given: twoIdentities,
    act: async (world) => {
      // Workloads go on running; nobody is left who renews, or repairs what is edited.
      await world.withoutOperator(async () => {
        await world.pass(hours(16))
        await world.person.mergePatch(configMaps, { namespace: SHOP, name: 'default-trust-bundle' }, { data: { 'ca.crt': 'mine' } })
      })
    },
    missing: (world) => allCurrent(world, 'payments', 'orders') ?? overdue(world, 'payments', 'orders'),
  },
  {
    name: 'a CA that others keep',
    prepare: async (world) => {
      await openShop(world)
      const { metadata, ...source } = sourceSecret(await corporateCa())
      const { resourceVersion: _version, uid: _uid, ...named } = metadata
      await world.person.create(secrets, { ...source, metadata: named })
      await authority(world, 'default', { trustDomain: 'corporate.test', caSecret: { name: 'corporate-ca' }, leaf: { lifetime: '12h' } })
    },
    act: async (world) => {
      await twoIdentities(world)
      await world.pass(minutes(2))
    },
    missing: (world) => allCurrent(world, 'payments', 'orders'),
  },
  {
    name: 'an authority of the namespace',
    prepare: shopOpens,
    act: async (world) => {
      await tenantAuthority(world, 'internal')
      await identity(world, 'payments', { authorityRef: { kind: 'MutualAuthority', name: 'internal' } })
      await world.pass(minutes(1))
      await pod(world, 'payments-2', 'payments')
      await world.person.delete(pods, { namespace: SHOP, name: 'payments-1' }, {})
      await world.pass(minutes(1))
    },
    missing: (world) => allCurrent(world, 'payments'),
  },
]
