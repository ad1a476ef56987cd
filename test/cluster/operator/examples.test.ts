// Every example, applied with kubectl (which validates strictly) to a real API server where the operator runs: each identity becomes ready and has what the
// example says. And every object that a document shows is taken by that API server as it stands.

import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { provideBinaries } from '../../../scripts/control-plane/index.ts'
import { CONTROLLER_ACCOUNT } from '../../../scripts/install/install.ts'
import { resourceOf } from '../../../scripts/install/kinds.ts'
import { rbacObjects } from '../../../src/api/rights.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import { readChain } from '../../../src/pki/certificate.ts'
import { rootsIn } from '../../support/cluster-material.ts'
import { placeIn } from '../../support/cluster-objects.ts'
import { OPERATOR_NAMESPACE, startCluster, type TestCluster } from '../../support/cluster-operator.ts'
import { yamlBlocks } from '../../support/documents.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const FOLDER = join(ROOT, 'examples')

let cluster: TestCluster
let kubectl: string

beforeAll(async () => {
  kubectl = (await provideBinaries(['kubectl'], () => undefined)).kubectl
  cluster = await startCluster()
  const installation = { namespace: OPERATOR_NAMESPACE, serviceAccount: CONTROLLER_ACCOUNT, options: ['restart'] } as const
  for (const object of rbacObjects(installation).filter(({ metadata }) => metadata.name === 'mutual-identity-restart'))
    await cluster.client.create(resourceOf(object as RawObject), object as RawObject)
  await cluster.start({ flags: ['--restart-workloads', 'true'] })
  await cluster.defaultAuthority()
}, 300_000)

afterAll(async () => {
  await cluster?.close()
})

const run = async (command: string, ...args: string[]): Promise<string> => (await promisify(execFile)(command, args)).stdout
const apply = (path: string): Promise<string> =>
  run(kubectl, '--kubeconfig', cluster.plane.kubeconfigFile, 'apply', '--validate=strict', '-f', path)

/** Objects that are handed over as text. */
async function applyText(text: string, ...flags: string[]): Promise<void> {
  const applied = promisify(execFile)(kubectl, ['--kubeconfig', cluster.plane.kubeconfigFile, 'apply', ...flags, '-f', '-'])
  applied.child.stdin?.end(text)
  await applied
}

interface Expected {
  readonly namespace: string
  readonly identities: readonly string[]
  /** Besides tls.crt, tls.key and ca.crt, of the first identity. */
  readonly files?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly trustDomain?: string
  readonly roots?: number
}

const EXAMPLES: Readonly<Record<string, Expected>> = {
  '01-two-services': { namespace: 'shop', identities: ['payments', 'orders'], dnsNames: ['payments.shop.svc'] },
  '02-java-keystores': { namespace: 'java-shop', identities: ['catalog'], files: ['keystore.p12', 'truststore.p12'] },
  '03-extra-dns-names': {
    namespace: 'edge-shop',
    identities: ['gateway'],
    dnsNames: ['shop.example.org', 'api.shop.example.org'],
    trustDomain: 'edge.example.org',
  },
  '04-your-own-ca': { namespace: 'company-shop', identities: ['books'], trustDomain: 'ca.example.org' },
  '05-authority-of-a-namespace': {
    namespace: 'private-shop',
    identities: ['stock'],
    dnsNames: ['stock', 'stock.private-shop.svc'],
    trustDomain: 'private-shop.cluster.local',
  },
  '06-restart-on-renewal': { namespace: 'legacy-shop', identities: ['mainframe'] },
  '07-two-trust-domains': {
    namespace: 'two-shops',
    identities: ['orders', 'carrier'],
    files: ['partner.example.org.spiffe-trust-bundle.x509.pem'],
    roots: 2,
  },
  '08-statefulset': { namespace: 'data-shop', identities: ['db'], dnsNames: ['*.db.data-shop.svc'] },
}

it('there is no example that is not tried', () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(EXAMPLES))
})

describe.each(Object.entries(EXAMPLES))(
  '%s',
  (folder, { namespace, identities, files = [], dnsNames = [], trustDomain = 'cluster.local', roots = 1 }) => {
    it('applies, and its identities become ready with what it says', async () => {
      if (folder === '04-your-own-ca') {
        await applyText(await run('sh', join(FOLDER, folder, 'make-ca.sh'), OPERATOR_NAMESPACE))
      }
      await apply(join(FOLDER, folder))
      const place = placeIn(cluster.client, namespace)
      for (const name of identities) await place.ready(name)
      const { data } = (await place.secret(identities[0] as string)) as unknown as { data: Record<string, string> }
      const text = (file: string): string => Buffer.from(data[file] ?? '', 'base64').toString()
      expect(Object.keys(data).sort()).toEqual(['ca.crt', 'tls.crt', 'tls.key', ...files].sort())
      const [leaf] = readChain(text('tls.crt'))
      expect(leaf?.dnsNames).toEqual(expect.arrayContaining([...dnsNames]))
      expect(leaf?.uris[0]).toMatch(new RegExp(`^spiffe://${trustDomain}/ns/${namespace}/sa/`))
      expect(rootsIn(text('ca.crt'))).toHaveLength(roots)
    })
  },
)

describe('the documents', () => {
  beforeAll(() => apply(join(FOLDER, '01-two-services', '00-namespace.yaml')))

  it.each(yamlBlocks(ROOT).map(({ path, line, text }) => [`${path}:${line}`, text]))('%s applies as it stands', async (_where, text) => {
    await applyText(text, '--dry-run=server', '--validate=strict')
  })
})
