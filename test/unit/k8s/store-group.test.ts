// A group of stores reads and writes like one store, each part for its own namespace.

import { beforeEach, describe, expect, it } from '@jest/globals'
import { StoreGroup } from '../../../src/k8s/store-group.ts'
import { configMap, type Item, itemStore } from '../../support/store-objects.ts'

let group: StoreGroup<Item>
const shop = () => group.parts.get('shop')
const list = (namespace: string, version: string, ...names: string[]): void => {
  const replacement = group.parts.get(namespace)?.beginReplace()
  for (const name of names) replacement?.add(configMap(`${namespace}/${name}`, { version: '1' }))
  replacement?.finish(version)
}
const names = (items: Iterable<Item>): string[] => [...items].map(({ namespace, name }) => `${namespace}/${name}`)

beforeEach(() => {
  group = new StoreGroup({ shop: itemStore(), bank: itemStore() })
  list('shop', '10', 'a', 'b')
  list('bank', '20', 'a')
})

describe('a group of stores', () => {
  it('shows the objects of all of them, in order', () => {
    expect([names(group.all()), names(group.inNamespace('shop')), group.size]).toEqual([
      ['bank/a', 'shop/a', 'shop/b'],
      ['shop/a', 'shop/b'],
      3,
    ])
    expect([group.get('shop', 'b')?.name, group.get('shop', 'c'), group.get('elsewhere', 'a')]).toEqual(['b', undefined, undefined])
  })

  it('counts what an index of any of them would give', () => {
    expect([group.count('color', 'none'), group.count('color', 'red')]).toEqual([3, 0])
  })

  it('replaces one namespace without the others', () => {
    list('shop', '30')
    expect(names(group.all())).toEqual(['bank/a'])
  })

  it('takes a write into the part of its namespace, by that part’s own horizon', () => {
    group.wrote(configMap('shop/c', { version: '15' }))
    group.wrote(configMap('bank/c', { version: '15' }))
    expect(names(group.all())).toEqual(['bank/a', 'shop/a', 'shop/b', 'shop/c'])
  })

  it('keeps nothing of other namespaces', () => {
    group.wrote(configMap('elsewhere/a', { version: '99' }))
    group.removed({ namespace: 'elsewhere', name: 'a' }, 'x')
    expect(group.size).toBe(3)
  })

  it('lets the events of an object wait in the part of its namespace; elsewhere there are none', () => {
    const release = group.hold({ namespace: 'shop', name: 'c' })
    const event = { type: 'ADDED', object: configMap('shop/c', { version: '15' }) } as const
    group.parts.get('shop')?.apply(event)
    expect(group.size).toBe(3)
    release()
    expect(group.size).toBe(4)
    group.hold({ namespace: 'elsewhere', name: 'a' })()
  })

  it('tells of changes in every part, until that is ended', () => {
    const heard: string[] = []
    const end = group.subscribe(({ after, own }) => heard.push(`${after?.namespace} ${own}`))
    group.wrote(configMap('shop/c', { version: '15' }))
    list('bank', '30', 'a', 'd')
    end()
    group.wrote(configMap('shop/e', { version: '40' }))
    expect(heard).toEqual(['shop true', 'bank false'])
  })

  it('is readable when all of them are', () => {
    shop()?.markUnreadable()
    expect(group.readable).toBe(false)
    list('shop', '30')
    expect(group.readable).toBe(true)
    group.markUnreadable()
    expect(group.readable).toBe(false)
  })

  it('is never empty', () => {
    expect(() => new StoreGroup({})).toThrow(RangeError)
  })
})
