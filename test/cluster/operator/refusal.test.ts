// What the operator refuses or waits for, on a real API server: the condition says what a person has to do, nothing of others is touched, what was
// issued stays, nothing spins, and it goes on by itself when the cause has gone. Then what people see from outside: explain, metrics, logs, rights.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connectCluster } from '../../../scripts/install/cluster.ts'
import type { ControllerProcess } from '../../../scripts/install/controller-process.ts'
import { customResourceDefinitions, resourceOf } from '../../../scripts/install/kinds.ts'
import { PROJECT_FOLDER } from '../../../scripts/install/manifests.ts'
import { clusterMutualAuthorities, mutualIdentities } from '../../../src/api/kinds.ts'
import { isForbidden } from '../../../src/k8s/errors.ts'
import { configMaps, pods, type RawObject, type Resource, secrets } from '../../../src/k8s/resource.ts'
import type { Request } from '../../support/cluster-audit.ts'
import { eventually } from '../../support/cluster-eventually.ts'
import { fitsTogether, materialOf } from '../../support/cluster-material.ts'
import {
  bundleTextOf,
  condition,
  createPlace,
  listAll,
  OBSERVED,
  type Place,
  placeIn,
  statusOf,
  trustBundle,
} from '../../support/cluster-objects.ts'
import { ADMINISTRATOR, OPERATOR, OPERATOR_NAMESPACE, startCluster, type TestCluster, VIEWER } from '../../support/cluster-operator.ts'

let cluster: TestCluster
let controller: ControllerProcess
let shop: Place

beforeAll(async () => {
  cluster = await startCluster()
  controller = await cluster.start()
  await cluster.defaultAuthority()
  shop = await createPlace(cluster.client, 'shop')
})

afterAll(async () => {
  await cluster?.close()
})

const authority = (name: string, spec: object): Promise<RawObject> =>
  cluster.client.create(clusterMutualAuthorities, { metadata: { name }, spec: { trustDomain: `${name}.test`, ...spec } })

const requestsIn = (namespace: string): number => cluster.audit.requests().filter((request) => request.namespace === namespace).length

describe('a Secret of somebody else that has the name of ours', () => {
  let place: Place
  let foreign: RawObject

  beforeAll(async () => {
    place = await createPlace(cluster.client, 'foreign-secret')
    foreign = await place.create(secrets, {
      metadata: { name: 'web-mtls', labels: { team: 'red' } },
      type: 'Opaque',
      data: { mine: 'bWluZQ==' },
    })
    await place.identity('web')
  })

  it('is told by a condition with a remedy, and by one event', async () => {
    const identity = await place.stopped('web', 'SecretNotOwned')
    const message = expect.stringMatching(
      /Secret web-mtls exists and does not belong to this identity: choose another spec.delivery.secretName, or delete that Secret/,
    )
    expect(condition(identity)).toMatchObject({ message })
    expect(condition(identity, 'Stalled')).toMatchObject({ status: 'True', reason: 'SecretNotOwned', message })
    await place.told('web', ['SecretNotOwned'])
  })

  it('is tried again later and later, not in a loop, and stays as it is', async () => {
    const before = requestsIn(place.name)
    await sleep(5_000)
    // Tries after 2, 4, 8 seconds: a create, a get and a status each.
    expect(requestsIn(place.name) - before).toBeLessThanOrEqual(12)
    expect(await place.get(secrets, 'web-mtls')).toEqual(foreign)
    await place.told('web', ['SecretNotOwned'])
  })

  it('is not waited for any more once it is gone', async () => {
    await place.delete(secrets, 'web-mtls')
    await place.ready('web')
    expect(fitsTogether(materialOf(await place.secret('web')))).toBe(true)
  })
})

