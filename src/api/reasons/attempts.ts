// The reasons of a failed attempt, as lower layers give them: the API server, the way to it, the parsers of certificates, our own mistakes.
// Part of the table in ../reason.ts. Those layers do not know the table; a test looks for words of theirs that are not in it.

import type { ReasonEntry } from './entry.ts'

const AGAIN = 'Nothing: it is tried again. If it stays, look at the API server and the way to it.'

export const attemptReasons = {
  CacheBehind: {
    kind: 'failed',
    summary: 'An object is newer than what was seen of it.',
    remedy: 'Nothing: it is tried again in a moment.',
  },
  Conflict: { kind: 'failed', summary: 'Someone else changed the object at the same time.', remedy: 'Nothing: it is decided anew.' },
  AlreadyExists: {
    kind: 'failed',
    summary: 'The object was made by someone else at the same time.',
    remedy: 'Nothing: it is decided anew.',
  },
  NotFound: {
    kind: 'failed',
    summary:
      "The object went away meanwhile; or, where it comes again and again, our kinds are not installed, or the operator's namespace is missing.",
    remedy:
      'Nothing the first time: it is decided anew. If it stays, look at what the message names: kinds (resources) come back with `kubectl apply -f crds/` or `helm upgrade`, the namespace with `kubectl create namespace`; then restore its Secrets and ConfigMaps from a backup: authorities that had a CA wait for them (CAKeyMissing).',
  },
  Expired: {
    kind: 'failed',
    summary: 'The API server no longer knows the version that was asked for.',
    remedy: 'Nothing: it is read anew.',
  },
  NotSent: { kind: 'failed', summary: 'The API server could not be reached.', remedy: AGAIN },
  TimedOut: { kind: 'failed', summary: 'The API server did not answer in time.', remedy: AGAIN },
  ConnectionLost: { kind: 'failed', summary: 'The connection to the API server broke before the answer came.', remedy: AGAIN },
  AnswerTooLarge: {
    kind: 'failed',
    summary: 'The API server answered with more than is taken in at once (32 MiB); lists are then asked for in smaller pages.',
    remedy: AGAIN,
  },
  UnreadableReply: { kind: 'failed', summary: 'The API server, or something before it, answered with what cannot be read.', remedy: AGAIN },
  Throttled: { kind: 'failed', summary: 'The API server asked for patience.', remedy: AGAIN },
  ServerError: { kind: 'failed', summary: 'The API server reported an error of its own.', remedy: AGAIN },
  Cancelled: { kind: 'failed', summary: 'The program is stopping.', remedy: 'Nothing: the next start goes on from here.' },
  Unauthorized: {
    kind: 'failed',
    summary: "The API server does not accept the controller's credentials.",
    remedy: 'If it stays, check the service account and its token, or the kubeconfig.',
  },
  Forbidden: {
    kind: 'failed',
    summary: "The controller's account lacks a right, or a quota is used up.",
    remedy:
      'The message names what was refused: install the roles that come with this version, or raise the quota. It is tried again within five minutes, and at once when the spec changes.',
  },
  RefusedByAdmission: {
    kind: 'failed',
    summary: 'An admission webhook or policy refused the write.',
    remedy: 'The message names it: let it permit what this operator writes.',
  },
  Invalid: {
    kind: 'failed',
    summary: 'The API server, or an admission policy, refused the write as invalid.',
    remedy: 'The message says why. Without a policy of your own behind it, install the CRDs that come with this version.',
  },
  RequestTooLarge: {
    kind: 'failed',
    summary: 'What was sent is larger than the API server, a proxy before it, or an admission policy takes.',
    remedy: 'Ask for fewer formats, DNS names or authorities, or raise that limit.',
  },
  BadRequest: {
    kind: 'failed',
    summary: 'The API server could not read what was sent.',
    remedy: 'Report it: this is a mistake of this program.',
  },

  BundleInvalid: {
    kind: 'failed',
    summary: 'A trust bundle cannot be read, or would hold what must not be in one.',
    remedy: 'The message names the certificate that is wrong.',
  },
  PemInvalid: {
    kind: 'failed',
    summary: 'A text that should be PEM (RFC 7468) is not.',
    remedy: 'The message names the block that is wrong.',
  },
  PrivateKeyInvalid: {
    kind: 'failed',
    summary: 'A private key cannot be read.',
    remedy: 'The message says why; put an unencrypted PKCS#8 key in its place.',
  },
  DnsNameInvalid: {
    kind: 'failed',
    summary: 'A DNS name cannot be in a certificate.',
    remedy: 'The message names the rule: rename what the name comes from.',
  },
  SpiffeIdInvalid: { kind: 'failed', summary: 'A SPIFFE ID breaks a rule of its standard.', remedy: 'The message names the rule.' },

  InternalError: {
    kind: 'failed',
    summary: 'This program made a mistake.',
    remedy: 'Report it with the stack from the log. It is tried again, and the present certificate stays.',
  },
} as const satisfies Record<string, ReasonEntry>
