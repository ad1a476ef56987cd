// Which DNS names an identity gets from Services: those of its own namespace whose selector covers its pods. Pure but for the lookups.

import { contained } from '../../../api/label-selector.ts'
import type { MutualIdentity } from '../../../api/mutual-identity.ts'
import { OperatorError } from '../../../base/errors.ts'
import { type DnsName, parseDnsName } from '../../../pki/dns-name.ts'
import { type Caches, labelPairs, type Pod, type Service } from '../../caches.ts'
import { MAX_DNS_NAMES } from './dns-names.ts'

/** Sorted names of the covering Services: those that mean them everywhere, and the bare ones, which mean them in this namespace only. */
export interface ServiceNames {
  readonly full: readonly DnsName[]
  readonly short: readonly DnsName[]
  /** Services that cover the pods too, and whose names are left out because pods of other accounts serve them. */
  readonly servedByOthers: readonly string[]
}

/**
 * While there are no pods, a name that the present leaf holds stays as long as its Service is there: whether the Service covers the pods
 * cannot be seen just now. `heldNames`: names of a leaf that verifies to our anchors.
 */
export function serviceNames(
  identity: MutualIdentity,
  pods: readonly Pod[],
  heldNames: readonly string[],
  caches: Caches,
  clusterDomain: string,
): ServiceNames {
  if (identity.spec.certificate.serviceNames === 'None') return { full: [], short: [], servedByOthers: [] }
  const { covering, servedByOthers } = coveringServices(identity, pods, caches)
  const [services, others] = [new Set(covering), new Set(servedByOthers)]
  if (pods.length === 0 && heldNames.length > 0) {
    const held = new Set(heldNames)
    for (const service of caches.services.inNamespace(identity.namespace)) {
      if (Object.keys(service.selector).length > 0 && held.has(`${service.name}.${service.namespace}.svc`)) {
        const may = mayServe(identity.spec.serviceAccountName, service, caches)
        ;(may ? services : others).add(service)
      }
    }
  }
  return {
    full: [...new Set([...services].flatMap((service) => namesOf(service, clusterDomain)))].sort(),
    short: [...new Set([...services].flatMap(({ name }) => dnsNameOrNone(name)))].sort(),
    servedByOthers: [...others].map(({ name }) => name).sort(),
  }
}

/** Of the extra names those that a pod's resolver reads as `<service>.<namespace>` or `<pod>.<service>.<namespace>` of another namespace of this cluster, which no allow-list can mean. */
export function foreignServiceNames({ namespace, spec }: MutualIdentity, caches: Pick<Caches, 'namespaces'>): readonly string[] {
  return spec.certificate.dnsNames.filter((name) => {
    const labels = name.split('.')
    const last = labels.at(-1) ?? ''
    return labels.length <= 3 && last !== namespace && caches.namespaces.get('', last) !== undefined
  })
}

/**
 * A Service covers when its selector is contained in matchLabels, or matches a selected pod. An empty selector covers nothing. Each Service is looked
 * at once, by the rarest of its pairs, so that many pods and many Services of one namespace do not multiply. Each has one name at least, so where there
 * are more of them than one certificate takes names it is refused, however many more there are.
 */
function coveringServices(
  identity: MutualIdentity,
  pods: readonly Pod[],
  caches: Caches,
): { readonly covering: readonly Service[]; readonly servedByOthers: readonly Service[] } {
  const { namespace, spec } = identity
  const { matchLabels } = spec.podSelector
  const pairs = new Set([matchLabels, ...pods.map((pod) => pod.labels)].flatMap((labels) => labelPairs(namespace, labels)))
  const candidates = new Set([...pairs].flatMap((pair) => caches.services.by('selector', pair)))
  const selected = new Set(pods)
  const covering: Service[] = []
  const servedByOthers: Service[] = []
  for (const service of candidates) {
    const covers = contained(service.selector, matchLabels) || selectsOne(service, selected, caches)
    if (covers) (mayServe(spec.serviceAccountName, service, caches) ? covering : servedByOthers).push(service)
    if (covering.length > MAX_DNS_NAMES) break
  }
  return { covering, servedByOthers }
}

function selectsOne(service: Service, selected: ReadonlySet<Pod>, caches: Caches): boolean {
  return podsNear(service, caches).some((pod) => selected.has(pod) && contained(service.selector, pod.labels))
}

/**
 * Whoever may ask for one account only must not get the name of a Service that others serve: where the spec names an account, one pod of the Service
 * at least runs under it. One without pods is nobody's yet. Where the spec names none, the account is that of the pods.
 */
function mayServe(account: string | undefined, service: Service, caches: Caches): boolean {
  if (account === undefined) return true
  const near = podsNear(service, caches)
  const serves = (pod: Pod): boolean => pod.live && contained(service.selector, pod.labels)
  return near.some((pod) => pod.serviceAccountName === account && serves(pod)) || !near.some(serves)
}

/** Pods among which are all that the Service selects. */
function podsNear(service: Service, caches: Caches): readonly Pod[] {
  return labelPairs(service.namespace, service.selector)
    .map((pair) => caches.pods.by('label', pair))
    .reduce((fewest, pods) => (pods.length < fewest.length ? pods : fewest))
}

/**
 * A headless Service also names its pods (`db-0.db.shop.svc`): the only wildcards there are. What is no DNS name for a certificate (too long with
 * the cluster's domain, or digits only) is left out: it must not keep the other names from being issued.
 */
function namesOf(service: Service, clusterDomain: string): DnsName[] {
  const local = `${service.name}.${service.namespace}`
  const full = [`${local}.svc`, `${local}.svc.${clusterDomain}`]
  return [...[local, ...full], ...(service.headless ? full.map((name) => `*.${name}`) : [])].flatMap((name) => dnsNameOrNone(name))
}

function dnsNameOrNone(name: string): DnsName[] {
  try {
    return [parseDnsName(name, { wildcard: true })]
  } catch (error) {
    if (error instanceof OperatorError) return []
    throw error
  }
}
