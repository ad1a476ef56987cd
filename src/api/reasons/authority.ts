// The reasons of authorities and of their trust bundles. Part of the table in ../reason.ts.
// Text for people who read a condition and want to know what to do.

import type { ReasonEntry } from './entry.ts'

const NOTHING = 'Nothing.'

export const authorityReasons = {
  GenerationCreated: { kind: 'normal', summary: 'A CA key and its root were made and stored.', remedy: NOTHING },
  GenerationCopied: {
    kind: 'normal',
    summary: "The CA in somebody's Secret was copied into a CA Secret of this operator.",
    remedy: NOTHING,
  },
  GenerationActivated: { kind: 'normal', summary: 'A CA key signs from now on.', remedy: NOTHING },
  BundlePublished: {
    kind: 'normal',
    summary: "The trust bundle was written to its record in the operator's namespace, from which all copies are made.",
    remedy: NOTHING,
  },

  CAKeyMissing: {
    kind: 'refused',
    summary:
      'A root was published, or the status tells of one, and its CA Secret is gone. What was issued stays trusted, nothing new is issued, and no new CA is made in secret.',
    remedy:
      'Restore the Secret, and the record of the trust bundle where that is gone too, from a backup: `kubectl apply --server-side --force-conflicts -f ca.yaml`, never without these flags, for a plain apply that is refused prints the key (docs/install.md, Back up and restore). To start over with a new CA, do what the message says at its end: all traces go, the authority among them.',
  },
  CAKeyInvalid: {
    kind: 'refused',
    summary: 'A CA Secret cannot be used: it cannot be read, its key is another one, or it holds another root than was published.',
    remedy:
      'Restore the Secret from a backup: `kubectl apply --server-side --force-conflicts -f ca.yaml`, never without these flags, for a plain apply that is refused prints the key (docs/install.md, Back up and restore). Until then nothing is issued and the trust bundle stays.',
  },
  CAExpired: {
    kind: 'refused',
    summary: 'The root has expired: nothing can be issued, and what was issued no longer verifies.',
    remedy: 'Make another authority and let the identities name it.',
  },
  CANotYetValid: {
    kind: 'failed',
    summary: 'The root is not valid yet: the clock of this machine is behind the one that made it.',
    remedy: 'Correct the clock; it is tried again.',
  },
  CASourceNotFound: {
    kind: 'waiting',
    summary: "The Secret that spec.caSecret names is not in the operator's namespace. A CA that was copied from it before goes on signing.",
    remedy: 'Create the Secret, or name another one.',
  },
  CASourceNotAllowed: {
    kind: 'refused',
    summary:
      'The Secret that spec.caSecret names is not for this authority: it is one of the operator itself, or an administrator has not named the authority of a namespace on it; which of these, and whether there is one at all, tenants are not told.',
    remedy: 'Have an administrator annotate the Secret with mutualidentity.io/allowed-authority: <namespace>/<name>, or name another one.',
  },
  CASourceInvalid: {
    kind: 'refused',
    summary: 'The Secret that spec.caSecret names holds no CA that can sign. A CA that was copied from it before goes on signing.',
    remedy:
      'The message says what is wrong: put a CA with its unencrypted key into tls.crt and tls.key (the CA first, each certificate issued by the next), and its root into ca.crt where tls.crt does not end with it.',
  },
  RotationPending: {
    kind: 'waiting',
    summary: 'The authority signs, and another CA waits to take over: its Secret was replaced, or the spec names another back end.',
    remedy: 'Nothing: it is never switched silently, and waits for a rotation. To stop it, put the former CA or back end back.',
  },
  TrustDomainNotAllowed: {
    kind: 'refused',
    summary: "A namespaced authority names a trust domain that is not its namespace's.",
    remedy:
      'Leave spec.trustDomain out, or have the operator started with --namespaced-trust-domains (chart value namespacedTrustDomains).',
  },
  TrustDomainTaken: {
    kind: 'refused',
    summary: 'Another authority has the same trust domain and comes first, and two must not speak for one.',
    remedy: 'Make this authority anew with a trust domain of its own, or delete it.',
  },
  TrustDomainChanged: {
    kind: 'refused',
    summary: 'The spec names another trust domain than the one the CA was made for.',
    remedy: 'Put the former trust domain back, or make another authority.',
  },
  TrustDomainInvalid: {
    kind: 'refused',
    summary: 'The trust domain breaks a rule of SPIFFE-ID section 2.1.',
    remedy: 'Use lower case letters, digits, dots, hyphens and underscores, 255 at most.',
  },
  RecordTerminating: {
    kind: 'refused',
    summary: 'The record of the published trust bundle must be made again, and finalizers keep it from going.',
    remedy: "Remove the finalizers from the ConfigMap in the operator's namespace.",
  },
  BundleRecordInvalid: {
    kind: 'refused',
    summary: 'The record of the published trust bundle cannot be read, and it cannot be made again from the CA Secrets.',
    remedy: "Restore the ConfigMap in the operator's namespace from a backup; the copies stay as they are.",
  },

  BundleWritten: { kind: 'normal', summary: 'A copy of the trust bundle was written into a namespace.', remedy: NOTHING },
  BundleRepaired: {
    kind: 'normal',
    summary: 'A copy of the trust bundle was changed by someone else and was put right.',
    remedy: 'If it repeats, find out who edits the ConfigMap.',
  },
  ConfigMapNotOwned: {
    kind: 'refused',
    summary: 'A ConfigMap of the name of the trust bundle exists and is not ours; it is not touched.',
    remedy: 'Rename or delete it if nobody needs it; leaf Secrets hold the bundle as ca.crt all the same.',
  },

  NameTaken: {
    kind: 'refused',
    summary:
      "A Secret or ConfigMap of a name that the authority needs exists in the operator's namespace and is not ours; it is not touched.",
    remedy: 'Rename or remove it, or rename the authority.',
  },

  CAKeyChanged: {
    kind: 'failed',
    summary: 'The CA Secret changed between the decision to sign and the signing.',
    remedy: 'Nothing: it is decided anew.',
  },
} as const satisfies Record<string, ReasonEntry>
