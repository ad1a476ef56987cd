// What the operator relies on of an API server, as cases that run alike on the one in memory (test/contract) and on a real one (test/cluster):
// so the scenarios, which know the one in memory alone, may be believed. Where the two differ, the real one is right.

import { describe } from '@jest/globals'
import { createCases } from './api-server/creates.ts'
import { schemaCases } from './api-server/custom-resources.ts'
import { deleteCases } from './api-server/deletes.ts'
import { discoveryCases } from './api-server/discovery.ts'
import { garbageCases } from './api-server/garbage.ts'
import { listCases } from './api-server/lists.ts'
import { patchCases } from './api-server/patches.ts'
import { replaceCases } from './api-server/replaces.ts'
import { enter, type Place, type Subject } from './api-server/subject.ts'
import { versionCases } from './api-server/versions.ts'
import { watchCases } from './api-server/watches.ts'

/** `open` is called before each case: a server that is shared is handed out again, one that costs nothing is made anew. */
export function apiServerCases(name: string, open: () => Promise<Subject>): void {
  const place = async (): Promise<Place> => enter(await open())
  describe(name, () => {
    versionCases(place)
    createCases(place)
    schemaCases(place)
    patchCases(place)
    replaceCases(place)
    deleteCases(place)
    listCases(place)
    watchCases(place)
    garbageCases(place)
    discoveryCases(place)
  })
}
