// The levels of the test suite, one Jest project a folder of test/. Used by scripts/test.ts and by whoever runs Jest by hand:
//   node_modules/.bin/node --experimental-vm-modules node_modules/jest/bin/jest.js --selectProjects unit
// It must not hold anything that a single test needs: that belongs into test/support.

const project = (level, more = {}) => ({
  displayName: level,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${level}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
  injectGlobals: false,
  ...more,
})

export default {
  // Nothing in the first three levels waits for anything; the room is for a busy machine.
  testTimeout: 20_000,
  coverageProvider: 'v8',
  projects: [
    project('unit'),
    project('contract'),
    project('scenario'),
    project('cluster', {
      globalSetup: '<rootDir>/test/support/cluster-setup.ts',
      setupFilesAfterEnv: ['<rootDir>/test/support/cluster-timeout.ts'],
    }),
  ],
}
