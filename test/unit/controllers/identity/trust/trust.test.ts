// Whom an identity accepts besides the members of its own authority: the files and anchors in its Secret, and what becomes of them when an authority is
// missing, unreadable, deleted, or no longer listed. Whole passes, with real CAs.

import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../../../src/api/kinds.ts'
import { annotations, labels } from '../../../../../src/api/names.ts'
import { hours, minutes } from '../../../../../src/base/duration.ts'
import { formatInstant } from '../../../../../src/base/instant.ts'
import { configMaps, type RawObject, secrets } from '../../../../../src/k8s/resource.ts'
import { readJks } from '../../../../support/keystore-readers.ts'
import { authorityObject, b64, identityObject, NOW, namespaceObject, OPERATOR_NAMESPACE, podObject } from '../../../../support/material.ts'
import { type Passes, passes } from '../../../../support/passes.ts'

const SECRET = { namespace: 'shop', name: 'payments-mtls' }
const IDENTITY = { namespace: 'shop', name: 'payments' }
const fileOf = (trustDomain: string): string => `${trustDomain}.spiffe-trust-bundle.x509.pem`
const PARTNER = fileOf('partner.test')
const PEM = ['ca.crt', 'tls.crt', 'tls.key']
const partner = (pooled = false) => ({ name: 'partner', ...(pooled ? { pooled } : {}) })

/** Authorities default (cluster.local), partner (partner.test), and of namespaces shop and other one called internal each; an identity with a pod. */
async function scene(additionalAuthorities: readonly object[] = [], spec: object = {}): Promise<Passes> {
  const one = passes()
  one.seen('authorities', authorityObject())
  for (const namespace of ['shop', 'other']) one.seen('namespaces', namespaceObject(namespace))
  one.seen('pods', podObject('a'))
  one.seen('identities', identityObject({ trust: { additionalAuthorities }, ...spec }))
  await published(one, 'default')
  return one
}

/** Resolves when the authority signs and its bundle is published. */
async function published(one: Passes, key: string): Promise<void> {
  for (let pass = 0; pass < 5; pass++) await one.authority(key)
}

async function withPartner(one: Passes): Promise<Passes> {
  one.seen('authorities', authorityObject({ trustDomain: 'partner.test' }, { metadata: { name: 'partner' } }))
  await published(one, 'partner')
  return one
}

async function withInternal(one: Passes, namespace: string): Promise<Passes> {
  const raw = authorityObject({}, { metadata: { namespace, name: 'internal', uid: `uid-${namespace}-internal` } })
  one.seen('namespacedAuthorities', { ...raw, kind: 'MutualAuthority' })
  await published(one, `${namespace}.internal`)
  return one
}

/** Served, with partner known. */
async function served(additionalAuthorities: readonly object[], spec: object = {}): Promise<Passes> {
  const one = await withPartner(await scene(additionalAuthorities, spec))
  await one.identity()
  one.api.writes.length = 0
  return one
}

const secretIn = (one: Passes): RawObject => {
  const secret = one.api.at(secrets, SECRET)
  if (!secret) throw new Error('there is no Secret')
  return secret
}
const dataIn = (one: Passes) => secretIn(one)['data'] as Record<string, string>
const textIn = (one: Passes, name: string): string => Buffer.from(dataIn(one)[name] ?? '', 'base64').toString()
const namesIn = (one: Passes): string[] => Object.keys(dataIn(one)).sort()
const annotationsIn = (one: Passes) => secretIn(one).metadata.annotations ?? {}
const recordOf = (one: Passes, authority: string): RawObject => {
  const record = one.api.at(configMaps, { namespace: OPERATOR_NAMESPACE, name: `${authority}-trust-bundle` })
  if (!record) throw new Error(`${authority} has published nothing`)
  return record
}
const bundleOf = (one: Passes, authority: string): string => (recordOf(one, authority)['data'] as Record<string, string>)['ca.crt'] ?? ''
const serialIn = (one: Passes): string => new X509Certificate(textIn(one, 'tls.crt')).serialNumber
interface Told {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[]
}
const readyIn = (one: Passes) => {
  const status = one.api.at(mutualIdentities, IDENTITY)?.['status'] as Told | undefined
  return status?.conditions.find(({ type }) => type === 'Ready')
}
const stepsOf = (one: Passes) => one.outcomes.map(({ kind, reason }) => `${kind} ${reason}`)

