// `npm run bundle`: the operator as a folder of modules that load when they are needed, the plugin as one file, and what of others is in them.
// Used by the image build and by people. Same input, same bytes. It must not bundle tests or scripts; what it wrote is told with sizes.

import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { billOfMaterials, licenseTexts, packagesIn } from './bill-of-materials.ts'

const ENTRIES = { operator: 'src/main.ts', 'kubectl-mutual': 'src/cli/main.ts' }
const OUT = 'dist'

const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } }
const [, neededMajor, neededMinor] = /^>=(\d+)\.(\d+)$/.exec(engines.node) ?? []
if (neededMajor === undefined)
  throw new Error(`engines.node of package.json is ${engines.node}: >=MAJOR.MINOR is what the bundle can check`)

/** Before anything else runs: an older Node ends in the middle of a library, with a page of its code. A block, so that its names are nobody else's. */
const NODE_CHECK = `{
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < ${neededMajor} || (major === ${neededMajor} && minor < ${neededMinor})) {
process.stderr.write('Node ${neededMajor}.${neededMinor} or newer is needed, this is ' + process.versions.node + ' (' + process.execPath + '): put a newer one first on the PATH\\n')
process.exit(1)
}
}`

/** CommonJS packages inside an ES module still call `require`. The name is one that no package declares itself. */
const BANNER = `${NODE_CHECK}
import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** Its modules only define things, which its package.json does not say: without this all of the API of Kubernetes is in the bundle, for a reader of kubeconfigs. */
const LIBRARY = /node_modules\/@kubernetes\/client-node\//
const withoutUnused: Plugin = {
  name: 'leaves out what is not used of the Kubernetes library',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@kubernetes\/client-node$|^\./ }, async ({ path, pluginData, importer, resolveDir, kind }) => {
      if (pluginData === LIBRARY || (path.startsWith('.') && !LIBRARY.test(importer))) return undefined
      const resolved = await resolve(path, { importer, resolveDir, kind, pluginData: LIBRARY })
      return resolved.errors.length > 0 ? resolved : { ...resolved, sideEffects: false }
    })
  },
}

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
  plugins: [withoutUnused],
  logLevel: 'warning',
} as const satisfies BuildOptions

const missing = Object.values(ENTRIES).filter((entry) => !existsSync(entry))
if (missing.length > 0) {
  console.error(`There is no ${missing.join(' and no ')} to bundle.`)
  process.exit(1)
}
rmSync(OUT, { recursive: true, force: true })
const operator = join(OUT, 'operator')
// The reader of kubeconfigs and the maker of CA certificates are modules that load when they are needed.
const { metafile } = await build({ ...SHARED, entryPoints: { operator: ENTRIES.operator }, outdir: operator, splitting: true })
const plugin = await build({ ...SHARED, entryPoints: { 'kubectl-mutual': ENTRIES['kubectl-mutual'] }, outdir: OUT })
chmodSync(join(OUT, 'kubectl-mutual.mjs'), 0o755)
writeParts(metafile)
tell(metafile)
tell(plugin.metafile)

/** What of others is in the operator: for scanners, and for the licenses that ask for it. */
function writeParts({ outputs }: Metafile): void {
  const packages = packagesIn(Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)))
  writeFileSync(join(operator, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(packages), undefined, 2)}\n`)
  writeFileSync(join(operator, 'LICENSES.txt'), licenseTexts(packages))
}

function tell({ outputs }: Metafile): void {
  for (const path of Object.keys(outputs).sort()) console.log(`${path.padEnd(40)} ${(statSync(path).size / 1e6).toFixed(2).padStart(6)} MB`)
}
