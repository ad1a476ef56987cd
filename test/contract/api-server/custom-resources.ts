// The schema of our kinds at work: unknown fields, defaults, validation. Part of the API server conformance suite. Rules in CEL are in cluster/crd.test.ts.

import { describe, expect, it } from '@jest/globals'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { resourcePath } from '../../../src/k8s/resource.ts'
import { invalidity, type Place, refusal, send } from './subject.ts'
import { identitySpec } from './versions.ts'

/** Rules in CEL are not run where the rest is too wrong, and the server says so. */
const UNCHECKED = 'FieldValueInvalid <nil>'

export function schemaCases(enter: () => Promise<Place>): void {
  describe('a custom resource', () => {
    it('gets the defaults of what was given, and nothing else', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: { ...identitySpec, certificate: { keyType: 'RSA3072' } } }))
      expect(made.spec).toEqual({ ...identitySpec, certificate: { keyType: 'RSA3072', serviceNames: 'Auto' } })
      expect(await client.get(mutualIdentities, ref('web'))).toEqual(made)
      expect(made).not.toHaveProperty('status')
    })

    it('gets defaults within the entries of a list', async () => {
      const { client, object } = await enter()
      const spec = { ...identitySpec, trust: { additionalAuthorities: [{ name: 'other' }] } }
      const made = await client.create(mutualIdentities, object('web', { spec }))
      expect((made.spec as { trust: object }).trust).toEqual({
        additionalAuthorities: [{ kind: 'ClusterMutualAuthority', name: 'other', pooled: false }],
      })
    })

    it('gets defaults for a null', async () => {
      const { client, object } = await enter()
      const spec = { ...identitySpec, authorityRef: null, certificate: { keyType: null, serviceNames: 'None' } }
      const made = await client.create(mutualIdentities, object('web', { spec }))
      expect(made.spec).toEqual({ ...identitySpec, certificate: { keyType: 'ECDSAP256', serviceNames: 'None' } })
    })

    it('loses a null of a field without a default', async () => {
      const { client, object } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: { ...identitySpec, serviceAccountName: null } }))
      expect(made.spec).toEqual(identitySpec)
    })

    it('gets defaults again for what a patch takes away', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: { ...identitySpec, authorityRef: { name: 'a' } } }))
      const patched = await client.mergePatch(mutualIdentities, ref('web'), {
        spec: { authorityRef: null, certificate: { keyType: null } },
      })
      expect(patched.spec).toEqual({ ...identitySpec, certificate: { keyType: 'ECDSAP256', serviceNames: 'Auto' } })
    })

    it('of the cluster gets its defaults', async () => {
      const { client, namespace: name } = await enter()
      const made = await client.create(clusterMutualAuthorities, { metadata: { name }, spec: { selfManaged: {} } })
      expect(made.spec).toEqual({
        selfManaged: { keyType: 'ECDSAP256', rootLifetime: '2160h' },
        leaf: { lifetime: '24h', minLifetime: '10m' },
        policy: { shortServiceNames: false },
        trustBundle: { namespaces: { policy: 'WithIdentities' } },
      })
      await client.delete(clusterMutualAuthorities, { namespace: '', name }, {})
    })

    it('with an unknown field is refused under strict validation, wherever it stands', async () => {
      const { client, object } = await enter()
      const made = (more: object) => client.create(mutualIdentities, object('web', more))
      for (const [content, field] of [
        [{ spec: { ...identitySpec, colour: 'red' } }, 'spec.colour'],
        [{ spec: { ...identitySpec, certificate: { colour: 'red' } } }, 'spec.certificate.colour'],
        [
          { spec: { ...identitySpec, trust: { additionalAuthorities: [{ name: 'a', colour: 'red' }] } } },
          'spec.trust.additionalAuthorities[0].colour',
        ],
        [{ spec: identitySpec, colour: 'red' }, 'colour'],
      ] as const) {
        expect(await refusal(made(content))).toMatchObject({
          code: 400,
          status: 'BadRequest',
          message: expect.stringContaining(`strict decoding error: unknown field "${field}"`),
        })
      }
    })

    it('with several unknown fields is told all of them', async () => {
      const { client, object } = await enter()
      const { message } = await refusal(client.create(mutualIdentities, object('web', { spec: { ...identitySpec, b: 1, a: 1 } })))
      expect(message).toContain('unknown field "spec.a", unknown field "spec.b"')
    })

    it('loses unknown fields without strict validation', async () => {
      const { namespace, object, ...place } = await enter()
      const { apiVersion, kind } = { apiVersion: 'mutualidentity.io/v1alpha1', kind: 'MutualIdentity' }
      const spec = { ...identitySpec, colour: 'red', certificate: { colour: 'red' } }
      const { status, body } = await send(place, 'POST', resourcePath(mutualIdentities, namespace), {
        body: { apiVersion, kind, ...object('web', { spec, colour: 'red' }) },
      })
      expect(status).toBe(201)
      expect(body.spec).toEqual({ ...identitySpec, certificate: { keyType: 'ECDSAP256', serviceNames: 'Auto' } })
      expect(body).not.toHaveProperty('colour')
    })

    it('with an unknown field in a patch is refused, too: with 422', async () => {
      const { client, object, ref } = await enter()
      await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const { code, status, message } = await refusal(client.mergePatch(mutualIdentities, ref('web'), { spec: { colour: 'red' } }))
      expect([code, status]).toEqual([422, 'Invalid'])
      expect(message).toContain('unknown field "spec.colour"')
    })

    const faults: readonly (readonly [string, object, readonly string[]])[] = [
      ['without what is required', { spec: {} }, ['FieldValueRequired spec.podSelector', UNCHECKED]],
      ['without a spec', {}, ['FieldValueRequired spec', UNCHECKED]],
      [
        'with a value outside an enum',
        { spec: { ...identitySpec, certificate: { keyType: 'DSA' } } },
        ['FieldValueNotSupported spec.certificate.keyType', UNCHECKED],
      ],
      [
        'of a wrong type',
        { spec: { ...identitySpec, restart: { onRenewal: 'yes' } } },
        ['FieldValueTypeInvalid spec.restart.onRenewal', UNCHECKED],
      ],
      [
        'with an object where a list belongs',
        { spec: { ...identitySpec, certificate: { dnsNames: {} } } },
        ['FieldValueTypeInvalid spec.certificate.dnsNames', UNCHECKED],
      ],
      [
        'with too long a list',
        { spec: { ...identitySpec, certificate: { dnsNames: Array.from({ length: 65 }, (_, i) => `n${i}.example.org`) } } },
        ['FieldValueTooMany spec.certificate.dnsNames', UNCHECKED],
      ],
      [
        'with too long a text',
        { spec: { ...identitySpec, serviceAccountName: 'a'.repeat(254) } },
        ['FieldValueTooLong spec.serviceAccountName', UNCHECKED],
      ],
      [
        'with too short a text',
        { spec: { ...identitySpec, delivery: { keystorePasswordRef: { name: 'a', key: '' } } } },
        ['FieldValueInvalid spec.delivery.keystorePasswordRef.key'],
      ],
      [
        'with duplicates in a set',
        { spec: { ...identitySpec, certificate: { dnsNames: ['a.example.org', 'a.example.org'] } } },
        ['FieldValueDuplicate spec.certificate.dnsNames[1]'],
      ],
      [
        'with duplicate keys in a list of type map',
        { spec: { ...identitySpec, trust: { additionalAuthorities: [{ name: 'a' }, { name: 'a', pooled: true }] } } },
        ['FieldValueDuplicate spec.trust.additionalAuthorities[1]'],
      ],
    ]
    for (const [what, content, causes] of faults) {
      it(`${what} is invalid`, async () => {
        const { client, object } = await enter()
        expect(await invalidity(client.create(mutualIdentities, object('web', content)))).toEqual([...causes].sort())
      })
    }

    it('with several faults is told all of them', async () => {
      const { client, object } = await enter()
      const spec = { restart: { onRenewal: 'yes' }, certificate: { keyType: 'DSA' } }
      const found = await invalidity(client.create(mutualIdentities, object('web', { spec })))
      expect(found).toEqual(
        expect.arrayContaining([
          'FieldValueRequired spec.podSelector',
          'FieldValueTypeInvalid spec.restart.onRenewal',
          'FieldValueNotSupported spec.certificate.keyType',
        ]),
      )
    })

    it('is validated by its schema in a patch too, and stays as it was', async () => {
      const { client, object, ref } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: identitySpec }))
      const patch = { spec: { certificate: { keyType: 'DSA' } } }
      expect(await refusal(client.mergePatch(mutualIdentities, ref('web'), patch))).toMatchObject({ code: 422, status: 'Invalid' })
      const status = { status: { observedGeneration: -1 } }
      const refused = client.mergePatch(mutualIdentities, ref('web'), status, { subresource: 'status' })
      expect((await refusal(refused)).causes[0]).toEqual({ reason: 'FieldValueInvalid', field: 'status.observedGeneration' })
      expect(await client.get(mutualIdentities, ref('web'))).toEqual(made)
    })

    it('takes no status with its create', async () => {
      const { client, object } = await enter()
      const made = await client.create(mutualIdentities, object('web', { spec: identitySpec, status: { observedGeneration: 3 } }))
      expect(made).not.toHaveProperty('status')
    })
  })
}
