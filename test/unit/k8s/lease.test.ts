import { afterEach, describe, expect, it } from '@jest/globals'
import { createLog } from '../../../src/base/log.ts'
import { Election } from '../../../src/k8s/lease.ts'
import { type LeaseApi, leaseApi } from '../../support/lease-api.ts'
import { type VirtualClock, virtualClock } from '../../support/virtual-clock.ts'

interface Candidate {
  readonly election: Election
  /** What was called, in order, with the second it was called at. */
  readonly calls: string[]
  /** What it logged, at level info. */
  readonly lines: string[]
  readonly connection: ReturnType<LeaseApi['connect']>
  signal: AbortSignal | undefined
}

/** Candidates that share one API and one flow of time, each with its own wall clock. */
class Stage {
  readonly clock: VirtualClock = virtualClock()
  readonly api = leaseApi(this.clock)
  readonly candidates: Candidate[] = []

  candidate(identity: string, wallShiftMs = 0): Candidate {
    const connection = this.api.connect()
    const calls: string[] = []
    const lines: string[] = []
    const at = (): string => `${Math.floor(this.clock.monotonic() / 1000)}`
    const clock = { ...this.clock, now: () => this.clock.now() + wallShiftMs }
    const candidate: Candidate = {
      calls,
      lines,
      connection,
      signal: undefined,
      election: new Election({
        client: connection.client,
        clock,
        random: { uniform: () => 0, bytes: (count) => new Uint8Array(count) },
        log: createLog('info', (line) => lines.push(line)),
        lease: { namespace: 'system', name: 'l' },
        identity,
        onAcquired: (signal) => {
          candidate.signal = signal
          calls.push(`acquired ${at()}`)
        },
        onLost: () => calls.push(`lost ${at()}`),
      }),
    }
    this.candidates.push(candidate)
    return candidate
  }

