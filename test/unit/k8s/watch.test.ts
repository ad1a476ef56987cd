// Lines of a watch as events.

import { expect, it } from '@jest/globals'
import { pods } from '../../../src/k8s/resource.ts'
import { type WatchEvent, watch } from '../../../src/k8s/watch.ts'

async function eventsOf(...lines: string[]): Promise<WatchEvent[]> {
  async function* all() {
    yield* lines
  }
  const reply = { status: 200, retryAfterMs: undefined, text: async () => '', lines: all }
  const transport = { request: async () => reply, close: async () => {} }
  const options = { resourceVersion: '1', timeoutSeconds: 300, idleMs: 1000, signal: new AbortController().signal }
  const events: WatchEvent[] = []
  for await (const event of watch(transport, pods, options)) events.push(event)
  return events
}

it('an object comes without its managed fields', async () => {
  const object = { kind: 'Pod', metadata: { name: 'a', managedFields: [{ manager: 'kubelet' }] }, spec: { nodeName: 'n' } }
  const [event] = await eventsOf(JSON.stringify({ type: 'ADDED', object }))
  expect(event).toEqual({ type: 'ADDED', object: { ...object, metadata: { name: 'a', managedFields: [] } } })
})

it('an object whose fields are in an order of their own comes whole', async () => {
  const claim = { metadata: { finalizers: ['a'] }, spec: { accessModes: ['ReadWriteOnce'] } }
  const object = { kind: 'Pod', metadata: { managedFields: [{ manager: 'kubelet' }], name: 'a' }, spec: { volumes: [{ claim }] } }
  expect(await eventsOf(JSON.stringify({ type: 'ADDED', object }))).toEqual([{ type: 'ADDED', object }])
})