function respec(one: Passes, change: object): void {
  const present = one.api.at(mutualIdentities, IDENTITY) as RawObject
  const metadata = { ...present.metadata, generation: (present.metadata.generation ?? 1) + 1 }
  one.seen('identities', { ...present, metadata, spec: { ...(present['spec'] as object), ...change } })
}
const lists = (one: Passes, additionalAuthorities: readonly object[]): void => respec(one, { trust: { additionalAuthorities } })

/** The Secret as somebody edited its metadata. */
function edited(one: Passes, change: { labels?: Record<string, string>; annotations?: Record<string, string> }): void {
  const { metadata, ...rest } = secretIn(one)
  const both = {
    labels: { ...metadata.labels, ...change.labels },
    annotations: { ...metadata.annotations, ...change.annotations },
  }
  one.seen('leafSecrets', { ...rest, metadata: { ...metadata, ...both } })
}

/** The record of an authority as somebody edited it. */
function spoiled(one: Passes, authority: string, text = 'garbage'): RawObject {
  const record = recordOf(one, authority)
  one.seen('bundleRecords', { ...record, data: { ...(record['data'] as object), 'ca.crt': text } })
  return record
}

async function quiet(one: Passes): Promise<void> {
  one.api.writes.length = 0
  await one.identity()
  expect(one.api.writes).toEqual([])
}

describe('an additional authority', () => {
  it('gets a file named after its trust domain, and ca.crt stays the own authority’s', async () => {
    const one = await served([partner()])
    expect(namesIn(one)).toEqual([...PEM, PARTNER].sort())
    expect(textIn(one, PARTNER)).toBe(bundleOf(one, 'partner'))
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default'))
    expect(readyIn(one)).toMatchObject({ status: 'True', reason: 'Current' })
    await quiet(one)
  })

  it('that is pooled is in ca.crt too, after the own one', async () => {
    const one = await served([partner(true)])
    expect(textIn(one, PARTNER)).toBe(bundleOf(one, 'partner'))
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default') + bundleOf(one, 'partner'))
    await quiet(one)
  })

  it('is said on the Secret: trust domains, the own one first, and since when', async () => {
    const one = await served([partner()])
    expect(annotationsIn(one)).toMatchObject({
      [annotations.trustDomains]: 'cluster.local,partner.test',
      [annotations.trustSince]: formatInstant(NOW),
    })
  })

  it('is joined by the own one in a file of its own where the format SPIFFE asks for it', async () => {
    const one = await served([partner(true)], { delivery: { formats: ['SPIFFE'] } })
    expect(textIn(one, fileOf('cluster.local'))).toBe(bundleOf(one, 'default'))
    expect(textIn(one, PARTNER)).toBe(bundleOf(one, 'partner'))
  })

  it.each<[boolean, number]>([
    [false, 1],
    [true, 2],
  ])('with pooled %s makes %i anchors in the truststore', async (pooled, count) => {
    const one = await served([partner(pooled)], { delivery: { formats: ['JKS'] } })
    expect(readJks(Buffer.from(dataIn(one)['truststore.jks'] ?? '', 'base64'), 'changeit')).toHaveLength(count)
  })

  it('that is named twice is there once, and pooled where one of them says so', async () => {
    const one = await served([partner(), partner(true)])
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default') + bundleOf(one, 'partner'))
    expect(annotationsIn(one)[annotations.trustDomains]).toBe('cluster.local,partner.test')
  })

  it('that is the own one changes nothing', async () => {
    const one = await served([{ name: 'default', pooled: true }])
    expect(namesIn(one)).toEqual(PEM)
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default'))
    expect(Object.keys(annotationsIn(one))).not.toContain(annotations.trustDomains)
  })

  it('of the own namespace is found by its kind', async () => {
    const one = await withInternal(await scene([{ kind: 'MutualAuthority', name: 'internal' }]), 'shop')
    await one.identity()
    expect(textIn(one, fileOf('shop.cluster.local'))).toBe(bundleOf(one, 'shop.internal'))
  })

  it('that is added to a certificate which is good costs a patch and no new pair', async () => {
    const one = await served([])
    const before = serialIn(one)
    lists(one, [partner(true)])
    await one.clock.advance(minutes(5))
    await one.identity()
    expect([stepsOf(one).at(-1), serialIn(one)]).toEqual(['updated BundleOutdated', before])
    expect(annotationsIn(one)[annotations.trustSince]).toBe(formatInstant(NOW + minutes(5)))
    await quiet(one)
  })

  it('that is made pooled only later moves into ca.crt', async () => {
    const one = await served([partner()])
    lists(one, [partner(true)])
    await one.identity()
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default') + bundleOf(one, 'partner'))
  })

  it('keeps its instant through a renewal, since its anchors are the same', async () => {
    const one = await served([partner()])
    await one.clock.advance(hours(15))
    await one.identity()
    expect(stepsOf(one).at(-1)).toBe('issued RenewalDue')
    expect(annotationsIn(one)[annotations.trustSince]).toBe(formatInstant(NOW))
  })

  it('whose instant somebody made nonsense of is said anew', async () => {
    const one = await served([partner()])
    edited(one, { annotations: { [annotations.trustSince]: 'soon' } })
    await one.clock.advance(minutes(5))
    await one.identity()
    expect(annotationsIn(one)[annotations.trustSince]).toBe(formatInstant(NOW + minutes(5)))
    await quiet(one)
  })

  it('whose anchors change is written anew, from its published record', async () => {
    const one = await served([partner(true)])
    const other = await withPartner(await scene())
    const before = textIn(one, PARTNER)
    const record = recordOf(other, 'partner')
    one.seen('bundleRecords', { ...recordOf(one, 'partner'), metadata: { ...record.metadata }, data: record['data'] })
    await one.identity()
    expect([textIn(one, PARTNER), textIn(one, PARTNER) === before]).toEqual([bundleOf(other, 'partner'), false])
  })
})

