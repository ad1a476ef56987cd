// Kinds of pods: what plans tell pods apart by. Used by the index of pods and by what wakes identities. Pure.

/** What of a pod makes its kind. */
interface Kindred {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccountName: string
}

/** Labels by which the controllers of Kubernetes tell one pod from its like, or the pods of one Job from those of the next. */
const OF_ONE: ReadonlySet<string> = new Set([
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-completion-index',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/controller-uid',
  'job-name',
  'controller-uid',
])

/** Pods of one kind have the same account and the same labels, but for labels that each of them has to itself. */
export function podKind({ namespace, labels, serviceAccountName }: Kindred): string {
  let kind = `${namespace}/${serviceAccountName}`
  for (const key in labels) if (!OF_ONE.has(key)) kind += ` ${key}=${labels[key]}`
  return kind
}

/** Whether one of these labels is one that pods of one kind do not share. */
export const tellsPodsApart = (keys: Iterable<string>): boolean => [...keys].some((key) => OF_ONE.has(key))
