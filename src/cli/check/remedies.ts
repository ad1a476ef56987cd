// What to do about parts of the installation that are missing or of another version. Helm comes first: the chart is how it is installed.

/** Nothing of it may be there yet. `otherwise`: what else it may be, or what helps whoever applies manifests. */
export const byHelm = (otherwise: string): string =>
  `helm install, or helm upgrade where it is installed (helm list -A names the release); ${otherwise}`

/** What the chart holds and somebody took away or changed. `namespace`: of the release, where it is known. */
export const byUpgrade = (otherwise: string, namespace?: string): string =>
  `helm upgrade --reset-then-reuse-values puts it right (helm list ${namespace === undefined ? '-A' : `-n ${namespace}`} names the release); or ${otherwise}`
