// What the scanners of manifests ask of a workload (kube-linter, kube-score, Polaris, Trivy, Checkov), as far as it applies to this one: a test a
// rule, over what a real Helm renders, so that it holds without these programs at hand. What does not apply, and why: at the end.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHelm, type Helm, type Manifest, the } from '../../support/chart.ts'

const DIGEST = `sha256:${'0'.repeat(64)}`

let helm: Helm
let objects: readonly Manifest[]
let pinned: readonly Manifest[]

beforeAll(async () => {
  helm = await createHelm()
  objects = await helm.template({ restartWorkloads: true })
  pinned = await helm.template({ image: { digest: DIGEST } })
})

afterAll(() => helm?.close())

const deployment = () => the('Deployment', objects)['spec']
const template = () => deployment().template
const pod = () => template().spec
const container = () => pod().containers[0]
const roles = () => objects.filter(({ kind }) => /Role$/.test(String(kind)))
const rules = () => roles().flatMap((role) => role['rules'] as { apiGroups: string[]; resources: string[]; verbs: string[] }[])
const namespaced = () =>
  objects.filter(({ kind }) =>
    /^(Deployment|Service|ServiceAccount|Role|RoleBinding|NetworkPolicy|PodDisruptionBudget)$/.test(String(kind)),
  )

/** Whether labels are selected. */
const selects = (selector: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value)
const selectsPods = (kind: string, selector: (spec: Manifest) => Record<string, string>): boolean =>
  selects(selector(the(kind, objects)['spec']), template().metadata.labels)

type Rule = readonly [rule: string, scanners: string, holds: () => boolean]

