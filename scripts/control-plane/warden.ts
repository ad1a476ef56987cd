// A process of its own beside an instance that must not outlive its owner: ends it when the owner has died, however
// that happened (SIGKILL too), which it learns from the end of its standard input. Started by lifeline.ts.
// Must not act once it has read `release`: the owner ended the instance itself or leaves it running.
import { argv, stdin } from 'node:process'
import { endInstance } from './ending.ts'
import { readRecord } from './record.ts'

const [instances, file] = argv.slice(2)
if (instances === undefined || file === undefined) throw new Error('usage: warden.ts INSTANCES RECORD')

let received = ''
for await (const chunk of stdin.setEncoding('utf8')) received += chunk
if (received !== 'release') {
  const record = readRecord(file)
  if (record !== undefined) await endInstance(instances, record)
}