describe('a ConfigMap of somebody else that has the name of the trust bundle', () => {
  let place: Place
  let foreign: RawObject

  beforeAll(async () => {
    place = await createPlace(cluster.client, 'foreign-bundle')
    foreign = await place.create(configMaps, { metadata: { name: 'default-trust-bundle' }, data: { 'ca.crt': 'mine' } })
    await place.identity('web')
  })

  it('does not keep the identity from its certificate, whose Secret holds the bundle', async () => {
    await place.ready('web')
    expect(fitsTogether(materialOf(await place.secret('web')))).toBe(true)
  })

  it('is told by an event of the authority that names it and the remedy', async () => {
    await eventually(async () => {
      const told = (await listAll(cluster.client, EVENTS, 'default')).filter((event) => event.reason === 'ConfigMapNotOwned')
      expect(told.map((event) => event.note)).toEqual([
        expect.stringMatching(/foreign-bundle\/default-trust-bundle exists and is not ours: rename or delete it/),
      ])
    })
  })

  it('is not tried again in a loop, and stays as it is', async () => {
    const before = requestsIn(place.name)
    await sleep(3_000)
    expect(requestsIn(place.name) - before).toBeLessThanOrEqual(4)
    expect(await place.get(configMaps, 'default-trust-bundle')).toEqual(foreign)
  })

  it('is not waited for any more once it is gone', async () => {
    await place.delete(configMaps, 'default-trust-bundle')
    await eventually(async () => expect(bundleTextOf(await trustBundle(place))).toBe(materialOf(await place.secret('web')).ca))
  })
})

const EVENTS: Resource = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true }

it("an identity in the operator's own namespace is refused, and gets no Secret", async () => {
  const own = placeIn(cluster.client, OPERATOR_NAMESPACE)
  await own.identity('intruder')
  const identity = await own.stopped('intruder', 'OperatorNamespace')
  expect(condition(identity)?.message).toMatch(/holds CA keys: put the workload into another one/)
  expect(await own.find(secrets, 'intruder-mtls')).toBeUndefined()
})

describe('an identity whose account is to be observed', () => {
  it('waits for a pod, and is served when one comes', async () => {
    await shop.account('observed')
    await shop.identity('observed', { serviceAccountName: OBSERVED })
    const waiting = await shop.stopped('observed', 'NoServiceAccount')
    expect(condition(waiting)?.message).toMatch(/start a pod, or set spec.serviceAccountName/)
    expect(condition(waiting, 'Reconciling')).toMatchObject({ status: 'True' })
    await shop.pod('observed', { account: 'observed' })
    expect(statusOf(await shop.ready('observed')).spiffeID).toBe('spiffe://cluster.local/ns/shop/sa/observed')
  })

  it('keeps its account when its pods have gone', async () => {
    await shop.account('scaled')
    await shop.pod('scaled', { account: 'scaled' })
    await shop.identity('scaled', { serviceAccountName: OBSERVED })
    await shop.ready('scaled')
    const { serialNumber } = materialOf(await shop.secret('scaled'))
    await deletePod('scaled')
    await askForRenewal('scaled')
    await eventually(async () => expect(materialOf(await shop.secret('scaled')).serialNumber).not.toBe(serialNumber))
    expect(materialOf(await shop.secret('scaled')).names).toContain('URI:spiffe://cluster.local/ns/shop/sa/scaled')
  })

  it('waits while its pods run under several, until the spec decides', async () => {
    for (const name of ['first', 'second']) {
      await shop.account(name)
      await shop.pod(name, { account: name, labels: { app: 'torn' } })
    }
    // Pods come to the operator in their order: when it knows of this one it knows of both.
    await shop.pod('seen')
    await shop.identity('seen', { serviceAccountName: OBSERVED })
    await shop.ready('seen')
    await shop.identity('torn', { serviceAccountName: OBSERVED })
    const refused = await shop.stopped('torn', 'ServiceAccountConflict')
    expect(condition(refused)?.message).toMatch(/2 service accounts \(first, second\): narrow podSelector or set spec.serviceAccountName/)
    expect(await shop.find(secrets, 'torn-mtls')).toBeUndefined()
    await shop.patch(mutualIdentities, 'torn', { spec: { serviceAccountName: 'second' } })
    expect(statusOf(await shop.ready('torn')).spiffeID).toBe('spiffe://cluster.local/ns/shop/sa/second')
  })

  it('goes on being renewed for the recorded one when a stray pod runs under another', async () => {
    await shop.account('main')
    await shop.account('stray')
    await shop.pod('main', { account: 'main' })
    await shop.identity('main', { serviceAccountName: OBSERVED })
    await shop.ready('main')
    const { serialNumber } = materialOf(await shop.secret('main'))
    await shop.pod('stray', { account: 'stray', labels: { app: 'main' } })
    await eventually(async () => {
      expect(condition(await shop.get(mutualIdentities, 'main'))).toMatchObject({ status: 'True', reason: 'ServiceAccountConflict' })
    })
    await askForRenewal('main')
    await eventually(async () => expect(materialOf(await shop.secret('main')).serialNumber).not.toBe(serialNumber))
    expect(materialOf(await shop.secret('main')).names).toContain('URI:spiffe://cluster.local/ns/shop/sa/main')
  })
})