const CONTAINER: readonly Rule[] = [
  [
    'runs as no root',
    'kube-linter run-as-non-root, Trivy KSV-0012, Checkov CKV_K8S_23',
    () => container().securityContext.runAsNonRoot === true,
  ],
  [
    'has a user ID above 10000',
    'Trivy KSV-0020, Checkov CKV_K8S_40, kube-score user-group-id',
    () => container().securityContext.runAsUser > 10_000,
  ],
  ['has a group ID above 10000', 'Trivy KSV-0021, kube-score user-group-id', () => container().securityContext.runAsGroup > 10_000],
  [
    'is not privileged',
    'kube-linter privileged-container, Trivy KSV-0017, Checkov CKV_K8S_16',
    () => container().securityContext.privileged === false,
  ],
  [
    'gains no privileges',
    'kube-linter privilege-escalation-container, Trivy KSV-0001, Checkov CKV_K8S_20',
    () => container().securityContext.allowPrivilegeEscalation === false,
  ],
  [
    'cannot write its root file system',
    'kube-linter no-read-only-root-fs, Trivy KSV-0014, Checkov CKV_K8S_22',
    () => container().securityContext.readOnlyRootFilesystem === true,
  ],
  [
    'drops all capabilities',
    'kube-linter drop-net-raw-capability, Trivy KSV-0003, KSV-0106, Checkov CKV_K8S_28, CKV_K8S_37',
    () => String(container().securityContext.capabilities.drop) === 'ALL',
  ],
  [
    'adds no capability',
    'Trivy KSV-0022, Checkov CKV_K8S_25, CKV_K8S_39',
    () => container().securityContext.capabilities.add === undefined,
  ],
  [
    'has the seccomp profile of the runtime',
    'Trivy KSV-0030, KSV-0104, Checkov CKV_K8S_31, kube-score seccomp-profile',
    () => container().securityContext.seccompProfile.type === 'RuntimeDefault',
  ],
  [
    'asks for CPU',
    'kube-linter unset-cpu-requirements, Trivy KSV-0015, Checkov CKV_K8S_10',
    () => container().resources.requests.cpu !== undefined,
  ],
  ['limits its CPU', 'Polaris cpuLimitsMissing, Trivy KSV-0011, Checkov CKV_K8S_11', () => container().resources.limits.cpu !== undefined],
  [
    'asks for memory',
    'kube-linter unset-memory-requirements, Trivy KSV-0016, Checkov CKV_K8S_12',
    () => container().resources.requests.memory !== undefined,
  ],
  [
    'limits its memory',
    'Polaris memoryLimitsMissing, Trivy KSV-0018, Checkov CKV_K8S_13',
    () => container().resources.limits.memory !== undefined,
  ],
  [
    'asks for disk and limits it',
    'kube-score ephemeral-storage-request-and-limit',
    () => ['requests', 'limits'].every((of) => container().resources[of]['ephemeral-storage']),
  ],
  [
    'has a liveness probe',
    'kube-linter no-liveness-probe, Polaris livenessProbeMissing, Checkov CKV_K8S_8',
    () => container().livenessProbe.httpGet.path === '/healthz',
  ],
  [
    'has a readiness probe of its own',
    'kube-linter no-readiness-probe, kube-score probes-identical, Checkov CKV_K8S_9',
    () => container().readinessProbe.httpGet.path === '/readyz',
  ],
  [
    'probes a port that it has',
    'kube-linter liveness-port, readiness-port',
    () =>
      ['livenessProbe', 'readinessProbe'].every((probe) =>
        container().ports.some(({ name }: Manifest) => name === container()[probe].httpGet.port),
      ),
  ],
  [
    'has an image with a tag that is not latest',
    'kube-linter latest-tag, Polaris tagNotSpecified, Trivy KSV-0013, Checkov CKV_K8S_14',
    () => /:\d+\.\d+\.\d+$/.test(container().image),
  ],
  [
    'is pulled by digest where one is given',
    'Checkov CKV_K8S_43',
    () => the('Deployment', pinned)['spec'].template.spec.containers[0].image.endsWith(`@${DIGEST}`),
  ],
  [
    'is always pulled',
    'Polaris pullPolicyNotAlways, kube-score image-pull-policy, Checkov CKV_K8S_15',
    () => container().imagePullPolicy === 'Always',
  ],
  [
    'has no port of the host',
    'Trivy KSV-0024, Checkov CKV_K8S_26',
    () => container().ports.every(({ hostPort }: Manifest) => hostPort === undefined),
  ],
  [
    'has no privileged port',
    'kube-linter privileged-ports, Trivy KSV-0117',
    () => container().ports.every(({ containerPort }: Manifest) => containerPort > 1024),
  ],
  ['does not listen for SSH', 'kube-linter ssh-port', () => container().ports.every(({ containerPort }: Manifest) => containerPort !== 22)],
  [
    'has no secret in its environment',
    'kube-linter env-var-secret, read-secret-from-env-var, Checkov CKV_K8S_35',
    () => !JSON.stringify([container().env, container().envFrom]).includes('secretKeyRef'),
  ],
  [
    'names each variable once',
    'kube-score environment-variable-key-duplication',
    () => new Set(container().env.map(({ name }: Manifest) => name)).size === container().env.length,
  ],
  [
    'mounts nothing that it could write',
    'kube-linter writable-host-mount',
    () => container().volumeMounts.every(({ readOnly }: Manifest) => readOnly === true),
  ],
]