describe('an additional authority that has published nothing', () => {
  it('is told as TrustIncomplete, and the certificate is issued all the same', async () => {
    const one = await scene([partner(true), { kind: 'MutualAuthority', name: 'internal' }])
    await one.identity()
    expect(namesIn(one)).toEqual(PEM)
    expect(readyIn(one)).toMatchObject({
      status: 'True',
      reason: 'TrustIncomplete',
      message: expect.stringMatching(/ClusterMutualAuthority partner, MutualAuthority shop\/internal in spec\.trust/),
    })
  })

  it('does not hold back the others', async () => {
    const one = await withPartner(await scene([{ name: 'nobody' }, partner()]))
    await one.identity()
    expect(namesIn(one)).toEqual([...PEM, PARTNER].sort())
    expect(readyIn(one)?.reason).toBe('TrustIncomplete')
  })

  it('is accepted as soon as it has', async () => {
    const one = await scene([partner()])
    await one.identity()
    await withPartner(one)
    await one.identity()
    expect([namesIn(one).includes(PARTNER), readyIn(one)?.reason]).toEqual([true, 'Current'])
  })

  it('does not hold back a renewal', async () => {
    const one = await scene([partner()])
    await one.identity()
    const before = serialIn(one)
    await one.clock.advance(hours(15))
    await one.identity()
    expect(serialIn(one)).not.toBe(before)
    expect(readyIn(one)).toMatchObject({ status: 'True', reason: 'TrustIncomplete' })
  })
})

