// Pods that two identities select, how many pods are told in the status and how often; and how long before its end a certificate is renewed where
// the spec says so. Whole passes, and the instants by properties.

import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mutualIdentities } from '../../../../../src/api/kinds.ts'
import { annotations } from '../../../../../src/api/names.ts'
import { type Duration, hours, minutes, parseDuration, seconds } from '../../../../../src/base/duration.ts'
import { formatInstant, type Instant, parseInstant } from '../../../../../src/base/instant.ts'
import { planIdentity } from '../../../../../src/controllers/identity/plan.ts'
import { type RawObject, secrets } from '../../../../../src/k8s/resource.ts'
import { backdating, clampRenewAt, drawRenewAt } from '../../../../../src/pki/profile.ts'
import { authorityOf, factsOf, identityOf, NOW, servedFacts } from '../../../../support/identity-facts.ts'
import { authorityObject, identityObject, namespaceObject, podObject } from '../../../../support/material.ts'
import { type Passes, passes } from '../../../../support/passes.ts'

interface Status {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[]
  readonly pods?: { readonly selected: number; readonly mismatched: number }
  readonly certificate?: { readonly renewAt: string; readonly notAfter: string; readonly serialNumber: string }
}

/** An authority that signs, and a namespace without pods and identities. */
async function scene(leaf: object = {}): Promise<Passes> {
  const one = passes()
  one.seen('authorities', authorityObject({ leaf }))
  one.seen('namespaces', namespaceObject('shop'))
  for (let pass = 0; pass < 4; pass++) await one.authority()
  return one
}

function identity(one: Passes, name: string, options: { selector?: object; age?: number; uid?: string; spec?: object } = {}): void {
  const { selector = { matchLabels: { app: 'payments' } }, age = hours(24), uid = `uid-${name}`, spec = {} } = options
  const metadata = { name, uid, creationTimestamp: formatInstant(NOW - age) }
  one.seen('identities', identityObject({ podSelector: selector, ...spec }, { metadata }))
}

const pods = (one: Passes, count: number, change: Parameters<typeof podObject>[1] = {}): void => {
  for (let number = 1; number <= count; number++) one.seen('pods', podObject(`pod-${number}`, change))
}
const statusOf = (one: Passes, name = 'payments') =>
  one.api.at(mutualIdentities, { namespace: 'shop', name })?.['status'] as Status | undefined
const readyOf = (one: Passes, name = 'payments') => statusOf(one, name)?.conditions.find(({ type }) => type === 'Ready')
const statusWrites = (one: Passes): number =>
  one.api.writes.filter(({ verb, path }) => verb === 'replaceStatus' && path.startsWith('mutualidentities')).length

