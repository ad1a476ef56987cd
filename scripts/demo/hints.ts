// What a person may try while all is left running (--keep), and how it ends. Used by show.ts.

import { once } from 'node:events'
import { annotations } from '../../src/api/names.ts'
import { BUILD_KUBECTL, isKubectlThere } from '../control-plane/index.ts'
import { CLIENT, SERVER, SHOP } from './names.ts'
import type { Place } from './place.ts'
import { style } from './screen.ts'
import type { Stage } from './stage.ts'

/** Resolves when the person ends it. */
export async function keepRunning(stage: Stage, { kubeconfig, local }: Place): Promise<void> {
  const { screen } = stage
  const command = (text: string, why: string): void => screen.say(`  ${text.padEnd(84)} ${style('dim', why)}`)
  screen.say()
  screen.say(style('bold', 'All is left running. In another terminal:'))
  command(`export KUBECONFIG='${kubeconfig}'`, '')
  if (!isKubectlThere()) command(BUILD_KUBECTL, 'kubectl is not on PATH: this builds one and prints where it is')
  command(`kubectl get mid -n ${SHOP} -o wide`, 'the identities')
  command(`kubectl annotate mid -n ${SHOP} ${SERVER} --overwrite ${annotations.renewRequestedAt}="$(date -u +%FT%TZ)"`, 'renews, see below')
  command(`kubectl delete secret -n ${SHOP} ${CLIENT}-mtls`, 'is made again at once')
  command(`kubectl events -n ${SHOP}`, 'what the operator did')
  command(`npm run explain -- ${SERVER} -n ${SHOP} --kubeconfig "$KUBECONFIG"`, 'what it would do next, and why')
  screen.say()
  screen.say(
    style(
      'bold',
      `Ctrl-C (or: kill ${process.pid}) ends it${local ? ', and nothing is left' : '; what was made in the cluster stays, see above'}.`,
    ),
  )
  if (!stage.signal.aborted) await once(stage.signal, 'abort')
}
