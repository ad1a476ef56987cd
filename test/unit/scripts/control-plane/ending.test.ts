// Which control planes are somebody's at the moment: those are left alone by `down --all` and the sweep.
import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { expect, it } from '@jest/globals'
import { isInUse } from '../../../../scripts/control-plane/ending.ts'
import { beginningOf } from '../../../../scripts/control-plane/processes.ts'
import type { InstanceRecord } from '../../../../scripts/control-plane/record.ts'

const mine: InstanceRecord = {
  name: 'one',
  directory: '/instances/one',
  detached: false,
  keep: false,
  host: hostname(),
  owner: { pid: process.pid, began: beginningOf(process.pid) ?? '' },
  startedAt: '2026-11-24T12:00:00Z',
  pids: {},
}
const { pid: gone } = spawnSync(process.execPath, ['--version'])

it.each<[string, Partial<InstanceRecord>, boolean]>([
  ['whose owner lives is in use', {}, true],
  ['whose owner is gone is not', { owner: { pid: gone, began: '1' } }, false],
  ['whose owner had the pid of another process is not', { owner: { pid: process.pid, began: '1' } }, false],
  ['that was left running on purpose is not', { detached: true }, false],
  ['of another machine is not', { host: 'elsewhere' }, false],
])('one %s', (_what, change, expected) => expect(isInUse({ ...mine, ...change })).toBe(expected))
