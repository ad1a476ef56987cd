import { describe, expect, it } from '@jest/globals'
import type { MutualIdentityStatus } from '../../../../src/api/mutual-identity.ts'
import { hours, seconds } from '../../../../src/base/duration.ts'
import { formatInstant } from '../../../../src/base/instant.ts'
import { identityPage } from '../../../../src/cli/explain/identity-page.ts'
import { identityStanding } from '../../../../src/cli/explain/standing.ts'
import type { LeaseSeen } from '../../../../src/cli/lease-seen.ts'
import { page } from '../../../../src/cli/output/table.ts'
import type { IdentityFacts } from '../../../../src/controllers/identity/facts.ts'
import { planIdentity } from '../../../../src/controllers/identity/plan.ts'
import { parseDnsName } from '../../../../src/pki/dns-name.ts'
import { authorityOf, factsOf, identityOf, NOW, secretFor, servedFacts } from '../../../support/identity-facts.ts'

const HELD: LeaseSeen = { state: 'held', holder: 'pod-1', renewedAt: NOW - seconds(1) }

function textOf(facts: IdentityFacts, lease = HELD): string {
  const plan = planIdentity(facts, NOW)
  return page(identityPage({ facts, plan, standing: identityStanding(facts, plan, undefined, NOW), lease }, NOW))
}

/** The page as a record: each name with its value. */
function pageOf(facts: IdentityFacts): Record<string, string> {
  const lines = textOf(facts).split('\n').filter(Boolean)
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]))
}