const POD: readonly Rule[] = [
  ['has a security context', 'Checkov CKV_K8S_29, Trivy KSV-0118', () => pod().securityContext.runAsNonRoot === true],
  ['has no root group', 'Trivy KSV-0116', () => pod().securityContext.fsGroup > 0 && pod().securityContext.runAsGroup > 0],
  [
    'shares neither network, nor processes, nor IPC with the host',
    'kube-linter host-network, host-pid, host-ipc, Trivy KSV-0008 to 0010, Checkov CKV_K8S_17 to 19',
    () => !pod().hostNetwork && !pod().hostPID && !pod().hostIPC,
  ],
  ['sets no sysctls', 'kube-linter unsafe-sysctls, Trivy KSV-0026', () => pod().securityContext.sysctls === undefined],
  ['sets no SELinux options', 'Trivy KSV-0025', () => pod().securityContext.seLinuxOptions === undefined],
  [
    'mounts nothing of the host, no Docker socket',
    'kube-linter sensitive-host-mounts, docker-sock, Trivy KSV-0023, Checkov CKV_K8S_27',
    () => pod().volumes.every(({ hostPath }: Manifest) => hostPath === undefined),
  ],
  [
    'mounts volumes of the restricted kinds only',
    'Trivy KSV-0028',
    () => pod().volumes.every(({ projected }: Manifest) => projected !== undefined),
  ],
  [
    'has an account of its own',
    'kube-linter default-service-account, Checkov CKV_K8S_41, CKV_K8S_42',
    () => pod().serviceAccountName === the('ServiceAccount', objects).metadata.name,
  ],
  ['does not use the field serviceAccount', 'kube-linter deprecated-service-account-field', () => pod().serviceAccount === undefined],
  [
    'mounts no token but the one it asks for',
    'Trivy KSV-0036, Checkov CKV_K8S_38, Polaris automountServiceAccountToken',
    () => pod().automountServiceAccountToken === false && the('ServiceAccount', objects)['automountServiceAccountToken'] === false,
  ],
  [
    'has a token that ends within an hour',
    'Trivy KSV-0036',
    () => pod().volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds <= 3600,
  ],
  ['has two replicas at least', 'Polaris deploymentMissingReplicas, kube-score deployment-replicas', () => deployment().replicas >= 2],
  [
    'prefers nodes of its own for each replica',
    'kube-linter no-anti-affinity, kube-score deployment-has-host-podantiaffinity',
    () =>
      pod().affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.some(
        ({ podAffinityTerm: { topologyKey, labelSelector } }: Manifest) =>
          topologyKey === 'kubernetes.io/hostname' && selects(labelSelector.matchLabels, template().metadata.labels),
      ),
  ],
  [
    'is spread over zones and nodes',
    'Polaris topologySpreadConstraint, kube-score pod-topology-spread-constraints',
    () =>
      pod().topologySpreadConstraints.every(({ labelSelector }: Manifest) =>
        selects(labelSelector.matchLabels, template().metadata.labels),
      ) && pod().topologySpreadConstraints.length === 2,
  ],
  ['is updated replica by replica', 'kube-linter no-rolling-update-strategy', () => deployment().strategy.type === 'RollingUpdate'],
  [
    'is selected by its own Deployment',
    'kube-linter mismatching-selector',
    () => selects(deployment().selector.matchLabels, template().metadata.labels),
  ],
]

