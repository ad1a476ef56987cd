// The table of verbs, in the order of help. A new verb is a file in verbs/ and a line here.

import type { Verb } from './verb.ts'
import { check } from './verbs/check.ts'
import { completer, completion } from './verbs/completion.ts'
import { explain } from './verbs/explain.ts'
import { graph } from './verbs/graph.ts'
import { helpVerb } from './verbs/help.ts'
import { inspect } from './verbs/inspect.ts'
import { renew } from './verbs/renew.ts'
import { status } from './verbs/status.ts'
import { version } from './verbs/version.ts'

export const VERBS: readonly Verb[] = [
  explain,
  status,
  inspect,
  renew,
  check,
  graph,
  completion,
  version,
  helpVerb(() => VERBS),
  completer(() => VERBS),
]
