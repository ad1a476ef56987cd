// The command line of the local control plane as a function: what each spelling means, what is refused and why.
import { describe, expect, it } from '@jest/globals'
import { parseCommand, UsageError, usage } from '../../../../scripts/control-plane/arguments.ts'

describe('the command line of the control plane', () => {
  it.each([
    [['up'], { verb: 'up', name: 'default', controllerManager: true }],
    [['up', '--name', 'second', '--no-controller-manager'], { verb: 'up', name: 'second', controllerManager: false }],
    [['up', '--name=second'], { verb: 'up', name: 'second', controllerManager: true }],
    [['down'], { verb: 'down', name: 'default' }],
    [['down', '--name', 'second'], { verb: 'down', name: 'second' }],
    [['down', '--all'], { verb: 'down-all' }],
    [['status'], { verb: 'status' }],
    [['build'], { verb: 'build', parts: ['etcd', 'kube-apiserver', 'kube-controller-manager'] }],
    [['build', 'kubectl', 'etcd'], { verb: 'build', parts: ['kubectl', 'etcd'] }],
    [['--help'], { verb: 'help' }],
  ])('%j is understood', (words, command) => {
    expect(parseCommand(words)).toEqual(command)
  })

  it.each([
    [[], 'a command is missing'],
    [['upp'], 'unknown command "upp"'],
    [['up', '--nmae', 'x'], '--nmae'],
    [['up', 'x'], 'x'],
    [['up', '--name'], '--name'],
    [['up', '--name', 'Second'], '"Second" is no name'],
    [['up', '--name', '../x'], '"../x" is no name'],
    [['up', '--name', ''], '"" is no name'],
    [['up', '--name', 'x'.repeat(41)], 'is no name'],
    [['down', '--all', '--name', 'x'], 'exclude each other'],
    [['status', '--all'], '--all'],
    [['build', 'kubelet'], 'unknown part "kubelet"'],
  ])('%j is refused with a word on what is wrong', (words, why) => {
    expect(() => parseCommand(words)).toThrow(UsageError)
    expect(() => parseCommand(words)).toThrow(why)
  })

  it('the usage names every command', () => {
    for (const verb of ['up', 'down', 'status', 'build']) expect(usage).toMatch(new RegExp(`^  ${verb} `, 'm'))
  })
})
