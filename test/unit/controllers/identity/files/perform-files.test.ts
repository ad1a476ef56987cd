// The files of a leaf Secret: what happens to key material where one of them cannot be made.

import { expect, it } from '@jest/globals'
import { keyFiles, type StoreContext } from '../../../../../src/controllers/identity/files/perform-files.ts'
import { generateLeafKey, privateKeyPem } from '../../../../../src/pki/keys.ts'

it('the files that hold the key are nothing but zeros where a keystore cannot be made', async () => {
  const { privateKey } = await generateLeafKey('ECDSAP256')
  const pem = privateKeyPem(privateKey)
  const made: Buffer[] = []
  const concat = Buffer.concat
  Buffer.concat = (...args) => {
    const bytes = concat(...args)
    made.push(bytes)
    return bytes
  }
  try {
    const context = { alias: 'web', now: 0, password: () => Promise.reject(new Error('no password')) } as unknown as StoreContext
    await expect(keyFiles({ privateKey, privateKeyPem: pem, chain: [] }, ['CombinedPEM', 'JKS'], context)).rejects.toThrow('no password')
  } finally {
    Buffer.concat = concat
  }
  expect([pem, ...made].map((bytes) => bytes.every((octet) => octet === 0))).toEqual([true, true])
})
