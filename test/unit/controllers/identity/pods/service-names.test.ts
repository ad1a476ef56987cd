import { describe, expect, it } from '@jest/globals'
import { serviceNames } from '../../../../../src/controllers/identity/pods/service-names.ts'
import type { RawObject } from '../../../../../src/k8s/resource.ts'
import { filledStores, identityObject, podObject, serviceObject } from '../../../../support/material.ts'

interface World {
  services?: RawObject[]
  pods?: RawObject[]
  held?: string[]
  spec?: object
}

function namesOf({ services = [serviceObject('web')], pods = [], held = [], spec = {} }: World): readonly string[] {
  const stores = filledStores({ identities: [identityObject(spec)], services, pods })
  const [identity] = stores.identities.all()
  if (!identity) throw new Error('the identity is not in its store')
  return serviceNames(identity, [...stores.pods.all()], held, stores, 'cluster.local').full
}
const THREE = ['web.shop', 'web.shop.svc', 'web.shop.svc.cluster.local']

describe('the names of a Service', () => {
  it('are its short, its svc and its full one, sorted', () => {
    expect(namesOf({})).toEqual(THREE)
  })
  it('are also wildcards where it is headless, for its pods', () => {
    expect(namesOf({ services: [serviceObject('web', { clusterIP: 'None' })] })).toEqual([
      '*.web.shop.svc',
      '*.web.shop.svc.cluster.local',
      ...THREE,
    ])
  })
  it('come once, however many pods it selects', () => {
    expect(namesOf({ pods: [podObject('a'), podObject('b', { labels: { app: 'payments', version: '2' } })] })).toEqual(THREE)
  })
  it('leave out what cannot be a name in a certificate, and keep the others', () => {
    const long = 'a'.repeat(63)
    const stores = filledStores({ identities: [identityObject()], services: [serviceObject(long), serviceObject('web')] })
    const [identity] = stores.identities.all()
    if (!identity) throw new Error('the identity is not in its store')
    const domain = ['b', 'c', 'd'].map((letter) => letter.repeat(63)).join('.')
    expect(serviceNames(identity, [], [], stores, domain).full).toEqual([
      `${long}.shop`,
      `${long}.shop.svc`,
      'web.shop',
      'web.shop.svc',
      `web.shop.svc.${domain}`,
    ])
  })
  it('are none where the spec says so', () => {
    expect(namesOf({ spec: { certificate: { serviceNames: 'None' } } })).toEqual([])
  })
})

describe('a Service covers an identity', () => {
  const selecting = (selector: Record<string, string>) => [serviceObject('web', { selector })]
  it.each<[string, boolean, World]>([
    ['when its selector is within matchLabels, also without pods', true, { services: selecting({ app: 'payments' }) }],
    [
      'when it selects one of the pods',
      true,
      { services: selecting({ version: '2' }), pods: [podObject('a', { labels: { version: '2' } })] },
    ],
    ['not when it asks for more than a pod has', false, { services: selecting({ app: 'payments', tier: 'back' }), pods: [podObject('a')] }],
    ['not when it selects others', false, { services: selecting({ app: 'other' }), pods: [podObject('a')] }],
    ['not without a selector', false, { services: selecting({}), pods: [podObject('a')] }],
    ['not as an ExternalName', false, { services: [serviceObject('web', { type: 'ExternalName' })], pods: [podObject('a')] }],
    [
      'not from another namespace',
      false,
      { services: [serviceObject('web', {}, { metadata: { namespace: 'other' } })], pods: [podObject('a')] },
    ],
  ])('%s', (_what, covers, world) => {
    expect(namesOf(world).length > 0).toBe(covers)
  })
})

