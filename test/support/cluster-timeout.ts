// Loaded into every cluster test file before its tests: they wait for a real control plane on a shared machine, so they get longer
// than the suite's default. Used by jest.config.mjs only (Jest takes `testTimeout` for the whole run, not for a project).

import { jest } from '@jest/globals'

jest.setTimeout(120_000)