const deletePod = (name: string): Promise<void> => cluster.client.delete(pods, { namespace: 'shop', name }, {})
const askForRenewal = (name: string): Promise<RawObject> =>
  shop.patch(mutualIdentities, name, { metadata: { annotations: { 'mutualidentity.io/renew-requested-at': '2030-01-01T00:00:00Z' } } })

describe('an authority', () => {
  it('that is missing is waited for', async () => {
    await shop.identity('early', { authority: 'late' })
    const waiting = await shop.stopped('early', 'AuthorityNotFound')
    expect(condition(waiting)?.message).toMatch(/there is no ClusterMutualAuthority late: create it, or name another/)
    await authority('late', {})
    expect(statusOf(await shop.ready('early')).spiffeID).toBe('spiffe://late.test/ns/shop/sa/default')
    await eventually(() => trustBundle(shop, 'late'))
  })

  it('that does not allow the namespace refuses it until it does', async () => {
    await authority('closed', { policy: { allowedNamespaces: ['elsewhere'] } })
    await shop.identity('outsider', { authority: 'closed' })
    const refused = await shop.stopped('outsider', 'NamespaceNotAllowed')
    expect(condition(refused)?.message).toMatch(/does not allow namespace shop \(spec.policy.allowedNamespaces\)/)
    await cluster.client.mergePatch(
      clusterMutualAuthorities,
      { namespace: '', name: 'closed' },
      { spec: { policy: { allowedNamespaces: ['elsewhere', 'shop'] } } },
    )
    await shop.ready('outsider')
  })
})

