// Finds the Go toolchain and says what is missing where there is none to build with. Used by build.ts.
// Must not install or choose one: GOTOOLCHAIN and the proxy settings are the user's.
import { execFile } from 'node:child_process'
import type { Environment } from './cache.ts'
import { ControlPlaneFailure, codeOf } from './failure.ts'
import { formatVersion, isAtLeast, parseVersion } from './version.ts'

const leastGo = { major: 1, minor: 26 } as const

/** Environment of every go command here: what would change the result is fixed, all else is left to the user. */
export function goEnvironment(environment: Environment = process.env): NodeJS.ProcessEnv {
  return {
    ...environment,
    CGO_ENABLED: '0',
    GOWORK: 'off',
    // Not empty: an empty variable would let `go env -w GOFLAGS=...` through.
    GOFLAGS: '-mod=readonly',
    GOOS: process.platform === 'darwin' ? 'darwin' : 'linux',
    GOARCH: process.arch === 'arm64' ? 'arm64' : 'amd64',
  }
}

/** Fails with the remedies if `go` is absent or too old. Runs inside the module, where Go may switch to a newer toolchain. */
export async function checkGo(module: string, environment: Environment = process.env): Promise<void> {
  const complaint = await complaintAboutGo(module, environment)
  if (complaint === undefined) return
  const least = formatVersion(leastGo)
  throw new ControlPlaneFailure(
    [
      complaint,
      'Any of these helps:',
      `  - install Go ${least} or newer and put \`go\` on PATH; the parts are then built from source, once;`,
      '  - set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd (and kube-controller-manager), Kubernetes 1.37 or newer;',
      '  - put those executables on PATH.',
    ].join('\n'),
  )
}

function complaintAboutGo(module: string, environment: Environment): Promise<string | undefined> {
  const needed = `Go ${formatVersion(leastGo)} or newer is needed`
  return new Promise((resolve) => {
    execFile('go', ['env', 'GOVERSION'], { cwd: module, env: goEnvironment(environment) }, (error, stdout, stderr) => {
      if (error !== null && codeOf(error) === 'ENOENT') return resolve(`${needed}; there is no \`go\` on PATH.`)
      // A Go that may not switch to a newer toolchain refuses the module: it names both versions.
      if (error !== null) return resolve(`${needed}; \`go\` says: ${stderr.trim() || error.message}`)
      const version = parseVersion(stdout)
      const isGood = version !== undefined && isAtLeast(version, leastGo)
      resolve(isGood ? undefined : `${needed}, found is ${stdout.trim()}.`)
    })
  })
}
