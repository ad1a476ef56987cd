import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type AccessOptions, loadAccess } from '../../../src/k8s/kubeconfig.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'access-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const clock = virtualClock()
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Writes a kubeconfig (JSON is YAML) with one cluster, user and context of this name. */
function kubeconfig(name: string, user: object, cluster: object = {}): string {
  const path = join(folder, `${name}.yaml`)
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name, cluster: { server: `https://${name}.example:6443`, ...cluster } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: name, user: name, namespace: `${name}-ns` } }],
    }),
  )
  return path
}

const load = (options: Partial<AccessOptions>) =>
  loadAccess({ clock, environment: {}, serviceAccountFolder: join(folder, 'none'), ...options })

describe('a kubeconfig', () => {
  it('gives server, namespace, client certificate and authority, and names no credentials', async () => {
    const user = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') }
    const access = await load({ kubeconfig: kubeconfig('kind', user, { 'certificate-authority-data': base64('CA') }) })
    expect(access).toMatchObject({ server: 'https://kind.example:6443', namespace: 'kind-ns' })
    expect(access.describe).toBe('https://kind.example:6443 as kind (context kind)')
    expect(await access.credentials()).toEqual({ tls: { ca: 'CA', cert: 'CERT', key: 'KEY' }, headers: {} })
  })

  it('honours token, tls-server-name, insecure-skip-tls-verify, proxy-url, basic authentication and impersonation', async () => {
    const cluster = { 'tls-server-name': 'inner', 'insecure-skip-tls-verify': true, 'proxy-url': 'http://proxy.example:3128' }
    const withToken = await load({ kubeconfig: kubeconfig('t', { token: 'abc', as: 'someone' }, cluster) })
    expect(withToken.proxy).toBe('http://proxy.example:3128')
    expect(await withToken.credentials()).toEqual({
      tls: { servername: 'inner', rejectUnauthorized: false },
      headers: { authorization: 'Bearer abc', 'impersonate-user': 'someone' },
    })
    const basic = await load({ kubeconfig: kubeconfig('b', { username: 'u', password: 'p' }) })
    expect((await basic.credentials()).headers).toEqual({ authorization: `Basic ${base64('u:p')}` })
  })

  it('may speak plain http', async () => {
    const access = await load({ kubeconfig: kubeconfig('plain', {}, { server: 'http://127.0.0.1:8001' }) })
    expect([access.server, await access.credentials()]).toEqual([
      'http://127.0.0.1:8001',
      { tls: { rejectUnauthorized: false }, headers: {} },
    ])
  })

  it('reads its files relative to itself, and again after 10 s', async () => {
    writeFileSync(join(folder, 'c.crt'), 'CERT-1')
    writeFileSync(join(folder, 'c.key'), 'KEY-1')
    const access = await load({ kubeconfig: kubeconfig('f', { 'client-certificate': 'c.crt', 'client-key': 'c.key' }) })
    const first = await access.credentials()
    await clock.advance(11_000)
    expect((await access.credentials()).tls).toBe(first.tls)
    writeFileSync(join(folder, 'c.crt'), 'CERT-2')
    expect((await access.credentials()).tls).toBe(first.tls)
    await clock.advance(11_000)
    expect((await access.credentials()).tls).toEqual({ cert: 'CERT-2', key: 'KEY-1' })
  })

  it('takes the context asked for, and of several files the first that names a thing', async () => {
    const files = [kubeconfig('one', { token: '1' }), join(folder, 'absent'), kubeconfig('two', { token: '2' })]
    const environment = { KUBECONFIG: files.join(':') }
    expect((await load({ environment })).server).toBe('https://one.example:6443')
    const second = await load({ environment, context: 'two' })
    expect([second.server, (await second.credentials()).headers]).toEqual(['https://two.example:6443', { authorization: 'Bearer 2' }])
  })

  it.each([
    ['there is none', async () => await load({ kubeconfig: join(folder, 'absent') }), 'absent does not exist'],
    ['the context is unknown', async () => await load({ kubeconfig: kubeconfig('k', {}), context: 'x' }), 'has no context x'],
    [
      'KUBECONFIG names nothing that exists',
      async () => await load({ environment: { KUBECONFIG: join(folder, 'absent') } }),
      'there is no kubeconfig at',
    ],
  ])('is missed with a clear error when %s', async (_, run, message) => {
    await expect(run()).rejects.toMatchObject({
      consequence: 'blocked',
      reason: 'NoClusterAccess',
      message: expect.stringContaining(message),
    })
  })

  it('that cannot be parsed is not quoted', async () => {
    const path = join(folder, 'broken')
    writeFileSync(path, 'users:\n- user:\n    token: secret-thing\n  x: [')
    await expect(load({ kubeconfig: path })).rejects.toMatchObject({ message: expect.not.stringContaining('secret-thing') })
  })
})

