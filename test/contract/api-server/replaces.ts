// Replacing a status as a whole. Part of the API server conformance suite.

import { describe, expect, it } from '@jest/globals'
import { mutualIdentities } from '../../../src/api/kinds.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { type Place, refusal, uidOf, versionOf } from './subject.ts'
import { identitySpec } from './versions.ts'

const ELSE = '11111111-2222-4333-8444-555555555555'
const condition = (type: string, reason = 'R') => ({
  type,
  status: 'True',
  reason,
  message: '',
  lastTransitionTime: '2026-01-01T00:00:00Z',
})
const certificate = { serialNumber: '1', notAfter: '2026-01-02T00:00:00Z', renewAt: '2026-01-01T12:00:00Z', issuedBy: 'a' }

interface Stage extends Place {
  readonly made: RawObject
  /** Replaces the status of the newest version. */
  tell(status: object, content?: object): Promise<RawObject>
  told(): Promise<unknown>
}

export function replaceCases(enter: () => Promise<Place>): void {
  const stage = async (): Promise<Stage> => {
    const place = await enter()
    const { client, object, ref } = place
    let newest = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
    return {
      ...place,
      made: newest,
      async tell(status, content = {}) {
        const body = object('web', { ...content, status }, { resourceVersion: versionOf(newest) })
        newest = await client.replaceStatus(mutualIdentities, body)
        return newest
      },
      told: async () => (await client.get(mutualIdentities, ref('web'))).status,
    }
  }

  describe('replacement of a status', () => {
    it('sets fields, and takes away those that it does not name', async () => {
      const { tell, told } = await stage()
      await tell({ observedGeneration: 1, spiffeID: 'spiffe://example.org/x', certificate })
      await tell({ observedGeneration: 2 })
      expect(await told()).toEqual({ observedGeneration: 2 })
    })

    it('puts a list of type map in the place of the one that is there, in its order', async () => {
      const { tell, told } = await stage()
      await tell({ conditions: [condition('Ready'), condition('Other')] })
      await tell({ conditions: [condition('Third'), condition('Ready', 'S')] })
      expect(await told()).toEqual({ conditions: [condition('Third'), condition('Ready', 'S')] })
    })

    it('takes away what a merge patch of somebody else set', async () => {
      const { tell, told, other, ref } = await stage()
      await tell({ observedGeneration: 1 })
      const patch = { status: { spiffeID: 'spiffe://example.org/x' } }
      const patched = await other.mergePatch(mutualIdentities, ref('web'), patch, { subresource: 'status' })
      expect(await refusal(tell({ observedGeneration: 2 }))).toMatchObject({ code: 409, status: 'Conflict' })
      await other.replaceStatus(mutualIdentities, { metadata: patched.metadata, status: { observedGeneration: 2 } })
      expect(await told()).toEqual({ observedGeneration: 2 })
    })

    it('leaves spec, labels and generation alone', async () => {
      const { made, tell } = await stage()
      const after = await tell({ observedGeneration: 1 }, { spec: { podSelector: {}, serviceAccountName: 'b' } })
      expect(after.spec).toEqual(made.spec)
      expect(after.metadata.generation).toBe(1)
    })

    it('of the same again changes nothing', async () => {
      const { tell } = await stage()
      const first = await tell({ observedGeneration: 1, conditions: [condition('Ready')] })
      expect(versionOf(await tell({ observedGeneration: 1, conditions: [condition('Ready')] }))).toBe(versionOf(first))
    })

    it('for an old version is a conflict', async () => {
      const { client, object, made, tell } = await stage()
      await tell({ observedGeneration: 1 })
      const stale = object('web', { status: { observedGeneration: 2 } }, { resourceVersion: versionOf(made) })
      expect(await refusal(client.replaceStatus(mutualIdentities, stale))).toMatchObject({ code: 409, status: 'Conflict' })
    })

    it('of no version is refused', async () => {
      const { client, object } = await stage()
      expect(await refusal(client.replaceStatus(mutualIdentities, object('web', { status: {} })))).toMatchObject({
        code: 422,
        causes: [{ reason: 'FieldValueInvalid', field: 'metadata.resourceVersion' }],
      })
    })

    it('for another uid is a conflict', async () => {
      const { client, object, made } = await stage()
      const body = object('web', { status: {} }, { resourceVersion: versionOf(made), uid: ELSE })
      expect(await refusal(client.replaceStatus(mutualIdentities, body))).toMatchObject({ code: 409, status: 'Conflict' })
      expect(uidOf(made)).not.toBe(ELSE)
    })

    it('of an object that is not there creates nothing', async () => {
      const { client, object, ref } = await enter()
      const missing = { code: 404, status: 'NotFound', message: 'mutualidentities.mutualidentity.io "web" not found' }
      const body = object('web', { status: { observedGeneration: 1 } }, { resourceVersion: '1' })
      expect(await refusal(client.replaceStatus(mutualIdentities, body))).toMatchObject(missing)
      expect(await refusal(client.get(mutualIdentities, ref('web')))).toMatchObject(missing)
    })

    it('that does not fit the schema is refused', async () => {
      const { tell } = await stage()
      expect(await refusal(tell({ observedGeneration: -1 }))).toMatchObject({
        code: 422,
        status: 'Invalid',
        causes: [{ reason: 'FieldValueInvalid', field: 'status.observedGeneration' }],
      })
    })

    it('with an unknown field is refused', async () => {
      const { tell } = await stage()
      const { code, message } = await refusal(tell({ colour: 'red' }))
      expect(code).toBe(400)
      expect(message).toContain('unknown field "status.colour"')
    })
  })
}
