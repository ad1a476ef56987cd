// `explain NAMESPACE NAME`: what the controller would do next about an identity, why, and when - from the controller's own observe and plan,
// under the rights of the person who asks. Reads only; facts that may not be read are unknown.

import { parseArgs } from 'node:util'
import { systemClock } from '../base/clock.ts'
import { OperatorError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import { observeIdentity } from '../controllers/identity/observe.ts'
import { planIdentity } from '../controllers/identity/plan.ts'
import { createClient } from '../k8s/client.ts'
import { loadAccess } from '../k8s/kubeconfig.ts'
import { createTransport } from '../k8s/transport.ts'
import type { Certificate } from '../pki/certificate.ts'
import { explanation } from './explanation.ts'
import { fillStores } from './fill-stores.ts'

export const EXPLAIN_USAGE =
  'explain NAMESPACE NAME [--kubeconfig FILE] [--context NAME] [--operator-namespace NS] [--cluster-domain NAME] [-o text|json]'

/** Exit code 0: ready and nothing to do; 3: waiting or something to do; 4: refused, a person is needed. Throws what keeps it from answering. */
export async function explain(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ text: string; exitCode: number }> {
  const { namespace, name, options } = readArguments(args)
  const access = await loadAccess({
    clock: systemClock,
    kubeconfig: options.kubeconfig,
    context: options.context,
    environment: environment,
  })
  const transport = createTransport(access, { clock: systemClock, connections: 8 })
  try {
    const client = createClient(transport, { clock: systemClock, random: systemRandom, fieldManager: 'mutual-explain' })
    const stores = await fillStores(client, namespace, options['operator-namespace'])
    const identity = stores.identities.get(namespace, name)
    if (!identity) throw new OperatorError('blocked', 'NotFound', notFound(namespace, name, stores.identities.readable))
    // Whether the operator restarts workloads cannot be told from here: its own status of the identity says so.
    const surroundings = {
      operatorNamespace: options['operator-namespace'],
      clusterDomain: options['cluster-domain'],
      restartWorkloads: true,
    }
    const facts = observeIdentity(identity, stores, surroundings)
    const now = systemClock.now()
    const plan = planIdentity(facts, now)
    const exitCode = plan.readiness.state === 'refused' ? 4 : plan.readiness.state === 'ready' && plan.step.kind === 'none' ? 0 : 3
    return {
      text: options.output === 'json' ? `${JSON.stringify({ facts, plan }, forPrograms, 2)}\n` : explanation(facts, plan, now),
      exitCode,
    }
  } finally {
    await transport.close()
  }
}

/** Anchors as their fingerprints: their texts are in the bundle already, and bytes as JSON are of no use. */
function forPrograms(key: string, value: unknown): unknown {
  return key === 'anchors' ? (value as readonly Certificate[]).map(({ fingerprint }) => fingerprint) : value
}

function readArguments(args: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      kubeconfig: { type: 'string' },
      context: { type: 'string' },
      'operator-namespace': { type: 'string', default: 'mutual-identity-system' },
      'cluster-domain': { type: 'string', default: 'cluster.local' },
      output: { type: 'string', short: 'o', default: 'text' },
    },
  })
  const [namespace, name, ...more] = positionals
  if (namespace === undefined || name === undefined || more.length > 0 || !['text', 'json'].includes(values.output)) {
    throw new OperatorError('blocked', 'Usage', `Usage: ${EXPLAIN_USAGE}`)
  }
  return { namespace, name, options: values }
}

function notFound(namespace: string, name: string, readable: boolean): string {
  return readable
    ? `there is no MutualIdentity ${name} in namespace ${namespace} (kubectl get mid -n ${namespace})`
    : `MutualIdentities of namespace ${namespace} may not be read by this account`
}
