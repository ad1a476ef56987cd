// Finds bytes of private keys in texts: DER, PEM and the base64 or hex of either, any 40 characters in a row. For tests that no key leaks.
// What a key shares with its certificate (its public half) or with every other key (the header) is no find.

import { createPrivateKey } from 'node:crypto'

export const WINDOW = 40
/** So many of them must be of the secret part: less is no use to anybody, and may stand in a certificate by its public half. */
const SECRET = 16

/** A form of a key, and which of its characters the secret part decides. */
interface Form {
  readonly name: string
  readonly text: string
  readonly secret: readonly boolean[]
}

/** Says which form of which key (counted from 0) a text holds; undefined when it holds none. Blanks and escaped newlines do not hide a key. */
export function keyDetector(pems: readonly (string | Buffer)[]): (text: string) => string | undefined {
  const windows = new Map<string, string>()
  for (const [index, pem] of pems.entries()) {
    for (const form of formsOf(pem)) for (const window of secretWindows(form)) windows.set(window, `${form.name} of key ${index}`)
  }
  return (text) => {
    for (const candidate of [text, squeezed(text)]) {
      for (const [run] of candidate.matchAll(RUN)) {
        for (let at = 0; at + WINDOW <= run.length; at++) {
          const found = windows.get(run.slice(at, at + WINDOW))
          if (found !== undefined) return found
        }
      }
    }
    return undefined
  }
}

/** All that windows are made of: hex and base64. */
const RUN = new RegExp(`[0-9A-Za-z+/=]{${WINDOW},}`, 'g')

/** The texts in which the bytes of a PKCS#8 key may stand. */
function formsOf(pem: string | Buffer): Form[] {
  const key = createPrivateKey(pem)
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const secret = secretBytes(der, key.export({ format: 'jwk' }))
  const [body] = base64Of('PEM', der, secret) as [Form]
  const lines = Array.from({ length: Math.ceil(body.text.length / 64) }, (_, line) => line * 64)
  const block = ['-----BEGIN PRIVATE KEY-----', ...lines.map((from) => body.text.slice(from, from + 64)), '-----END PRIVATE KEY-----', '']
  const text = block.join('\n')
  const marks = block.flatMap((line, at) =>
    [...line].map((_, column) => at > 0 && (body.secret[(at - 1) * 64 + column] ?? false)).concat(false),
  )
  return [
    { name: 'DER in hex', text: der.toString('hex'), secret: secret.flatMap((is) => [is, is]) },
    ...base64Of('base64 of DER', der, secret),
    ...base64Of('base64 of PEM', Buffer.from(text), marks),
  ]
}

/** Which bytes of a PKCS#8 key are secret: those of the secret members of its JWK (RFC 7518 section 6, RFC 8037). */
function secretBytes(der: Buffer, jwk: object): boolean[] {
  const secret = new Array<boolean>(der.length).fill(false)
  for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) {
    const text = (jwk as Record<string, string | undefined>)[member]
    const bytes = text === undefined ? undefined : Buffer.from(text, 'base64url')
    const at = bytes ? der.indexOf(bytes) : -1
    if (bytes && at >= 0) secret.fill(true, at, at + bytes.length)
  }
  if (!secret.includes(true)) throw new Error('a key without a secret part')
  return secret
}

/** At each of the three offsets at which bytes can stand within a longer base64 text. */
function base64Of(name: string, bytes: Buffer, secret: readonly boolean[]): Form[] {
  return [0, 1, 2].map((offset) => {
    const text = bytes.subarray(offset).toString('base64')
    const byteAt = (bit: number): boolean => secret[offset + Math.floor(bit / 8)] ?? false
    return { name, text, secret: [...text].map((_, at) => byteAt(6 * at) || byteAt(6 * at + 5)) }
  })
}

function* secretWindows({ text, secret }: Form): Iterable<string> {
  let secrets = 0
  for (let end = 0; end < text.length; end++) {
    secrets += Number(secret[end]) - Number(secret[end - WINDOW] ?? false)
    if (end + 1 >= WINDOW && secrets >= SECRET) yield text.slice(end + 1 - WINDOW, end + 1)
  }
}

const squeezed = (text: string): string => text.replace(/\\[nr]|\s/g, '')
