// Finds bytes of private keys in texts: DER, PEM and the base64 or hex of either, any 40 characters in a row. For tests that no key leaks.
// What a key shares with its certificate (its public half) or with every other key (the header) is no find.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'

export const WINDOW = 40

/** Says which form of which key (counted from 0) a text holds; undefined when it holds none. Blanks and escaped newlines do not hide a key. */
export function keyDetector(pems: readonly (string | Buffer)[]): (text: string) => string | undefined {
  const windows = new Map<string, string>()
  for (const [index, pem] of pems.entries()) {
    const key = createPrivateKey(pem)
    const harmless = new Set([...publicForms(key), ...privateForms(alike(key), formatLike(pem))].flatMap(({ text }) => [...windowsOf(text)]))
    for (const { name, text } of privateForms(key, String(pem))) {
      for (const window of windowsOf(text)) if (!harmless.has(window)) windows.set(window, `${name} of key ${index}`)
    }
  }
  return (text) => {
    for (const candidate of [text, squeezed(text)]) {
      for (const window of windowsOf(candidate)) {
        const found = windows.get(window)
        if (found !== undefined) return found
      }
    }
    return undefined
  }
}

interface Form {
  readonly name: string
  readonly text: string
}

function privateForms(key: KeyObject, pem: string): Form[] {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  return [
    { name: 'DER in hex', text: der.toString('hex') },
    ...base64Of('DER', der),
    { name: 'PEM', text: squeezed(pem) },
    ...base64Of('PEM', Buffer.from(pem)),
  ]
}

function publicForms(key: KeyObject): Form[] {
  const der = createPublicKey(key as never).export({ format: 'der', type: 'spki' })
  return [{ name: 'public', text: der.toString('hex') }, ...base64Of('public', der)]
}

/** At each of the three offsets at which bytes can stand within a longer base64 text. */
function base64Of(name: string, bytes: Buffer): Form[] {
  return [0, 1, 2].map((offset) => ({ name: `base64 of ${name}`, text: bytes.subarray(offset).toString('base64') }))
}

function* windowsOf(text: string): Iterable<string> {
  for (let at = 0; at + WINDOW <= text.length; at++) yield text.slice(at, at + WINDOW)
}

const squeezed = (text: string): string => text.replace(/\\[nr]|\s/g, '')

/** Another key of the same kind. */
function alike(key: KeyObject): KeyObject {
  const { namedCurve = 'prime256v1', modulusLength = 3072 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa') return generateKeyPairSync('rsa', { modulusLength }).privateKey
  if (key.asymmetricKeyType === 'ed25519') return generateKeyPairSync('ed25519').privateKey
  return generateKeyPairSync('ec', { namedCurve }).privateKey
}

/** The PEM of another key, for what all PEM texts have in common. */
function formatLike(pem: string | Buffer): string {
  return String(alike(createPrivateKey(pem)).export({ format: 'pem', type: 'pkcs8' }))
}
