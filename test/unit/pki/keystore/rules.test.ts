import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Certificate } from '../../../../src/pki/certificate.ts'
import { checkAlias, checkAnchors } from '../../../../src/pki/keystore/content.ts'
import { jksTrustStore } from '../../../../src/pki/keystore/jks.ts'
import { checkKeystorePassword, type KeystoreFormat } from '../../../../src/pki/keystore/password.ts'
import { pkcs12TrustStore } from '../../../../src/pki/keystore/pkcs12.ts'
import { fixedRandom, NOW, oddCertificate } from '../../../support/certificates.ts'
import { accepted, refusalOf, refused } from '../../../support/refusals.ts'

const FORMATS: readonly KeystoreFormat[] = ['JKS', 'PKCS12']

describe('a password', () => {
  it.each([
    ['empty', '', 'fewer than 6 characters'],
    ['short', '12345', 'fewer than 6 characters'],
    ['long', 'x'.repeat(1025), 'more than 1024 characters'],
    ['with NUL', 'secret\0', 'a control character'],
    ['with a line break', 'changeit\n', 'a control character'],
    ['with half of a character', 'secret\ud83d', 'not valid UTF-8'],
    ['with a replacement character', 'secret\ufffd', 'not valid UTF-8'],
  ])('%s is refused in both formats', (_, password, rule) => {
    for (const format of FORMATS) {
      const { consequence, reason, message } = refusalOf(() => checkKeystorePassword(password, format))
      expect({ consequence, reason }).toEqual({ consequence: 'blocked', reason: 'KeystorePasswordInvalid' })
      expect(message).toContain(rule)
      expect(message).toContain(': store ')
    }
  })

  it.each([
    ['of 6 characters', '123456'],
    ['of 1,024 characters', 'x'.repeat(1024)],
    ['of signs and blanks', ' ~!"$%& '],
  ])('%s is accepted in both formats', (_, password) => {
    for (const format of FORMATS) checkKeystorePassword(password, format)
  })

  it('beyond ASCII is accepted in JKS and refused in PKCS#12, which Java would not open', () => {
    checkKeystorePassword('pässwört', 'JKS')
    expect(refused(() => checkKeystorePassword('pässwört', 'PKCS12'))).toMatch(/^KeystorePasswordInvalid: .*outside ASCII/)
  })

  it('is never repeated by its refusal, not even in part', () => {
    const short = fc.string({ maxLength: 2 }).map((text) => `§¤¶${text}`)
    const broken = fc.string({ minLength: 3 }).map((text) => `§¤¶${text}\n`)
    fc.assert(
      fc.property(fc.oneof(short, broken), fc.constantFrom(...FORMATS), (password, format) => {
        expect(refusalOf(() => checkKeystorePassword(password, format)).message).not.toMatch(/[§¤¶]/)
      }),
    )
  })
})

describe('an alias', () => {
  it.each([
    ['that is empty', '', 'is empty'],
    ['of more than a line', 'x'.repeat(256), 'more than 255 characters'],
    ['with a line break', 'a\nb', 'control character'],
    ['with half of a character', 'a\ud83d', 'half of a character'],
  ])('%s is refused', (_, alias, rule) => {
    const { consequence, reason, message } = refusalOf(() => checkAlias(alias))
    expect({ consequence, reason }).toEqual({ consequence: 'blocked', reason: 'KeystoreAliasInvalid' })
    expect(message).toContain(rule)
    expect(message.length).toBeLessThan(200)
  })

  it('is accepted or refused, and nothing else', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (alias) => void accepted(() => checkAlias(alias))))
  })
})

describe('the stores look at what they are given', () => {
  let certificate: Certificate
  beforeAll(async () => {
    certificate = await oddCertificate()
  })

  it('two anchors under one alias are refused, also where only capital letters tell them apart', () => {
    const anchors = [
      { alias: 'Root', certificate },
      { alias: 'root', certificate },
    ]
    expect(refused(() => checkAnchors(anchors))).toMatch(/^KeystoreAliasInvalid: .*"root" occurs twice/)
  })

  it('a password before anything else', async () => {
    const content = { anchors: [{ alias: '', certificate }], password: 'short' }
    expect(refused(() => jksTrustStore({ ...content, createdAt: NOW }))).toMatch(/^KeystorePasswordInvalid: .*JKS/)
    await expect(pkcs12TrustStore(content, fixedRandom(1))).rejects.toThrow('the password of the PKCS12 keystore is refused')
  })

  it('then the aliases', async () => {
    const content = { anchors: [{ alias: '', certificate }], password: 'changeit' }
    expect(refused(() => jksTrustStore({ ...content, createdAt: NOW }))).toMatch(/^KeystoreAliasInvalid/)
    await expect(pkcs12TrustStore(content, fixedRandom(1))).rejects.toThrow('the keystore alias "" is empty')
  })
})
