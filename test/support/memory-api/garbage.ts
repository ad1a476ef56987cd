// The controllers of a cluster that scenarios need: garbage collection by owner references, and the end of namespaces. They work a moment after
// the change that calls for them, on the clock that was handed in. Used by the server.

import type { Clock } from '../../../src/base/clock.ts'
import type { RawObject } from '../../../src/k8s/resource.ts'
import type { Kind } from './kinds.ts'
import type { Storage } from './storage.ts'
import type { Writes } from './writes.ts'

/** About what kube-controller-manager takes on a quiet cluster. */
const DELAY_MS = 200

export class Garbage {
  readonly #storage: Storage
  readonly #writes: Writes
  readonly #clock: Clock
  /** What names an owner, by the owner's uid. */
  readonly #dependents = new Map<string, Set<string>>()
  readonly #uids = new Set<string>()
  readonly #places = new Map<string, { readonly kind: Kind; readonly namespace: string; readonly name: string }>()
  #held = false
  #waiting = false
  /** uids of owners that have gone, or that dependents name and that never were. */
  readonly #gone = new Set<string>()
  readonly #terminating = new Set<string>()

  constructor(storage: Storage, writes: Writes, clock: Clock) {
    this.#storage = storage
    this.#writes = writes
    this.#clock = clock
    storage.listen(({ kind, type, object }) => this.#see(kind, type, object))
  }

  /** Held, nothing is collected until it is let go. */
  hold(held: boolean): void {
    this.#held = held
    if (!held) this.#later()
  }

  /** After the storage went back in time, which nobody is told of. */
  restored(): void {
    for (const known of [this.#uids, this.#dependents, this.#places, this.#gone, this.#terminating]) known.clear()
    const all = [...this.#storage.all()]
    for (const { object } of all) this.#uids.add(object.metadata.uid ?? '')
    for (const { kind, object } of all) this.#see(kind, 'ADDED', object)
  }

  #see(kind: Kind, type: string, object: RawObject): void {
    const { uid = '', namespace = '', name, ownerReferences = [], deletionTimestamp } = object.metadata
    if (type === 'DELETED') {
      this.#uids.delete(uid)
      if (this.#dependents.has(uid)) this.#gone.add(uid)
      if (deletionTimestamp !== undefined || this.#terminating.size > 0) this.#later()
    } else {
      this.#uids.add(uid)
      if (ownerReferences.length > 0) this.#places.set(uid, { kind, namespace, name })
      for (const owner of ownerReferences) {
        const known = this.#dependents.get(owner.uid) ?? new Set<string>()
        this.#dependents.set(owner.uid, known.add(uid))
        if (!this.#uids.has(owner.uid)) this.#gone.add(owner.uid)
      }
      if (kind.plural === 'namespaces' && deletionTimestamp !== undefined) this.#terminating.add(name)
    }
    if (this.#gone.size > 0 || this.#terminating.size > 0) this.#later()
  }

  #later(): void {
    if (this.#waiting || this.#held) return
    this.#waiting = true
    this.#clock.after(DELAY_MS, () => {
      this.#waiting = false
      if (!this.#held) this.#work()
    })
  }

  #work(): void {
    for (const owner of this.#gone) {
      for (const uid of this.#dependents.get(owner) ?? []) this.#collect(uid)
      this.#dependents.delete(owner)
      this.#gone.delete(owner)
    }
    for (const name of this.#terminating) this.#end(name)
  }

  /** An object goes when none of its owners is there; otherwise only the references to those that have gone do. */
  #collect(uid: string): void {
    const place = this.#places.get(uid)
    const object = place && this.#storage.get(place.kind, place.namespace, place.name)
    if (!place || object?.metadata.uid !== uid) return
    const target = { ...place, subresource: '' }
    const living = (object.metadata.ownerReferences ?? []).filter((owner) => this.#uids.has(owner.uid))
    if (living.length === 0) this.#writes.delete(target, { uid })
    else this.#writes.patch(target, { metadata: { name: place.name, ownerReferences: living } }, false)
  }

  #end(name: string): void {
    const inside = [...this.#storage.all()].filter(({ object }) => object.metadata.namespace === name)
    for (const { kind, object } of inside) {
      if (object.metadata.deletionTimestamp === undefined)
        this.#writes.delete({ kind, namespace: name, name: object.metadata.name, subresource: '' }, {})
    }
    const namespace = [...this.#storage.all()].find(({ kind, object }) => kind.plural === 'namespaces' && object.metadata.name === name)
    const empty = ![...this.#storage.all()].some(({ object }) => object.metadata.namespace === name)
    if (!namespace || !empty) return
    this.#terminating.delete(name)
    this.#storage.remove(namespace.kind, namespace.object)
  }
}
