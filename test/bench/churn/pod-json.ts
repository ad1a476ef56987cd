// A pod of a Deployment as JSON: what the API server sends of one that has a container, probes, resources and the volume of its account's token,
// written by the ReplicaSet controller and a kubelet. 5 to 7 kB by stage. Used by the crowd of the bench.

/** A Deployment. */
export interface Owner {
  readonly namespace: string
  readonly name: string
}

export type Stage = 'pending' | 'running' | 'terminating'

export interface PodText {
  readonly owner: Owner
  readonly name: string
  readonly uid: string
  readonly version: number
  readonly stage: Stage
}

const CREATED = '2026-01-01T00:00:00Z'
const STARTED = '2026-01-01T00:00:05Z'

/** Its fields in the order in which Go writes them. */
export function podJson({ owner, name, uid, version, stage }: PodText): string {
  const going = stage === 'terminating' ? `,"deletionTimestamp":"2026-01-01T01:00:30Z","deletionGracePeriodSeconds":30` : ''
  return `{"kind":"Pod","apiVersion":"v1","metadata":{"name":"${name}","generateName":"${owner.name}-5d8f4b7c9-","namespace":"${owner.namespace}","uid":"${uid}","resourceVersion":"${version}","generation":1,"creationTimestamp":"${CREATED}"${going},"labels":{"app":"${owner.name}","app.kubernetes.io/name":"${owner.name}","pod-template-hash":"5d8f4b7c9"},"annotations":{"prometheus.io/port":"9090","prometheus.io/scrape":"true"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"${owner.name}-5d8f4b7c9","uid":"8f0d7d5e-6c53-4f7e-9a0b-2f6f3c9d1e77","controller":true,"blockOwnerDeletion":true}],"managedFields":[${MANAGED_BY_CONTROLLER}${stage === 'pending' ? '' : MANAGED_BY_KUBELET}]},"spec":${spec(owner)},"status":${stage === 'pending' ? PENDING : status(uid)}}`
}

const managed = (manager: string, subresource: string | undefined, fields: object): string =>
  JSON.stringify({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: CREATED,
    fieldsType: 'FieldsV1',
    fieldsV1: fields,
    ...(subresource === undefined ? {} : { subresource }),
  })

const leaves = (...names: string[]): object => Object.fromEntries(names.map((name) => [`f:${name}`, {}]))
const probe = { '.': {}, ...leaves('failureThreshold', 'periodSeconds', 'successThreshold', 'timeoutSeconds') }
const httpGet = { 'f:httpGet': { '.': {}, ...leaves('path', 'port', 'scheme') } }

const MANAGED_BY_CONTROLLER = managed('kube-controller-manager', undefined, {
  'f:metadata': {
    'f:annotations': { '.': {}, ...leaves('prometheus.io/port', 'prometheus.io/scrape') },
    'f:generateName': {},
    'f:labels': { '.': {}, ...leaves('app', 'app.kubernetes.io/name', 'pod-template-hash') },
    'f:ownerReferences': { '.': {}, 'k:{"uid":"8f0d7d5e-6c53-4f7e-9a0b-2f6f3c9d1e77"}': {} },
  },
  'f:spec': {
    'f:containers': {
      'k:{"name":"app"}': {
        '.': {},
        'f:env': {
          '.': {},
          ...Object.fromEntries(
            ['LOG_LEVEL', 'DATABASE_URL', 'PORT'].map((name) => [`k:{"name":"${name}"}`, { '.': {}, ...leaves('name', 'value') }]),
          ),
        },
        ...leaves('image', 'imagePullPolicy', 'name', 'terminationMessagePath', 'terminationMessagePolicy'),
        'f:livenessProbe': { ...probe, ...httpGet },
        'f:readinessProbe': { ...probe, ...httpGet },
        'f:ports': { '.': {}, 'k:{"containerPort":8443,"protocol":"TCP"}': { '.': {}, ...leaves('containerPort', 'name', 'protocol') } },
        'f:resources': { '.': {}, 'f:limits': { '.': {}, ...leaves('memory') }, 'f:requests': { '.': {}, ...leaves('cpu', 'memory') } },
        'f:securityContext': { '.': {}, ...leaves('allowPrivilegeEscalation', 'readOnlyRootFilesystem') },
        'f:volumeMounts': { '.': {}, 'k:{"mountPath":"/var/run/tls"}': { '.': {}, ...leaves('mountPath', 'name', 'readOnly') } },
      },
    },
    ...leaves('dnsPolicy', 'enableServiceLinks', 'restartPolicy', 'schedulerName', 'serviceAccount', 'serviceAccountName'),
    'f:securityContext': { '.': {}, ...leaves('runAsNonRoot') },
    'f:terminationGracePeriodSeconds': {},
    'f:volumes': {
      '.': {},
      'k:{"name":"tls"}': { '.': {}, 'f:name': {}, 'f:secret': { '.': {}, ...leaves('defaultMode', 'secretName') } },
    },
  },
})

