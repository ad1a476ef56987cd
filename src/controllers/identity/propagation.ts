// How long a change of a Secret takes to reach a running program. Used where something must not happen before everybody knows.

import { minutes } from '../../base/duration.ts'

/** A kubelet took 57 to 86 s to write a changed Secret into a pod, and a program may look at its files once in five minutes. */
export const PROPAGATION_DELAY = minutes(10)
