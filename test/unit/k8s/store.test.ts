// The store: what events, lists and our own writes do to it, what subscribers hear, what is kept out.

import { describe, expect, it } from '@jest/globals'
import { type Change, Store, type StoreProblem, storedMeta } from '../../../src/k8s/store.ts'
import { configMap, type Item, itemStore, items } from '../../support/store-objects.ts'

const added = (object: ReturnType<typeof configMap>) => ({ type: 'ADDED', object }) as const
const modified = (object: ReturnType<typeof configMap>) => ({ type: 'MODIFIED', object }) as const
const deleted = (object: ReturnType<typeof configMap>) => ({ type: 'DELETED', object }) as const

/** A store that holds these objects as of a list at `version`. */
function listed(version: string, ...objects: ReturnType<typeof configMap>[]) {
  const { store, changes, problems } = watched()
  relist(store, version, ...objects)
  changes.length = 0
  return { store, changes, problems }
}

function watched() {
  const problems: StoreProblem[] = []
  const store = itemStore((problem) => problems.push(problem))
  const changes: Change<Item>[] = []
  store.subscribe((change) => changes.push(change))
  return { store, changes, problems }
}

function relist(store: Store<Item>, version: string, ...objects: ReturnType<typeof configMap>[]): void {
  const replacement = store.beginReplace()
  for (const object of objects) replacement.add(object)
  replacement.finish(version)
}

describe('a list', () => {
  it('is shown only when it is whole', () => {
    const { store, changes } = watched()
    const replacement = store.beginReplace()
    replacement.add(configMap('shop/web', { version: '5' }))
    expect([store.size, store.synced, changes.length]).toEqual([0, false, 0])
    replacement.finish('7')
    expect([store.size, store.synced, changes.length]).toEqual([1, true, 1])
  })

  it('that brings nothing new keeps the very objects, and tells nobody', () => {
    const objects = [configMap('shop/web', { version: '3', color: 'red' }), configMap('shop/api', { version: '4', color: 'red' })]
    const { store, changes } = listed('5', ...objects)
    const before = store.by('color', 'red')
    changes.length = 0
    relist(store, '9', ...objects)
    expect(store.by('color', 'red').map((object, index) => object === before[index])).toEqual([true, true])
    expect([...store.all()].every((object) => before.includes(object))).toBe(true)
    expect(changes).toEqual([])
  })

  it('of another past shows what it holds, under the same versions too', () => {
    const { store, changes } = listed('5', configMap('shop/web', { version: '3', color: 'red' }))
    changes.length = 0
    relist(store, '4', configMap('shop/web', { version: '3', color: 'blue' }))
    expect([store.by('color', 'red').length, store.by('color', 'blue').length, changes.length]).toEqual([0, 1, 1])
  })

  it('removes what it does not hold', () => {
    const { store, changes } = listed('5', configMap('shop/web', { version: '3' }), configMap('shop/api', { version: '4' }))
    relist(store, '9', configMap('shop/api', { version: '4' }))
    expect(items(store)).toEqual(['shop/api 4'])
    expect(changes.map(({ before, after }) => [before?.name, after?.name])).toEqual([['web', undefined]])
  })

  it('of an older server state is followed', () => {
    const { store } = listed('900', configMap('shop/web', { version: '900', color: 'new' }), configMap('shop/api', { version: '800' }))
    relist(store, '50', configMap('shop/web', { version: '40', color: 'old' }))
    store.apply(added(configMap('shop/api', { version: '51', uid: 'again' })))
    expect(items(store)).toEqual(['shop/api 51', 'shop/web 40'])
  })

  it('that another list has overtaken changes nothing', () => {
    const { store } = listed('5', configMap('shop/web', { version: '3' }))
    const first = store.beginReplace()
    relist(store, '9', configMap('shop/web', { version: '8' }))
    first.finish('6')
    expect(items(store)).toEqual(['shop/web 8'])
  })

  it('is told to subscribers after the store has all of it', () => {
    const { store } = watched()
    const sizes: number[] = []
    store.subscribe(() => sizes.push(store.size))
    relist(store, '9', configMap('shop/a', { version: '1' }), configMap('shop/b', { version: '2' }))
    expect(sizes).toEqual([2, 2])
  })

  it('makes a store readable again', () => {
    const { store } = watched()
    store.markUnreadable()
    expect(store.readable).toBe(false)
    relist(store, '9')
    expect(store.readable).toBe(true)
  })
})

