// The transformer Jest loads for every .ts file: Node's own type stripping, which blanks types in place, so that line and column
// of every stack trace are those of the source and no source map is needed. Used by jest.config.mjs only.
// It must not do more than Node does when it runs our files: what runs in tests is what runs in production.

import { stripTypeScriptTypes } from 'node:module'

export default {
  process(source) {
    return { code: stripTypeScriptTypes(source, { mode: 'strip' }) }
  },
}