describe('a spec that the authority refuses', () => {
  beforeAll(async () => {
    await authority('narrow', { leaf: { keyTypes: ['ECDSAP256', 'ECDSAP384'] } })
  })

  it.each<[string, object, RegExp]>([
    ['LifetimeOutOfBounds', { certificate: { lifetime: '5m' } }, /certificate.lifetime 5m is outside narrow's bounds: choose 10m to 360h/],
    [
      'LifetimeOutOfBounds',
      { certificate: { lifetime: '361h' } },
      /certificate.lifetime 361h is outside narrow's bounds: choose 10m to 360h/,
    ],
    ['KeyTypeNotAllowed', { certificate: { keyType: 'RSA3072' } }, /keyType RSA3072 is not among narrow's: choose ECDSAP256, ECDSAP384/],
  ])('is told as %s with what to choose (%j), and served when it is put right', async (reason, spec, message) => {
    const name = `refused-${++count}`
    await shop.identity(name, { authority: 'narrow', ...spec })
    const identity = await shop.stopped(name, reason)
    expect(condition(identity)?.message).toMatch(message)
    expect(condition(identity, 'Stalled')).toMatchObject({ status: 'True', reason })
    expect(await shop.find(secrets, `${name}-mtls`)).toBeUndefined()
    await shop.patch(mutualIdentities, name, { spec: { certificate: { lifetime: null, keyType: null } } })
    await shop.ready(name)
    expect(condition(await shop.get(mutualIdentities, name), 'Stalled')).toBeUndefined()
  })

  it.each<[string, object]>([
    ['LifetimeOutOfBounds', { certificate: { lifetime: '5m' } }],
    ['KeyTypeNotAllowed', { certificate: { keyType: 'RSA3072' } }],
    ['AuthorityNotFound', { authorityRef: { name: 'nobody' } }],
    ['NamespaceNotAllowed', { authorityRef: { name: 'never' } }],
  ])(
    'and comes after a good one (%s) leaves certificate and bundle as they are; the good one again needs no new certificate',
    async (reason, bad) => {
      if (reason === 'NamespaceNotAllowed') await authority('never', { policy: { allowedNamespaces: ['elsewhere'] } })
      const name = `kept-${++count}`
      const good = { certificate: { lifetime: '1h', keyType: 'ECDSAP384' }, authorityRef: { name: 'narrow' } }
      await shop.identity(name, { authority: 'narrow', certificate: good.certificate })
      await shop.ready(name)
      const before = await shop.secret(name)
      await shop.patch(mutualIdentities, name, { spec: bad })
      const { serialNumber } = materialOf(before)
      const refused = await shop.stopped(name, reason)
      expect(statusOf(refused).certificate).toMatchObject({ serialNumber })
      expect(await shop.secret(name)).toEqual(before)
      await shop.patch(mutualIdentities, name, { spec: good })
      await shop.ready(name)
      expect(materialOf(await shop.secret(name)).serialNumber).toBe(serialNumber)
    },
  )

  it('does not keep the trust bundle in the Secret from being put right', async () => {
    await shop.identity('edited', { authority: 'narrow' })
    await shop.ready('edited')
    const before = materialOf(await shop.secret('edited'))
    await shop.patch(mutualIdentities, 'edited', { spec: { certificate: { lifetime: '5m' } } })
    const refused = await shop.stopped('edited', 'LifetimeOutOfBounds')
    expect(condition(refused)?.message).toMatch(/The present certificate stays/)
    await shop.patch(secrets, 'edited-mtls', { data: { 'ca.crt': 'bWluZQ==' } })
    await eventually(async () => {
      const now = materialOf(await shop.secret('edited'))
      expect([now.ca, now.privateKey]).toEqual([before.ca, before.privateKey])
    })
  })
})

let count = 0

it('whatever is refused or waited for is not looked at again and again', async () => {
  const before = cluster.audit.requests().filter(isOfController).length
  await sleep(3_000)
  expect(cluster.audit.requests().filter(isOfController).length - before).toBeLessThanOrEqual(2)
})

/** A watch that ends by itself after some minutes is asked for again, which says nothing. */
const isOfController = ({ user, resource, verb }: Request): boolean => user === OPERATOR && resource !== 'leases' && verb !== 'watch'

describe('explain', () => {
  interface Answer {
    readonly code: number
    readonly out: string
    readonly errors: string
  }
  const explain = (kubeconfig: string, namespace: string, name: string): Promise<Answer> =>
    new Promise((resolve) => {
      const args = [join('src', 'cli', 'main.ts'), 'explain', name, '-n', namespace, '--kubeconfig', kubeconfig]
      execFile(process.execPath, args, { cwd: PROJECT_FOLDER }, (error, out, errors) =>
        resolve({ code: Number(error?.code ?? 0), out, errors }),
      )
    })
  const asAdministrator = (name: string): Promise<Answer> => explain(cluster.plane.kubeconfigFile, 'explained', name)
  let place: Place
  let viewer: string

  beforeAll(async () => {
    place = await createPlace(cluster.client, 'explained')
    await place.pod('ready')
    await place.service('ready')
    for (const name of ['ready', 'private']) await place.identity(name)
    await place.identity('waiting', { serviceAccountName: OBSERVED })
    await place.identity('refused', { certificate: { lifetime: '2m' } })
    for (const name of ['ready', 'private']) await place.ready(name)
    await place.stopped('waiting', 'NoServiceAccount')
    await place.stopped('refused', 'LifetimeOutOfBounds')
    const rbac = 'rbac.authorization.k8s.io'
    const verbs = ['get', 'list', 'watch']
    const role: RawObject = {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: { name: 'view' },
      rules: [
        { apiGroups: ['mutualidentity.io'], resources: ['mutualidentities'], verbs },
        { apiGroups: [''], resources: ['pods', 'services'], verbs },
      ],
    }
    const binding: RawObject = {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name: 'view' },
      roleRef: { apiGroup: rbac, kind: 'Role', name: 'view' },
      subjects: [{ apiGroup: rbac, kind: 'User', name: VIEWER }],
    }
    for (const object of [role, binding]) await place.create(resourceOf(object), object)
    viewer = await cluster.plane.clientKubeconfig(VIEWER, [])
    const asViewer = await connectCluster(viewer, 'cluster-test')
    await eventually(() => listAll(asViewer.client, pods, 'explained'))
    await asViewer.close()
  })

  it('of a ready identity shows facts, no step, the instant of renewal, and ends with 0', async () => {
    const { code, out, errors } = await asAdministrator('ready')
    expect([code, errors]).toEqual([0, ''])
    expect(out).toMatch(/^Identity: +explained\/ready$/m)
    expect(out).toMatch(/^Authority: +ClusterMutualAuthority default, trust domain cluster.local; generation 1 signs until /m)
    expect(out).toMatch(/^Pods: +1 selected, service accounts: default$/m)
    expect(out).toMatch(/^DNS names: +ready.explained, ready.explained.svc, ready.explained.svc.cluster.local$/m)
    expect(out).toMatch(/^Verifies: +yes, to the published bundle$/m)
    expect(out).toMatch(/^State: +ready: Current/m)
    expect(out).toMatch(/^Next step: +nothing$/m)
    expect(out).toMatch(/^When: +renewal at \d{4}-/m)
  })

  it('of one that waits says for what, and ends with 3', async () => {
    const { code, out } = await asAdministrator('waiting')
    expect(out).toMatch(/^State: +waiting: NoServiceAccount: .*start a pod, or set spec.serviceAccountName/m)
    expect(code).toBe(3)
  })

  it('of one that is refused says what to choose, and ends with 4', async () => {
    const { code, out } = await asAdministrator('refused')
    expect(out).toMatch(/^State: +refused: LifetimeOutOfBounds: .*choose 10m to 360h/m)
    expect(code).toBe(4)
  })

  it('of one that does not exist says so, and ends with 1', async () => {
    const { code, out, errors } = await asAdministrator('nobody')
    expect([code, out]).toEqual([1, ''])
    expect(errors).toMatch(/there is no MutualIdentity nobody in namespace explained/)
  })

  it('under the rights of a person who may see neither Secrets nor authorities says what is unknown', async () => {
    const { code, out, errors } = await explain(viewer, 'explained', 'private')
    expect(errors).toBe('')
    expect(out).toMatch(/^Secret: +unknown: Secrets of this namespace may not be read by this account$/m)
    expect(out).toMatch(/^Authority: +ClusterMutualAuthority default: .*may not be read by this account/m)
    expect(out).not.toMatch(/not found|there is no ClusterMutualAuthority/)
    expect(code).toBe(3)
  })

  it('writes nothing', async () => {
    const { audit } = cluster
    expect(audit.requests().some(({ user }) => user === VIEWER)).toBe(true)
    expect(audit.writes(VIEWER)).toEqual([])
    const before = audit.writes(ADMINISTRATOR).length
    await asAdministrator('ready')
    expect(audit.writes(ADMINISTRATOR)).toHaveLength(before)
  })
})

describe('the process', () => {
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const reply = await fetch(`http://${controller.address}${path}`)
    return { status: reply.status, text: await reply.text() }
  }

  it('answers /healthz and /readyz', async () => {
    expect((await get('/healthz')).status).toBe(200)
    expect((await get('/readyz')).status).toBe(200)
    expect((await get('/nothing')).status).toBe(404)
  })

  it('counts at /metrics what it did', async () => {
    const { text } = await get('/metrics')
    expect(text).toMatch(/^mutual_identity_leader 1$/m)
    expect(text).toMatch(/^mutual_identity_certificates_issued_total\{reason="SecretMissing",authority="default"\} \d+$/m)
    expect(text).toMatch(/^mutual_identity_steps_failed_total\{reason="SecretNotOwned",authority="default"\} \d+$/m)
    expect(text).toMatch(/^mutual_identity_api_requests_total\{verb="create",resource="secrets",code="201"\} \d+$/m)
    expect(text).toMatch(/^mutual_identity_certificates\{authority="default"\} \d+$/m)
    expect(text).toMatch(/^mutual_identity_earliest_expiry_timestamp_seconds\{authority="default"\} \d+/m)
  })

  it('logs JSON only, one line a step', () => {
    expect(cluster.log.filter(({ fields }) => fields === undefined).map(({ line }) => line)).toEqual([])
    const issued = cluster.log.filter(
      ({ fields }) => fields?.namespace === 'explained' && fields.name === 'ready' && fields.level === 'info',
    )
    expect(issued.map(({ fields }) => fields?.message)).toEqual(['certificate issued'])
    expect(issued[0]?.fields).toMatchObject({
      controller: 'identity',
      reason: 'SecretMissing',
      secret: 'ready-mtls',
      issuedBy: 'ClusterMutualAuthority default generation 1',
    })
  })

  it('was never refused a right', async () => {
    const { text } = await get('/metrics')
    expect(text).toContain('mutual_identity_api_requests_total{')
    expect(text).not.toMatch(/^mutual_identity_api_requests_total\{.*code="403".*$/m)
    expect(cluster.log.filter(({ line }) => /forbidden/i.test(line)).map(({ line }) => line)).toEqual([])
  })

  it('has no other rights than its account', async () => {
    const account = await connectCluster(cluster.kubeconfig, 'cluster-test')
    const refusal = (call: Promise<unknown>): Promise<unknown> =>
      call.then(
        () => 'allowed',
        (error: unknown) => isForbidden(error),
      )
    const nodes: Resource = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false }
    const { client } = account
    const container = { name: 'program', image: 'program' }
    expect(await refusal(client.create(pods, { metadata: { namespace: 'shop', name: 'mine' }, spec: { containers: [container] } }))).toBe(
      true,
    )
    expect(await refusal(listAll(client, nodes))).toBe(true)
    const definition = { namespace: '', name: 'mutualidentities.mutualidentity.io' }
    expect(await refusal(client.mergePatch(customResourceDefinitions, definition, { metadata: { labels: { mine: 'yes' } } }))).toBe(true)
    const identity = { namespace: 'explained', name: 'ready' }
    expect(await refusal(client.mergePatch(mutualIdentities, identity, { spec: { serviceAccountName: 'other' } }))).toBe(true)
    expect(await refusal(client.delete(mutualIdentities, identity, {}))).toBe(true)
    await account.close()
  })

  it('lets no piece of a private key out', async () => {
    expect(cluster.keys.keys.size).toBeGreaterThan(10)
    expect(cluster.keys.piecesIn(await cluster.visibleText())).toBe(0)
  })
})