describe('an event', () => {
  it.each([
    { says: 'newer', version: '12', color: 'blue' },
    { says: 'newer by a digit', version: '100', color: 'blue' },
    { says: 'older', version: '9', color: 'red' },
    { says: 'the same', version: '10', color: 'red' },
  ])('of a version that is $says leaves the store with $color', ({ version, color }) => {
    const { store } = listed('10', configMap('shop/web', { version: '10', color: 'red' }))
    store.apply(modified(configMap('shop/web', { version, color: 'blue' })))
    expect(store.get('shop', 'web')?.color).toBe(color)
  })

  it('that moves only the resourceVersion is no change, but the version moves', () => {
    const { store, changes } = listed('10', configMap('shop/web', { version: '10' }))
    store.apply(modified(configMap('shop/web', { version: '11' })))
    expect(changes).toEqual([])
    expect(store.get('shop', 'web')?.resourceVersion).toBe('11')
    expect(store.by('color', 'none').map((item) => item.resourceVersion)).toEqual(['11'])
  })

  it('of another uid under the same name is a delete and an add', () => {
    const { store, changes } = listed('10', configMap('shop/web', { version: '10', uid: 'u1' }))
    store.apply(added(configMap('shop/web', { version: '12', uid: 'u2' })))
    expect(changes.map(({ before, after }) => [before?.uid, after?.uid])).toEqual([
      ['u1', undefined],
      [undefined, 'u2'],
    ])
  })

  it('of a delete removes the object', () => {
    const { store, changes } = listed('10', configMap('shop/web', { version: '10' }))
    store.apply(deleted(configMap('shop/web', { version: '11' })))
    expect([store.size, changes.length, changes[0]?.before?.name, changes[0]?.own]).toEqual([0, 1, 'web', false])
  })

  it('of a delete of an earlier object of that name is ignored', () => {
    const { store } = listed('10', configMap('shop/web', { version: '10', uid: 'u2' }))
    store.apply(deleted(configMap('shop/web', { version: '9', uid: 'u1' })))
    expect(store.size).toBe(1)
  })

  it('of a delete of a later object of that name, of which nothing else has come, removes the one before it too', () => {
    const { store } = listed('10', configMap('shop/web', { version: '10', uid: 'u1' }))
    store.apply(deleted(configMap('shop/web', { version: '13', uid: 'u2' })))
    store.apply(added(configMap('shop/web', { version: '12', uid: 'u2' })))
    expect(store.size).toBe(0)
  })

  it('that is late does not bring back what was deleted', () => {
    const { store } = listed('10', configMap('shop/web', { version: '8' }))
    store.apply(deleted(configMap('shop/web', { version: '12' })))
    store.apply(modified(configMap('shop/web', { version: '11' })))
    expect(store.size).toBe(0)
    store.apply(added(configMap('shop/web', { version: '13' })))
    expect(store.size).toBe(1)
  })
})

