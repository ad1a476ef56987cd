// The local control plane itself: two side by side, the faults the tests inject, and that nothing is left of one,
// however it ends. Everything else under test/cluster stands on this.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ControlPlane, startControlPlane } from '../../scripts/control-plane/index.ts'

const silent = () => undefined

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API server says; each test looks at a few fields
  readonly body: any
}

/** One request with the client certificate of a kubeconfig. */
async function ask(kubeconfigFile: string, path: string, post?: unknown): Promise<Answer> {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfigFile, 'utf8'))
  const bytes = (text: string) => Buffer.from(text, 'base64')
  const question = request(new URL(path, clusters[0].cluster.server), {
    agent: false,
    method: post === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ca: bytes(clusters[0].cluster['certificate-authority-data']),
    cert: bytes(users[0].user['client-certificate-data']),
    key: bytes(users[0].user['client-key-data']),
  })
  question.end(post === undefined ? undefined : JSON.stringify(post))
  const [response] = await once(question, 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return { status: response.statusCode, body: text.startsWith('{') ? JSON.parse(text) : text }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`not within 30 s: ${isSo}`)
    await sleep(50)
  }
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false // ESRCH: there is no such process
  }
  // A container's first process may not collect what it inherits: a zombie is dead too.
  return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
}

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

describe('two control planes side by side', () => {
  let one: ControlPlane
  let two: ControlPlane

  beforeAll(async () => {
    const started = await Promise.all([startControlPlane({ say: silent }), startControlPlane({ say: silent })])
    one = started[0]
    two = started[1]
  })

  afterAll(async () => {
    await Promise.all([one?.stop(), two?.stop()])
  })

  it('are ready for their administrators', async () => {
    expect(await ask(one.kubeconfigFile, '/readyz')).toEqual({ status: 200, body: 'ok' })
    expect(await ask(two.kubeconfigFile, '/readyz')).toEqual({ status: 200, body: 'ok' })
  })

  it('share nothing', async () => {
    expect(one.url).not.toBe(two.url)
    expect(one.directory).not.toBe(two.directory)
    expect(readFileSync(one.caFile, 'utf8')).not.toBe(readFileSync(two.caFile, 'utf8'))
    await ask(one.kubeconfigFile, '/api/v1/namespaces', namespace('only-in-one'))
    expect((await ask(two.kubeconfigFile, '/api/v1/namespaces/only-in-one')).status).toBe(404)
  })

  it('give a new namespace its service account: the controller manager works', async () => {
    expect((await ask(two.kubeconfigFile, '/api/v1/namespaces', namespace('fresh'))).status).toBe(201)
    await until(async () => (await ask(two.kubeconfigFile, '/api/v1/namespaces/fresh/serviceaccounts/default')).status === 200)
  })

  it('serve PodCertificateRequest and ClusterTrustBundle v1', async () => {
    const { body } = await ask(one.kubeconfigFile, '/apis/certificates.k8s.io/v1')
    const kinds = body.resources.map((resource: { kind: string }) => resource.kind)
    expect(kinds).toEqual(expect.arrayContaining(['PodCertificateRequest', 'ClusterTrustBundle']))
  })

  it('tell which version they are', async () => {
    expect((await ask(one.kubeconfigFile, '/version')).body.gitVersion).toMatch(/^v1\.\d+\.\d+/)
  })

  it('issue service account tokens that they accept', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    const spec = { audiences: null, expirationSeconds: 600 }
    const granted = await ask(one.kubeconfigFile, `${accounts}/default/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec,
    })
    expect(granted.status).toBe(201)
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: granted.body.status.token } }
    const reviewed = await ask(one.kubeconfigFile, '/apis/authentication.k8s.io/v1/tokenreviews', review)
    expect(reviewed.body.status.user.username).toBe('system:serviceaccount:default:default')
  })

  it('make clients of any name, with the rights of that name only', async () => {
    const node = await one.clientKubeconfig('system:node:n1', ['system:nodes'])
    const self = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const { body } = await ask(node, '/apis/authentication.k8s.io/v1/selfsubjectreviews', self)
    expect(body.status.userInfo).toMatchObject({ username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] })
    expect((await ask(node, '/api/v1/secrets')).status).toBe(403)
  })

  it('keep their data and their address when the API server is killed and started again', async () => {
    const { url } = two
    const before = two.pids['kube-apiserver'] ?? 0
    await ask(two.kubeconfigFile, '/api/v1/namespaces', namespace('lasting'))
    await two.stopApiServer()
    expect(lives(before)).toBe(false)
    expect(two.pids).not.toHaveProperty('kube-apiserver')
    await expect(ask(two.kubeconfigFile, '/readyz')).rejects.toThrow('ECONNREFUSED')

    await two.startApiServer()
    expect(two.url).toBe(url)
    expect(two.pids['kube-apiserver']).not.toBe(before)
    expect((await ask(two.kubeconfigFile, '/api/v1/namespaces/lasting')).status).toBe(200)
    await ask(two.kubeconfigFile, '/api/v1/namespaces', namespace('later'))
    await until(async () => (await ask(two.kubeconfigFile, '/api/v1/namespaces/later/serviceaccounts/default')).status === 200)
  })

  it('refuse to start a second API server on the same data', async () => {
    await expect(one.startApiServer()).rejects.toThrow('kube-apiserver is running already')
  })

  it('leave no process and no folder after stop, which may be called twice', async () => {
    const pids = Object.values(two.pids)
    expect(pids).toHaveLength(3)
    expect(pids.every(lives)).toBe(true)
    await Promise.all([two.stop(), two.stop()])
    expect(pids.filter(lives)).toEqual([])
    expect(existsSync(two.directory)).toBe(false)
    expect((await ask(one.kubeconfigFile, '/readyz')).status).toBe(200)
  })
})

describe('a control plane', () => {
  it('that fails to start says which part, why, and where its log is, and leaves nothing else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'failing-'))
    const directory = join(folder, 'here')
    const failure = await startControlPlane({ directory, apiServerFlags: ['--no-such-flag'], say: silent }).then(
      async (started) => {
        await started.stop()
        throw new Error('it started')
      },
      (error) => error,
    )
    expect(failure.message).toMatch(/^kube-apiserver ended with status 1\./)
    expect(failure.message).toContain('unknown flag: --no-such-flag')
    const log = /all: (.*)\)/.exec(failure.message)?.[1] ?? ''
    expect(readFileSync(log, 'utf8')).toContain('unknown flag: --no-such-flag')
    expect(existsSync(directory)).toBe(false)
    rmSync(folder, { recursive: true })
    rmSync(log, { force: true })
  })

  it('does not take a folder that holds something', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'taken-'))
    writeFileSync(join(directory, 'precious'), '')
    await expect(startControlPlane({ directory, say: silent })).rejects.toThrow(`${directory} is not empty`)
    expect(readdirSync(directory)).toEqual(['precious'])
    rmSync(directory, { recursive: true })
  })

  it.each(['SIGKILL', 'SIGINT', 'process.exit(1)', "setTimeout(() => { throw new Error('uncaught') })"])(
    'ends with its owner: %s',
    async (end) => {
      const byItself = !end.startsWith('SIG')
      const { owner, pids, directory } = await startInAnotherProcess(byItself ? end : '')
      if (!byItself) owner.kill(end as NodeJS.Signals)
      await until(() => pids.every((pid) => !lives(pid)) && !existsSync(directory))
    },
  )
})

interface Elsewhere {
  readonly owner: ChildProcess
  readonly pids: readonly number[]
  readonly directory: string
}

/** Resolves once it is ready; then the process does `next`, or nothing. */
async function startInAnotherProcess(next: string): Promise<Elsewhere> {
  const index = new URL('../../scripts/control-plane/index.ts', import.meta.url).href
  const code = `
    import { startControlPlane } from ${JSON.stringify(index)}
    const { pids, directory } = await startControlPlane({ controllerManager: false, say: () => {} })
    process.stdout.write(JSON.stringify({ pids: Object.values(pids), directory }) + '\\n', () => { ${next} })
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = await once(createInterface({ input: owner.stdout }), 'line')
  return { owner, ...JSON.parse(line) }
}