const condition = (type: string): object => ({
  [`k:{"type":"${type}"}`]: { '.': {}, ...leaves('lastProbeTime', 'lastTransitionTime', 'observedGeneration', 'status', 'type') },
})
const MANAGED_BY_KUBELET = `,${managed('kubelet', 'status', {
  'f:status': {
    'f:conditions': {
      ...condition('ContainersReady'),
      ...condition('Initialized'),
      ...condition('PodReadyToStartContainers'),
      ...condition('Ready'),
    },
    ...leaves('containerStatuses', 'hostIP', 'phase', 'podIP', 'startTime'),
    'f:hostIPs': {},
    'f:podIPs': { '.': {}, 'k:{"ip":"10.1.2.3"}': { '.': {}, ...leaves('ip') } },
  },
})}`

const PROBE = {
  httpGet: { path: '/healthz', port: 9090, scheme: 'HTTP' },
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
}
const toleration = (key: string): object => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })

/** What all pods share, around what their own names stand in. */
const SPEC = JSON.stringify({
  volumes: [
    { name: 'tls', secret: { secretName: '@OWNER@-mtls', defaultMode: 420 } },
    {
      name: 'kube-api-access-x7k2p',
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
        ],
        defaultMode: 420,
      },
    },
  ],
  containers: [
    {
      name: 'app',
      image: 'registry.example.com/team/@OWNER@:1.27.3',
      ports: [{ name: 'https', containerPort: 8443, protocol: 'TCP' }],
      env: [
        { name: 'LOG_LEVEL', value: 'info' },
        { name: 'DATABASE_URL', value: 'postgres://db.example.com:5432/app?sslmode=verify-full' },
        { name: 'PORT', value: '8443' },
      ],
      resources: { limits: { memory: '256Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
      volumeMounts: [
        { name: 'tls', readOnly: true, mountPath: '/var/run/tls' },
        { name: 'kube-api-access-x7k2p', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      ],
      livenessProbe: PROBE,
      readinessProbe: PROBE,
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: 'IfNotPresent',
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: '@OWNER@',
  serviceAccount: '@OWNER@',
  nodeName: 'node-17.example.com',
  securityContext: { runAsNonRoot: true },
  schedulerName: 'default-scheduler',
  tolerations: [toleration('node.kubernetes.io/not-ready'), toleration('node.kubernetes.io/unreachable')],
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
}).split('@OWNER@')

const spec = (owner: Owner): string => SPEC.join(owner.name)

const PENDING = JSON.stringify({ phase: 'Pending', qosClass: 'Burstable' })

const STATUS = JSON.stringify({
  phase: 'Running',
  conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
    type,
    observedGeneration: 1,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: STARTED,
  })),
  hostIP: '10.0.0.17',
  hostIPs: [{ ip: '10.0.0.17' }],
  podIP: '10.1.2.3',
  podIPs: [{ ip: '10.1.2.3' }],
  startTime: CREATED,
  containerStatuses: [
    {
      name: 'app',
      state: { running: { startedAt: STARTED } },
      lastState: {},
      ready: true,
      restartCount: 0,
      image: 'registry.example.com/team/app:1.27.3',
      imageID: 'registry.example.com/team/app@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1',
      containerID: 'containerd://@UID@',
      started: true,
    },
  ],
  qosClass: 'Burstable',
}).split('@UID@')

const status = (uid: string): string => STATUS.join(uid)