describe('our own write', () => {
  it('is read at once and marked as ours', () => {
    const { store, changes } = listed('10')
    store.wrote(configMap('shop/web', { version: '12', color: 'blue' }))
    expect(store.by('color', 'blue').map((item) => item.name)).toEqual(['web'])
    expect(changes.map((change) => change.own)).toEqual([true])
  })

  it('wins against late events of older versions, deletes too', () => {
    const { store, changes } = listed('10', configMap('shop/web', { version: '9', color: 'red', uid: 'u1' }))
    store.wrote(configMap('shop/web', { version: '14', color: 'blue', uid: 'u2' }))
    changes.length = 0
    store.apply(modified(configMap('shop/web', { version: '12', color: 'red', uid: 'u1' })))
    store.apply(deleted(configMap('shop/web', { version: '13', uid: 'u1' })))
    store.apply(added(configMap('shop/web', { version: '14', color: 'blue', uid: 'u2' })))
    expect(items(store)).toEqual(['shop/web 14'])
    expect(changes).toEqual([])
  })

  it('whose answer comes after the delete that followed it is ignored', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9' }))
    store.apply(modified(configMap('shop/web', { version: '11' })))
    store.apply(deleted(configMap('shop/web', { version: '12' })))
    store.wrote(configMap('shop/web', { version: '11' }))
    expect(store.size).toBe(0)
  })

  it('that a bookmark has passed is ignored, since its end may have been missed', () => {
    const { store } = listed('10')
    store.advance('20')
    store.wrote(configMap('shop/web', { version: '15' }))
    expect(store.size).toBe(0)
  })

  it.each([
    { when: 'during a list and newer than it', during: true, version: '12', kept: true },
    { when: 'during a list and in it', during: true, version: '11', kept: false },
    { when: 'before the list began', during: false, version: '12', kept: false },
  ])('$when: kept is $kept', ({ during, version, kept }) => {
    const { store } = listed('10')
    if (!during) store.wrote(configMap('shop/web', { version }))
    const replacement = store.beginReplace()
    if (during) store.wrote(configMap('shop/web', { version }))
    replacement.finish('11')
    expect(store.size).toBe(kept ? 1 : 0)
  })

  it.each(['12 then 13', '13 then 12'])('comes out as the newer of two that are answered during a list: %s', (order) => {
    const { store } = listed('10')
    const replacement = store.beginReplace()
    for (const version of order.split(' then ')) store.wrote(configMap('shop/web', { version, color: version }))
    replacement.finish('11')
    expect(items(store)).toEqual(['shop/web 13'])
  })

  it('answered after the delete of that object, both during a list, does not bring it back', () => {
    const { store } = listed('10')
    const replacement = store.beginReplace()
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    store.wrote(configMap('shop/web', { version: '12', uid: 'u1' }))
    replacement.finish('11')
    expect(store.size).toBe(0)
  })

  it('during a list of a server that was set back is not lost', () => {
    const { store } = listed('900', configMap('shop/web', { version: '850', color: 'red' }))
    const replacement = store.beginReplace()
    replacement.add(configMap('shop/web', { version: '40', color: 'red' }))
    store.wrote(configMap('shop/web', { version: '52', color: 'blue' }))
    replacement.finish('51')
    expect(store.get('shop', 'web')?.color).toBe('blue')
  })
})

describe('an object whose events wait for the answer to our write', () => {
  const ref = { namespace: 'shop', name: 'web' }
  const written = configMap('shop/web', { version: '12', color: 'blue' })

  it('is taken from the answer, as ours and once, though its event came before', () => {
    const { store, changes } = listed('10')
    const release = store.hold(ref)
    store.apply(added(written))
    store.apply(added(configMap('shop/other', { version: '13' })))
    expect(items(store)).toEqual(['shop/other 13'])
    changes.length = 0
    store.wrote(written, (raw) => ({ ...storedMeta(raw), color: 'as it was written' }))
    release()
    expect(changes.map(({ after, own }) => [after?.color, own])).toEqual([['as it was written', true]])
  })

  it('shows what others did meanwhile as soon as they need not wait any more, as it came out, also where the write failed', () => {
    const { store, changes } = listed('10')
    const release = store.hold(ref)
    store.apply(added(written))
    store.apply(modified(configMap('shop/web', { version: '14', color: 'red' })))
    store.apply(modified(configMap('shop/web', { version: '13', color: 'green' })))
    expect(store.size).toBe(0)
    release()
    expect(changes.map(({ after, own }) => [after?.color, own])).toEqual([['red', false]])
  })

  it('stays away when it was deleted meanwhile', () => {
    const { store } = listed('10')
    const release = store.hold(ref)
    store.apply(added(written))
    store.apply(deleted(configMap('shop/web', { version: '13' })))
    store.wrote(written)
    expect(items(store)).toEqual(['shop/web 12'])
    release()
    expect(store.size).toBe(0)
  })

  it('is as a list shows it that came meanwhile', () => {
    const { store } = listed('10')
    const release = store.hold(ref)
    store.apply(added(written))
    store.beginReplace().finish('20')
    store.wrote(written)
    release()
    expect(store.size).toBe(0)
  })

  it('waits as long as anybody holds it', () => {
    const { store } = listed('10')
    const [first, second] = [store.hold(ref), store.hold(ref)]
    store.apply(added(written))
    first()
    expect(store.size).toBe(0)
    second()
    expect(items(store)).toEqual(['shop/web 12'])
  })
})