describe('pods that two identities select', () => {
  const everything = { matchLabels: { tier: 'back' } }
  const labels = { app: 'payments', tier: 'back' }

  it('are told to the younger one, which names the older and what to do, and is served all the same', async () => {
    const one = await scene()
    pods(one, 2, { labels })
    identity(one, 'elder', { selector: everything, age: hours(2) })
    identity(one, 'younger', { age: hours(1) })
    for (const name of ['elder', 'younger']) await one.identity('shop', name)
    expect(readyOf(one, 'younger')).toMatchObject({
      status: 'True',
      reason: 'PodsOverlap',
      message: expect.stringMatching(
        /selected pods are also selected by MutualIdentity elder, which comes first \(by age, then by UID\): narrow one of the selectors/,
      ),
    })
    expect(readyOf(one, 'elder')).toMatchObject({ status: 'True', reason: 'Current' })
    expect(one.api.at(secrets, { namespace: 'shop', name: 'younger-mtls' })).toBeDefined()
  })

  it('do not hide that some run under another account than the spec names, nor the other way round', () => {
    const spec = { ...identityOf().spec, serviceAccountName: 'web' }
    const facts = servedFacts({ identity: identityOf({ spec }), overlap: { name: 'elder', pods: 1 } })
    expect(planIdentity(facts, NOW).readiness).toMatchObject({
      state: 'ready',
      reason: 'PodsMismatched',
      message: expect.stringMatching(/another service account than web: .*; .* selected by MutualIdentity elder, which comes first/),
    })
  })

  it.each<[string, object]>([
    ['labels of the same key', { matchLabels: { app: 'payments' } }],
    ['other labels of the same pods', everything],
    ['expressions', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }],
    ['everything', {}],
  ])('are found where the older one selects by %s', async (_what, selector) => {
    const one = await scene()
    pods(one, 1, { labels })
    identity(one, 'elder', { selector, age: hours(2) })
    identity(one, 'younger', { age: hours(1) })
    await one.identity('shop', 'younger')
    expect(readyOf(one, 'younger')).toMatchObject({ reason: 'PodsOverlap', message: expect.stringContaining('MutualIdentity elder') })
  })

  it.each<[string, string, string, string]>([
    ['to the one with the larger UID where both are of one age', 'a', 'b', 'second'],
    ['to the other one where the UIDs are the other way round', 'b', 'a', 'first'],
  ])('are told %s', async (_what, first, second, told) => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'first', { uid: first })
    identity(one, 'second', { uid: second })
    for (const name of ['first', 'second']) await one.identity('shop', name)
    expect(['first', 'second'].filter((name) => readyOf(one, name)?.reason === 'PodsOverlap')).toEqual([told])
  })

  it.each<[string, (one: Passes) => void]>([
    ['the selectors only could meet, and no pod has both labels', (one) => pods(one, 1)],
    ['the pod is completed', (one) => pods(one, 1, { labels, phase: 'Succeeded' })],
    [
      'the other one is being deleted',
      (one) => {
        pods(one, 1, { labels })
        identity(one, 'elder', { selector: everything, age: hours(2) })
        const raw = one.api.at(mutualIdentities, { namespace: 'shop', name: 'elder' }) as RawObject
        one.seen('identities', { ...raw, metadata: { ...raw.metadata, deletionTimestamp: formatInstant(NOW) } })
      },
    ],
    ['the pod is of another namespace', (one) => one.seen('pods', podObject('p', { labels, metadata: { namespace: 'other' } }))],
  ])('are none where %s', async (_what, prepare) => {
    const one = await scene()
    identity(one, 'elder', { selector: everything, age: hours(2) })
    identity(one, 'younger', { age: hours(1), spec: { serviceAccountName: 'payments' } })
    prepare(one)
    await one.identity('shop', 'younger')
    expect(readyOf(one, 'younger')?.reason).toBe('Current')
  })

  it('are no longer told of when the older one is gone', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'elder', { age: hours(2) })
    identity(one, 'younger', { age: hours(1) })
    await one.identity('shop', 'younger')
    one.stores.identities.removed({ namespace: 'shop', name: 'elder' }, 'uid-elder')
    await one.identity('shop', 'younger')
    expect(readyOf(one, 'younger')?.reason).toBe('Current')
  })

  it('cost no status of their own when their number changes: people are told at most every 30 seconds', async () => {
    const one = await scene()
    identity(one, 'elder', { age: hours(2) })
    identity(one, 'younger', { age: hours(1) })
    pods(one, 1)
    await one.identity('shop', 'younger')
    one.api.writes.length = 0
    for (let count = 2; count <= 6; count++) {
      pods(one, count)
      await one.identity('shop', 'younger')
    }
    expect(statusWrites(one)).toBe(0)
    await one.clock.advance(seconds(30))
    await one.identity('shop', 'younger')
    expect([statusWrites(one), statusOf(one, 'younger')?.pods]).toEqual([1, { selected: 6, mismatched: 0 }])
  })
})

