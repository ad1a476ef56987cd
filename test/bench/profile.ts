// `npm run bench:profile`: where the controller's own time for first issuances goes, by layer. Starts its own control plane, has the controller run from its
// sources under Node's profiler, and puts each sample down to the innermost layer of ours that it was in.

import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupedBars } from './charts.ts'
import { readCount, readFlags } from './flags.ts'
import { isReady } from './identities.ts'
import { byLayer, type CpuProfile, LAYERS } from './layers.ts'
import { startMeasured } from './measured-controller.ts'
import { populate } from './population.ts'
import { createReport, ms } from './report.ts'
import { atRest, openStage } from './stage.ts'

const USAGE = `Where the operator's own time for first issuances goes: npm run bench:profile [-- FLAGS]

  --identities N   how many (3000)
  --keep FILE      leaves the profile there, as the developer tools of browsers open it
  --before FILE    a profile to compare with, of as many identities: kept by this command on an earlier commit
  --chart FILE     draws the comparison there, as SVG`

const { values } = readFlags(USAGE, {
  identities: { type: 'string', default: '3000' },
  keep: { type: 'string' },
  before: { type: 'string' },
  chart: { type: 'string' },
})
const count = readCount(USAGE, 'identities', values.identities)
const folder = mkdtempSync(join(tmpdir(), 'mutual-identity-profile-'))
try {
  const file = await profiled()
  if (values.keep !== undefined) copyFileSync(file, values.keep)
  tell({ ...(values.before === undefined ? {} : { before: values.before }), now: file })
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The profile of one run. */
async function profiled(): Promise<string> {
  const stage = await openStage()
  try {
    await populate(stage.admin.client, ['profile'], count)
    await atRest(stage)
    stage.say(`${count} identities are there`)
    const nodeFlags = ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`]
    const controller = await startMeasured({ ...stage, entry: join('src', 'main.ts') }, { nodeFlags })
    await stage.identities.reached(count, isReady)
    await controller.process.stop()
  } finally {
    await stage.close()
  }
  const [name = 'none'] = readdirSync(folder)
  return join(folder, name)
}

function tell(files: Readonly<Record<string, string>>): void {
  const profiles = Object.entries(files).map(([label, file]) => ({
    label,
    layers: byLayer(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile),
  }))
  const each = (milliseconds = 0): number => milliseconds / count
  const report = createReport()
  for (const layer of LAYERS)
    report.row(layer, profiles.map(({ label, layers }) => `${label} ${each(layers.get(layer)).toFixed(3)} ms`).join(', '))
  report.row('sum', profiles.map(({ label, layers }) => `${label} ${ms(each([...layers.values()].reduce((a, b) => a + b, 0)))}`).join(', '))
  report.print()
  if (values.chart === undefined) return
  const bars = LAYERS.map((layer) => ({ label: layer, values: profiles.map(({ layers }) => each(layers.get(layer))) }))
  const title = `The controller's own thread for one of ${count} first issuances: ${profiles.map(({ label }) => label).join(' and ')}`
  writeFileSync(
    values.chart,
    groupedBars(title, bars, (value) => `${value.toFixed(2)} ms`),
  )
}
