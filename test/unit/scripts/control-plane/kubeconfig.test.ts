// Kubeconfigs of the local control plane: what is in them, what their files are called.
import { describe, expect, it } from '@jest/globals'
import { kubeconfigName, renderKubeconfig } from '../../../../scripts/control-plane/kubeconfig.ts'

describe('a kubeconfig', () => {
  it('holds the server, its authority and the client, and selects them', () => {
    const config = JSON.parse(
      renderKubeconfig({
        url: 'https://127.0.0.1:20001',
        authority: 'AUTHORITY',
        user: 'jane',
        client: { certificate: 'CERTIFICATE', key: 'KEY' },
      }),
    )
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    expect(config['current-context']).toBe(config.contexts[0].name)
    expect(config.contexts[0].context).toEqual({ cluster: config.clusters[0].name, user: 'jane' })
    expect(config.clusters[0].cluster).toEqual({
      server: 'https://127.0.0.1:20001',
      'certificate-authority-data': base64('AUTHORITY'),
    })
    expect(config.users).toEqual([
      { name: 'jane', user: { 'client-certificate-data': base64('CERTIFICATE'), 'client-key-data': base64('KEY') } },
    ])
  })

  it('has a file name without the letters that users may hold and paths may not', () => {
    expect(kubeconfigName('system:node:../n1', ['system:nodes'])).toMatch(/^system-node-..-n1-[0-9a-f]{8}\.kubeconfig$/)
  })

  it('has another file name for the same user in other groups, and for users that look alike', () => {
    const names = [kubeconfigName('a:b', []), kubeconfigName('a/b', []), kubeconfigName('a:b', ['c'])]
    expect(new Set(names).size).toBe(3)
  })
})