describe('the counts of pods in the status', () => {
  it('are those of live pods, and of those under another account than the certificate’s', async () => {
    const one = await scene()
    pods(one, 3)
    one.seen('pods', podObject('stray', { account: 'other' }))
    one.seen('pods', podObject('done', { phase: 'Succeeded' }))
    one.seen('pods', podObject('elsewhere', { labels: { app: 'orders' } }))
    identity(one, 'payments', { spec: { serviceAccountName: 'payments' } })
    await one.identity()
    expect(statusOf(one)?.pods).toEqual({ selected: 4, mismatched: 1 })
  })

  it('tell no mismatch while it is not decided who the identity is', async () => {
    const one = await scene()
    one.seen('pods', podObject('a', { account: 'one' }))
    one.seen('pods', podObject('b', { account: 'two' }))
    identity(one, 'payments')
    await one.identity()
    expect([readyOf(one)?.reason, statusOf(one)?.pods]).toEqual(['ServiceAccountConflict', { selected: 2, mismatched: 0 }])
  })

  it('are zero for an identity without pods that has its certificate', async () => {
    const one = await scene()
    identity(one, 'payments', { spec: { serviceAccountName: 'payments' } })
    await one.identity()
    expect(statusOf(one)?.pods).toEqual({ selected: 0, mismatched: 0 })
  })

  it('are counts too for an account whose name every object has', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments', { spec: { serviceAccountName: 'constructor' } })
    await one.identity()
    expect(statusOf(one)?.pods).toEqual({ selected: 1, mismatched: 1 })
  })

  it('are told again 30 seconds after the last status, by the last of many changes', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments')
    await one.identity()
    one.api.writes.length = 0
    const toldAt = one.clock.now()
    for (let count = 2; count <= 5; count++) {
      await one.clock.advance(seconds(7))
      pods(one, count)
      expect(await one.identity()).toMatchObject({ at: toldAt + seconds(30) })
    }
    expect(statusWrites(one)).toBe(0)
    await one.clock.advance(seconds(2))
    await one.identity()
    expect([statusWrites(one), statusOf(one)?.pods]).toEqual([1, { selected: 5, mismatched: 0 }])
  })

  it('are told at once when they change after a quiet time', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments')
    await one.identity()
    await one.clock.advance(minutes(5))
    pods(one, 2)
    await one.identity()
    expect(statusOf(one)?.pods?.selected).toBe(2)
  })

  it('go along with whatever else is to be told, without waiting', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments')
    await one.identity()
    pods(one, 2)
    const raw = one.api.at(mutualIdentities, { namespace: 'shop', name: 'payments' }) as RawObject
    one.seen('identities', { ...raw, metadata: { ...raw.metadata, generation: 2 } })
    await one.identity()
    expect(statusOf(one)?.pods?.selected).toBe(2)
  })

  it('do not keep an identity from its renewal', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments')
    const { at = 0 } = await one.identity()
    await one.clock.advance(at - one.clock.now() - seconds(10))
    pods(one, 2)
    await one.identity()
    pods(one, 3)
    const next = (await one.identity()).at ?? 0
    expect(next).toBeLessThanOrEqual(at)
  })
})

