// The programs that read our keystores, as judges of them: Java's keytool, OpenSSL, Node's TLS; and a reader of JKS for tests of many stores,
// for which a JVM each would take too long. It must not use the code that wrote the stores.

import { execFile } from 'node:child_process'
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { it } from '@jest/globals'

/** A test where there is Java, a skipped one (and shown as such) where there is none: developers of the operator need not have it, CI does. */
export const itWithJava: typeof it | typeof it.skip = hasProgram('keytool') ? it : it.skip

function hasProgram(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly output: string
}

function run(program: string, args: readonly string[], cwd: string): Promise<Ran> {
  const env = { ...process.env, LC_ALL: 'C.UTF-8' }
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { cwd, env, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(new Error(`${program} did not run: ${error.message}`))
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, output: stdout + stderr })
    })
  })
}

async function inFolder<T>(files: Readonly<Record<string, string | Buffer>>, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'mutual-identity-keystore-'))
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** UTF-8 for aliases and passwords, and English for what is matched. */
const KEYTOOL = ['-J-Dfile.encoding=UTF-8', '-J-Duser.language=en', '-J-XX:TieredStopAtLevel=1', '-J-XX:+UseSerialGC']

/** What an entry of a store is, by Java. */
export interface JavaEntry {
  readonly alias: string
  readonly type: string
  /** DER; the leaf first. */
  readonly certificates: readonly Buffer[]
}

export type Format = 'PKCS12' | 'JKS'

/** What `keytool -list` shows. Rejects with its words when it cannot read the store. */
export function javaEntries(store: Buffer, format: Format, password: string): Promise<JavaEntry[]> {
  return inFolder({ store, password }, async (folder) => {
    const args = [...KEYTOOL, '-list', '-rfc', '-keystore', 'store', '-storetype', format, '-storepass:file', 'password']
    const { code, stdout, output } = await run('keytool', args, folder)
    if (code !== 0) throw new Error(output)
    return stdout
      .split('\nAlias name: ')
      .slice(1)
      .map((text) => ({
        alias: text.slice(0, text.indexOf('\n')),
        type: /^Entry type: (\w+)/m.exec(text)?.[1] ?? '',
        certificates: certificatesOf(text),
      }))
  })
}

/** A key and what came with it. */
export interface ReadKey {
  readonly key: KeyObject | undefined
  readonly certificates: readonly Buffer[]
  /** All that was printed. */
  readonly text: string
}

/** What Java takes out of a store, by way of `keytool -importkeystore` into one that it writes itself. */
export function javaKey(store: Buffer, format: Format, password: string): Promise<ReadKey> {
  return inFolder({ store, password }, async (folder) => {
    const from = ['-srckeystore', 'store', '-srcstoretype', format, '-srcstorepass:file', 'password']
    const to = ['-destkeystore', 'out', '-deststoretype', 'PKCS12', '-deststorepass', 'changeit']
    const { code, output } = await run('keytool', [...KEYTOOL, '-importkeystore', '-noprompt', ...from, ...to], folder)
    if (code !== 0) throw new Error(output)
    return opensslKey(await readFile(join(folder, 'out')), 'changeit')
  })
}

/** What `openssl pkcs12 -info` shows, without the help of its legacy provider. Rejects with its words when it cannot read the store. */
export function opensslKey(store: Buffer, password: string): Promise<ReadKey> {
  return inFolder({ store, password }, async (folder) => {
    const args = ['pkcs12', '-in', 'store', '-passin', 'file:password', '-info', '-nodes']
    const { code, stdout, output } = await run('openssl', args, folder)
    if (code !== 0) throw new Error(output)
    const [key] = stdout.match(/-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/) ?? []
    return { key: key === undefined ? undefined : createPrivateKey(key), certificates: certificatesOf(stdout), text: output }
  })
}

function certificatesOf(text: string): Buffer[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.map((pem) => Buffer.from(new X509Certificate(pem).raw))
}

/** An entry of a JKS store; `key` is PKCS#8. */
export interface JksEntry {
  readonly alias: string
  readonly createdAt: number
  readonly key: Buffer | undefined
  readonly certificates: readonly Buffer[]
}

/** Reads a JKS store as the description in JavaKeyStore.java has it. Throws when digest, password or structure are wrong. */
export function readJks(store: Buffer, password: string): JksEntry[] {
  const secret = utf16(password)
  const body = store.subarray(0, -20)
  const digest = createHash('sha1').update(secret).update('Mighty Aphrodite').update(body).digest()
  if (!digest.equals(store.subarray(-20))) throw new Error('the digest is wrong')
  let at = 0
  const take = (count: number): Buffer => {
    at += count
    return body.subarray(at - count, at)
  }
  const int = (): number => take(4).readUInt32BE()
  const text = (): string => utf8OfSurrogates(take(take(2).readUInt16BE()))
  const certificate = (): Buffer => {
    if (text() !== 'X.509') throw new Error('the certificate is of another type')
    return take(int())
  }
  if (int() !== 0xfeedfeed || int() !== 2) throw new Error('it is no JKS of version 2')
  const entries = Array.from({ length: int() }, (): JksEntry => {
    const isKey = int() === 1
    const head = { alias: text(), createdAt: Number(take(8).readBigInt64BE()) }
    if (!isKey) return { ...head, key: undefined, certificates: [certificate()] }
    const key = unmask(take(int()), secret)
    return { ...head, key, certificates: Array.from({ length: int() }, certificate) }
  })
  if (at !== body.length) throw new Error('something follows the entries')
  return entries
}

const utf16 = (text: string): Buffer =>
  Buffer.from(Array.from(text.split(''), (unit) => [unit.charCodeAt(0) >> 8, unit.charCodeAt(0) & 0xff]).flat())

/** Modified UTF-8 is CESU-8 but for U+0000: each surrogate by itself. */
function utf8OfSurrogates(bytes: Buffer): string {
  const units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const [first = 0, second = 0, third = 0] = bytes.subarray(at, at + 3)
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3
    const unit = {
      1: first,
      2: ((first & 0x1f) << 6) | (second & 0x3f),
      3: ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f),
    }[size]
    units.push(unit ?? 0)
    at += size
  }
  return String.fromCharCode(...units)
}

/** The inverse of KeyProtector.protect. The last element of EncryptedPrivateKeyInfo is an OCTET STRING of salt, masked key and check. */
function unmask(info: Buffer, secret: Buffer): Buffer {
  const header = Buffer.from('300e060a2b060104012a021101010500', 'hex')
  const start = info.indexOf(header) + header.length
  const long = (info[start + 1] ?? 0) & 0x80 ? ((info[start + 1] ?? 0) & 0x7f) + 1 : 1
  const hidden = info.subarray(start + 1 + long)
  const key = Buffer.from(hidden.subarray(20, -20))
  let digest = hidden.subarray(0, 20)
  for (let at = 0; at < key.length; at++) {
    if (at % 20 === 0) digest = createHash('sha1').update(secret).update(digest).digest()
    key[at] = (key[at] ?? 0) ^ (digest[at % 20] ?? 0)
  }
  const check = createHash('sha1').update(secret).update(key).digest()
  if (!check.equals(hidden.subarray(-20))) throw new Error('the key cannot be recovered')
  return key
}
