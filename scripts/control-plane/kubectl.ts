// Whether a person has kubectl. Used by the command and the demo, which else tell how to build one; it runs nothing.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What builds one, for a person in the project's folder: by the Node that came with the packages, since an older one does not run TypeScript. */
export const BUILD_KUBECTL = 'node_modules/.bin/node scripts/control-plane/main.ts build kubectl'

/** Whether a folder of PATH holds a kubectl that may be run. */
export function isKubectlThere(): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'kubectl'), constants.X_OK)
      return true
    } catch {
      return false // absent or not for us: either way there is none
    }
  })
}
