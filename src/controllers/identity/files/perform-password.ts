// The password of an identity's keystores: read by name when one is made, and forgotten with it. It never stands in facts, errors or logs.

import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { dataField } from '../../../api/stored/common.ts'
import { OperatorError } from '../../../base/errors.ts'
import type { Client } from '../../../k8s/client.ts'
import { isNotFound } from '../../../k8s/errors.ts'
import { type RawObject, secrets } from '../../../k8s/resource.ts'

/** What Java and its tools have as long as nobody says otherwise. It hides nothing: the Secret holds the key as PEM beside the keystore. */
const STANDARD_PASSWORD = 'changeit'

/** Throws `KeystorePasswordMissing` (blocked) where the Secret or its key is not there, or is no text. */
export async function keystorePassword(identity: MutualIdentity, client: Pick<Client, 'get'>): Promise<string> {
  const ref = identity.spec.delivery.keystorePasswordRef
  if (!ref) return STANDARD_PASSWORD
  const secret = await secretOrUndefined(identity.namespace, ref.name, client)
  if (!secret) throw missing(ref, `there is no Secret ${ref.name} in namespace ${identity.namespace}`)
  const bytes = dataField(secret, ref.key)
  if (!bytes) throw missing(ref, `Secret ${ref.name} has no key ${ref.key}, or it is empty`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw missing(ref, `key ${ref.key} of Secret ${ref.name} is no UTF-8 text`)
  } finally {
    bytes.fill(0)
  }
}

async function secretOrUndefined(namespace: string, name: string, client: Pick<Client, 'get'>): Promise<RawObject | undefined> {
  try {
    return await client.get(secrets, { namespace, name })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function missing({ name, key }: { name: string; key: string }, detail: string): OperatorError {
  const remedy = `put the password under key ${key} of Secret ${name}, or correct spec.delivery.keystorePasswordRef`
  return new OperatorError('blocked', 'KeystorePasswordMissing', `the keystores cannot be made: ${detail}: ${remedy}`)
}
