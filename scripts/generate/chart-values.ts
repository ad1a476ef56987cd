// charts/mutual-identity/README.md: what the chart is, and a table of its values from the comments of values.yaml. Used by files.ts.
// Each value needs a comment of its own: one without is refused, so that none is left unexplained.

import { isMap, isScalar, type Pair, parseDocument } from 'yaml'

/** A value of the chart, as people set it. */
export interface ChartValue {
  /** `image.tag` */
  readonly path: string
  readonly fallback: unknown
  readonly help: string
}

/** Every value of values.yaml in its order. A map that is empty, or whose keys are people's own (labels), is one value. Throws where a comment is missing. */
export function chartValues(text: string): readonly ChartValue[] {
  const { contents, errors } = parseDocument(text)
  if (errors[0]) throw errors[0]
  return valuesOf(contents, '', undefined)
}

function valuesOf(node: unknown, path: string, help: string | undefined): readonly ChartValue[] {
  // With a comment a map explains itself, unless its entries do.
  if (isMap(node) && node.items.some((pair) => commentOf(pair, node) !== undefined || isMap(pair.value))) {
    return node.items.flatMap((pair) => {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key)
      return valuesOf(pair.value, path === '' ? key : `${path}.${key}`, commentOf(pair, node))
    })
  }
  if (help === undefined) throw new Error(`values.yaml: ${path} has no comment: say what it does in the lines above it`)
  return [{ path, fallback: isMap(node) ? node.toJSON() : (node as { toJSON(): unknown }).toJSON(), help }]
}

/** The comment above a key. That of a first key stands with the map. */
function commentOf(pair: Pair<unknown, unknown>, map: { items: unknown[]; commentBefore?: string | null | undefined }): string | undefined {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined
  const text = own ?? (map.items[0] === pair ? map.commentBefore : undefined)
  // What is set apart by an empty line speaks of more than this key.
  return text
    ?.split('\n\n')
    .at(-1)
    ?.split('\n')
    .map((line) => line.trim())
    .join(' ')
}

const INTRODUCTION = `# Helm chart of Mutual Identity

Installs the operator: kinds, Deployment, rights, admission policies, network policy. How to install, upgrade, back up and uninstall: [docs/install.md](../../docs/install.md).

\`\`\`sh
helm install mutual-identity charts/mutual-identity --namespace mutual-identity-system --create-namespace
\`\`\`

One installation in a cluster: kinds and rights are of the cluster, so names do not depend on that of the release.

## Values

| value | default | does |
|---|---|---|
`

/** The text of the README. */
export function chartReadme(values: string): string {
  const rows = chartValues(values).map(
    ({ path, fallback, help }) => `| \`${path}\` | \`${JSON.stringify(fallback)}\` | ${help.replaceAll('|', '\\|')} |\n`,
  )
  return `${INTRODUCTION}${rows.join('')}`
}
