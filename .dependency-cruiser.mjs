// Who may import whom: the layer table of docs/architecture.md as rules for dependency-cruiser. Run by scripts/check.ts ("layers").
// It must not hold an exception without its reason. test/contract/checks.test.ts shows that each rule fails on a violation.

/** Core modules that reach outside the process. node:crypto, node:util, node:buffer, node:url and the like do not. */
const IO_CORE =
  '^(node:)?(fs|fs/promises|http|https|http2|tls|dgram|dns|dns/promises|child_process|cluster|worker_threads|os|readline|readline/promises|repl|inspector|timers|timers/promises|process|stream|stream/promises|tty|perf_hooks|sqlite|v8|vm)$'
/** Not node:net: isIP and its like are arithmetic. biome.json refuses the rest of it (noRestrictedImports). */
const NETWORK_CORE = '^(node:)?(http|https|http2|tls|dgram)$'

/** Files of a controller's folder, and of folders in it, that read caches, write or run. All others there are pure like the plan, which is made of them. */
const IMPURE = '(controller|observe|service-names|triggers|default-authority|perform|report)[^/]*\\.ts$'
const PURE = `(?!${IMPURE})(?![a-z-]+/${IMPURE}).+`

/** Files beside the controllers' folders that plans are made of as well. */
const SHARED_PURE = '^src/controllers/(readiness|metric-label)\\.ts$'

/** Files of src/pki that only read text or bytes: what users wrote is parsed with them. Keys, signing and profiles are made elsewhere. */
const PKI_MAKERS = '^src/pki/(keys|sign|root|leaf|request)[^/]*\\.ts$'

/** Imports that are gone at run time bring no code along. */
const RUNTIME = { dependencyTypesNot: ['type-only', 'type-import'] }

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from: { path: from }, to })

/** Of our own code, files of `from` may import nothing but `allowed`. */
const layer = (name, from, allowed, more = {}) =>
  rule(name, `Of ours it may import only: ${allowed.join(' ') || 'nothing'}`, from, {
    path: '^(src|test|scripts)/',
    pathNot: allowed,
    ...more,
  })

/** Files of `from` do nothing outside the process. */
const noIo = (name, from) => rule(name, 'No files, network, processes or timers here', from, { path: IO_CORE, ...RUNTIME })

const LAYERS = [
  layer('base-imports-nothing', '^src/base/', ['^src/base/']),

  layer('api-layer', '^src/api/', ['^src/api/', '^src/base/', '^src/pki/']),
  rule('api-only-pki-parsers', 'What users see is parsed, not signed: no key is made here', '^src/api/', { path: PKI_MAKERS, ...RUNTIME }),
  noIo('api-no-io', '^src/api/'),

  layer('pki-layer', '^src/pki/', ['^src/pki/', '^src/base/']),
  rule('pki-no-clock', 'Times are arguments', '^src/pki/', { path: '^src/base/clock\\.ts$', ...RUNTIME }),
  noIo('pki-no-io', '^src/pki/'),

  layer('k8s-layer', '^src/k8s/', ['^src/k8s/', '^src/base/']),

  layer('runtime-layer', '^src/runtime/', ['^src/runtime/', '^src/base/', '^src/k8s/']),

  layer('issuers-layer', '^src/issuers/', ['^src/issuers/', '^src/base/', '^src/api/', '^src/pki/', '^src/k8s/']),
  {
    ...rule('issuers-apart', 'No issuer knows another one', '^src/issuers/([^/]+?)(?:\\.ts$|/)', {
      path: '^src/issuers/',
      pathNot: ['^src/issuers/issuer\\.ts$', '^src/issuers/$1(\\.ts$|/)'],
    }),
  },

  layer(
    'plan-layer',
    `^src/controllers/([^/]+)/${PURE}`,
    [`^src/controllers/$1/${PURE}`, SHARED_PURE, '^src/api/', '^src/base/(?!clock|random)', '^src/pki/(?!keys)'],
    RUNTIME,
  ),
  layer('shared-plan-layer', SHARED_PURE, ['^src/api/', '^src/base/(?!clock|random)', '^src/pki/(?!keys)'], RUNTIME),
  layer('plan-layer-types', `^src/controllers/([^/]+)/${PURE}`, [
    '^src/controllers/($1/|[^/]+\\.ts$)',
    '^src/(api|base|pki|k8s)/',
    '^src/issuers/issuer\\.ts$',
  ]),
  noIo('plan-no-io', [`^src/controllers/[^/]+/${PURE}`, SHARED_PURE]),
  rule('plan-no-packages', 'A plan is our own arithmetic over facts', `^src/controllers/[^/]+/${PURE}`, {
    path: 'node_modules/',
    ...RUNTIME,
  }),

  layer('controllers-layer', '^src/controllers/([^/]+)', [
    '^src/controllers/($1/|[^/]+\\.ts$)',
    '^src/(api|base|pki|k8s|runtime)/',
    '^src/issuers/issuer\\.ts$',
  ]),

  layer('webhook-pure', '^src/webhook/(admit|inject)', ['^src/webhook/(admit|inject)', '^src/base/', '^src/api/'], RUNTIME),
  layer('webhook-layer', '^src/webhook/', ['^src/webhook/', '^src/base/', '^src/api/', '^src/k8s/']),
  noIo('webhook-no-io', '^src/webhook/(admit|inject)'),

  layer('telemetry-layer', '^src/telemetry/', ['^src/telemetry/', '^src/base/'], RUNTIME),
  layer('telemetry-layer-types', '^src/telemetry/', ['^src/telemetry/', '^src/base/', '^src/(api|k8s|runtime|controllers)/']),

  layer('stores-layer', '^src/stores\\.ts$', ['^src/(config|stores)\\.ts$', '^src/(base|api|pki|k8s|controllers)/']),

  layer('cli-layer', '^src/cli/', [
    '^src/cli/',
    '^src/stores\\.ts$',
    '^src/(api|base|pki|k8s)/',
    '^src/controllers/[^/]+\\.ts$',
    '^src/controllers/[^/]+/(?!controller|perform|report|files/)',
  ]),

  layer('config-layer', '^src/config\\.ts$', ['^src/(api|base|pki)/']),
  {
    ...rule('operator-only-from-main', 'One place wires; nobody reaches back into it', '^src/', {
      path: '^src/(operator|controller-set|wiring)\\.ts$',
    }),
    from: { path: '^src/', pathNot: '^src/(main|operator|controller-set|wiring)\\.ts$' },
  },
  {
    ...rule('stores-only-at-the-top', 'A layer is handed its lookups', '^src/', { path: '^src/stores\\.ts$' }),
    from: { path: '^src/', pathNot: ['^src/(main|operator|controller-set|wiring)\\.ts$', '^src/cli/'] },
  },
  {
    ...rule('every-file-has-a-layer', 'A file outside the folders of the layers escapes their rules', '^src/', {}),
    from: {
      path: '^src/',
      pathNot: [
        '^src/(main|config|operator|controller-set|wiring|stores)\\.ts$',
        '^src/(base|api|pki|k8s|runtime|issuers|controllers|webhook|telemetry|cli)/',
      ],
    },
  },
  {
    ...rule('config-only-at-the-top', 'Settings are handed down as arguments', '^src/', { path: '^src/config\\.ts$' }),
    from: { path: '^src/', pathNot: '^src/(main|operator|controller-set|wiring|stores)\\.ts$' },
  },
  rule('entries-are-not-imported', 'Importing an entry would start it', '^src/', { path: '^src/(cli/)?main\\.ts$' }),
  rule('src-not-from-tests', 'What ships knows nothing of tests and scripts', '^src/', { path: '^(test|scripts)/' }),
]