describe('renewBefore', () => {
  const plan = (renewBefore: string, leafLifetime: Duration = hours(24)) => {
    const { spec } = identityOf()
    const asked = identityOf({ spec: { ...spec, certificate: { ...spec.certificate, renewBefore: parseDuration(renewBefore) } } })
    return planIdentity(factsOf({ identity: asked, authority: authorityOf({ leafLifetime }) }), NOW)
  }

  it.each<[string, string]>([
    ['5 % of the authority’s lifetime', '72m'],
    ['a third of it', '8h'],
    ['80 % of it', '19h12m'],
  ])('of %s is taken', (_what, renewBefore) => {
    expect(plan(renewBefore)).toMatchObject({
      step: { kind: 'issue', renewBefore: parseDuration(renewBefore) },
      readiness: { state: 'ready' },
    })
  })

  it.each<[string, string]>([
    ['less than 5 %', '1h11m59s'],
    ['more than 80 %', '19h12m1s'],
    ['as long as the certificate lasts', '24h'],
    ['longer than the certificate lasts', '48h'],
  ])('of %s of the authority’s lifetime is refused; the message says the value and the range', (_what, renewBefore) => {
    expect(plan(renewBefore)).toMatchObject({
      step: { kind: 'none' },
      readiness: {
        state: 'refused',
        reason: 'RenewBeforeOutOfBounds',
        message: `certificate.renewBefore ${renewBefore} is not from 5 % to 80 % of the lifetime 24h: choose 1h12m to 19h12m`,
      },
    })
  })

  it('names a range of which both ends are taken, for any lifetime', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3600, max: 360 * 3600 }), (count) => {
        const refused = plan('999h', seconds(count)).readiness.message
        const [, from = '', to = ''] = /choose (\S+) to (\S+)$/.exec(refused) ?? []
        for (const end of [from, to]) expect([end, plan(end, seconds(count)).step.kind]).toEqual([end, 'issue'])
      }),
      { numRuns: 300 },
    )
  })

  it('that becomes too long, because the authority’s lifetime becomes shorter, leaves the certificate that is there', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments', { spec: { certificate: { renewBefore: '8h' } } })
    await one.identity()
    const { serialNumber } = statusOf(one)?.certificate ?? {}
    one.seen('authorities', authorityObject({ leaf: { lifetime: '8h' } }))
    await one.identity()
    expect([readyOf(one)?.reason, statusOf(one)?.certificate?.serialNumber]).toEqual(['RenewBeforeOutOfBounds', serialNumber])
    expect(readyOf(one)?.message).toMatch(/The present certificate stays$/)
  })

  const certificateIn = (one: Passes) => {
    const raw = one.api.at(secrets, { namespace: 'shop', name: 'payments-mtls' }) as RawObject
    const { validToDate, serialNumber } = new X509Certificate(
      Buffer.from((raw['data'] as Record<string, string>)['tls.crt'] ?? '', 'base64'),
    )
    return { raw, notAfter: validToDate.getTime(), serialNumber }
  }

  it('is when the certificate is renewed: so long before its end, up to a tenth of it sooner, as drawn once', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments', { spec: { certificate: { renewBefore: '8h' } } })
    const { at } = await one.identity()
    const { raw, notAfter, serialNumber } = certificateIn(one)
    // Random draws the middle.
    expect(at).toBe(notAfter - hours(8) * 1.05)
    expect(parseInstant(raw.metadata.annotations?.[annotations.renewAt] ?? '')).toBe(at)
    expect(statusOf(one)?.certificate?.renewAt).toBe(formatInstant(at ?? 0))
    await one.clock.advance((at ?? 0) - 1000 - one.clock.now())
    await one.identity()
    expect(certificateIn(one).serialNumber).toBe(serialNumber)
    await one.clock.advance(1000)
    await one.identity()
    expect(certificateIn(one).serialNumber).not.toBe(serialNumber)
    expect(one.outcomes.at(-1)).toMatchObject({ kind: 'issued', reason: 'RenewalDue' })
  })

  it.each<[string, string, number]>([
    ['to the past, no sooner than a tenth of renewBefore before it', '2000-01-01T00:00:00Z', hours(8) * 1.1],
    ['far into the future, no later than renewBefore', '2100-01-01T00:00:00Z', hours(8)],
    ['to nonsense, no later than renewBefore', 'tomorrow', hours(8)],
  ])('is when it is renewed though somebody edits the instant on the Secret %s', async (_what, text, before) => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments', { spec: { certificate: { renewBefore: '8h' } } })
    await one.identity()
    const { raw, notAfter, serialNumber } = certificateIn(one)
    const own = { ...raw.metadata.annotations, [annotations.renewAt]: text }
    one.seen('leafSecrets', { ...raw, metadata: { ...raw.metadata, annotations: own } })
    await one.identity()
    const { at } = await one.identity()
    expect(at).toBe(notAfter - before)
    expect(certificateIn(one).serialNumber).toBe(serialNumber)
  })

  it('that is added to the spec, changed or taken away is a new wish: the certificate is made anew, once', async () => {
    const one = await scene()
    pods(one, 1)
    identity(one, 'payments')
    await one.identity()
    for (const certificate of [{ renewBefore: '8h' }, { renewBefore: '6h' }, {}]) {
      const raw = one.api.at(mutualIdentities, { namespace: 'shop', name: 'payments' }) as RawObject
      const metadata = { ...raw.metadata, generation: (raw.metadata.generation ?? 1) + 1 }
      one.seen('identities', { ...raw, metadata, spec: { ...(raw['spec'] as object), certificate } })
      await one.identity()
      await one.identity()
    }
    expect(one.outcomes.map(({ reason }) => reason)).toEqual(['SecretMissing', 'ProfileChanged', 'ProfileChanged', 'ProfileChanged'])
  })

  it('is not due because a leaf of a CA that ends soon is shorter than was asked for', () => {
    const facts = servedFacts()
    const { spec } = facts.identity
    const identityWith = identityOf({ spec: { ...spec, certificate: { ...spec.certificate, renewBefore: hours(12) } } })
    // Issued just now, and the CA ends in an hour.
    const notBefore = NOW - minutes(5)
    const secret = facts.secret && facts.secret !== 'unknown' ? facts.secret : undefined
    if (!secret?.leaf) throw new Error('there is no leaf')
    const leaf = { ...secret.leaf, notBefore, notAfter: NOW + hours(1) }
    const renewAt = drawRenewAt(leaf, NOW, { uniform: () => 1, bytes: () => new Uint8Array() }, hours(12))
    const asked = planIdentity({ ...factsOf(), identity: identityWith }, NOW)
    const profileHash = asked.step.kind === 'issue' ? asked.step.profileHash : ''
    const own = { ...secret.annotations, [annotations.profileHash]: profileHash, [annotations.renewAt]: formatInstant(renewAt) }
    expect(planIdentity({ ...facts, identity: identityWith, secret: { ...secret, leaf, renewAt, annotations: own } }, NOW).step.kind).toBe(
      'none',
    )
  })
})

