// Plain calls to the API server of a local control plane, without any code of src: what a person's kubectl sends and gets.
// Used by cluster tests of CRDs and rights. It retries nothing and throws only where no answer comes.

import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { parse } from 'yaml'
import type { ControlPlane } from '../../scripts/control-plane/index.ts'
import { generatedFiles } from '../../scripts/generate/files.ts'

export interface Answer {
  readonly code: number
  /** Empty where the answer is not JSON. */
  readonly body: Readonly<Record<string, unknown>>
  /** Of a Status, else the text. */
  readonly message: string
}

export type Call = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
  options?: { readonly contentType?: string; readonly accept?: string },
) => Promise<Answer>

export const MERGE_PATCH = 'application/merge-patch+json'

/** Calls as the user of a kubeconfig, the administrator by default. Unknown fields are refused, as kubectl has it. */
export function createCaller(plane: ControlPlane, kubeconfigFile = plane.kubeconfigFile): Call {
  const [{ user }] = parse(readFileSync(kubeconfigFile, 'utf8')).users
  const bytes = (name: string): Buffer => Buffer.from(user[`${name}-data`], 'base64')
  const credentials = { ca: readFileSync(plane.caFile), cert: bytes('client-certificate'), key: bytes('client-key') }
  return (method, path, body, { contentType = 'application/json', accept = 'application/json' } = {}) => {
    const url = new URL(path, plane.url)
    if (method === 'POST' || method === 'PUT' || method === 'PATCH') url.searchParams.set('fieldValidation', 'Strict')
    return new Promise((resolve, reject) => {
      const headers = { accept, 'content-type': contentType }
      const sent = request(url, { method, headers, ...credentials }, (reply) => {
        const parts: Buffer[] = []
        reply.on('data', (part: Buffer) => parts.push(part))
        reply.on('error', reject)
        reply.on('end', () => resolve(readAnswer(reply.statusCode ?? 0, Buffer.concat(parts).toString('utf8'))))
      })
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
}

function readAnswer(code: number, text: string): Answer {
  // A path that is not served is answered in plain text.
  const body = text.startsWith('{') ? JSON.parse(text) : {}
  return { code, body, message: String(body.message ?? text) }
}

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** Installs the CRDs as they are written to crds/, and waits until their kinds are served. */
export async function installDefinitions(call: Call): Promise<void> {
  const definitions = generatedFiles().flatMap(({ path, text }) => (path.startsWith('crds/') ? [parse(text)] : []))
  for (const definition of definitions) {
    const { code, message } = await call('POST', DEFINITIONS, definition)
    if (code !== 201) throw new Error(message)
  }
  for (const { metadata, spec } of definitions) {
    await until(`${metadata.name} is established`, async () => {
      const { body } = await call('GET', `${DEFINITIONS}/${metadata.name}`)
      const { conditions = [] } = (body.status ?? {}) as { conditions?: { type: string; status: string; message: string }[] }
      const wrong = conditions.find(({ type, status }) => type === 'NonStructuralSchema' && status === 'True')
      if (wrong) throw new Error(wrong.message)
      const served = await call('GET', `/apis/${spec.group}/${spec.versions[0].name}/${spec.names.plural}`)
      return served.code === 200 && conditions.some(({ type, status }) => type === 'Established' && status === 'True')
    })
  }
}

/** Asks again until it is so, for 20 seconds. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    if (await isSo()) return
    await wait(50)
  }
  throw new Error(`waited in vain until ${what}`)
}
