// How a cluster is reached: plain types between whoever finds the credentials (kubeconfig, service-account) and the transport.
// Holds no code that reads anything.

/** TLS material, PEM texts. A new object exactly when something in it changed, so that the transport can compare by identity. */
export interface TlsMaterial {
  /** Without it the trust store of the runtime decides. */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name to expect in the server's certificate instead of the host of the URL. */
  readonly servername?: string
  /** False only where the kubeconfig says insecure-skip-tls-verify. */
  readonly rejectUnauthorized?: boolean
}

export interface Credentials {
  readonly tls: TlsMaterial
  /** The headers that say who we are (authorization, impersonate-user), lower-case names. Never logged. */
  readonly headers: Readonly<Record<string, string>>
}

export interface ClusterAccess {
  /** URL of the API server, possibly with a path, without a slash at the end. */
  readonly server: string
  /** URL of an HTTP proxy. */
  readonly proxy?: string
  /** Server and user for logs; no credentials. */
  readonly describe: string
  /** The namespace the context or the service account stands in. */
  readonly namespace: string | undefined
  /** Asked before every request, so cheap: sources are looked at anew every 10 s at most. Rejects with an OperatorError. */
  credentials(): Promise<Credentials>
  /** The server refused the credentials (401): look at the sources anew the next time. */
  refused(): void
}
