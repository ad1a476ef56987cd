// `npm run bundle`: each entry as one file in dist/, for the image and for the plugin. Used by the image build and by people.
// Same input, same bytes. It must not bundle tests or scripts; what it wrote is told with sizes.

import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { build } from 'esbuild'

const ENTRIES = { operator: 'src/main.ts', 'kubectl-mutual': 'src/cli/main.ts' }
const OUT = 'dist'

/** CommonJS packages inside an ES module still call `require`. The name is one that no package declares itself. */
const BANNER = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** Reflection metadata must be there before the X.509 library is evaluated, whatever order the entry's own imports have. */
const FIRST = 'reflect-metadata'

const missing = Object.values(ENTRIES).filter((entry) => !existsSync(entry))
if (missing.length > 0) {
  console.error(`There is no ${missing.join(' and no ')} to bundle.`)
  process.exit(1)
}
rmSync(OUT, { recursive: true, force: true })
const { metafile } = await build({
  entryPoints: ENTRIES,
  inject: [FIRST],
  outdir: OUT,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  banner: { js: BANNER },
  minifySyntax: true,
  // Names of classes and functions are in stacks and logs.
  keepNames: true,
  legalComments: 'none',
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
})
for (const path of Object.keys(metafile.outputs).sort()) {
  console.log(`${join(path).padEnd(32)} ${(statSync(path).size / 1e6).toFixed(2).padStart(6)} MB`)
}
