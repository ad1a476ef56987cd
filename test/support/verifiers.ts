// Other programs' verifiers, as judges of what we make: OpenSSL, Go's crypto/x509, a TLS handshake of Node. Where one is missing the test
// fails and says so: a judge that is left out has found everybody innocent. It must not judge by our own code.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'

interface Ran {
  readonly code: number
  readonly output: string
}

/** Runs a program to its end; `output` is both streams. Throws when there is no such program. */
function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {},
): Promise<Ran> {
  const { input, ...rest } = options
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { ...rest, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && (error as NodeJS.ErrnoException).code === 'ENOENT') {
        reject(new Error(`${program} is missing: put it on PATH, these tests need it as a judge`))
      } else resolve({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, output: stdout + stderr })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** A chain and who should accept it. */
export interface Case {
  /** PEM, leaf first. */
  readonly chain: string
  /** PEM. */
  readonly roots: string
  readonly at: number
}

/** What `openssl verify -x509_strict` says for a server and for a client; empty when it accepts. */
export async function opensslVerdict({ chain, roots, at }: Case): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mutual-identity-verify-'))
  try {
    await Promise.all([writeFile(join(folder, 'chain.pem'), chain), writeFile(join(folder, 'roots.pem'), roots)])
    const files = ['-CAfile', 'roots.pem', '-untrusted', 'chain.pem', 'chain.pem']
    for (const purpose of ['sslserver', 'sslclient']) {
      const rules = ['-x509_strict', '-no-CApath', '-no-CAstore', '-attime', String(Math.floor(at / 1000)), '-purpose', purpose]
      const { code, output } = await run('openssl', ['verify', ...rules, ...files], { cwd: folder })
      if (code !== 0) return output.trim()
    }
    return ''
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A CA as an administrator makes one with OpenSSL: names in several string types, RSA with 2048 bits. PEM. */
export async function opensslCa(subject: string): Promise<{ certificate: string; key: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'mutual-identity-ca-'))
  try {
    const usage = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
    const out = ['-keyout', 'ca.key', '-out', 'ca.crt']
    const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-utf8', '-days', '30', '-subj', subject, ...usage, ...out]
    const { code, output } = await run('openssl', args, { cwd: folder })
    if (code !== 0) throw new Error(output)
    const [certificate, key] = await Promise.all(['ca.crt', 'ca.key'].map((file) => readFile(join(folder, file), 'latin1')))
    return { certificate: certificate as string, key: key as string }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** How `openssl x509 -text` prints a certificate. Throws when it cannot. */
export async function opensslText(pem: string): Promise<string> {
  const { code, output } = await run('openssl', ['x509', '-noout', '-text'], { input: pem })
  if (code !== 0) throw new Error(output)
  return output
}

/** What Go says about each case; empty where it accepts. */
export async function goVerdicts(cases: readonly (Case & { readonly uri: string; readonly dnsName: string })[]): Promise<string[]> {
  const input = cases.map(({ chain, roots, at, uri, dnsName }) => ({ chain, roots, uri, dnsName, at: new Date(at).toISOString() }))
  const { code, output } = await run(await goVerifier(), [], { input: JSON.stringify(input) })
  if (code !== 0) throw new Error(output)
  return JSON.parse(output)
}

/** Builds the Go program once for each version of its source; in a folder of temporary files that later runs find again. */
async function goVerifier(): Promise<string> {
  const source = join(import.meta.dirname, 'verify-go')
  const text = await readFile(join(source, 'main.go'))
  const folder = join(tmpdir(), `mutual-identity-verify-go-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`)
  const program = join(folder, 'verify')
  const isBuilt = await access(program).then(
    () => true,
    () => false,
  )
  if (isBuilt) return program
  await mkdir(folder, { recursive: true })
  const fresh = `${program}.${process.pid}`
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' }
  const { code, output } = await run('go', ['build', '-o', fresh, '.'], { cwd: source, env })
  if (code !== 0) throw new Error(`go build failed: ${output}`)
  await rename(fresh, program)
  return program
}

/** One end of a connection: what its files hold. */
export interface Party {
  readonly key: string | Buffer
  readonly chain: string
  readonly ca: string
}

/** What each end learnt about the other. */
export interface Handshake {
  readonly serverSaw: string | undefined
  readonly clientSaw: string | undefined
}

/** A mutual TLS handshake over loopback, by the system's clock; the client expects `servername`. Rejects with the error of the end that refused. */
export async function handshake(serverSide: Party, clientSide: Party, servername: string): Promise<Handshake> {
  const server = createServer({
    key: serverSide.key,
    cert: serverSide.chain,
    ca: serverSide.ca,
    requestCert: true,
    rejectUnauthorized: false,
  })
  const accepted = new Promise<string | undefined>((resolve, reject) => {
    server.once('secureConnection', (socket) => {
      // Node's own rejection of a client keeps the reason to itself.
      if (!socket.authorized) return reject(new Error(`the client is not authorized: ${socket.authorizationError}`))
      resolve(seenBy(socket))
      socket.end('hello')
    })
    server.once('tlsClientError', reject)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const raw = connectTcp((server.address() as AddressInfo).port, '127.0.0.1')
  const client = connect({ socket: raw, servername, key: clientSide.key, cert: clientSide.chain, ca: clientSide.ca })
  const greeted = new Promise<string | undefined>((resolve, reject) => {
    client.once('error', reject)
    client.once('close', () => reject(new Error('the server closed the connection')))
    // Under TLS 1.3 the client is done before the server has looked at its certificate: only data says that both agreed.
    client.once('data', () => resolve(seenBy(client)))
  })
  for (const side of [accepted, greeted]) side.catch(() => undefined)
  try {
    // The first to refuse gives the error; the other only sees the connection go.
    const [serverSaw, clientSaw] = await Promise.all([accepted, greeted])
    return { serverSaw, clientSaw }
  } finally {
    client.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}

function seenBy(socket: TLSSocket): string | undefined {
  return socket.getPeerCertificate().subjectaltname
}
