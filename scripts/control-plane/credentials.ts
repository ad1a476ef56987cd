// Writes the files by which the parts of an instance know each other, into <directory>/certificates and kubeconfigs.
// Used by instance.ts. Private keys are readable by the owner only; the authority's own key is never written.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Authority, createAuthority, createTokenKeys, type KeyAndCertificate } from './certificates.ts'
import { kubernetesServiceAddress } from './flags.ts'
import { writeKubeconfig } from './kubeconfig.ts'

export interface Credentials {
  readonly authority: Authority
  readonly administrator: KeyAndCertificate
}

export function authorityFile(directory: string): string {
  return join(directory, 'certificates', 'ca.crt')
}

export async function writeCredentials(directory: string): Promise<Credentials> {
  const folder = join(directory, 'certificates')
  mkdirSync(folder, { mode: 0o700 })
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content, { mode: 0o600 })

  const authority = await createAuthority()
  write('ca.crt', authority.certificate)
  const server = await authority.issueServer([
    { type: 'ip', value: '127.0.0.1' },
    { type: 'ip', value: kubernetesServiceAddress },
    ...['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'].map(
      (value) => ({ type: 'dns', value }) as const,
    ),
  ])
  write('apiserver.crt', server.certificate)
  write('apiserver.key', server.key)
  const tokens = createTokenKeys()
  write('service-accounts.key', tokens.privateKey)
  write('service-accounts.pub', tokens.publicKey)
  const administrator = await authority.issueClient('administrator', ['system:masters'])
  return { authority, administrator }
}

/** For the parts and the administrator; needs the port, so it comes after the API server. */
export async function writeKubeconfigs(directory: string, url: string, credentials: Credentials): Promise<string> {
  const { authority, administrator } = credentials
  const content = { url, authority: authority.certificate }
  const controllerManager = 'system:kube-controller-manager'
  writeKubeconfig(join(directory, 'controller-manager.kubeconfig'), {
    ...content,
    user: controllerManager,
    client: await authority.issueClient(controllerManager, []),
  })
  return writeKubeconfig(join(directory, 'kubeconfig'), { ...content, user: 'administrator', client: administrator })
}
