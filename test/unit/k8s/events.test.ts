import { describe, expect, it } from '@jest/globals'
import { silentLog } from '../../../src/base/log.ts'
import { ApiError } from '../../../src/k8s/errors.ts'
import { createRecorder, type EventInput, type Recorder } from '../../../src/k8s/events.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { type VirtualClock, virtualClock } from '../../support/virtual-clock.ts'

const event = (change: Partial<EventInput> = {}): EventInput => ({
  regarding: { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web', uid: 'u1' },
  type: 'Normal',
  reason: 'Issued',
  action: 'Issue',
  note: 'a certificate was issued',
  ...change,
})

interface Scene {
  readonly recorder: Recorder
  readonly clock: VirtualClock
  readonly created: RawObject[]
  readonly patched: { name: string; namespace: string; patch: unknown }[]
  fail: ApiError | undefined
  /** The server forgets all events. */
  forget(): void
  readonly logged: string[]
}

function scene(): Scene {
  const clock = virtualClock()
  const known = new Set<string>()
  let drawn = 0
  const one: Scene = {
    clock,
    created: [],
    patched: [],
    fail: undefined,
    forget: () => known.clear(),
    logged: [],
    recorder: createRecorder({
      client: {
        async create(_resource, object) {
          if (one.fail !== undefined) throw one.fail
          known.add(object.metadata.name)
          one.created.push(object)
          return object
        },
        async mergePatch(_resource, ref, patch) {
          if (one.fail !== undefined) throw one.fail
          if (!known.has(ref.name)) throw new ApiError('NotFound', { code: 404, status: 'NotFound', message: 'no such event' })
          one.patched.push({ ...ref, patch })
          return { metadata: ref }
        },
      },
      clock,
      random: { uniform: () => 0, bytes: (count) => new Uint8Array(count).fill(++drawn) },
      log: { ...silentLog, debug: (message, fields) => one.logged.push(`${message}: ${fields?.error}`) },
      controller: 'example.io/operator',
      instance: 'pod-1',
    }),
  }
  return one
}

describe('an event', () => {
  it('is written with all that the API demands', async () => {
    const { recorder, created } = scene()
    await recorder.record(event())
    expect(created).toEqual([
      {
        metadata: { name: 'web.0101010101010101', namespace: 'shop' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'example.io/operator',
        reportingInstance: 'pod-1',
        action: 'Issue',
        reason: 'Issued',
        type: 'Normal',
        regarding: { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web', uid: 'u1' },
        note: 'a certificate was issued',
      },
    ])
  })

  it('about a cluster-scoped object is in the namespace default, under a valid name', async () => {
    const { recorder, created } = scene()
    const regarding = { apiVersion: 'v1', kind: 'ClusterTrustBundle', namespace: '', name: 'a.io:b:c', uid: 'u' }
    await recorder.record(event({ regarding }))
    await recorder.record(event({ regarding: { ...regarding, uid: 'v', name: `${'x'.repeat(235)}.tail` } }))
    expect(created[0]?.metadata).toEqual({ name: 'a.io-b-c.0101010101010101', namespace: 'default' })
    expect(created[1]?.metadata.name).toBe(`${'x'.repeat(235)}.0202020202020202`)
  })

  it('has a note that does not drive the terminal of who reads it', async () => {
    const { recorder, created } = scene()
    await recorder.record(event({ note: 'a\u001b[2J\u009b2J\u202eb\nc' }))
    expect(created[0]?.note).toBe('a\ufffd[2J\ufffd2J\ufffdb\nc')
  })

  it('is remembered by the note that was written, however long it was', async () => {
    const { recorder, created } = scene()
    await recorder.record(event({ note: `${'x'.repeat(2000)}a` }))
    await recorder.record(event({ note: `${'x'.repeat(2000)}b` }))
    expect(created).toHaveLength(1)
  })

  it('has a note of 1024 bytes at most, cut between characters', async () => {
    const { recorder, created } = scene()
    await recorder.record(event({ note: 'x'.repeat(1024) }))
    for (const lead of ['', 'a', 'ab', 'abc']) await recorder.record(event({ note: lead + '😀é€'.repeat(200) }))
    for (const { note } of created) {
      expect(Buffer.byteLength(note as string)).toBeLessThanOrEqual(1024)
      expect(Buffer.byteLength(note as string)).toBeGreaterThan(1016)
      expect(note).not.toContain('\uFFFD')
    }
    expect(created[0]?.note).toBe('x'.repeat(1024))
    expect(created[1]?.note).toMatch(/…$/)
  })
})

describe('a burst', () => {
  /** A server that answers one event after the other, when it is told to. */
  function slow() {
    const answers: (() => void)[] = []
    const one = scene()
    const told: string[] = []
    const others = { busy: false }
    const recorder = createRecorder({
      client: {
        create: (_resource, object) => {
          one.created.push(object)
          return new Promise((resolve) => answers.push(() => resolve(object)))
        },
        mergePatch: async (_resource, ref) => ({ metadata: ref }),
      },
      clock: one.clock,
      random: { uniform: () => 0, bytes: (count) => new Uint8Array(count) },
      log: { ...silentLog, info: (message, fields) => told.push(`${message}: ${fields?.count}`) },
      controller: 'example.io/operator',
      instance: 'pod-1',
      busy: () => others.busy,
    })
    const answerOne = async (): Promise<void> => {
      answers.shift()?.()
      for (let turn = 0; turn < 10; turn++) await Promise.resolve()
    }
    const answerAll = async (): Promise<void> => {
      while (answers.length > 0) await answerOne()
    }
    return { recorder, created: one.created, clock: one.clock, told, others, answerOne, answerAll, underWay: () => answers.length }
  }
  const of = (count: number): EventInput[] => Array.from({ length: count }, (_, index) => event({ note: `event ${index}` }))

  it('is written four at a time, in its order', async () => {
    const { recorder, created, answerAll, underWay } = slow()
    const written = Promise.all(of(9).map((one) => recorder.record(one)))
    expect(underWay()).toBe(4)
    await answerAll()
    await written
    expect(created.map(({ note }) => note)).toEqual(of(9).map(({ note }) => note))
  })

  it('goes on at ten a second while others are busy, and faster when they have finished', async () => {
    const { recorder, created, clock, others, answerOne, answerAll, underWay } = slow()
    const written = Promise.all(of(30).map((one) => recorder.record(one)))
    expect(underWay()).toBe(4)
    others.busy = true
    for (let answers = 0; answers < 4; answers++) await answerOne()
    expect([created.length, underWay()]).toEqual([4, 0])
    for (let tenths = 1; tenths <= 10; tenths++) {
      await clock.advance(100)
      expect([created.length, underWay()]).toEqual([4 + tenths, 1])
      await answerOne()
    }
    others.busy = false
    await clock.advance(100)
    expect(underWay()).toBe(4)
    await answerAll()
    await written
    expect(created.map(({ note }) => note)).toEqual(of(30).map(({ note }) => note))
  })

  it('lets warnings go on without a pause while others are busy', async () => {
    const { recorder, created, others, answerOne } = slow()
    others.busy = true
    for (const note of ['a', 'b', 'c']) void recorder.record(event({ type: 'Warning', note }))
    for (let answers = 0; answers < 3; answers++) await answerOne()
    expect(created.map(({ note }) => note)).toEqual(['a', 'b', 'c'])
  })

  it('is told with the instant of each event, however much later it is written', async () => {
    const { recorder, created, clock, answerAll } = slow()
    const written = Promise.all(of(5).map((one) => recorder.record(one)))
    await clock.advance(60_000)
    await answerAll()
    await written
    expect(new Set(created.map(({ eventTime }) => eventTime))).toEqual(new Set(['2026-01-01T00:00:00.000000Z']))
  })

  it('of more than are kept may tell later what was left out', async () => {
    const { recorder, created, answerAll } = slow()
    for (const one of of(4110)) void recorder.record(one)
    await answerAll()
    void recorder.record(event({ note: 'event 4' }))
    void recorder.record(event({ note: 'event 20' }))
    await answerAll()
    expect(created.slice(4100).map(({ note }) => note)).toEqual(['event 4'])
  })

  it('lets warnings go first', async () => {
    const { recorder, created, answerAll } = slow()
    const written = Promise.all([...of(6), event({ type: 'Warning', note: 'refused' })].map((one) => recorder.record(one)))
    await answerAll()
    await written
    expect(created[4]?.note).toBe('refused')
  })

  it('of more than are kept loses no warning while others wait', async () => {
    const { recorder, created, answerAll } = slow()
    for (const one of of(4)) void recorder.record(one)
    void recorder.record(event({ type: 'Warning', note: 'refused' }))
    for (const one of of(4104).slice(4)) void recorder.record(one)
    const settled = recorder.settled()
    await answerAll()
    await settled
    expect(created[4]?.note).toBe('refused')
    expect(created).toHaveLength(4100)
  })

  it('of more than are kept loses the oldest of those that wait, which the log says once', async () => {
    const { recorder, created, told, answerAll } = slow()
    for (const one of of(4110)) void recorder.record(one)
    const settled = recorder.settled()
    await answerAll()
    await settled
    const notes = created.map(({ note }) => note)
    expect(notes).toHaveLength(4100)
    expect(notes.slice(0, 5)).toEqual(['event 0', 'event 1', 'event 2', 'event 3', 'event 14'])
    expect(notes.at(-1)).toBe('event 4109')
    expect(told).toEqual(['events left out: 10'])
  })

  it('is settled when the last one is over, and at once where there was none', async () => {
    const { recorder, answerAll } = slow()
    await recorder.settled()
    let settled = false
    void recorder.record(event())
    void recorder.settled().then(() => {
      settled = true
    })
    await Promise.resolve()
    expect(settled).toBe(false)
    await answerAll()
    expect(settled).toBe(true)
  })
})

describe('a repeat', () => {
  it('within 10 minutes is not written, whatever differs outside object, type, reason, action and note', async () => {
    const { recorder, clock, created, patched } = scene()
    for (let i = 0; i < 10; i++) {
      await recorder.record(event({ regarding: { ...event().regarding, resourceVersion: String(i) } }))
      await clock.advance(59_000)
    }
    expect([created.length, patched.length]).toEqual([1, 0])
  })

  it('after 10 minutes patches the series with the count of all', async () => {
    const { recorder, clock, created, patched } = scene()
    for (let i = 0; i <= 10; i++) {
      await recorder.record(event())
      await clock.advance(60_000)
    }
    expect(created).toHaveLength(1)
    expect(patched).toEqual([
      {
        namespace: 'shop',
        name: 'web.0101010101010101',
        patch: { series: { count: 11, lastObservedTime: '2026-01-01T00:10:00.000000Z' } },
      },
    ])
  })

  it('of an event that the server has forgotten is a new event with a series of its own', async () => {
    const { recorder, clock, created, patched, ...one } = scene()
    await recorder.record(event())
    one.forget()
    await clock.advance(3_600_000)
    await recorder.record(event())
    await clock.advance(600_000)
    await recorder.record(event())
    expect(created).toHaveLength(2)
    expect(patched).toMatchObject([{ name: created[1]?.metadata.name, patch: { series: { count: 2 } } }])
  })

  it('is told apart by each of them', async () => {
    const { recorder, created } = scene()
    await recorder.record(event())
    await recorder.record(event({ regarding: { ...event().regarding, uid: 'u2' } }))
    await recorder.record(event({ type: 'Warning' }))
    await recorder.record(event({ reason: 'Renewed' }))
    await recorder.record(event({ action: 'Renew' }))
    await recorder.record(event({ note: 'other' }))
    expect(created).toHaveLength(6)
  })
})

describe('an event that fails', () => {
  it('is logged at debug, forgotten, and not tried again for 10 minutes', async () => {
    const one = scene()
    one.fail = new ApiError('Forbidden', { code: 403, status: 'Forbidden', message: 'no' })
    await one.recorder.record(event())
    await one.recorder.record(event())
    expect(one.logged).toEqual(['event not written: no'])
    one.fail = undefined
    await one.clock.advance(600_000)
    await one.recorder.record(event())
    expect(one.created).toHaveLength(1)
  })
})