describe('a fresh certificate', () => {
  const wholeSeconds = (instant: number): Instant => Math.floor(instant / 1000) * 1000
  const SECOND = 1000
  /** Any lifetime of the schema, and any renewBefore that is from 5 % to 80 % of it, in whole seconds. */
  const wishes = fc
    .record({
      lifetime: fc.oneof(fc.integer({ min: 60, max: 600 }), fc.integer({ min: 60, max: 8760 * 3600 })),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    .map(({ lifetime, part }) => {
      const [from, to] = [Math.ceil(lifetime * 0.05), Math.floor(lifetime * 0.8)]
      return { lifetime: seconds(lifetime), renewBefore: seconds(from + Math.round(part * (to - from))) }
    })
  const draws = fc.record({
    wish: wishes,
    now: fc.integer({ min: NOW, max: NOW + 10 * SECOND }),
    uniform: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    /** What is left of the CA, as a part of the lifetime that was asked for. */
    given: fc.oneof(fc.constant(2), fc.double({ min: 0.5, max: 1, noNaN: true })),
  })
  const issue = ({
    wish,
    now,
    uniform,
    given,
  }: {
    wish: { lifetime: Duration; renewBefore: Duration }
    now: Instant
    uniform: number
    given: number
  }) => {
    const left = wish.lifetime * given
    const notBefore = wholeSeconds(now - backdating(Math.min(left, wish.lifetime) as Duration))
    const notAfter = Math.min(notBefore + wish.lifetime, wholeSeconds(now + left))
    const validity = { notBefore, notAfter }
    const drawn = drawRenewAt(validity, now, { uniform: () => uniform, bytes: () => new Uint8Array() }, wish.renewBefore)
    // As the annotation has it, and as the next pass reads it.
    const read = clampRenewAt(parseInstant(formatInstant(drawn)), validity, wish.renewBefore)
    return { validity, drawn, read }
  }

  it('is never due at once, for any renewBefore and lifetime that are allowed, also where it lasts shorter than was asked for', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const { drawn, read } = issue(draw)
        expect(drawn).toBeGreaterThan(draw.now)
        expect(read).toBeGreaterThan(draw.now)
      }),
      // The example: twelve hundredths of a leaf of half a minute were over when it was issued.
      {
        numRuns: 2000,
        examples: [[{ wish: { lifetime: 60 * SECOND, renewBefore: 30 * SECOND }, now: NOW + 4960, uniform: 0, given: 0.5 }]],
      },
    )
  })

  it('is renewed renewBefore its end, up to a tenth of that sooner', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const { validity, read } = issue({ ...draw, given: 2 })
        expect(validity.notAfter - read).toBeGreaterThanOrEqual(draw.wish.renewBefore - SECOND)
        expect(validity.notAfter - read).toBeLessThanOrEqual(draw.wish.renewBefore * 1.1 + SECOND)
      }),
      { numRuns: 2000 },
    )
  })

  it('is renewed before its end, with time for another try, also where it lasts shorter than was asked for', () => {
    fc.assert(
      fc.property(draws, (draw) => {
        const { validity, read } = issue(draw)
        const lifetime = validity.notAfter - validity.notBefore
        expect(validity.notAfter - read).toBeGreaterThanOrEqual(Math.floor(lifetime * 0.05) - 1)
      }),
      { numRuns: 2000 },
    )
  })

  it('is not due at once either where somebody edits its instant, whatever to', () => {
    fc.assert(
      fc.property(draws, fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }), (draw, edited) => {
        const { validity } = issue({ ...draw, given: 2 })
        const read = clampRenewAt(edited, validity, draw.wish.renewBefore)
        expect(read).toBeGreaterThan(draw.now)
        expect(read).toBeLessThan(validity.notAfter)
      }),
      { numRuns: 2000 },
    )
  })
})