describe('an additional authority whose record cannot be read', () => {
  it('is told as TrustOutdated, and everything in the Secret stays', async () => {
    const one = await served([partner(true)])
    const before = secretIn(one)
    spoiled(one, 'partner')
    await one.identity()
    expect(secretIn(one)).toEqual(before)
    expect(readyIn(one)).toMatchObject({
      status: 'True',
      reason: 'TrustOutdated',
      message: expect.stringMatching(/published bundle of ClusterMutualAuthority partner cannot be read: .*stay as they are/),
    })
    await quiet(one)
  })

  it('is not believed where its text is a bundle but not the one that was published', async () => {
    const one = await served([partner(true)])
    const before = secretIn(one)
    spoiled(one, 'partner', bundleOf(one, 'default'))
    await one.identity()
    expect(secretIn(one)).toEqual(before)
  })

  it('does not hold back a renewal, which leaves the anchors and what is said of them', async () => {
    const one = await served([partner(true)], { delivery: { formats: ['SPIFFE', 'DER'] } })
    const before = dataIn(one)
    const said = annotationsIn(one)
    spoiled(one, 'partner')
    await one.clock.advance(hours(15))
    await one.identity()
    expect(stepsOf(one).at(-1)).toBe('issued RenewalDue')
    for (const name of ['ca.crt', PARTNER, fileOf('cluster.local')]) expect(dataIn(one)[name]).toBe(before[name])
    expect(dataIn(one)['tls.key']).not.toBe(before['tls.key'])
    for (const key of [annotations.trustHash, annotations.trustSince, annotations.trustDomains, annotations.trustFilesHash])
      expect(annotationsIn(one)[key]).toBe(said[key])
    await quiet(one)
  })

  it('does not let an edited ca.crt stand for ever: it is put right when the record is', async () => {
    const one = await served([partner(true)])
    const good = textIn(one, 'ca.crt')
    const record = spoiled(one, 'partner')
    one.seen('leafSecrets', { ...secretIn(one), data: { ...dataIn(one), 'ca.crt': b64('mine') } })
    await one.identity()
    one.seen('bundleRecords', record)
    await one.identity()
    expect([textIn(one, 'ca.crt'), readyIn(one)?.reason]).toEqual([good, 'Current'])
  })

  it('keeps a first Secret from being made with fewer anchors than are asked for', async () => {
    const one = await withPartner(await scene([partner(true)]))
    const record = spoiled(one, 'partner')
    await one.identity()
    await one.clock.advance(minutes(1))
    await one.identity()
    expect(one.api.at(secrets, SECRET)).toBeUndefined()
    expect(readyIn(one)).toMatchObject({
      status: 'False',
      reason: 'TrustOutdated',
      message: expect.stringContaining('no Secret can be made'),
    })
    one.seen('bundleRecords', record)
    await one.identity()
    expect(namesIn(one)).toContain(PARTNER)
  })

  it('lets a format be added; its truststore comes when the record can be read', async () => {
    const one = await served([partner(true)])
    const record = spoiled(one, 'partner')
    respec(one, { delivery: { formats: ['JKS'] } })
    await one.identity()
    expect(namesIn(one)).toEqual([...PEM, PARTNER, 'keystore.jks'].sort())
    one.seen('bundleRecords', record)
    await one.identity()
    expect(readJks(Buffer.from(dataIn(one)['truststore.jks'] ?? '', 'base64'), 'changeit')).toHaveLength(2)
  })
})

