// A perfect forgery but for one thing: a certificate with the client's own names, from a CA that the forger made up. Used by the refusals.

import { systemClock } from '../../src/base/clock.ts'
import { hours } from '../../src/base/duration.ts'
import { systemRandom } from '../../src/base/random.ts'
import { generateKeyPair, generateLeafKey, privateKeyPem } from '../../src/pki/keys.ts'
import { formatPem } from '../../src/pki/pem.ts'
import { createRoot, signLeaf } from '../../src/pki/sign.ts'
import { parseSpiffeId } from '../../src/pki/spiffe-id.ts'

/** Certificate (with the forged root after it) and key, PEM. */
export async function forgeIdentity(uri: string): Promise<{ readonly cert: string; readonly key: string }> {
  const spiffeId = parseSpiffeId(uri)
  const now = systemClock.now()
  const rootKey = await generateKeyPair('ECDSAP256')
  const root = await createRoot(
    { trustDomain: spiffeId.trustDomain, generation: 1, keyType: 'ECDSAP256', lifetime: hours(24) },
    rootKey,
    now,
    systemRandom,
  )
  const leafKey = await generateLeafKey('ECDSAP256')
  const profile = { spiffeId, dnsNames: [], keyType: 'ECDSAP256', lifetime: hours(1) } as const
  const leaf = await signLeaf(profile, leafKey.publicKey, { certificate: root, privateKey: rootKey.privateKey }, now, systemRandom)
  const cert = [leaf, root].map(({ der }) => formatPem('CERTIFICATE', der)).join('')
  return { cert, key: privateKeyPem(leafKey.privateKey).toString('latin1') }
}
