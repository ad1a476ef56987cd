// The table of verbs, in the order of help. A new verb is a file in verbs/ and a line here.

import type { Verb } from './verb.ts'
import { explain } from './verbs/explain.ts'
import { helpVerb } from './verbs/help.ts'
import { status } from './verbs/status.ts'

export const VERBS: readonly Verb[] = [explain, status, helpVerb(() => VERBS)]
