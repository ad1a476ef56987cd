// `check`: is the cluster ready for Mutual Identity, is the installation healthy, and may the person who asks use the plugin.

import { withCluster } from '../asking.ts'
import { authorityFindings } from '../check/authorities.ts'
import { type Section, section } from '../check/finding.ts'
import { operatorFindings } from '../check/installation.ts'
import { kindFindings } from '../check/kinds.ts'
import { policyFindings } from '../check/policies.ts'
import { rightFindings } from '../check/rights.ts'
import { roleFindings } from '../check/roles.ts'
import { clockFinding, versionFinding } from '../check/server.ts'
import { conclusion, exitOfCheck, sectionText } from '../check/text.ts'
import type { ExitCode } from '../exit-code.ts'
import { fillStores } from '../fill-stores.ts'
import { readFormat } from '../flags.ts'
import { requireNamespace } from '../namespace-there.ts'
import { dataText } from '../output/data.ts'
import { probeServer } from '../server-version.ts'
import { usageError } from '../usage-error.ts'
import type { Question, Verb } from '../verb.ts'

const FORMATS = ['text', 'json', 'yaml'] as const

export const check: Verb = {
  name: 'check',
  summary: 'Is the cluster ready, is the installation healthy, what may you do',
  usage: '',
  details: [
    '√ is well, ! works but, ? may not be seen by you, × is wrong; below stands what to do. Needs no rights, but then sees little.',
    'Exit code 0: nothing is wrong; 3: nothing wrong was seen, and something could not be seen; 4: something is wrong.',
  ],
  examples: ['kubectl mutual check', 'kubectl mutual check -n shop', 'kubectl mutual check --operator-namespace identity -o json'],
  flags: {},
  formats: FORMATS,
  run(call) {
    if (call.given.positionals.length > 0) throw usageError('check takes no words')
    return withCluster(call, answer)
  },
}

async function answer(question: Question): Promise<ExitCode> {
  const { given, session, paint } = question
  const format = readFormat(given.values['output'], FORMATS)
  const sections: Section[] = []
  // Each is shown as soon as it is done.
  for await (const done of checked(question)) {
    if (format === 'text') session.write(`${sectionText(done, paint)}\n`)
    sections.push(done)
  }
  if (format === 'text') session.write(conclusion(sections, paint))
  else session.write(dataText(format, { sections }))
  return exitOfCheck(sections)
}

async function* checked({ cluster, session, namespace, operatorNamespace }: Question): AsyncGenerator<Section> {
  const { client, transport } = cluster
  const { clock } = session
  // No answer here is no answer anywhere: the error says why.
  const probe = await probeServer(transport, clock)
  await requireNamespace(client, namespace)
  // How far its clock is from ours; the Lease is judged by its time.
  const ahead = probe.date === undefined ? 0 : probe.date - probe.answeredAt
  yield { title: 'Kubernetes', findings: [versionFinding(probe.version), clockFinding(probe)] }
  yield await section('Kinds', () => kindFindings(client))
  yield await section('Operator', async () => {
    const { findings, leads, settings } = await operatorFindings(client, operatorNamespace, clock.now() + ahead)
    return [...findings, ...(await roleFindings(client, settings, leads)), ...(await policyFindings(client))]
  })
  yield await section('Authorities', async () => {
    const stores = await fillStores(client, {
      namespace,
      operatorNamespace,
      everywhere: ['namespacedAuthorities'],
      only: ['authorities', 'namespacedAuthorities'],
    })
    return authorityFindings(stores, clock.now())
  })
  yield await section('Your rights', () => rightFindings(client, namespace, operatorNamespace))
}
