// What to do about parts of the installation that are missing or of another version. Helm comes first: the chart is how it is installed.

import type { OperatorSettings } from './deployment.ts'

/** Nothing of it may be there yet. `otherwise`: what else it may be, or what helps whoever applies manifests. */
export const byHelm = (otherwise: string): string =>
  `helm install, or helm upgrade where it is installed (helm list -A names the release); ${otherwise}`

/** What the chart holds and somebody took away or changed. `namespace`: of the release, where it is known. */
export const byUpgrade = (otherwise: string, namespace?: string): string =>
  `helm upgrade --reset-then-reuse-values puts it right (helm list ${namespace === undefined ? '-A' : `-n ${namespace}`} names the release); or ${otherwise}`

/** A part that is gone: where there is no Deployment either, it may be that nothing is installed. */
export const byChart = ({ isDeployed, account }: Pick<OperatorSettings, 'isDeployed' | 'account'>, otherwise: string): string =>
  isDeployed ? byUpgrade(otherwise, account.namespace) : byHelm(`or ${otherwise}`)

/**
 * What somebody changed. Helm does not put that right: it stops at a conflict with whoever changed it, or leaves what the chart does not set, and the chart
 * refuses where the account is of another namespace; it makes again what is gone. `object` as kubectl names it.
 */
export const byMakingAgain = (object: string, otherwise: string, namespace?: string): string =>
  `kubectl delete ${object}, then ${byUpgrade(otherwise, namespace)}`