describe('a credential plugin', () => {
  const plugin = (script: string) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script], interactiveMode: 'Never' },
  })
  /** Prints a token that counts how often it ran. */
  const counting = () => {
    const path = JSON.stringify(join(folder, 'runs'))
    return plugin(`const fs = require('node:fs'); fs.appendFileSync(${path}, '.');
      const token = 'token-' + fs.readFileSync(${path}).length
      console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }))`)
  }

  it('runs once for all who ask, and again only when its credentials are refused', async () => {
    const access = await load({ kubeconfig: kubeconfig('exec', counting()) })
    const both = await Promise.all([access.credentials(), access.credentials()])
    expect(both.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-1'])
    await clock.advance(11_000)
    expect((await access.credentials()).headers.authorization).toBe('Bearer token-1')
    access.refused()
    expect((await access.credentials()).headers.authorization).toBe('Bearer token-2')
  })

  it('that fails is named, but nothing of what it wrote', async () => {
    const access = await load({ kubeconfig: kubeconfig('bad', plugin(`console.error('secret-thing'); process.exit(1)`)) })
    const refused = access.credentials()
    await expect(refused).rejects.toMatchObject({ consequence: 'retry', message: expect.stringContaining('the credential plugin') })
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('secret-thing') })
  })
})

describe('the service account of a pod', () => {
  const environment = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
  const mount = (files: Record<string, string>) => {
    mkdirSync(join(folder, 'sa'), { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'sa', name), text)
    return join(folder, 'sa')
  }

  it('is used where there is one and no kubeconfig is asked for', async () => {
    const serviceAccountFolder = mount({ token: 'T1\n', 'ca.crt': 'CA1', namespace: 'system' })
    const access = await load({ environment, serviceAccountFolder })
    expect(access).toMatchObject({ server: 'https://10.0.0.1:443', namespace: 'system' })
    expect(await access.credentials()).toEqual({ tls: { ca: 'CA1' }, headers: { authorization: 'Bearer T1' } })
    expect((await load({ environment, serviceAccountFolder, kubeconfig: kubeconfig('flag', {}) })).server).toBe('https://flag.example:6443')
  })

  it('brackets an IPv6 address', async () => {
    const serviceAccountFolder = mount({ token: 'T', 'ca.crt': 'CA' })
    const access = await load({ environment: { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' }, serviceAccountFolder })
    expect(access.server).toBe('https://[fd00::1]:443')
  })

  it('follows a rotated token within 10 s, at once when it was refused, and a rotated authority', async () => {
    const serviceAccountFolder = mount({ token: 'T1', 'ca.crt': 'CA1' })
    const access = await load({ environment, serviceAccountFolder })
    const first = await access.credentials()
    mount({ token: 'T2-longer' })
    expect((await access.credentials()).headers.authorization).toBe('Bearer T1')
    await clock.advance(10_000)
    const second = await access.credentials()
    expect([second.headers.authorization, second.tls === first.tls]).toEqual(['Bearer T2-longer', true])
    mount({ token: 'T3', 'ca.crt': 'CA2-longer' })
    access.refused()
    expect(await access.credentials()).toEqual({ tls: { ca: 'CA2-longer' }, headers: { authorization: 'Bearer T3' } })
  })

  it('whose token vanishes for a moment is a passing fault', async () => {
    const serviceAccountFolder = mount({ token: 'T1', 'ca.crt': 'CA1' })
    const access = await load({ environment, serviceAccountFolder })
    rmSync(join(serviceAccountFolder, 'token'))
    await expect(access.credentials()).rejects.toMatchObject({ consequence: 'retry', reason: 'NoClusterAccess' })
    mount({ token: 'T2' })
    expect((await access.credentials()).headers.authorization).toBe('Bearer T2')
  })
})
