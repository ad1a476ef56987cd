import { describe, expect, it } from '@jest/globals'
import { projectLeafSecret } from '../../../../src/api/stored/leaf-secret.ts'
import { projectPod, projectService } from '../../../../src/controllers/caches.ts'
import {
  identitiesOfAuthority,
  identitiesOfNamespace,
  identitiesOfPod,
  identitiesOfSecret,
  identitiesOfService,
} from '../../../../src/controllers/identity/triggers.ts'
import { changed, filledStores, identityObject, podObject, serviceObject } from '../../../support/material.ts'

const identity = (name: string, podSelector: object, more: object = {}, namespace = 'shop') =>
  identityObject({ podSelector, ...more }, { metadata: { name, namespace } })
const stores = filledStores({
  identities: [
    identity('app', { matchLabels: { app: 'payments' } }),
    identity('both', { matchLabels: { app: 'payments', tier: 'back' } }),
    identity('all', {}),
    identity('expression', { matchExpressions: [{ key: 'version', operator: 'Exists' }] }),
    identity('elsewhere', { matchLabels: { app: 'payments' } }, { authorityRef: { name: 'other' } }, 'other'),
  ],
  pods: [podObject('v2', { labels: { app: 'payments', version: '2' } })],
})

describe('a pod concerns', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['identities whose labels it has', { app: 'payments' }, ['shop/app', 'shop/all']],
    ['identities all of whose labels it has', { app: 'payments', tier: 'back' }, ['shop/app', 'shop/both', 'shop/all']],
    ['identities whose expressions it satisfies', { version: '1' }, ['shop/all', 'shop/expression']],
    ['identities that select everything, without any label', {}, ['shop/all']],
  ])('%s', (_what, labels, keys) => {
    expect(identitiesOfPod(projectPod(podObject('p', { labels })), stores.identities).sort()).toEqual([...keys].sort())
  })
})

describe('a Service concerns', () => {
  const concerned = (spec: object) => identitiesOfService(projectService(serviceObject('s', spec)), stores).sort()
  it('identities whose labels hold its selector, also without pods', () => {
    expect(concerned({ selector: { tier: 'back' } })).toEqual(['shop/both'])
  })
  it('identities whose pods it selects', () => {
    expect(concerned({ selector: { version: '2' } })).toEqual(['shop/all', 'shop/app', 'shop/expression'])
  })
  it('nobody without a selector', () => {
    expect(concerned({ selector: {} })).toEqual([])
  })
  it('nobody through a pod that has only a part of its selector', () => {
    expect(concerned({ selector: { app: 'payments', version: '3' } })).toEqual([])
  })
})

describe('a Secret concerns', () => {
  const secret = (name: string) => projectLeafSecret(changed({ metadata: { namespace: 'shop', name } }))
  it('the identity that its name says, since labels can be edited', () => {
    expect(identitiesOfSecret(secret('app-mtls'), stores.identities)).toEqual(['shop/app'])
  })
  it('nobody where no identity names it', () => {
    expect(identitiesOfSecret(secret('payments-tls'), stores.identities)).toEqual([])
  })
})

it('an authority concerns the identities that name it, in whatever namespace', () => {
  expect(identitiesOfAuthority('other', stores.identities)).toEqual(['other/elsewhere'])
})

it('a namespace concerns the identities in it', () => {
  expect(identitiesOfNamespace('other', stores.identities)).toEqual(['other/elsewhere'])
})
