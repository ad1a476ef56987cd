// What is kept of a workload, whatever people write into it, and what we write into one.

import { describe, expect, it } from '@jest/globals'
import { projectWorkload, restartPatch, type Workload } from '../../../../src/api/stored/workload.ts'
import type { RawObject } from '../../../../src/k8s/resource.ts'
import { workloadObject } from '../../../support/material.ts'

const AT = '2026-11-24T12:00:00Z'
const project = (change: Parameters<typeof workloadObject>[1] = {}): Workload =>
  projectWorkload('Deployment')(workloadObject('web', change))

describe('a workload in the cache', () => {
  it('holds its kind, the labels of its pods, when it was made and what it was restarted for', () => {
    expect(project({ restartedFor: `0a ${AT}`, metadata: { uid: 'u', resourceVersion: '7' } })).toEqual({
      namespace: 'shop',
      name: 'web',
      uid: 'u',
      resourceVersion: '7',
      kind: 'Deployment',
      createdAt: Date.parse('2026-11-23T12:00:00Z'),
      optedIn: true,
      templateLabels: { app: 'payments' },
      restartedFor: { serialNumber: '0a', at: Date.parse(AT) },
    })
  })

  it.each([
    '',
    '0a',
    AT,
    `0A ${AT}`,
    `0a  ${AT}`,
    `0a ${AT} `,
    '0a yesterday',
    `${'a'.repeat(41)} ${AT}`,
    `0a ${AT}\n`,
    'x'.repeat(100_000),
  ])('does not take %j for a record', (restartedFor) => {
    expect(project({ restartedFor: restartedFor.slice(0, 100_000) }).restartedFor).toBeUndefined()
  })

  it.each<[string, object]>([
    ['no spec', { spec: undefined }],
    ['a spec without a template', { spec: {} }],
    ['a template without metadata', { spec: { template: {} } }],
    ['labels that are none', { spec: { template: { metadata: { labels: [1], annotations: 'x' } } } }],
  ])('is read also with %s', (_what, fields) => {
    const raw = { ...workloadObject('web'), ...fields } as RawObject
    expect(Object.values(projectWorkload('DaemonSet')(raw).templateLabels).filter((value) => typeof value !== 'string')).toEqual([])
    expect(projectWorkload('DaemonSet')(raw)).toMatchObject({ kind: 'DaemonSet', restartedFor: undefined })
  })
})

it('what we write is read back as it was meant', () => {
  const patch = restartPatch(project({ metadata: { uid: 'u', resourceVersion: '7' } }), { serialNumber: '0b', at: Date.parse(AT) })
  expect(patch).toEqual({
    metadata: { uid: 'u', resourceVersion: '7' },
    spec: { template: { metadata: { annotations: { 'mutualidentity.io/restarted-for': `0b ${AT}` } } } },
  })
  expect(project({ restartedFor: `0b ${AT}` }).restartedFor).toEqual({ serialNumber: '0b', at: Date.parse(AT) })
})
