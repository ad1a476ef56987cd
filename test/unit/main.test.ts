// The entry as a process of its own: what it says first, also where it cannot go on.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'

it('says first which version it is, apart from that of Node, and which flags it has', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  const flags = ['--kubeconfig', '/nowhere/at-all', '--log-format', 'json']
  const { stdout, status } = spawnSync(process.execPath, ['src/main.ts', ...flags], { encoding: 'utf8', env: {} })
  expect(JSON.parse(stdout.split('\n', 1)[0] ?? '')).toMatchObject({
    message: 'starting',
    version,
    node: process.version,
    config: { kubeconfig: '/nowhere/at-all' },
  })
  expect(status).toBe(1)
})
