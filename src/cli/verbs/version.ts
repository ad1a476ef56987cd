// `version`: which plugin this is, and with --server which API server it speaks to.

import { API_VERSION } from '../../api/names.ts'
import { OWN_VERSION } from '../../base/version.ts'
import { withCluster } from '../asking.ts'
import { EXIT } from '../exit-code.ts'
import { readFormat } from '../flags.ts'
import { dataText } from '../output/data.ts'
import { page } from '../output/table.ts'
import { probeServer } from '../server-version.ts'
import { usageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const FORMATS = ['text', 'json', 'yaml'] as const

export const version: Verb = {
  name: 'version',
  summary: 'Which plugin this is',
  usage: '',
  details: [],
  examples: ['kubectl mutual version --server'],
  flags: { server: { help: 'the version of the API server too' } },
  formats: FORMATS,
  async run(call) {
    const { given, session, paint } = call
    if (given.positionals.length > 0) throw usageError('version takes no words')
    const server = given.switches.has('server')
      ? await withCluster(call, ({ cluster }) => probeServer(cluster.transport, session.clock))
      : undefined
    const format = readFormat(given.values['output'], FORMATS)
    const told = { plugin: OWN_VERSION, api: API_VERSION, node: process.version, ...(server ? { server: server.version } : {}) }
    const rows = Object.entries(told).map(([name, value]) => [name[0]?.toUpperCase() + name.slice(1), value] as const)
    session.write(format === 'text' ? page(rows, paint) : dataText(format, told))
    return EXIT.good
  },
}
