// `npm run bundle`: the operator as a folder of modules that load when they are needed, the plugin as one file, and what of others is in them.
// Used by the image build and by people. Same input, same bytes. It must not bundle tests or scripts; what it wrote is told with sizes.

import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { billOfMaterials, licenseTexts, packagesIn } from './bill-of-materials.ts'

const ENTRIES = { operator: 'src/main.ts', 'kubectl-mutual': 'src/cli/main.ts' }
const OUT = 'dist'

/** CommonJS packages inside an ES module still call `require`. The name is one that no package declares itself. */
const BANNER = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

const SHARED = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: BANNER },
  minifySyntax: true,
  minifyWhitespace: true,
  // Names of classes and functions are in stacks and logs.
  keepNames: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
} as const satisfies BuildOptions

const missing = Object.values(ENTRIES).filter((entry) => !existsSync(entry))
if (missing.length > 0) {
  console.error(`There is no ${missing.join(' and no ')} to bundle.`)
  process.exit(1)
}
rmSync(OUT, { recursive: true, force: true })
const operator = join(OUT, 'operator')
// The Kubernetes library, which reads kubeconfigs, is two thirds of the bytes, and a pod does not need it: 0.25 s and 70 MB to start, instead of 0.6 s and 94 MB.
const { metafile } = await build({ ...SHARED, entryPoints: { operator: ENTRIES.operator }, outdir: operator, splitting: true })
const plugin = await build({ ...SHARED, entryPoints: { 'kubectl-mutual': ENTRIES['kubectl-mutual'] }, outdir: OUT })
chmodSync(join(OUT, 'kubectl-mutual.mjs'), 0o755)
writeParts(metafile)
tell(metafile)
tell(plugin.metafile)

/** What of others is in the operator: for scanners, and for the licenses that ask for it. */
function writeParts({ inputs }: Metafile): void {
  const packages = packagesIn(Object.keys(inputs))
  writeFileSync(join(operator, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages), undefined, 2)}\n`)
  writeFileSync(join(operator, 'LICENSES.txt'), licenseTexts(packages))
}

function tell({ outputs }: Metafile): void {
  for (const path of Object.keys(outputs).sort()) console.log(`${path.padEnd(40)} ${(statSync(path).size / 1e6).toFixed(2).padStart(6)} MB`)
}
