// Asks the API server over HTTPS as the administrator, as far as starting needs it. Used by start.ts.
// Must not reuse connections: each question is about the process that listens now.
import { request } from 'node:https'
import type { KeyAndCertificate } from './certificates.ts'

export interface Prober {
  /** whether GET answers 200; a refused or broken connection is a no */
  answers(path: string): Promise<boolean>
}

const timeout = 5_000 // ms

export function createProber(url: string, authority: string, client: KeyAndCertificate): Prober {
  return {
    answers: (path) =>
      new Promise((resolve) => {
        const question = request(
          new URL(path, url),
          { agent: false, ca: authority, cert: client.certificate, key: client.key, timeout },
          (response) => {
            response.resume()
            response.once('close', () => resolve(response.statusCode === 200))
          },
        )
        question.once('timeout', () => question.destroy())
        // Not listening yet, another program's port, cut off: all the same "not ready" here.
        question.once('error', () => resolve(false))
        question.once('close', () => resolve(false))
        question.end()
      }),
  }
}
