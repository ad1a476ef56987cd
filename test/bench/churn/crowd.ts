// A crowd of pods of Deployments, as the API server tells of them: a list by page, and a watch of replacements. Every object is the JSON of a real
// pod of one container, with its managed fields. Used by the bench of churn; keeps of each pod only its name and version.

import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type Owner, podJson, type Stage } from './pod-json.ts'

interface CrowdPod {
  readonly owner: Owner
  readonly name: string
  readonly uid: string
  version: number
}

interface Replacement {
  readonly starting: CrowdPod
  readonly ending: CrowdPod
}

/** How many replacements are under way: a new pod starts, and an old one ends, so many replacements later. */
const UNDER_WAY = 500

export class Crowd {
  readonly #pods: CrowdPod[] = []
  readonly #watches = new Set<ServerResponse>()
  readonly #halfway: Replacement[] = []
  #version = 1000
  #made = 0
  #next = 0
  #bytes = 0
  #events = 0

  constructor(owners: readonly Owner[], count: number) {
    for (let index = 0; index < count; index++) this.#pods.push(this.#make(owners[index % owners.length] as Owner))
  }

  /** Events sent so far, and their bytes. */
  get sent(): { readonly events: number; readonly bytes: number } {
    return { events: this.#events, bytes: this.#bytes }
  }

  /** The answer to a list, of `limit` pods from the place that `from` says. */
  page(limit: number, from: number): string {
    const pods = this.#pods.slice(from, from + limit)
    const next =
      from + limit < this.#pods.length ? { continue: String(from + limit), remainingItemCount: this.#pods.length - from - limit } : {}
    const metadata = JSON.stringify({ resourceVersion: String(this.#version), ...next })
    return `{"kind":"PodList","apiVersion":"v1","metadata":${metadata},"items":[${pods.map((pod) => podJson({ ...pod, stage: 'running' })).join(',')}]}`
  }

  /** Events of whatever comes go to this answer from now on. */
  follow(response: ServerResponse): void {
    response.flushHeaders()
    this.#watches.add(response)
    response.on('close', () => this.#watches.delete(response))
  }

  /** One more pod goes and another comes in its place: two events, and two more in time. */
  replaceOne(): void {
    const place = this.#next++ % this.#pods.length
    const ending = this.#pods[place] as CrowdPod
    const starting = this.#make(ending.owner)
    this.#pods[place] = starting
    this.#tell('ADDED', starting, 'pending')
    this.#tell('MODIFIED', ending, 'terminating')
    this.#halfway.push({ starting, ending })
    if (this.#halfway.length > UNDER_WAY) this.#end()
  }

  /** Brings to an end what is under way. */
  settle(): void {
    while (this.#halfway.length > 0) this.#end()
  }

  #end(): void {
    const { starting, ending } = this.#halfway.shift() as Replacement
    this.#tell('MODIFIED', starting, 'running')
    this.#tell('DELETED', ending, 'terminating')
  }

  #make(owner: Owner): CrowdPod {
    const name = `${owner.name}-5d8f4b7c9-${(this.#made++).toString(36).padStart(5, '0')}`
    return { owner, name, uid: randomUUID(), version: ++this.#version }
  }

  #tell(type: string, pod: CrowdPod, stage: Stage): void {
    pod.version = ++this.#version
    const line = `{"type":"${type}","object":${podJson({ ...pod, stage })}}\n`
    this.#events++
    this.#bytes += line.length
    // One write an event, as the API server flushes each.
    for (const watch of this.#watches) watch.write(line)
  }
}