describe('the page', () => {
  it('of an identity that has what it needs says when it is renewed', () => {
    expect(pageOf(servedFacts())).toMatchObject({
      Identity: 'shop/payments',
      Authority: 'ClusterMutualAuthority default, trust domain cluster.local; generation 1 signs until 2027-02-22T12:00:00Z (in 90d)',
      Pods: '2 selected, service accounts: payments',
      'DNS names': 'payments.shop, payments.shop.svc',
      Secret: 'payments-mtls',
      Certificate: '0a for spiffe://cluster.local/ns/shop/sa/payments, ECDSAP256, until 2026-11-25T10:00:00Z (in 22h)',
      Verifies: 'yes, to the published bundle',
      State: 'ready: Current: the certificate is current',
      'Next step': 'nothing',
      When: 'renewal at 2026-11-24T23:00:00Z (in 11h)',
      Controller: 'held by pod-1, renewed 1s ago',
    })
  })

  it.each<[string, LeaseSeen, string]>([
    ['a Lease that nobody holds', { state: 'free' }, 'nobody holds the Lease: nothing is done until an operator runs'],
    ['no Lease', { state: 'none' }, 'nobody holds the Lease: nothing is done until an operator runs'],
    [
      'a Lease that is not renewed',
      { state: 'left', holder: 'pod-1', renewedAt: NOW - hours(2160) },
      'pod-1 renewed the Lease last 90d ago: nothing is done until an operator runs',
    ],
    [
      'a Lease that is not renewed in time',
      { state: 'late', holder: 'pod-1', renewedAt: NOW - seconds(20) },
      'pod-1 renewed the Lease last 20s ago, too long ago unless its clock is behind: does an operator run?',
    ],
    ['a Lease that may not be read', { state: 'unknown' }, 'unknown: the Lease of the operator may not be read by this account'],
  ])('with %s says whether anybody does it', (_what, lease, text) => {
    expect(textOf(servedFacts(), lease)).toContain(`Controller:   ${text}\n`)
  })

  it('of an identity that is looked at before it is renewed says both, and calls only the one renewal', () => {
    const former = { name: 'former-mtls', uid: 'f', resourceVersion: '1', createdAt: NOW, terminating: false, notAfter: NOW + hours(2) }
    expect(pageOf({ ...servedFacts(), formerSecrets: [former] })).toMatchObject({
      'Next step': 'nothing',
      When: 'looked at again at 2026-11-24T14:00:00Z (in 2h), renewal at 2026-11-24T23:00:00Z (in 11h)',
    })
  })

  it('of a first certificate says what is created, and why', () => {
    expect(pageOf(factsOf())).toMatchObject({
      Secret: 'none yet',
      'Next step': 'issue a certificate for spiffe://cluster.local/ns/shop/sa/payments and create Secret payments-mtls',
      Why: 'SecretMissing: there is no Secret',
      When: 'now',
    })
  })

  it.each<[string, IdentityFacts, object]>([
    [
      'a replacement',
      servedFacts({}, { trusted: { ok: false, rule: 'anchor', detail: 'no anchor' } }),
      { 'Next step': expect.stringContaining('replace Secret payments-mtls'), Verifies: 'no: no anchor' },
    ],
    ['a repair', servedFacts({}, { labels: {} }), { 'Next step': 'patch Secret payments-mtls, its key and certificate stay' }],
    [
      'a new bundle',
      servedFacts({}, { bundleFingerprint: undefined }),
      { 'Next step': 'patch Secret payments-mtls (anchors), its key and certificate stay' },
    ],
    ['a Secret made again', servedFacts({}, { immutable: true, labels: {} }), { 'Next step': 'delete Secret payments-mtls' }],
    [
      'unusable material',
      servedFacts({}, { problem: { reason: 'KeyInvalid', detail: 'tls.key: bad' }, leaf: undefined }),
      { Certificate: 'unusable: tls.key: bad' },
    ],
  ])('of %s names it', (_what, facts, rows) => {
    expect(pageOf(facts)).toMatchObject(rows)
  })

  it('of a Secret that may not be read says unknown, and does not guess', () => {
    expect(pageOf(factsOf({ secret: 'unknown' }))).toMatchObject({
      Secret: 'unknown: Secrets of this namespace may not be read by this account',
      State: expect.stringMatching(/^waiting: NotReported: .* \(as reported\)$/),
      'Next step': 'cannot tell, because Secret payments-mtls may not be read by this account, so the step depends on what it holds',
    })
  })

  it('of pods and Services that may not be read says unknown, and does not count them as none', () => {
    expect(pageOf(factsOf({ unknown: ['pods', 'services'] }))).toMatchObject({
      Pods: 'unknown: pods of this namespace may not be read by this account',
      'DNS names': 'unknown: services of this namespace may not be read by this account',
      'Next step': expect.stringMatching(/^cannot tell, because pods and services may not be read by this account/),
    })
  })

  it('of an authority that may not be read says unknown, and does not guess', () => {
    const authority = authorityOf({ signing: undefined, unreadable: 'it may not be read by this account' })
    expect(pageOf(factsOf({ authority }))).toMatchObject({
      Authority: 'ClusterMutualAuthority default: unknown: it may not be read by this account',
      'Next step': expect.stringMatching(
        /^cannot tell, because ClusterMutualAuthority default is unknown: it may not be read by this account/,
      ),
    })
  })

  it('under few rights says how it stands as it was reported, and what is reported of the certificate', () => {
    const condition = { type: 'Ready', status: 'True', reason: 'Current', message: 'the certificate is current', observedGeneration: 1 }
    const certificate = { notAfter: formatInstant(NOW + hours(2)), renewAt: formatInstant(NOW + hours(1)) }
    const status = { conditions: [condition], certificate } as unknown as MutualIdentityStatus
    const rows = pageOf(factsOf({ secret: 'unknown', identity: identityOf({ status }) }))
    expect(rows).toMatchObject({
      State: 'ready: Current: the certificate is current (as reported)',
      Certificate: 'until 2026-11-24T14:00:00Z (in 2h) (as reported)',
      Renewal: 'at 2026-11-24T13:00:00Z (in 1h) (as reported)',
    })
    expect(rows).not.toHaveProperty('Why')
    const ended = { ...certificate, notAfter: formatInstant(NOW - hours(1)) }
    expect(
      pageOf(factsOf({ secret: 'unknown', identity: identityOf({ status: { ...status, certificate: ended } as MutualIdentityStatus }) }))[
        'Certificate'
      ],
    ).toMatch(/^expired, until 2026-11-24T11:00:00Z/)
  })

  it('says which Services give no name because others serve them, and which names stay in the certificate until it is replaced', () => {
    const spec = { ...identityOf().spec, serviceAccountName: 'payments' }
    const others = { identity: identityOf({ spec }), serviceDnsNames: [], servicesOfOthers: ['web'] }
    expect(pageOf(factsOf(others))['DNS names']).toBe('none; not of Service web: pods of other accounts than payments serve it')
    expect(pageOf({ ...servedFacts(), serviceDnsNames: [] })['DNS names']).toBe(
      'none; until it is replaced the certificate also has payments.shop, payments.shop.svc',
    )
    const authority = authorityOf({ shortServiceNames: true })
    const bare = factsOf({ authority, shortServiceNames: [parseDnsName('payments')] })
    expect(pageOf(bare)['DNS names']).toBe('payments.shop, payments.shop.svc, payments')
  })

  it('names whom it trusts besides, and what it is switched from', () => {
    const edge = { kind: 'ClusterMutualAuthority', namespace: '', name: 'edge' } as const
    const source = { ref: edge, bundle: undefined, unreadable: false, pooled: true }
    const facts = factsOf({
      trust: { additional: [source], former: [{ ...source, until: NOW + 3_600_000, usedByPeers: false, peersUntil: 0 }] },
      switching: { from: authorityOf(), to: source, peersNotReady: ['orders'], acceptedSince: 0, until: NOW },
    })
    expect(pageOf(facts)).toMatchObject({
      'Also trusts': 'ClusterMutualAuthority edge (no bundle) (pooled)',
      'Still trusts': 'ClusterMutualAuthority edge until 2026-11-24T13:00:00Z (in 1h)',
      Switching: 'from ClusterMutualAuthority default; peers that are not ready: orders',
    })
  })

  it('of an identity without a certificate says that it waits for one, not that it is ready', () => {
    const page = pageOf({ ...servedFacts(), secret: undefined })
    expect(page['State']).toBe('waiting: SecretMissing: there is no Secret')
    expect(page['Next step']).toMatch(/^issue a certificate/)
  })

  it.each([
    ['refused', 'Stalled'],
    ['waiting', 'Reconciling'],
  ])(
    'of one that a failure holds back says that it is %s, as its status does, and that nothing comes before the next attempt',
    (state, type) => {
      const told = {
        reason: 'KeystorePasswordMissing',
        message: 'there is no Secret x',
        observedGeneration: 1,
        lastTransitionTime: formatInstant(NOW),
      }
      const conditions = [
        { ...told, type: 'Ready', status: 'False' as const },
        { ...told, type, status: 'True' as const },
      ]
      const lastFailure = { ...told, at: formatInstant(NOW), attempts: 3, nextAttemptAt: formatInstant(NOW + seconds(8)) }
      const identity = identityOf({ status: { observedGeneration: 1, conditions, lastFailure } })
      const facts = { ...servedFacts({ identity }), secret: undefined }
      expect(planIdentity(facts, NOW).held).toBe(true)
      expect(pageOf(facts)).toMatchObject({
        State: `${state}: KeystorePasswordMissing: there is no Secret x`,
        'Next step': 'nothing before the next attempt',
        When: 'next attempt at 2026-11-24T12:00:08Z (in 8s)',
      })
    },
  )

  it('is not written by those whose words it repeats', () => {
    const forged = 'x\u001b[2J\u009b2J\u202e\nState:        ready: Current'
    const lastFailure = { reason: forged, message: forged, at: forged, attempts: 1, nextAttemptAt: forged }
    const identity = identityOf({ status: { conditions: [], lastFailure } })
    const facts = { ...servedFacts({ identity }), authority: authorityOf({ signing: undefined, problem: forged }) }
    const text = textOf(facts)
    expect(text).toContain('\\x1b[2J\\x9b2J\\u202e\\nState:')
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u)
    expect(text.match(/^State:/gm)).toHaveLength(1)
  })

  it('of no authority says that there is none', () => {
    expect(pageOf(factsOf({ authority: undefined })).Authority).toBe('ClusterMutualAuthority default: not found')
  })

  it('of an authority that cannot sign says why', () => {
    expect(pageOf(factsOf({ authority: authorityOf({ signing: undefined, problem: 'its key is gone' }) })).Authority).toContain(
      'cannot sign: its key is gone',
    )
  })

  it('of a failure says how often, and when the next attempt is', () => {
    const lastFailure = {
      reason: 'Throttled',
      message: 'slow down',
      at: formatInstant(NOW),
      attempts: 3,
      nextAttemptAt: formatInstant(NOW + seconds(8)),
    }
    const identity = identityOf({ status: { observedGeneration: 1, conditions: [], lastFailure } })
    expect(pageOf(factsOf({ identity }))).toMatchObject({
      'Last failure': 'Throttled: slow down (attempt 3 at 2026-11-24T12:00:00Z, next at 2026-11-24T12:00:08Z)',
      When: 'next attempt at 2026-11-24T12:00:08Z (in 8s)',
    })
  })

  it('of an expired certificate says since when', () => {
    const leaf = secretFor(factsOf()).leaf
    const facts = servedFacts({}, { leaf: leaf && { ...leaf, notAfter: NOW - hours(3) } })
    expect(pageOf(facts).Certificate).toContain('(3h ago)')
  })

  it('says whose account it is: the spec’s, or the observed one with what was recorded', () => {
    const spec = { ...identityOf().spec, serviceAccountName: 'x' }
    expect([pageOf(factsOf({ identity: identityOf({ spec }) })).Account, pageOf(factsOf({ recordedAccount: 'old' })).Account]).toEqual([
      'x',
      'observed, recorded: old',
    ])
  })
})