  /** Lets time pass and sees to it that no two lead at the same moment. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 4; i++) {
      await this.clock.advance(250)
      const leaders = this.candidates.filter(({ election }) => election.leading)
      if (leaders.length > 1) throw new Error('two leaders')
    }
  }

  get spec(): Record<string, unknown> {
    return this.api.lease?.spec as Record<string, unknown>
  }
}

let stages: Stage[] = []
const stage = (): Stage => {
  const one = new Stage()
  stages.push(one)
  return one
}
afterEach(async () => {
  for (const { candidates, clock } of stages) {
    for (const { election, connection } of candidates) {
      connection.fault = 'none'
      const stopped = election.stop()
      await clock.advance(1_000)
      await stopped
    }
    expect(clock.pending).toBe(0)
  }
  stages = []
})

describe('a candidate', () => {
  it('creates the Lease where there is none and leads', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    a.election.start()
    await scene.pass(1)
    expect(a.calls).toEqual(['acquired 0'])
    expect(scene.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.000000Z',
      leaseTransitions: 0,
    })
  })

  it('renews every two seconds and leads on', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    a.election.start()
    await scene.pass(61)
    expect(a.calls).toEqual(['acquired 0'])
    expect([scene.api.writes, scene.spec.renewTime, scene.spec.leaseTransitions]).toEqual([31, '2026-01-01T00:01:00.000000Z', 0])
  })

  it('waits while another renews, however long', async () => {
    const scene = stage()
    const [a, b] = [scene.candidate('a'), scene.candidate('b')]
    a.election.start()
    await scene.pass(1)
    b.election.start()
    await scene.pass(600)
    expect([b.calls, b.election.holder]).toEqual([[], 'a'])
  })

  it('takes over 15 s after the last renewal that it saw, whatever the wall clocks say', async () => {
    for (const shift of [-3_600_000, 0, 3_600_000]) {
      const scene = stage()
      const [a, b] = [scene.candidate('a'), scene.candidate('b', shift)]
      a.election.start()
      await scene.pass(1)
      b.election.start()
      await scene.pass(20)
      a.connection.fault = 'unreachable'
      await scene.pass(30)
      // Renewed last at 20 s, seen by b at 21 s.
      expect(a.calls).toEqual(['acquired 0', 'lost 30'])
      expect(b.calls).toEqual(['acquired 37'])
      expect(scene.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
    }
  })

  it('does not take a changed label for a renewal', async () => {
    const scene = stage()
    scene.api.edit({ holderIdentity: 'gone', leaseDurationSeconds: 15 })
    const b = scene.candidate('b')
    b.election.start()
    for (let i = 0; i < 10; i++) {
      await scene.pass(2)
      scene.api.edit({}, { n: String(i) })
    }
    expect(b.calls).toEqual(['acquired 16'])
  })

  it('leaves a holder the longer duration it asked for, but not for ever', async () => {
    const scene = stage()
    scene.api.edit({ holderIdentity: 'slow', leaseDurationSeconds: 60 })
    const b = scene.candidate('b')
    b.election.start()
    await scene.pass(70)
    expect(b.calls).toEqual(['acquired 60'])

    const silly = stage()
    silly.api.edit({ holderIdentity: 'silly', leaseDurationSeconds: 2_000_000_000 })
    const c = silly.candidate('c')
    c.election.start()
    await silly.pass(610)
    expect(c.calls).toEqual(['acquired 600'])
  })

  it('is the only one of five to get a free Lease', async () => {
    const scene = stage()
    scene.api.edit({ holderIdentity: '', leaseDurationSeconds: 1 })
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => scene.candidate(name))
    for (const { election } of all) election.start()
    await scene.pass(60)
    expect(all.map(({ calls }) => calls.length).sort()).toEqual([0, 0, 0, 0, 1])
  })

  it('whose answer was lost when it acquired leads at the next look', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    a.connection.fault = 'lost'
    a.election.start()
    await scene.pass(1)
    expect([scene.spec.holderIdentity, a.calls]).toEqual(['a', []])
    a.connection.fault = 'none'
    await scene.pass(2)
    expect(a.calls).toEqual(['acquired 2'])
  })
})

it('a candidate without a namespace says how to make it, at once and once a minute, and leads when it is there', async () => {
  const scene = stage()
  const a = scene.candidate('a')
  scene.api.namespaceExists = false
  a.election.start()
  await scene.pass(1)
  const said = (): { message: string; level: string; error: string }[] => a.lines.map((line) => JSON.parse(line))
  expect(said()).toMatchObject([
    { level: 'warn', message: 'lease not reached', error: 'namespaces "system" not found: kubectl create namespace system' },
  ])
  await scene.pass(290)
  expect(said()).toHaveLength(5)
  scene.api.namespaceExists = true
  await scene.pass(3)
  expect(a.calls).toHaveLength(1)
})

it('a candidate that never hears that its writes were carried out leads, and does not keep everybody from it', async () => {
  const scene = stage()
  const [a, b] = [scene.candidate('a'), scene.candidate('b')]
  a.connection.fault = 'writesLost'
  a.election.start()
  await scene.pass(1)
  b.election.start()
  await scene.pass(60)
  expect([a.calls, b.calls]).toEqual([['acquired 2'], []])
})

describe('a leader', () => {
  const leading = async (): Promise<[Stage, Candidate]> => {
    const scene = stage()
    const a = scene.candidate('a')
    a.election.start()
    await scene.pass(1)
    return [scene, a]
  }

  it.each(['unreachable', 'hang', 'lost'] as const)('survives 6 s of an API server that is %s', async (fault) => {
    const [scene, a] = await leading()
    a.connection.fault = fault
    await scene.pass(6)
    a.connection.fault = 'none'
    await scene.pass(10)
    expect(a.calls).toEqual(['acquired 0'])
  })

  it.each(['unreachable', 'hang', 'lost'] as const)(
    'has lost 10 s after its last renewal when the API server is %s, and its signal aborts',
    async (fault) => {
      const [scene, a] = await leading()
      await scene.pass(4)
      a.connection.fault = fault
      await scene.pass(15)
      expect(a.calls).toEqual(['acquired 0', 'lost 14'])
      expect([a.signal?.aborted, a.election.leading]).toEqual([true, false])
    },
  )

  it('that never hears that its writes were carried out sees it in the Lease, and leads on', async () => {
    const [scene, a] = await leading()
    a.connection.fault = 'writesLost'
    await scene.pass(120)
    expect(a.calls).toEqual(['acquired 0'])
  })

  it('that lost stands again and leads when it can', async () => {
    const [scene, a] = await leading()
    a.connection.fault = 'unreachable'
    await scene.pass(20)
    a.connection.fault = 'none'
    await scene.pass(3)
    expect(a.calls).toEqual(['acquired 0', 'lost 10', 'acquired 22'])
    expect(a.signal?.aborted).toBe(false)
  })

  it('says once that the Lease cannot be reached, however long, and once that it can again', async () => {
    const [scene, a] = await leading()
    a.connection.fault = 'unreachable'
    await scene.pass(600)
    a.connection.fault = 'none'
    await scene.pass(10)
    const said = a.lines.map((line) => (JSON.parse(line) as { message: string }).message)
    expect(said.filter((message) => message.startsWith('lease '))).toEqual([
      'lease acquired',
      'lease not reached',
      'lease lost',
      'lease acquired',
      'lease reached again',
    ])
  })

  it('has lost as soon as it sees another name in the Lease', async () => {
    const [scene, a] = await leading()
    scene.api.edit({ holderIdentity: 'b' })
    await scene.pass(2)
    expect(a.calls).toEqual(['acquired 0', 'lost 2'])
    expect(scene.spec.holderIdentity).toBe('b')
  })

  it('has lost when somebody took its name out', async () => {
    const [scene, a] = await leading()
    scene.api.edit({ holderIdentity: '' })
    await scene.pass(2)
    expect(a.calls).toEqual(['acquired 0', 'lost 2'])
  })

  it('leads on when somebody edits other things of the Lease', async () => {
    const [scene, a] = await leading()
    scene.api.edit({ leaseDurationSeconds: 3, strategy: 'x' }, { touched: 'yes' })
    await scene.pass(10)
    expect(a.calls).toEqual(['acquired 0'])
    expect(scene.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15 })
  })

  it('creates the Lease anew when somebody deletes it, and leads on', async () => {
    const [scene, a] = await leading()
    scene.api.lease = undefined
    await scene.pass(10)
    expect(a.calls).toEqual(['acquired 0'])
    expect(scene.spec.holderIdentity).toBe('a')
  })

  it('makes the Lease again as soon as it can when its namespace was deleted with it', async () => {
    const [scene, a] = await leading()
    scene.api.lease = undefined
    scene.api.namespaceExists = false
    await scene.pass(6)
    scene.api.namespaceExists = true
    await scene.pass(10)
    expect(a.calls).toEqual(['acquired 0'])
    expect(scene.spec.holderIdentity).toBe('a')
    expect(a.lines.join('')).not.toContain('Cannot read properties')
  })

  it('has lost when somebody deletes the Lease and another creates it first', async () => {
    const [scene, a] = await leading()
    scene.api.lease = undefined
    scene.api.edit({ holderIdentity: 'b', leaseDurationSeconds: 15 })
    await scene.pass(3)
    expect(a.calls).toEqual(['acquired 0', 'lost 2'])
  })

  it('does not notice a wall clock that jumps', async () => {
    const [scene, a] = await leading()
    scene.clock.shiftWall(86_400_000)
    await scene.pass(10)
    scene.clock.shiftWall(-2 * 86_400_000)
    await scene.pass(10)
    expect(a.calls).toEqual(['acquired 0'])
  })
})

describe('a candidate that stands by', () => {
  const standingBy = ({ lines }: Candidate): unknown[] =>
    lines
      .map((line) => JSON.parse(line) as { message: string; holder: string; level: string })
      .filter(({ message }) => message === 'standing by')
      .map(({ level, holder }) => `${level} ${holder}`)

  it('says for whom, once for each holder', async () => {
    const scene = stage()
    const [a, b] = [scene.candidate('a'), scene.candidate('b')]
    a.election.start()
    await scene.pass(1)
    b.election.start()
    await scene.pass(60)
    expect([standingBy(a), standingBy(b)]).toEqual([[], ['info a']])
    scene.api.edit({ holderIdentity: 'c' })
    await scene.pass(10)
    expect([standingBy(a), standingBy(b)]).toEqual([['info c'], ['info a', 'info c']])
  })

  it('says so again after it has led', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    scene.api.edit({ holderIdentity: 'b', leaseDurationSeconds: 15 })
    a.election.start()
    await scene.pass(20)
    scene.api.edit({ holderIdentity: 'b' })
    await scene.pass(10)
    expect([a.calls.slice(0, 1), standingBy(a)]).toEqual([['acquired 16'], ['info b', 'info b']])
  })
})

describe('stop', () => {
  it('gives the Lease back, so that another leads within its next try', async () => {
    const scene = stage()
    const [a, b] = [scene.candidate('a'), scene.candidate('b')]
    a.election.start()
    await scene.pass(1)
    b.election.start()
    await scene.pass(2)
    await a.election.stop()
    expect(a.calls).toEqual(['acquired 0'])
    expect(a.signal?.aborted).toBe(true)
    expect(scene.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
    await scene.pass(3)
    expect(b.calls).toEqual(['acquired 5'])
  })

  it('of a candidate leaves the Lease of the leader alone', async () => {
    const scene = stage()
    const [a, b] = [scene.candidate('a'), scene.candidate('b')]
    a.election.start()
    await scene.pass(1)
    b.election.start()
    await scene.pass(1)
    await b.election.stop()
    expect(scene.spec.holderIdentity).toBe('a')
  })

  it('gives back what was acquired by a write whose answer never came', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    a.connection.fault = 'lost'
    a.election.start()
    await scene.pass(1)
    a.connection.fault = 'none'
    await a.election.stop()
    expect([scene.spec.holderIdentity, a.calls]).toEqual(['', []])
  })

  it('ends a call that hangs', async () => {
    const scene = stage()
    const a = scene.candidate('a')
    a.connection.fault = 'hang'
    a.election.start()
    await scene.pass(1)
    a.connection.fault = 'unreachable'
    await a.election.stop()
    expect(a.calls).toEqual([])
  })
})
