import { describe, expect, it } from '@jest/globals'
import { createLog, type LogFields, type LogLevel, silentLog } from '../../../src/base/log.ts'
import { textLines } from '../../../src/base/log-text.ts'
import { generateKeyPair, type KeyType } from '../../../src/pki/keys.ts'
import { keyDetector } from '../../support/key-detector.ts'

function logged(level: LogLevel = 'debug') {
  const lines: string[] = []
  return { lines, log: createLog(level, (line) => lines.push(line)) }
}

describe('a log line', () => {
  it('is one line of JSON with time, level, message and fields', () => {
    const { lines, log } = logged()
    log.info('certificate issued', { namespace: 'shop', detail: 'two\nlines' })
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/^[^\n]*\n$/)
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      namespace: 'shop',
      detail: 'two\nlines',
      message: 'certificate issued',
    })
  })

  it('is never longer than people can read, whatever it quotes', () => {
    const { lines, log } = logged()
    log.info('x', { detail: `a${'\u{1f600}'.repeat(500_000)}` })
    expect(lines[0]?.length).toBeLessThan(10_000)
    expect(JSON.parse(lines[0] ?? '').detail).toMatch(/^a.*\.\.\. \(1000001 characters\)$/u)
  })

  it('of a child has the fields of its parents', () => {
    const { lines, log } = logged()
    log.child({ controller: 'identity' }).child({ namespace: 'shop' }).warn('x', { name: 'payments' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', controller: 'identity', namespace: 'shop', name: 'payments' })
  })

  it.each<[LogLevel, number]>([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ])('is written from level %s on', (level, count) => {
    const { lines, log } = logged(level)
    for (const one of ['debug', 'info', 'warn', 'error'] as const) log[one]('x')
    expect(lines).toHaveLength(count)
  })
})

describe('a private key', () => {
  const pemOf = async (keyType: KeyType, type: 'pkcs8' | 'sec1' | 'pkcs1' = 'pkcs8') =>
    String((await generateKeyPair(keyType)).privateKey.export({ format: 'pem', type }))
  const found = async (fields: (pem: string) => LogFields & { message?: string }, pem: string) => {
    const { lines, log } = logged()
    const { message = 'x', ...rest } = fields(pem)
    log.child({ detail: rest.detail ?? '' }).error(message, rest)
    log.info('the next line')
    expect(lines.map((line) => JSON.parse(line).message)).toEqual([expect.any(String), 'the next line'])
    return keyDetector([pem])(lines.join(''))
  }

  it.each<[string, (pem: string) => LogFields & { message?: string }]>([
    ['in the message', (pem) => ({ message: `oops ${pem}` })],
    ['in a field', (pem) => ({ error: pem })],
    ['in a bound field', (pem) => ({ detail: `a ${pem} b` })],
    ['in a nested value', (pem) => ({ config: { a: [pem] } })],
    ['twice', (pem) => ({ error: pem, stack: `${pem}${pem}` })],
    ['cut off', (pem) => ({ error: pem.slice(0, -40) })],
    ['with CRLF', (pem) => ({ error: pem.replaceAll('\n', '\r\n') })],
    ['in base64, as in a Secret', (pem) => ({ error: Buffer.from(pem).toString('base64') })],
    [
      'in base64 after a certificate',
      (pem) => ({
        config: {
          'tls.crt': Buffer.from('-----BEGIN CERTIFICATE-----\n').toString('base64'),
          'tls.key': Buffer.from(pem).toString('base64'),
        },
      }),
    ],
  ])('%s does not reach the output, and the line and the next stay whole', async (_what, fields) => {
    expect(await found(fields, await pemOf('ECDSAP256'))).toBeUndefined()
  })

  it.each<[KeyType, 'sec1' | 'pkcs1' | 'pkcs8']>([
    ['ECDSAP384', 'sec1'],
    ['RSA3072', 'pkcs1'],
    ['ED25519', 'pkcs8'],
  ])('of %s as %s does not either', async (keyType, type) => {
    const pem = await pemOf(keyType, type)
    const { lines, log } = logged()
    log.error('x', { error: `${pem} ${Buffer.from(pem).toString('base64')}` })
    expect(lines.join('')).not.toContain(pem.split('\n')[1])
    expect(lines.join('')).not.toContain(Buffer.from(pem).toString('base64').slice(100, 140))
  })

  it('takes the rest of its line not with it', () => {
    const { lines, log } = logged()
    log.error('before', { error: '-----BEGIN PRIVATE KEY-----\nabc', name: 'after' })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ error: '[private key removed]', name: 'after', message: 'before' })
  })
})

it('the silent log is silent, and so are its children', () => {
  expect(silentLog.child({ name: 'x' })).toBe(silentLog)
})

describe('a line for people', () => {
  const lineOf = (fields: object) =>
    textLines(JSON.stringify({ level: 'info', time: '2026-11-24T07:09:03.123Z', message: 'certificate issued', ...fields }))
  it('begins with time, level and message, then who, then the rest', () => {
    expect(lineOf({ controller: 'identity', namespace: 'shop', name: 'payments', reason: 'RenewalDue', detail: 'it was due' })).toBe(
      '07:09:03Z  INFO   certificate issued  identity shop/payments  reason=RenewalDue  detail="it was due"\n',
    )
  })
  it('cuts fingerprints, and nothing else', () => {
    const fingerprint = '0123456789abcdef'.repeat(4)
    const serialNumber = '0100000004000000000000000000000000'
    expect(lineOf({ fingerprint, serialNumber, detail: `not ${fingerprint}` })).toContain(
      `fingerprint=0123456789abcdef  serialNumber=${serialNumber}  detail="not 0123456789abcdef"\n`,
    )
  })
  it('names a cluster object without a namespace', () => {
    expect(lineOf({ controller: 'authority', name: 'default' })).toContain('authority default')
  })
  it('quotes what would drive a terminal or break the line', () => {
    const line = lineOf({ detail: '\u001b[2J \u009b2J', error: 'a\nb', name: 'x', reason: 'a\u202eb' })
    expect(line).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u)
    expect(line.split('\n')).toHaveLength(2)
  })
  it('shows lists and numbers as JSON', () => {
    expect(lineOf({ dnsNames: ['a', 'b'], count: 3 })).toMatch(/dnsNames=\["a","b"\] {2}count=3\n$/)
  })
  it.each(['not JSON\n', 'null\n', '5\n', '"text"\n', ''])('passes %j as it is: it is not ours', (line) => {
    expect(textLines(line)).toBe(line)
  })
})
