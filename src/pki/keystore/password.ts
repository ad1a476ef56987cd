// The rules for passwords of keystores. Used by the two formats beside it, and by whoever reads a password from a Secret.
// No message of it repeats a password, a part of one or its length.

import { OperatorError } from '../../base/errors.ts'

/** The formats, by what their readers do with a password. */
export type KeystoreFormat = 'JKS' | 'PKCS12'

/** keytool's own minimum for a new store (KeyTool.java, "must be at least 6 characters"), in UTF-16 units as Java counts. */
const MIN_LENGTH = 6
/** More than anybody types; each derivation of a key hashes it. */
const MAX_LENGTH = 1024

interface Rule {
  readonly isBroken: (password: string) => boolean
  readonly says: string
  readonly remedy: string
}

const COMMON: readonly Rule[] = [
  {
    isBroken: (password) => password.length < MIN_LENGTH,
    says: `it has fewer than ${MIN_LENGTH} characters, which keytool does not take`,
    remedy: 'store a longer one, best 20 random letters and digits',
  },
  {
    isBroken: (password) => password.length > MAX_LENGTH,
    says: `it has more than ${MAX_LENGTH} characters`,
    remedy: 'store a shorter one: 20 random letters and digits are enough',
  },
  {
    isBroken: (password) => /\p{Cc}/u.test(password),
    says: 'it holds a control character (NUL, a line break)',
    remedy: 'store it without: a line break at the end comes from `echo`, `printf %s` writes none',
  },
  {
    isBroken: (password) => !password.isWellFormed() || password.includes('\ufffd'),
    says: 'it is not valid UTF-8',
    remedy: 'store it as UTF-8 text, best of letters and digits',
  },
]

const RULES = {
  JKS: COMMON,
  PKCS12: [
    ...COMMON,
    {
      // PBEKey.java refuses all others ("Password is not ASCII"), so no Java could open the store.
      isBroken: (password) => /[^\x20-\x7e]/.test(password),
      says: 'it holds a character outside ASCII, and Java opens no PKCS#12 store with such a password',
      remedy: 'store one of ASCII letters, digits and signs',
    },
  ],
} satisfies Record<KeystoreFormat, readonly Rule[]>

/** Throws `KeystorePasswordInvalid` (blocked) with the broken rule and what to do; never with the value. */
export function checkKeystorePassword(password: string, format: KeystoreFormat): void {
  const broken = RULES[format].find(({ isBroken }) => isBroken(password))
  if (!broken) return
  const message = `the password of the ${format} keystore is refused: ${broken.says}: ${broken.remedy}`
  throw new OperatorError('blocked', 'KeystorePasswordInvalid', message)
}