describe('a Service of an identity whose spec names its account', () => {
  const spec = { serviceAccountName: 'payments' }
  it.each<[string, boolean, World]>([
    ['counts when one of its pods runs under it', true, { pods: [podObject('a'), podObject('b', { account: 'admin' })] }],
    ['counts while it has no pods', true, {}],
    ['does not count when all of its pods run under others', false, { pods: [podObject('a', { account: 'admin' })] }],
    [
      'does not count when the pod under it is done',
      false,
      { pods: [podObject('a', { account: 'admin' }), podObject('b', { phase: 'Succeeded' })] },
    ],
    [
      'counts when what is there under others is not selected by it',
      true,
      { pods: [podObject('a', { account: 'admin', labels: { app: 'other' } })] },
    ],
  ])('%s', (_what, counts, world) => {
    expect(namesOf({ ...world, spec })).toEqual(counts ? THREE : [])
  })

  it('counts whoever runs it where the spec names none', () => {
    expect(namesOf({ pods: [podObject('a', { account: 'admin' })] })).toEqual(THREE)
  })

  it('is not kept by a leaf that has its name, once others serve it', () => {
    const asked = { ...spec, podSelector: { matchLabels: { app: 'none' } } }
    const stores = filledStores({
      identities: [identityObject(asked)],
      services: [serviceObject('web')],
      pods: [podObject('a', { account: 'admin' })],
    })
    const [identity] = stores.identities.all()
    if (!identity) throw new Error('the identity is not in its store')
    expect(serviceNames(identity, [], ['web.shop.svc'], stores, 'cluster.local')).toEqual({ full: [], short: [], servedByOthers: ['web'] })
  })
})

describe('a name that the present leaf holds', () => {
  const selecting = [serviceObject('web', { selector: { version: '2' } })]
  it('stays while there are no pods and its Service is there', () => {
    expect(namesOf({ services: selecting, held: ['web.shop.svc'] })).toEqual(THREE)
  })
  it('leaves when its Service is gone', () => {
    expect(namesOf({ services: [], held: ['web.shop.svc'] })).toEqual([])
  })
  it('leaves when there are pods that its Service does not select', () => {
    expect(namesOf({ services: selecting, held: ['web.shop.svc'], pods: [podObject('a')] })).toEqual([])
  })
  it('leaves when its Service selects nothing any more', () => {
    expect(namesOf({ services: [serviceObject('web', { selector: {} })], held: ['web.shop.svc'] })).toEqual([])
  })
})

it('many pods and many Services of one selector are not multiplied', () => {
  const count = 300
  let looks = 0
  const counting = (labels: Record<string, string>) =>
    new Proxy(labels, {
      get: (target, key: string) => {
        looks++
        return target[key]
      },
      getOwnPropertyDescriptor: (target, key: string) => {
        looks++
        return Object.getOwnPropertyDescriptor(target, key)
      },
    })
  const stores = filledStores({
    identities: [identityObject()],
    services: Array.from({ length: count }, (_, i) => serviceObject(`s${i}`, { selector: { tier: 'back' } })),
  })
  const pods = Array.from({ length: count }, (_, i) => ({
    namespace: 'shop',
    name: `p${i}`,
    uid: `${i}`,
    resourceVersion: '1',
    labels: counting({ app: 'payments', tier: 'back', id: `${i}` }),
    serviceAccountName: 'payments',
    live: true,
  }))
  const [identity] = stores.identities.all()
  if (!identity) throw new Error('the identity is not in its store')
  const lookup = { ...stores, pods: { by: () => pods } as unknown as typeof stores.pods }
  expect(serviceNames(identity, pods, [], lookup, 'cluster.local').full).toHaveLength(count * 3)
  expect(looks).toBeLessThan(count * 10)
})

it('Services beyond what one certificate takes are not looked at: whoever makes thousands must not hold up everybody', () => {
  const services = Array.from({ length: 3000 }, (_, index) => serviceObject(`s${index}`, { clusterIP: 'None' }))
  const stores = filledStores({ identities: [identityObject()], services })
  const [identity] = stores.identities.all()
  if (!identity) throw new Error('the identity is not in its store')
  const names = serviceNames(identity, [], [], stores, 'cluster.local').full
  expect(names.length).toBeGreaterThan(400)
  expect(names.length).toBeLessThan(3000)
})