describe('an additional authority that is', () => {
  it('deleted, while its record is there, goes on being accepted', async () => {
    const one = await served([partner(true)])
    const before = secretIn(one)
    one.stores.authorities.removed({ namespace: '', name: 'partner' }, 'uid-partner')
    expect(one.stores.authorities.get('', 'partner')).toBeUndefined()
    await quiet(one)
    expect([secretIn(one), readyIn(one)?.reason]).toEqual([before, 'Current'])
  })

  it('taken out of the spec loses its file and its anchors, and nothing is said of it any more', async () => {
    const one = await served([partner(true)])
    const before = serialIn(one)
    lists(one, [])
    await one.identity()
    expect([namesIn(one), textIn(one, 'ca.crt'), serialIn(one)]).toEqual([PEM, bundleOf(one, 'default'), before])
    for (const key of [annotations.trustHash, annotations.trustSince, annotations.trustDomains, annotations.trustFilesHash])
      expect(Object.keys(annotationsIn(one))).not.toContain(key)
    await quiet(one)
  })

  it('taken out of the spec while the identity cannot be served, goes all the same', async () => {
    const one = await served([partner(true)])
    respec(one, { trust: { additionalAuthorities: [] }, certificate: { lifetime: '9999h' } })
    await one.identity()
    expect(readyIn(one)?.reason).toBe('LifetimeOutOfBounds')
    expect([namesIn(one), textIn(one, 'ca.crt')]).toEqual([PEM, bundleOf(one, 'default')])
  })

  it('replaced by another leaves only the other', async () => {
    const one = await withInternal(await served([partner(true)]), 'shop')
    lists(one, [{ kind: 'MutualAuthority', name: 'internal' }])
    await one.identity()
    expect(namesIn(one)).toEqual([...PEM, fileOf('shop.cluster.local')].sort())
    expect(textIn(one, 'ca.crt')).toBe(bundleOf(one, 'default'))
  })
})

describe('an authority of another namespace', () => {
  const FOREIGN = fileOf('other.cluster.local')
  const stranger = async (additional: readonly object[] = []): Promise<Passes> => {
    const one = await withInternal(await withPartner(await scene(additional)), 'other')
    await one.identity()
    return one
  }
  const foreignAnchor = (one: Passes): string => bundleOf(one, 'other.internal').split('\n')[1] ?? ''

  it('is not what a spec means that names its name', async () => {
    const one = await stranger([{ kind: 'MutualAuthority', name: 'internal', pooled: true }])
    expect([namesIn(one), textIn(one, 'ca.crt')]).toEqual([PEM, bundleOf(one, 'default')])
    expect(readyIn(one)).toMatchObject({ reason: 'TrustIncomplete', message: expect.stringContaining('MutualAuthority shop/internal') })
  })

  it.each(['other.internal', 'other/internal'])(
    'cannot be named as %s by a spec that was stored before the schema refused it',
    async (name) => {
      for (const kind of ['ClusterMutualAuthority', 'MutualAuthority']) {
        const one = await stranger([{ kind, name, pooled: true }])
        expect([namesIn(one), textIn(one, 'ca.crt')]).toEqual([PEM, bundleOf(one, 'default')])
      }
    },
  )

  it.each<[string, Record<string, string>]>([
    [
      'by kind, name and namespace',
      { [labels.authority]: 'internal', [labels.authorityKind]: 'MutualAuthority', [labels.authorityNamespace]: 'other' },
    ],
    ['by a name with its namespace in it', { [labels.authority]: 'other.internal', [labels.authorityKind]: 'ClusterMutualAuthority' }],
    ['by such a name and its kind', { [labels.authority]: 'other.internal', [labels.authorityKind]: 'MutualAuthority' }],
  ])('that the labels of a Secret name %s adds nothing, and the labels are put right', async (_what, change) => {
    const one = await stranger()
    const before = secretIn(one)
    edited(one, { labels: change })
    for (let pass = 0; pass < 3; pass++) await one.identity()
    expect(dataIn(one)).toEqual(before['data'])
    const { [labels.authorityNamespace]: _left, ...own } = secretIn(one).metadata.labels ?? {}
    expect(own).toEqual(before.metadata.labels)
    expect(annotationsIn(one)).toEqual(before.metadata.annotations)
  })

  it.each(['MutualAuthority/internal', 'MutualAuthority/other.internal', 'ClusterMutualAuthority/other.internal'])(
    'that the annotations of a Secret name as a former one (%s) adds nothing',
    async (name) => {
      const one = await stranger()
      edited(one, { annotations: { [annotations.formerAuthorities]: `${name}/2099-01-01T00:00:00Z` } })
      for (let pass = 0; pass < 3; pass++) await one.identity()
      expect(namesIn(one)).toEqual(PEM)
      expect(namesIn(one)).not.toContain(FOREIGN)
      expect(textIn(one, 'ca.crt')).not.toContain(foreignAnchor(one))
    },
  )
})
