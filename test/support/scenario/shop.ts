// A shop that is served, and how it is judged once whatever happened is over. Used by the perturbations; the stories stay as they are.

import { expect } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import { minutes } from '../../../src/base/duration.ts'
import { configMaps, events, type RawObject, secrets } from '../../../src/k8s/resource.ts'
import { OPERATOR_NAMESPACE } from '../material.ts'
import { authority, file, identity, openShop, readyOf, SHOP, secretOf } from './cast.ts'
import { type OracleOptions, type Oracles, watchOver } from './oracles.ts'
import { createWorld, type StartOptions, type World } from './world.ts'

export interface Shop {
  readonly world: World
  readonly oracles: Oracles
}

export interface ShopOptions extends StartOptions, OracleOptions {
  /** Identities that are served before anything happens; default payments and orders. */
  readonly names?: readonly string[]
  /** Of each of them. */
  readonly spec?: object
  /** Of the authority `default`; absent: the operator's own. */
  readonly authority?: object
}

/** Certificates that a scenario can wait for. */
export const AN_HOUR = { certificate: { lifetime: '1h' } } as const

/** A shop in which an operator runs and these identities are served. */
export async function shop({
  names = ['payments', 'orders'],
  spec = {},
  authority: ofAuthority,
  mutual,
  ...start
}: ShopOptions = {}): Promise<Shop> {
  const world = createWorld()
  await openShop(world)
  if (ofAuthority) await authority(world, 'default', ofAuthority)
  const oracles = watchOver(world, mutual === undefined ? {} : { mutual })
  await world.start(start)
  for (const name of names) await identity(world, name, spec)
  await world.settle()
  expectCurrent(world, ...names)
  return { world, oracles }
}

export function expectCurrent(world: World, ...names: readonly string[]): void {
  expect(names.map((name) => [name, readyOf(world, name)])).toEqual(names.map((name) => [name, 'Current']))
}

/** These identities are current, no renewal is overdue, nothing is written any more, and no oracle was broken. */
export async function allIsWell({ world, oracles }: Shop, ...names: readonly string[]): Promise<void> {
  expectCurrent(world, ...names)
  for (const name of names) expect([name, renewAt(world, name) > world.clock.now()]).toEqual([name, true])
  await oracles.comesToRest()
  expect(oracles.finish()).toEqual([])
}

const annotationOf = (world: World, name: string, annotation: string): string | undefined =>
  secretOf(world, `${name}-mtls`)?.metadata.annotations?.[`mutualidentity.io/${annotation}`]

export const serial = (world: World, name: string): string | undefined => annotationOf(world, name, 'serial-number')

export const renewAt = (world: World, name: string): number => Date.parse(annotationOf(world, name, 'renew-at') ?? '')

export const dataOf = (object: RawObject | undefined): Readonly<Record<string, string>> =>
  (object?.['data'] ?? {}) as Record<string, string>

/** The message of the condition Ready of an identity. */
export function messageOf(world: World, name: string): string {
  const { status } = (world.api.object(mutualIdentities, { namespace: SHOP, name }) ?? {}) as {
    status?: { conditions?: readonly { readonly type: string; readonly message: string }[] }
  }
  return status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
}

export const CA = { namespace: OPERATOR_NAMESPACE, name: 'default-ca-1' } as const
export const RECORD = { namespace: OPERATOR_NAMESPACE, name: 'default-trust-bundle' } as const
export const COPY = { namespace: SHOP, name: 'default-trust-bundle' } as const

export const caSecret = (world: World): RawObject | undefined => world.api.object(secrets, CA)
export const record = (world: World): RawObject | undefined => world.api.object(configMaps, RECORD)
export const copy = (world: World): RawObject | undefined => world.api.object(configMaps, COPY)

/** What is in use of an identity: its certificate, its key and its anchors. */
export const materialOf = (world: World, name: string): readonly string[] =>
  ['tls.crt', 'tls.key', 'ca.crt'].map((field) => file(secretOf(world, `${name}-mtls`), field))

/** As from a backup: data, labels and annotations; under a new uid where it was gone. */
export async function putBack(world: World, backup: RawObject): Promise<void> {
  const { namespace = '', name, labels = {}, annotations = {} } = backup.metadata
  const metadata = { namespace, name, labels, annotations }
  if (world.api.object(secrets, { namespace, name }))
    await world.person.mergePatch(secrets, { namespace, name }, { metadata: { labels, annotations }, data: backup['data'] })
  else await world.person.create(secrets, { ...(backup['type'] ? { type: backup['type'] } : {}), data: backup['data'], metadata })
}

/** Reasons of the events that were written for people. */
export const toldIn = (world: World, namespace: string): readonly string[] =>
  world.api.objects(events, namespace).map((event) => `${String(event['reason'])}: ${String(event['note'])}`)

/** Whatever failed before is tried again by then. */
export const LONGEST_RETRY = minutes(6)

/** CA Secrets by their label. */
export const caCount = (world: World): number =>
  world.api.objects(secrets, OPERATOR_NAMESPACE).filter(({ metadata }) => metadata.labels?.['mutualidentity.io/role'] === 'ca').length
