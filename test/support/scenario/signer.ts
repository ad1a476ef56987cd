// The CA of an authority in a world, as it is stored: for scenarios that begin with many certificates. Used by them alone.

import { secrets } from '../../../src/k8s/resource.ts'
import { readChain } from '../../../src/pki/certificate.ts'
import { parsePrivateKey } from '../../../src/pki/keys.ts'
import type { Signer } from '../../../src/pki/sign.ts'
import { OPERATOR_NAMESPACE } from '../material.ts'
import { file } from './cast.ts'
import type { World } from './world.ts'

/** Generation 1. */
export function signerOf(world: World, authority: string): Signer {
  const secret = world.api.object(secrets, { namespace: OPERATOR_NAMESPACE, name: `${authority}-ca-1` })
  const [certificate] = readChain(file(secret, 'tls.crt'))
  if (!certificate) throw new Error(`${authority} has no CA`)
  return { certificate, privateKey: parsePrivateKey(Buffer.from(file(secret, 'tls.key'), 'latin1')) }
}