describe('our own delete', () => {
  it('is seen at once, and late events of that object are ignored', () => {
    const { store, changes } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    store.apply(modified(configMap('shop/web', { version: '11', uid: 'u1' })))
    expect(items(store)).toEqual([])
    expect(changes.map(({ before, own }) => [before?.uid, own])).toEqual([['u1', true]])
  })

  it('is remembered when late news of an earlier object of that name comes', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    store.apply(deleted(configMap('shop/web', { version: '8', uid: 'u0' })))
    store.apply(modified(configMap('shop/web', { version: '11', uid: 'u1' })))
    expect(store.size).toBe(0)
  })

  it('does not hide the next object of that name', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    store.apply(added(configMap('shop/web', { version: '12', uid: 'u2' })))
    expect(items(store)).toEqual(['shop/web 12'])
  })

  it('does not remove another object of that name', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u2' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    expect(store.size).toBe(1)
  })

  it('does not hide an object that finalizers keep alive', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    store.apply(modified(configMap('shop/web', { version: '11', uid: 'u1', terminating: true })))
    expect(items(store)).toEqual(['shop/web 11'])
  })

  it('does not hide an object that finalizers keep alive, also where the watch is faster than the answer', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.apply(modified(configMap('shop/web', { version: '11', uid: 'u1', terminating: true })))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    expect(items(store)).toEqual(['shop/web 11'])
    store.apply(deleted(configMap('shop/web', { version: '12', uid: 'u1', terminating: true })))
    expect(store.size).toBe(0)
  })

  it('does not hide an object that a list showed held by finalizers', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1', terminating: true }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    expect(store.size).toBe(1)
  })

  it('does not hide an object that a write during a list showed held by finalizers', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    const replacement = store.beginReplace()
    replacement.add(configMap('shop/web', { version: '9', uid: 'u1' }))
    store.wrote(configMap('shop/web', { version: '13', uid: 'u1', terminating: true }))
    replacement.finish('12')
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    expect(items(store)).toEqual(['shop/web 13'])
  })

  it.each([
    { what: 'that does not know of it', terminating: false, size: 0 },
    { what: 'that shows it held by finalizers', terminating: true, size: 1 },
  ])('during a list $what leaves $size object(s)', ({ terminating, size }) => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    const replacement = store.beginReplace()
    replacement.add(configMap('shop/web', { version: '9', uid: 'u1', terminating }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    replacement.finish('11')
    expect(store.size).toBe(size)
    store.apply(modified(configMap('shop/web', { version: '8', uid: 'u1' })))
    expect(store.size).toBe(size)
  })

  it('is forgotten by a list that began after it: what the server shows is there', () => {
    const { store } = listed('10', configMap('shop/web', { version: '9', uid: 'u1' }))
    store.removed({ namespace: 'shop', name: 'web' }, 'u1')
    relist(store, '12', configMap('shop/web', { version: '9', uid: 'u1' }))
    expect(store.size).toBe(1)
  })
})

describe('a projection that throws', () => {
  const bad = (version: string) => configMap('shop/web', { version, color: 'throw' })

  it('keeps that version out, is reported once for it, and others go on', () => {
    const { store, problems } = listed('10', configMap('shop/web', { version: '9' }))
    store.apply(modified(bad('11')))
    store.apply(added(configMap('shop/api', { version: '12' })))
    relist(store, '13', bad('11'), configMap('shop/api', { version: '12' }))
    expect(items(store)).toEqual(['shop/api 12'])
    expect(problems.map(({ part, name, resourceVersion }) => [part, name, resourceVersion])).toEqual([['projection', 'web', '11']])
    expect(store.refused).toBe(1)
  })

  it('does not count any more when a write during the list put it right', () => {
    const { store } = listed('10')
    const replacement = store.beginReplace()
    store.wrote(configMap('shop/web', { version: '13' }))
    replacement.add(bad('11'))
    replacement.finish('12')
    expect(items(store)).toEqual(['shop/web 13'])
    expect(store.refused).toBe(0)
  })

  it('is reported again for the next version', () => {
    const { store, problems } = listed('10')
    for (const version of ['11', '12']) store.apply(modified(bad(version)))
    expect(problems.map((problem) => problem.resourceVersion)).toEqual(['11', '12'])
  })

  it('does not let an older version in', () => {
    const { store } = listed('10')
    store.apply(modified(bad('12')))
    store.apply(modified(configMap('shop/web', { version: '11' })))
    expect(store.size).toBe(0)
  })

  it('lets the object in again when a later version can be projected, and forgets it when it is deleted', () => {
    const { store } = listed('10')
    store.apply(modified(bad('11')))
    store.apply(modified(configMap('shop/web', { version: '12' })))
    expect([store.size, store.refused]).toEqual([1, 0])
    store.apply(modified(bad('13')))
    store.apply(deleted(bad('14')))
    expect([store.size, store.refused]).toEqual([0, 0])
  })

  it('includes one that returns another object than it was given', () => {
    const problems: StoreProblem[] = []
    const store = new Store({
      resource: itemStore().resource,
      project: () => ({ namespace: 'shop', name: 'other', uid: 'u', resourceVersion: '5' }),
      onProblem: (problem) => problems.push(problem),
    })
    store.wrote(configMap('shop/web', { version: '5' }))
    expect([store.size, problems.length]).toEqual([0, 1])
  })
})

