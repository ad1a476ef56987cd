// A CPU profile of V8, added up by layers of the operator. Used by the bench.

/** As `--cpu-prof` writes it; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[]
  /** For each sample the node that was on top. */
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string }
  readonly children?: readonly number[]
}

/** What a path within `src` belongs to, the first that fits. */
const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^pki\//, 'keys, certificates'],
  [/^(telemetry\/|base\/log)/, 'log, metrics'],
  [/^(controllers|runtime|issuers)\/|^controller-set/, 'plans, passes, queue'],
  [/^(api|base|stores)/, 'objects read and written'],
  [/^k8s\//, 'client, watches, caches'],
]
const LOADING = 'loading its modules'
const COLLECTION = 'garbage collection'
const HTTP = 'HTTP, TLS'
const LOG = 'log, metrics'
const REST = 'the rest of Node'

export const LAYERS: readonly string[] = [
  'keys, certificates',
  'client, watches, caches',
  HTTP,
  'objects read and written',
  'plans, passes, queue',
  LOG,
  COLLECTION,
  REST,
]

/** Milliseconds by layer. A sample belongs to the innermost frame that has one: OpenSSL below our certificates is certificates. Loading modules is left out. */
export function byLayer({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)))
  const layers = new Map<string, number>()
  const known = new Map<number, string | undefined>()
  for (const [index, id] of samples.entries()) {
    if (!known.has(id)) known.set(id, layerOf(stackOf(id, byId, parents)))
    const layer = known.get(id)
    if (layer === undefined || layer === LOADING) continue
    layers.set(layer, (layers.get(layer) ?? 0) + (timeDeltas[index] as number) / 1000)
  }
  return layers
}

/** Innermost first. */
function stackOf(id: number, byId: ReadonlyMap<number, ProfileNode>, parents: ReadonlyMap<number, number>): readonly ProfileNode[] {
  const stack: ProfileNode[] = []
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) stack.push(byId.get(at) as ProfileNode)
  return stack
}

/** Undefined: it did nothing. */
function layerOf(stack: readonly ProfileNode[]): string | undefined {
  const { functionName } = (stack[0] as ProfileNode).callFrame
  if (functionName === '(idle)' || functionName === '(root)') return undefined
  if (functionName === '(garbage collector)') return COLLECTION
  if (stack.some(({ callFrame: { url } }) => url.includes('internal/modules/') || url.includes('internal/bootstrap/'))) return LOADING
  for (const { callFrame } of stack) {
    const layer = layerOfFile(callFrame.url)
    if (layer !== undefined) return layer
  }
  return REST
}

function layerOfFile(url: string): string | undefined {
  const [, library] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (library !== undefined) return library === 'undici' ? HTTP : /pino|prometheus|sonic/.test(library) ? LOG : undefined
  const [, path] = /\/src\/(.+)$/.exec(url) ?? []
  if (path !== undefined) return FOLDERS.find(([pattern]) => pattern.test(path))?.[1]
  return /^node:(net|tls|_http|internal\/(stream_base|streams))/.test(url) ? HTTP : undefined
}
