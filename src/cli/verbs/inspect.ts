// `inspect`: the certificate of an identity as people read certificates, its chain, its anchors, and whether all that holds together.
// The private key is never shown; where Secrets may not be read, what the operator reported is, and the bundle that everybody may read.

import type { MutualIdentity } from '../../api/mutual-identity.ts'
import { authorityText, bundleName } from '../../api/names.ts'
import { type Instant, parseInstant } from '../../base/instant.ts'
import { currentRenewAt } from '../../controllers/identity/leaf-checks.ts'
import { observeIdentity } from '../../controllers/identity/observe.ts'
import { withCluster } from '../asking.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { checkName } from '../explain/targets.ts'
import { fillStores } from '../fill-stores.ts'
import { findIdentities } from '../find.ts'
import { readFormat } from '../flags.ts'
import { caRow, certificateData, leafRows } from '../inspect/certificate-rows.ts'
import { type Material, type ReadCertificates, readBundleCopy, readMaterial } from '../inspect/material.ts'
import { type Finding, findingRows, findingsOf } from '../inspect/verification.ts'
import { lookWhereAsked } from '../operator-seen.ts'
import { dataText } from '../output/data.ts'
import { instantText } from '../output/instant.ts'
import { type PageRow, page } from '../output/table.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'

const FORMATS = ['text', 'json', 'yaml'] as const

export const inspect: Verb = {
  name: 'inspect',
  summary: 'The certificate of an identity, its chain, its anchors, and whether they verify',
  usage: 'NAME',
  details: [
    'Never shows the private key. Where you may not read Secrets it says so, and shows what the operator reported and the trust bundle.',
    'Exit code 0: all verifies; 3: there is no certificate yet, or it is unknown; 4: something does not verify, or has expired.',
  ],
  examples: ['kubectl mutual inspect payments -n shop', 'kubectl mutual inspect payments -o json'],
  flags: {},
  formats: FORMATS,
  words: 'identities',
  run(call) {
    const [name, ...more] = call.given.positionals
    if (name === undefined || more.length > 0) throw usageError('inspect takes the name of one identity: kubectl mutual inspect NAME')
    checkName(name)
    return withCluster(call, (question) => answer(question, name))
  },
}

/** All that is told. */
interface Inspection {
  readonly identity: MutualIdentity
  readonly material: Material | 'unknown' | undefined
  readonly renewAt: Instant | undefined
  readonly findings: readonly Finding[]
  /** Where the Secret's own anchors cannot be read. */
  readonly bundle: ReadCertificates | 'unknown' | undefined
}

async function answer(question: Question, name: string): Promise<ExitCode> {
  const { session, given, paint } = question
  await lookWhereAsked(question)
  const inspection = await look(question, name)
  const now = session.clock.now()
  const format = readFormat(given.values['output'], FORMATS)
  session.write(format === 'text' ? page(rowsOf(inspection, now), paint) : dataText(format, dataOf(inspection)))
  if (typeof inspection.material !== 'object') return EXIT.waiting
  return inspection.findings.some(({ ok }) => ok === false) ? EXIT.refused : EXIT.good
}

async function look({ cluster, namespace, operatorNamespace, clusterDomain, session }: Question, name: string): Promise<Inspection> {
  const { client } = cluster
  const stores = await fillStores(client, { namespace, operatorNamespace })
  const [identity] = (await findIdentities(client, stores, namespace, name)) as [MutualIdentity]
  const { spec } = identity
  const material = await readMaterial(client, { namespace, name: spec.delivery.secretName })
  const facts = observeIdentity(identity, stores, { operatorNamespace, clusterDomain, restartWorkloads: true })
  const seen = typeof facts.secret === 'object' ? facts.secret : undefined
  const isRead = typeof material === 'object'
  return {
    identity,
    material,
    renewAt: seen && currentRenewAt(seen, spec.certificate.renewBefore),
    findings: isRead ? findingsOf(material, seen, session.clock.now()) : [],
    bundle: isRead ? material.anchors : await readBundleCopy(client, { namespace, name: bundleName(spec.authority) }),
  }
}

function rowsOf({ identity, material, renewAt, findings, bundle }: Inspection, now: Instant): PageRow[] {
  const { namespace, name, spec } = identity
  return [
    ['Identity', `${namespace}/${name}`],
    ['Authority', authorityText(spec.authority)],
    ...(typeof material === 'object' ? materialRows(material, renewAt, now) : reportedRows(identity, material, now)),
    undefined,
    ...bundleRows(bundle, typeof material === 'object' ? 'ca.crt' : `ConfigMap ${bundleName(spec.authority)}`, now),
    ...(findings.length > 0 ? [undefined, ...findingRows(findings)] : []),
  ]
}

function materialRows({ secret, files, chain }: Material, renewAt: Instant | undefined, now: Instant): PageRow[] {
  const [leaf, ...issuers] = chain.certificates
  return [
    ['Secret', `${secret.name}: ${files.join(', ')}`],
    undefined,
    ...(leaf ? leafRows(leaf, now) : [['Certificate', { text: `cannot be read: ${chain.problem}`, style: 'bad' }] as const]),
    ...(renewAt === undefined ? [] : [['Renewal', instantText(renewAt, now)] as const]),
    ...issuers.flatMap((issuer, index) => caRow(issuer, `Chain ${index + 2}`, now)),
  ]
}

function reportedRows({ spec, status }: MutualIdentity, material: 'unknown' | undefined, now: Instant): PageRow[] {
  const { certificate, spiffeID } = status
  const secret = material === 'unknown' ? 'unknown: it may not be read by this account' : 'there is none yet'
  const endsAt = certificate && parseInstant(certificate.notAfter)
  return [
    ['Secret', { text: `${spec.delivery.secretName}: ${secret}`, style: 'waiting' }],
    undefined,
    ['URI', `${spiffeID ?? 'none'} (as reported)`],
    ['Serial', `${certificate?.serialNumber ?? 'none'} (as reported)`],
    ...(endsAt === undefined ? [] : [['Valid until', `${instantText(endsAt, now)} (as reported)`] as const]),
    ['Issued by', `${certificate?.issuedBy ?? 'nobody yet'} (as reported)`],
  ]
}

function bundleRows(bundle: Inspection['bundle'], from: string, now: Instant): PageRow[] {
  if (bundle === undefined) return [['Anchors', `none: there is no ${from}`]]
  if (bundle === 'unknown') return [['Anchors', { text: `unknown: ${from} may not be read by this account`, style: 'waiting' }]]
  if (bundle.problem !== undefined) return [['Anchors', { text: `${from} cannot be read: ${bundle.problem}`, style: 'bad' }]]
  return bundle.certificates.flatMap((anchor, index) => caRow(anchor, `Anchor ${index + 1}`, now))
}

function dataOf({ identity, material, findings, bundle }: Inspection): object {
  const { namespace, name, spec, status } = identity
  const isRead = typeof material === 'object'
  return {
    identity: { namespace, name, authority: authorityText(spec.authority), secretName: spec.delivery.secretName },
    reported: { spiffeID: status.spiffeID, ...status.certificate },
    secret: isRead ? { name: material.secret.name, files: material.files } : (material ?? null),
    chain: isRead ? material.chain.certificates.map(certificateData) : (material ?? null),
    anchors: typeof bundle === 'object' ? bundle.certificates.map(certificateData) : (bundle ?? null),
    findings: findings.map(({ name: check, ok, text }) => ({ check, ok: ok ?? 'unknown', text })),
  }
}
