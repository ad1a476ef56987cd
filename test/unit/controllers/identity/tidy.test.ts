import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { annotations, labels } from '../../../../src/api/names.ts'
import type { AnnotationPatch } from '../../../../src/api/stored/leaf-secret.ts'
import { hours } from '../../../../src/base/duration.ts'
import { formatInstant, parseInstant } from '../../../../src/base/instant.ts'
import { askedFor } from '../../../../src/controllers/identity/asked.ts'
import type { SecretFacts } from '../../../../src/controllers/identity/facts.ts'
import { tidySecret, trustPatch } from '../../../../src/controllers/identity/tidy.ts'
import { fingerprintOf } from '../../../../src/pki/fingerprint.ts'
import { factsOf, NOW, secretFor } from '../../../support/identity-facts.ts'

const facts = factsOf()
const asked = askedFor(facts, NOW)
if (!('profile' in asked)) throw new Error('these facts must ask for a certificate')
const good = secretFor(facts)
const tidy = (change: Partial<SecretFacts> = {}) => tidySecret(facts.identity, { ...good, ...change }, asked, NOW)
/** What the annotations are after a patch. */
const patched = (annotationsBefore: Readonly<Record<string, string>>, patch: AnnotationPatch = {}): Record<string, string> =>
  Object.fromEntries(Object.entries({ ...annotationsBefore, ...patch }).filter((entry): entry is [string, string] => entry[1] !== null))
const OLD = fingerprintOf(Buffer.from('old'))

describe('a Secret around a leaf that is right', () => {
  it('is left alone when all is as it must be', () => {
    expect(tidy()).toBeUndefined()
  })

  it.each([labels.managedBy, labels.role, labels.identity, labels.authority, labels.authorityKind])('gets label %s back', (key) => {
    const edited = tidy({ labels: { ...good.labels, [key]: 'edited' } })
    expect(edited).toMatchObject({
      reason: 'MetadataChanged',
      message: `to be put right: label ${key}`,
      patch: { labels: good.labels, trust: undefined },
    })
  })

  it.each([annotations.serialNumber, annotations.issuingGeneration, annotations.profileHash])('gets annotation %s back', (key) => {
    const { [key]: _gone, ...rest } = good.annotations
    const edited = tidy({ annotations: rest })
    expect([edited?.message, patched(rest, edited?.patch.annotations)]).toEqual([`to be put right: annotation ${key}`, good.annotations])
  })

  it('gets an instant of renewal that is within bounds, where somebody moved it beyond', () => {
    const far = NOW + hours(1000)
    const latest = formatInstant(NOW - hours(2) + Math.floor(0.7 * hours(24)))
    const edited = tidy({ renewAt: far, annotations: { ...good.annotations, [annotations.renewAt]: formatInstant(far) } })
    expect(edited?.patch.annotations[annotations.renewAt]).toBe(latest)
  })

  it('needs no second repair, whatever instant of renewal somebody wrote', () => {
    fc.assert(
      fc.property(fc.option(fc.integer({ min: NOW - hours(48), max: NOW + hours(48) }), { nil: undefined }), (renewAt) => {
        const patch = tidy({ renewAt })?.patch
        const after = patched(good.annotations, patch?.annotations)
        const again = parseInstant(after[annotations.renewAt] ?? '')
        expect(tidy({ renewAt: again, annotations: after })).toBeUndefined()
      }),
    )
  })

  it('keeps labels and annotations of other people', () => {
    const patch = tidy({ labels: {} })?.patch
    expect(
      Object.keys({ ...patch?.labels, ...patch?.annotations }).filter(
        (key) => !/^(mutualidentity\.io|app\.kubernetes\.io\/managed-by)/.test(key),
      ),
    ).toEqual([])
  })

  it('gets its owner back, as one that garbage collection follows', () => {
    const edited = tidy({ owner: undefined })
    expect(edited).toMatchObject({ message: 'to be put right: owner reference' })
    expect(edited?.patch.ownerReferences).toEqual([
      {
        apiVersion: 'mutualidentity.io/v1alpha1',
        kind: 'MutualIdentity',
        name: 'payments',
        uid: 'uid-1',
        controller: true,
        blockOwnerDeletion: false,
      },
    ])
  })

  it('gets the published bundle in the same patch as everything else', () => {
    expect(tidy({ bundleFingerprint: OLD, labels: {} })).toMatchObject({
      reason: 'BundleOutdated',
      patch: { trust: asked.trust, labels: good.labels },
    })
  })

  it('names all that is repaired', () => {
    const edited = tidy({ owner: undefined, labels: { ...good.labels, [labels.role]: 'ca' } })
    expect(edited?.message).toBe(`to be put right: label ${labels.role}, owner reference`)
  })
})

describe('only the anchors, for an identity that cannot be served', () => {
  const { trust } = asked
  if (!trust) throw new Error('these facts must have anchors')
  it('are patched and nothing else', () => {
    expect(trustPatch({ ...good, bundleFingerprint: OLD, labels: {} }, trust, NOW)).toEqual({
      labels: {},
      annotations: {},
      ownerReferences: undefined,
      trust,
    })
  })
  it('are left alone when they are current', () => {
    expect(trustPatch(good, trust, NOW)).toBeUndefined()
  })
})