const OUTSIDE = [
  {
    ...rule('only-transport-speaks-http', 'One place makes requests, so that faults, limits and credentials are seen there', '^src/', {
      path: [NETWORK_CORE, 'node_modules/undici/'],
      ...RUNTIME,
    }),
    from: { path: '^src/', pathNot: ['^src/k8s/transport', '^src/telemetry/http\\.ts$', '^src/webhook/server\\.ts$'] },
  },
  rule('servers-only-serve', 'These two listen; requests go through the transport', '^src/(telemetry|webhook)/', {
    path: ['^(node:)?dgram$', 'node_modules/undici/'],
    ...RUNTIME,
  }),
  {
    ...rule('only-pki-knows-x509', 'The X.509 library has one adapter', '^src/', {
      path: 'node_modules/(@peculiar|pkijs|asn1js|pvtsutils)/',
    }),
    from: { path: '^src/', pathNot: '^src/pki/' },
  },
  {
    ...rule('only-k8s-knows-its-client', 'The Kubernetes library has one adapter', '^src/', { path: 'node_modules/@kubernetes/' }),
    from: { path: '^src/', pathNot: '^src/k8s/' },
  },
  {
    ...rule('only-telemetry-knows-metrics', 'Nobody counts in passing; outcomes are subscribed to', '^src/', {
      path: 'node_modules/@prometheus-io/',
    }),
    from: { path: '^src/', pathNot: '^src/telemetry/' },
  },
  {
    ...rule('only-base-clock-has-timers', 'Timers and time are arguments', '^src/', {
      path: '^(node:)?(timers|timers/promises|perf_hooks)$',
    }),
    from: { path: '^src/', pathNot: '^src/base/clock\\.ts$' },
  },
  rule('process-is-a-global', 'Imported under a name, process.env and process.exit would pass the lint', '^src/', {
    path: '^(node:)?process$',
  }),
  rule('src-not-from-dev-packages', 'What ships needs only what ships with it', '^src/', {
    dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
    ...RUNTIME,
  }),
]

const SOUND = [
  { ...rule('no-cycles', 'A cycle is one module in two files', undefined, { circular: true }), from: {} },
  { ...rule('no-unresolvable', 'An import that is not there', undefined, { couldNotResolve: true }), from: {} },
  {
    ...rule('no-orphans', 'Nobody imports it and it imports nothing', undefined, {}),
    from: {
      orphan: true,
      pathNot: [
        '\\.test\\.ts$',
        '^src/(cli/)?main\\.ts$',
        '^scripts/[^/]+\\.ts$',
        '^scripts/.+/main\\.ts$',
        '^test/(support|bench)/.+\\.mjs$',
      ],
    },
  },
]

export default {
  forbidden: [...LAYERS, ...OUTSIDE, ...SOUND],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
    },
  },
}
