// The reasons of identities: how one stands, why its certificate is made again, what stops it. Part of the table in ../reason.ts.
// Text for people who read a condition and want to know what to do.

import type { ReasonEntry } from './entry.ts'

const NOTHING = 'Nothing.'

export const identityReasons = {
  Current: { kind: 'normal', summary: 'All is as the spec asks.', remedy: NOTHING },
  Issued: {
    kind: 'normal',
    summary: 'A certificate was issued where there was no Secret: the first one, or because the Secret was deleted or got another name.',
    remedy: NOTHING,
  },
  Renewed: { kind: 'normal', summary: 'A new certificate took the place of one that was due, or was asked for.', remedy: NOTHING },
  Reissued: {
    kind: 'normal',
    summary: 'A new certificate took the place of one that was no longer right; the event names the cause.',
    remedy: NOTHING,
  },
  Repaired: {
    kind: 'normal',
    summary: 'A Secret was changed by someone else, or fell behind, and was put right without a new certificate.',
    remedy: 'If it repeats, find out who edits the Secret: the audit log of the API server says.',
  },

  SecretMissing: { kind: 'waiting', summary: 'The Secret does not exist yet, or was deleted; it is made.', remedy: NOTHING },
  SecretDataMissing: {
    kind: 'waiting',
    summary: 'The Secret lacks its certificate or its key; both are made again.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },
  SecretTerminating: {
    kind: 'refused',
    summary: 'The Secret must be made again, and finalizers keep it from going.',
    remedy: 'Remove the finalizers from the metadata of the Secret; a new one is made at once.',
  },
  NotYetValid: {
    kind: 'waiting',
    summary: 'The certificate begins in the future, because it was issued while a clock was ahead; a new one is made.',
    remedy: 'Nothing. If it comes again, look at the clocks of the nodes.',
  },
  FactsUnknown: {
    kind: 'waiting',
    summary: 'This account may not read pods or Services, so what would be done depends on what they show.',
    remedy: 'Run explain with an account that may read them, or read the status instead.',
  },
  SecretRecreated: {
    kind: 'waiting',
    summary: 'The Secret was made immutable or is of another type, so it cannot be changed in place: it is deleted and made again.',
    remedy: 'Do not mark Secrets of identities immutable: they could not be renewed.',
  },
  SecretUnknown: {
    kind: 'waiting',
    summary: 'This account may not read the Secret, so what would be done depends on what it holds.',
    remedy: 'Run explain with an account that may read Secrets of the namespace, or read the status instead.',
  },
  CertificateInvalid: {
    kind: 'waiting',
    summary: 'The certificate in the Secret cannot be read; a new one is made.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },
  KeyInvalid: {
    kind: 'waiting',
    summary: 'The private key in the Secret cannot be read; a new pair is made.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },
  KeyMismatch: {
    kind: 'waiting',
    summary: 'The private key does not belong to the certificate; a new pair is made.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },
  ChainNotTrusted: {
    kind: 'waiting',
    summary: 'The certificate does not verify to the published trust bundle; a new one is made.',
    remedy: 'Nothing, unless the CA was replaced by hand: then let the programs load their files anew.',
  },
  GenerationRetiring: {
    kind: 'waiting',
    summary: 'The certificate was signed by a CA key that no longer signs; a new one is made.',
    remedy: NOTHING,
  },
  AuthorityChanged: {
    kind: 'waiting',
    summary: 'The certificate was signed by another authority than the one that is asked for now; a new one is made.',
    remedy: NOTHING,
  },
  NamesChanged: {
    kind: 'waiting',
    summary: 'The certificate lacks a name, or is for another service account, than is asked for now; a new one is made.',
    remedy: NOTHING,
  },
  KeyTypeChanged: { kind: 'waiting', summary: 'Another key type is asked for; a new pair is made.', remedy: NOTHING },
  ProfileChanged: { kind: 'waiting', summary: 'The spec asks for another certificate than this one; a new one is made.', remedy: NOTHING },
  RenewalRequested: { kind: 'waiting', summary: 'A renewal was asked for by annotation; a new certificate is made.', remedy: NOTHING },
  RenewalDue: { kind: 'waiting', summary: 'The time of renewal has come; a new certificate is made.', remedy: NOTHING },
  BundleOutdated: {
    kind: 'waiting',
    summary: 'The ca.crt in the Secret is not the published trust bundle; it is written anew.',
    remedy: NOTHING,
  },
  MetadataChanged: {
    kind: 'waiting',
    summary: 'Labels, annotations or the owner of the Secret were changed; they are put right.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },

  FormatsChanged: {
    kind: 'waiting',
    summary: 'The files that spec.delivery.formats asks for are not those in the Secret; they are made with a new pair.',
    remedy: 'If it repeats, find out who edits the Secret.',
  },
  FormerSecretRemoved: {
    kind: 'waiting',
    summary: 'The name in spec.delivery.secretName was changed and the grace of the former Secret is over; it is deleted.',
    remedy: 'Nothing, unless pods still mount it: let them mount the new one.',
  },
  PeersNotReady: {
    kind: 'waiting',
    summary:
      'The identity is to go over to another authority, and others of its namespace do not accept that one yet, or not long enough. The old authority goes on renewing its certificate. One whose Secret was renamed counts until the former Secret has gone, a day at most: pods may still mount that.',
    remedy:
      'List the new authority in spec.trust.additionalAuthorities of the identities that the message names. Identities of other namespaces that call this one are not seen: let them accept it too.',
  },
  TrustIncomplete: {
    kind: 'waiting',
    summary: 'The certificate is current; an authority in spec.trust.additionalAuthorities has published no trust bundle yet.',
    remedy: 'Create the authority, look at its Ready condition, or take it out of the list.',
  },
  TrustOutdated: {
    kind: 'waiting',
    summary: 'The anchors of an authority that was published before cannot be read, or are too many; those in the Secret stay.',
    remedy: 'Look at the Ready condition of the authority that the message names.',
  },
  PodsMismatched: {
    kind: 'waiting',
    summary: 'Pods are selected that run under another service account than spec.serviceAccountName, for which the certificate is.',
    remedy: 'Let the pods run under that account, name theirs in spec.serviceAccountName, or narrow spec.podSelector.',
  },
  PodsOverlap: {
    kind: 'waiting',
    summary: 'The certificate is current; some of the selected pods are selected by an older identity too.',
    remedy: 'Narrow podSelector of one of the two, unless the pods are meant to have both certificates.',
  },

  Restarted: {
    kind: 'normal',
    summary: 'A workload was restarted, because the certificate that its programs read at their start was renewed.',
    remedy: NOTHING,
  },
  RestartNotEnabled: {
    kind: 'waiting',
    summary:
      'The certificate is current; spec.restart.onRenewal asks for restarts after renewals, and this operator does not restart workloads.',
    remedy:
      'Set restartWorkloads of the chart, which gives the flag (--restart-workloads=true) and the rights (charts/mutual-identity/files/rights/restart.yaml), or set spec.restart.onRenewal to false and restart the workload after each renewal.',
  },
  WorkloadsUnreadable: {
    kind: 'refused',
    summary:
      'The operator is asked to restart workloads after renewals and cannot list Deployments, StatefulSets or DaemonSets. Certificates are issued and renewed all the same.',
    remedy:
      'Set restartWorkloads of the chart, or give its account the rights of charts/mutual-identity/files/rights/restart.yaml; nothing needs to be started anew for these. Its log says what the API server answers.',
  },

  NoServiceAccount: {
    kind: 'waiting',
    summary: 'No pod is selected yet and the spec names no service account, so there is no identity to give.',
    remedy: 'Start a pod that podSelector selects, or set spec.serviceAccountName.',
  },
  AuthorityNotFound: {
    kind: 'waiting',
    summary: 'The authority that spec.authorityRef names does not exist.',
    remedy: 'Create the authority, or name one that exists.',
  },
  AuthorityNotReady: {
    kind: 'waiting',
    summary: 'The authority exists but cannot sign just now; what was issued stays.',
    remedy: 'Look at the Ready condition of the authority.',
  },
  AuthorityUnknown: {
    kind: 'waiting',
    summary: 'This account may not read the authority, its CA Secrets or its bundle, so what would be done depends on what they hold.',
    remedy: 'Run explain with an account that may read them, or read the status of the identity instead.',
  },
  NamespaceTerminating: { kind: 'waiting', summary: 'The namespace is being deleted, so nothing new is made in it.', remedy: NOTHING },

  ServiceAccountConflict: {
    kind: 'refused',
    summary:
      'The selected pods run under several service accounts. A first certificate waits; one that was issued goes on being renewed for its account.',
    remedy: 'Narrow spec.podSelector to pods of one account, or set spec.serviceAccountName.',
  },
  NamespaceNotAllowed: {
    kind: 'refused',
    summary: "The authority's spec.policy.allowedNamespaces does not list this namespace.",
    remedy: 'Ask who runs the authority to add the namespace, or name another authority.',
  },
  LifetimeOutOfBounds: {
    kind: 'refused',
    summary: 'The lifetime is outside what the authority permits; the present certificate stays.',
    remedy: 'Choose a lifetime within the bounds that the message names, or have the bounds changed.',
  },
  KeyTypeNotAllowed: {
    kind: 'refused',
    summary: 'The authority does not permit the key type; the present certificate stays.',
    remedy: 'Choose one of the key types that the message names, or have spec.leaf.keyTypes of the authority changed.',
  },
  RenewBeforeOutOfBounds: {
    kind: 'refused',
    summary: 'The spec asks for a renewal that is not from 5 % to 80 % of the lifetime before the end; the present certificate stays.',
    remedy: 'Choose a value within the range that the message names.',
  },
  DNSNameNotAllowed: {
    kind: 'refused',
    summary: 'A name in spec.certificate.dnsNames may not be in a certificate of this identity; the present certificate stays.',
    remedy: 'Leave the name out, or have it added to spec.policy.allowedDNSNames of the authority. Names of Services come by themselves.',
  },
  SecretNameTaken: {
    kind: 'refused',
    summary: 'Another identity of the namespace names the same Secret and comes first: it holds the Secret, or is older.',
    remedy: 'Choose another spec.delivery.secretName.',
  },
  KeystorePasswordMissing: {
    kind: 'refused',
    summary: 'The Secret or the key that spec.delivery.keystorePasswordRef names is not there; the present certificate stays.',
    remedy: 'Create it, or correct the reference.',
  },
  KeystoreAliasInvalid: {
    kind: 'failed',
    summary: 'The name of an entry of a keystore breaks a rule of Java.',
    remedy: 'Report it: names of identities are valid ones.',
  },
  KeystorePasswordInvalid: {
    kind: 'refused',
    summary: 'The password of the keystores breaks a rule of Java; the present certificate stays.',
    remedy: 'The message names the rule: choose another password.',
  },
  TooManyNames: {
    kind: 'refused',
    summary: 'The Services that cover the pods and the extra names are more than one certificate can hold.',
    remedy: 'Narrow spec.podSelector, or set spec.certificate.serviceNames to None.',
  },
  SpecInvalid: {
    kind: 'refused',
    summary: 'The spec cannot be used: it was stored before the schema demanded what it demands now.',
    remedy: 'Apply the object again; the API server names what is wrong.',
  },
  OperatorNamespace: {
    kind: 'refused',
    summary: "The object is in the operator's own namespace, which holds CA keys: whoever may use its Secrets could sign anything.",
    remedy: 'Run the workload in another namespace.',
  },
  SecretNotOwned: {
    kind: 'refused',
    summary: 'A Secret of that name exists and belongs to someone else; it is not touched.',
    remedy: 'Rename the identity, or delete that Secret if nobody needs it.',
  },

  IssuerAnswerRefused: {
    kind: 'failed',
    summary: 'What the issuer returned is not what was asked for; it was thrown away and the present certificate stays.',
    remedy: 'It is tried again. If it stays, the message names the field that differs.',
  },
} as const satisfies Record<string, ReasonEntry>
