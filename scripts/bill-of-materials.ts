// What of other people's packages is in a bundle: a CycloneDX 1.6 bill of materials, and the texts of their licenses. Used by bundle.ts.
// Made of what esbuild read, not of what is installed; no time and no random number is in it, so that the same input gives the same bytes.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** SPDX expression, as the package says it. */
  readonly license: string
  readonly folder: string
  /** As the lock file has it: `sha512-...`. */
  readonly integrity: string | undefined
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** The packages that files under node_modules belong to, by name and version. */
export function packagesIn(files: readonly string[]): readonly BundledPackage[] {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { integrity?: string }> }
  const folders = new Set(files.map(folderOf).filter((folder) => folder !== undefined))
  const packages = [...folders].map((folder): BundledPackage => {
    const { name, version, license = 'NOASSERTION' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    return { name, version, license, folder, integrity: lock.packages[folder.slice(folder.indexOf('node_modules'))]?.integrity }
  })
  return packages.sort((a, b) => (purl(a) < purl(b) ? -1 : 1))
}

/** `node_modules/a/node_modules/@b/c` for a file in it. */
function folderOf(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]
}

/** Package URL (purl-spec, type npm). */
const purl = ({ name, version }: Pick<BundledPackage, 'name' | 'version'>): string => `pkg:npm/${name.replace('@', '%40')}@${version}`

/** A CycloneDX document (ECMA-424) of the operator and these packages. */
export function billOfMaterials(packages: readonly BundledPackage[]): object {
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { type: 'application', name: own.name, version: own.version, 'bom-ref': purl(own) } },
    components: packages.map((one) => ({
      type: 'library',
      'bom-ref': purl(one),
      purl: purl(one),
      name: one.name,
      version: one.version,
      licenses: [/ (?:OR|AND|WITH) |^\(/.test(one.license) ? { expression: one.license } : { license: { id: one.license } }],
      ...(one.integrity === undefined ? {} : { hashes: [hashOf(one.integrity)] }),
    })),
    dependencies: [{ ref: purl(own), dependsOn: packages.map(purl) }],
  }
}

/** From Subresource Integrity to what CycloneDX writes. */
function hashOf(integrity: string): { alg: string; content: string } {
  const [algorithm = '', digest = ''] = integrity.split('-')
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }
}

/** The license of each package in full, one after the other. */
export function licenseTexts(packages: readonly BundledPackage[]): string {
  return packages
    .map(({ name, version, license, folder }) => {
      const files = readdirSync(folder)
        .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
        .sort()
      const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
      return `${name} ${version} (${license})\n\n${texts.join('\n\n') || 'The package has no license file.'}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