describe('subscribers', () => {
  it('are not disturbed by one that throws, which is reported', () => {
    const { store, problems } = watched()
    const heard: string[] = []
    store.subscribe(() => {
      throw new Error('no')
    })
    store.subscribe(({ after }) => heard.push(after?.name ?? ''))
    store.wrote(configMap('shop/web', { version: '5' }))
    expect(heard).toEqual(['web'])
    expect(problems.map((problem) => problem.part)).toEqual(['listener'])
  })

  it('hear nothing after they ended it', () => {
    const { store } = watched()
    const heard: string[] = []
    const end = store.subscribe(() => heard.push('x'))
    end()
    store.wrote(configMap('shop/web', { version: '5' }))
    expect(heard).toEqual([])
  })
})

describe('look-ups', () => {
  const objects = [
    configMap('b/x', { version: '1', color: 'red' }),
    configMap('a/z', { version: '2', color: 'red' }),
    configMap('a/y', { version: '3', color: 'blue' }),
    configMap('node', { version: '4', color: 'red' }),
  ]

  it('are sorted by namespace and name', () => {
    const { store } = listed('9', ...objects)
    expect(store.by('color', 'red').map((item) => `${item.namespace}/${item.name}`)).toEqual(['/node', 'a/z', 'b/x'])
    expect(store.inNamespace('a').map((item) => item.name)).toEqual(['y', 'z'])
    expect(store.get('', 'node')?.resourceVersion).toBe('4')
  })

  it('give lists that the caller may keep', () => {
    const { store } = listed('9', ...objects)
    const before = store.by('color', 'red')
    store.apply(deleted(configMap('a/z', { version: '10' })))
    expect(before.length).toBe(3)
    expect(store.by('color', 'red').length).toBe(2)
  })

  it('follow an object to another value', () => {
    const { store } = listed('9', ...objects)
    store.apply(modified(configMap('a/z', { version: '10', color: 'blue' })))
    expect([store.by('color', 'red').length, store.by('color', 'blue').length]).toEqual([2, 2])
  })

  it('refuse an index that the store does not have', () => {
    const { store } = listed('9')
    expect(() => store.by('colour', 'red')).toThrow(RangeError)
    expect(() => store.count('colour', 'red')).toThrow(RangeError)
  })

  it('count what an index would give', () => {
    const { store } = listed('9', ...objects)
    store.apply(deleted(configMap('a/z', { version: '10' })))
    expect([store.count('color', 'red'), store.count('color', 'green')]).toEqual([2, 0])
  })

  it('give frozen objects', () => {
    const { store } = listed('9', ...objects)
    expect(Object.isFrozen(store.get('a', 'z'))).toBe(true)
  })

  it('lack an object whose index function throws, which is reported', () => {
    const { store, problems } = listed('9', configMap('a/z', { version: '2', color: 'no index' }))
    expect([store.size, store.inNamespace('a').length, store.by('color', 'no index').length]).toEqual([1, 1, 0])
    expect(problems.map((problem) => problem.part)).toEqual(['index'])
  })
})