const AROUND: readonly Rule[] = [
  [
    'everything is in the namespace of the release',
    'kube-linter use-namespace, Trivy KSV-0110, KSV-0037, Checkov CKV_K8S_21',
    () => namespaced().every(({ metadata }) => metadata.namespace === 'mutual-identity-system'),
  ],
  [
    'a PodDisruptionBudget selects the pods',
    'Polaris missingPodDisruptionBudget, kube-score deployment-has-poddisruptionbudget',
    () => selectsPods('PodDisruptionBudget', ({ selector }) => selector.matchLabels),
  ],
  [
    'it lets one of them go',
    'kube-linter pdb-max-unavailable, pdb-min-available, Polaris pdbDisruptionsIsZero',
    () => the('PodDisruptionBudget', objects)['spec'].maxUnavailable === 1,
  ],
  [
    'and those that are not ready',
    'kube-linter pdb-unhealthy-pod-eviction-policy',
    () => the('PodDisruptionBudget', objects)['spec'].unhealthyPodEvictionPolicy === 'AlwaysAllow',
  ],
  [
    'a NetworkPolicy selects the pods, both ways',
    'kube-linter non-isolated-pod, Polaris missingNetworkPolicy, kube-score pod-networkpolicy, Checkov CKV2_K8S_6',
    () =>
      selectsPods('NetworkPolicy', ({ podSelector }) => podSelector.matchLabels) &&
      String(the('NetworkPolicy', objects)['spec'].policyTypes) === 'Ingress,Egress',
  ],
  [
    'it opens ports one by one',
    'Trivy KSV-0038',
    () => ['ingress', 'egress'].every((way) => the('NetworkPolicy', objects)['spec'][way].every(({ ports }: Manifest) => ports.length > 0)),
  ],
  [
    'the Service selects the pods, at a port that they have',
    'kube-linter dangling-service, invalid-target-ports, kube-score service-targets-pod',
    () =>
      selectsPods('Service', ({ selector }) => selector) &&
      the('Service', objects)['spec'].ports[0].targetPort === container().ports[0].name,
  ],
  [
    'the Service is not for the world',
    'kube-linter exposed-services, kube-score service-type',
    () => the('Service', objects)['spec'].type === 'ClusterIP',
  ],
  [
    'no API version is deprecated',
    'kube-linter no-extensions-v1beta, kube-score stable-version',
    () => objects.every(({ apiVersion }) => /(^|\/)v1$/.test(String(apiVersion))),
  ],
  [
    'no role has a wildcard',
    'kube-linter wildcard-in-rules, Trivy KSV-0044 to 0046, Checkov CKV_K8S_49',
    () => rules().every((rule) => ![...rule.apiGroups, ...rule.resources, ...rule.verbs].includes('*')),
  ],
  [
    'no role lets make pods, or run something in them',
    'kube-linter access-to-create-pods, Trivy KSV-0053, Polaris clusterrolePodExecAttach',
    () =>
      rules().every(
        ({ resources, verbs }) => !resources.includes('pods/exec') && (!resources.includes('pods') || !verbs.includes('create')),
      ),
  ],
  [
    'no role gives more rights',
    'Trivy KSV-0050, KSV-0051, Checkov CKV_K8S_157, CKV_K8S_158',
    () =>
      rules().every(
        ({ apiGroups, verbs }) =>
          !apiGroups.includes('rbac.authorization.k8s.io') && !verbs.some((verb) => ['bind', 'escalate', 'impersonate'].includes(verb)),
      ),
  ],
  [
    'no role is for webhooks or certificate requests',
    'Trivy KSV-0114, Checkov CKV_K8S_155, CKV_K8S_156',
    () => rules().every(({ apiGroups }) => !apiGroups.some((group) => /^(admissionregistration|certificates)\.k8s\.io$/.test(group))),
  ],
  [
    'nobody is bound to cluster-admin',
    'kube-linter cluster-admin-role-binding, Trivy KSV-0111',
    () => objects.every((object) => object['roleRef']?.name !== 'cluster-admin'),
  ],
]

/** Of these the rule is right and the operator is what it warns of, or the rule is a matter of taste. */
const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'kube-linter access-to-secrets, Trivy KSV-0041, Checkov CKV2_K8S_5':
    'writing certificates into Secrets is the job; watchNamespaces and policies.ownAccount narrow it',
  'Trivy KSV-0049': 'trust bundles are ConfigMaps; policies.ownAccount narrows it to them',
  'Trivy KSV-0048': 'only with restartWorkloads, and policies.restarts narrows it to one annotation',
  'kube-linter minimum-three-replicas': 'one replica works and one stands by; a third would only watch',
  'kube-linter required-annotation-email, required-label-owner': 'for podAnnotations and podLabels: who owns it is not the chart’s to say',
  'Polaris priorityClassNotSet': 'an option: some clusters allow system classes only in kube-system',
  'Polaris metadataAndInstanceMismatched': 'names do not follow the release: there is one installation in a cluster',
  'Trivy KSV-0125': 'which registries are trusted is for the cluster to say',
}

describe('the container', () => {
  it.each(CONTAINER)('%s (%s)', (_rule, _scanners, holds) => expect(holds()).toBe(true))
})

describe('the pod', () => {
  it.each(POD)('%s (%s)', (_rule, _scanners, holds) => expect(holds()).toBe(true))
})

describe('what is around it', () => {
  it.each(AROUND)('%s (%s)', (_rule, _scanners, holds) => expect(holds()).toBe(true))
})

it('no rule is both kept and declared not to apply', () => {
  const names = (text: string): string[] => text.match(/KSV-\d+|CKV2?_K8S_\d+|[a-z]+(-[a-z]+)+|[a-z]+[A-Z]\w+/g) ?? []
  const kept = new Set([...CONTAINER, ...POD, ...AROUND].flatMap(([, scanners]) => names(scanners)))
  const left = Object.keys(NOT_APPLICABLE).flatMap(names)
  expect(left.filter((name) => name !== 'kube-linter' && kept.has(name))).toEqual([])
})
