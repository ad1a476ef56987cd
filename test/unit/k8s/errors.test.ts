import { describe, expect, it } from '@jest/globals'
import {
  errorFromReply,
  errorFromStatus,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNamespaceTerminating,
  isNotFound,
  isTooLargeResourceVersion,
} from '../../../src/k8s/errors.ts'

const status = (code: number, reason: string, more: object = {}): string =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: 'said the server', ...more })

describe('an answer of the API server as an error', () => {
  it.each([
    [400, 'BadRequest', 'bug', 'BadRequest'],
    [401, 'Unauthorized', 'retry', 'Unauthorized'],
    [403, 'Forbidden', 'blocked', 'Forbidden'],
    [404, 'NotFound', 'retry', 'NotFound'],
    [405, 'MethodNotAllowed', 'bug', 'BadRequest'],
    [409, 'AlreadyExists', 'retry', 'AlreadyExists'],
    [409, 'Conflict', 'retry', 'Conflict'],
    [410, 'Expired', 'retry', 'Expired'],
    [413, 'RequestEntityTooLarge', 'blocked', 'RequestTooLarge'],
    [422, 'Invalid', 'blocked', 'Invalid'],
    [429, 'TooManyRequests', 'retry', 'Throttled'],
    [500, 'InternalError', 'retry', 'ServerError'],
    [503, 'ServiceUnavailable', 'retry', 'ServerError'],
    [504, 'Timeout', 'retry', 'ServerError'],
  ])('%i %s has the consequence %s and the reason %s', (code, reason, consequence, expected) => {
    const error = errorFromReply(code, status(code, reason), undefined)
    expect(error).toMatchObject({ code, status: reason, consequence, reason: expected, message: 'said the server' })
  })

  it('waits for a person where an admission webhook refused, whatever code it gave', () => {
    const error = errorFromReply(
      400,
      status(400, 'BadRequest', { message: 'admission webhook "p.example" denied the request: no' }),
      undefined,
    )
    expect(error).toMatchObject({ consequence: 'blocked', reason: 'RefusedByAdmission' })
  })

  it('tells a namespace that terminates from missing rights', () => {
    const details = {
      causes: [{ reason: 'NamespaceTerminating', message: 'namespace a is being terminated', field: 'metadata.namespace' }],
    }
    const error = errorFromReply(403, status(403, 'Forbidden', { details }), undefined)
    expect([isNamespaceTerminating(error), isForbidden(error)]).toEqual([true, false])
  })

  it('recognises a version that is too large by its cause and by the message of older servers', () => {
    const byCause = errorFromReply(
      504,
      status(504, 'Timeout', { details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] } }),
      undefined,
    )
    const byMessage = errorFromStatus({ kind: 'Status', code: 504, message: 'Too large resource version: 9, current: 3' }, 500)
    expect([byCause, byMessage].map(isTooLargeResourceVersion)).toEqual([true, true])
    expect(isTooLargeResourceVersion(errorFromReply(504, status(504, 'Timeout'), undefined))).toBe(false)
  })

  it('answers the questions of callers', () => {
    const of = (code: number, reason: string) => errorFromReply(code, status(code, reason), undefined)
    expect(isNotFound(of(404, 'NotFound'))).toBe(true)
    expect(isAlreadyExists(of(409, 'AlreadyExists'))).toBe(true)
    expect(isConflict(of(409, 'AlreadyExists'))).toBe(false)
    expect(isConflict(of(409, 'Conflict'))).toBe(true)
    expect(isGone(of(410, 'Gone'))).toBe(true)
    expect(isNotFound(new Error('no'))).toBe(false)
  })

  it('carries Retry-After, of the header before that of the body', () => {
    expect(errorFromReply(429, status(429, 'TooManyRequests', { details: { retryAfterSeconds: 3 } }), undefined).after).toBe(3000)
    expect(errorFromReply(429, status(429, 'TooManyRequests', { details: { retryAfterSeconds: 3 } }), 7000).after).toBe(7000)
    expect(errorFromReply(500, status(500, 'InternalError'), undefined).after).toBeUndefined()
  })

  it('passes on nothing of a body that is no Status', () => {
    for (const body of ['<html>secret-thing</html>', '"secret-thing"', '{"kind":"Secret","message":"secret-thing"}', 'null', '']) {
      const error = errorFromReply(502, body, undefined)
      expect(error).toMatchObject({ code: 502, consequence: 'retry', message: 'the API server answered 502' })
    }
  })

  it('survives a Status of strange types', () => {
    const error = errorFromStatus(
      { kind: 'Status', code: '410', reason: 3, message: {}, details: { causes: [null, 3, { reason: 4 }] } },
      410,
    )
    expect(error).toMatchObject({ code: 410, status: '', reason: 'Expired', causes: [{}, {}, {}] })
  })

  it.each([
    [
      '"\\"\\" is invalid: patch: Invalid value: \\"{\\\\\\"data\\\\\\":{\\\\\\"tls.key\\\\\\":\\\\\\"secret-thing\\\\\\"}}\\": strict decoding error: unknown field \\"x\\""',
      'unknown field',
    ],
    [JSON.stringify('patch: Invalid value: {"data":{"a":"secret-thing"}}: no'), 'Invalid value'],
    [JSON.stringify('patch: Invalid value: "{\\"data\\": \\"secret-thing'), 'Invalid value'],
    [JSON.stringify(`a: Invalid value: "secret-thing${'x'.repeat(100)}": no`), ': no'],
    [JSON.stringify('cannot be handled: bad, error found in #10 byte of ...|secret-thing|..., bigger context'), 'cannot be handled: bad'],
  ])('leaves out the object that the server echoes: %s', (message, kept) => {
    const error = errorFromReply(
      422,
      status(422, 'Invalid', { message: JSON.parse(message), details: { causes: [{ message: JSON.parse(message) }] } }),
      undefined,
    )
    expect(error.message).toContain(kept)
    expect(error.message + error.causes[0]?.message).not.toContain('secret-thing')
  })

  it('keeps the short value of a field, which helps a person', () => {
    const message = 'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain must consist of'
    expect(errorFromReply(422, status(422, 'Invalid', { message }), undefined).message).toBe(message)
  })

  it.each([
    [422, 'Invalid', '"" is invalid: patch: Invalid value: "{}": strict decoding error: unknown field "x"'],
    [500, '', 'failed to create typed patch object (p/a; /v1, Kind=ConfigMap): .x: field not declared in schema'],
    [400, 'BadRequest', 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "x"'],
  ])('takes an unknown field for our mistake, also with %i', (code, reason, message) => {
    expect(errorFromReply(code, status(code, reason, { message }), undefined)).toMatchObject({ consequence: 'bug', reason: 'BadRequest' })
  })

  it('cuts long messages', () => {
    expect(errorFromReply(422, status(422, 'Invalid', { message: 'x'.repeat(5000) }), undefined).message).toHaveLength(1024)
  })
})
