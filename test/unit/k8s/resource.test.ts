import { describe, expect, it } from '@jest/globals'
import { apiVersionOf, events, leases, namespaces, pods, resourcePath, secrets } from '../../../src/k8s/resource.ts'

describe('resourcePath', () => {
  it.each([
    [resourcePath(secrets, 'shop', 'web'), '/api/v1/namespaces/shop/secrets/web'],
    [resourcePath(secrets, 'shop'), '/api/v1/namespaces/shop/secrets'],
    [resourcePath(secrets), '/api/v1/secrets'],
    [resourcePath(secrets, ''), '/api/v1/secrets'],
    [resourcePath(namespaces, '', 'shop'), '/api/v1/namespaces/shop'],
    [resourcePath(namespaces, 'ignored', 'shop'), '/api/v1/namespaces/shop'],
    [resourcePath(pods, 'shop', 'web', 'eviction'), '/api/v1/namespaces/shop/pods/web/eviction'],
    [resourcePath(leases, 'shop', 'a'), '/apis/coordination.k8s.io/v1/namespaces/shop/leases/a'],
  ])('makes %s', (path, expected) => {
    expect(path).toBe(expected)
  })

  it('encodes names, so that none leaves its place in the path', () => {
    expect(resourcePath(secrets, 'a/b', '../x?y#z')).toBe('/api/v1/namespaces/a%2Fb/secrets/..%2Fx%3Fy%23z')
    expect(resourcePath({ ...namespaces, plural: 'clustertrustbundles' }, '', 'a.io:b:c')).toBe('/api/v1/clustertrustbundles/a.io%3Ab%3Ac')
  })
})

describe('apiVersionOf', () => {
  it('leaves the core group out', () => {
    expect([apiVersionOf(secrets), apiVersionOf(events)]).toEqual(['v1', 'events.k8s.io/v1'])
  })
})
