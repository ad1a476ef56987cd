// What every issuer promises, as one suite over a way to make one. A back end's test file hands in how it is made and how its CA is disturbed.

import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { hours, minutes } from '../../src/base/duration.ts'
import { OperatorError } from '../../src/base/errors.ts'
import type { IssueRequest, Issuer } from '../../src/issuers/issuer.ts'
import type { TrustBundle } from '../../src/pki/bundle.ts'
import { generateLeafKey, KEY_TYPES, type KeyType, type LeafKey } from '../../src/pki/keys.ts'
import type { LeafProfile } from '../../src/pki/profile.ts'
import { checkIssued } from '../../src/pki/verify.ts'
import { keyDetector } from '../support/key-detector.ts'
import { leafProfile, NOW } from '../support/material.ts'

/** An issuer with its CA, in a world of its own. */
export interface IssuerScene {
  readonly issuer: Issuer
  /** What the published bundle is. */
  readonly bundle: TrustBundle
  /** What a request names beside profile and key. */
  readonly request: Pick<IssueRequest, 'authority' | 'generation'>
  /** When the CA ends. */
  readonly endsAt: number
  /** The CA's keys, as PEM: they must never be seen. */
  readonly secrets: readonly string[]
  /** Ways to break the back end, each with the consequence and reason that callers see. */
  readonly troubles: Readonly<Record<string, { disturb(): void; consequence: 'retry' | 'blocked'; reason: string }>>
}

const keys = new Map<KeyType, Promise<LeafKey>>()
const keyOf = (type: KeyType): Promise<LeafKey> => {
  const made = keys.get(type) ?? generateLeafKey(type)
  keys.set(type, made)
  return made
}

/** Runs the suite. `troubles`: the names of what `make` knows to disturb. */
export function issuerContract(name: string, make: () => Promise<IssuerScene>, troubles: readonly string[]): void {
  const ask = async (scene: IssuerScene, change: Partial<LeafProfile> = {}, now = NOW) => {
    const profile = leafProfile(change)
    const { publicKey } = await keyOf(profile.keyType)
    const { chain } = await scene.issuer.issue({ ...scene.request, profile, publicKey, now })
    return { chain, profile, publicKey, verdict: checkIssued(profile, publicKey, chain, scene.bundle, now) }
  }
  const refusalOf = async (attempt: Promise<unknown>): Promise<OperatorError> => {
    const error = await attempt.then(
      () => new Error('nothing was refused'),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof OperatorError)) throw error
    return error
  }

  describe(`the issuer ${name}`, () => {
    it.each(KEY_TYPES)('answers a request for %s with what was asked for', async (keyType) => {
      expect((await ask(await make(), { keyType })).verdict).toEqual({ ok: true })
    })

    it('answers a request without DNS names', async () => {
      expect((await ask(await make(), { dnsNames: [] })).verdict).toEqual({ ok: true })
    })

    it.each([minutes(10), hours(1), hours(360)])('gives no more than the lifetime that was asked for (%i ms)', async (lifetime) => {
      const { chain, verdict } = await ask(await make(), { lifetime })
      const [leaf] = chain
      expect([verdict, (leaf?.notAfter ?? 0) - (leaf?.notBefore ?? 0)]).toEqual([{ ok: true }, lifetime])
    })

    it('never gives a certificate that outlives its CA', async () => {
      const scene = await make()
      const { chain, verdict } = await ask(scene, { lifetime: hours(24) }, scene.endsAt - hours(1))
      expect([verdict, chain[0]?.notAfter]).toEqual([{ ok: true }, scene.endsAt])
    })

    it('gives no root in the chain', async () => {
      expect((await ask(await make())).chain.filter(({ selfSigned }) => selfSigned)).toEqual([])
    })

    it('gives another serial number each time', async () => {
      const scene = await make()
      const serials = [await ask(scene), await ask(scene), await ask(scene)].map(({ chain }) => chain[0]?.serialNumber)
      expect(new Set(serials).size).toBe(3)
    })

    it('answers requests side by side, each with its own', async () => {
      const scene = await make()
      const accounts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      const { spiffeId: _one, ...plain } = leafProfile()
      const answers = await Promise.all(accounts.map((account) => ask(scene, { ...plain, spiffeId: leafProfile({ account }).spiffeId })))
      expect(answers.map(({ verdict }) => verdict)).toEqual(accounts.map(() => ({ ok: true })))
    })

    it('refuses when its CA has expired, for a person to see', async () => {
      const scene = await make()
      const error = await refusalOf(ask(scene, {}, scene.endsAt))
      expect([error.consequence, error.reason]).toEqual(['blocked', expect.stringMatching(/^CA(Expired|KeyInvalid)$/)])
    })

    it.each(troubles)('when %s, it refuses with a consequence and a reason, and never with a partial answer', async (trouble) => {
      const scene = await make()
      const { disturb, consequence, reason } = troubleOf(scene, trouble)
      disturb()
      const error = await refusalOf(ask(scene))
      expect({ consequence: error.consequence, reason: error.reason }).toEqual({ consequence, reason })
    })

    it.each(troubles)('when %s, no key is in the error, in whatever depth', async (trouble) => {
      const scene = await make()
      troubleOf(scene, trouble).disturb()
      const error = await refusalOf(ask(scene))
      const text = inspect(error, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null }) + error.stack
      expect(keyDetector(scene.secrets)(text)).toBeUndefined()
    })
  })
}

function troubleOf(scene: IssuerScene, name: string): IssuerScene['troubles'][string] {
  const trouble = scene.troubles[name]
  if (!trouble) throw new Error(`the scene does not know how ${name}`)
  return trouble
}
