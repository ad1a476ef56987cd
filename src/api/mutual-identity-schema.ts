// The schema of MutualIdentity. Read by crd.ts only; the types, and what the fields mean to the code, stand in mutual-identity.ts.
// Only fields that do something: a field without effect is a lie.

import { KEY_TYPES } from '../pki/key-type.ts'
import { duration } from './duration-schema.ts'
import { labelSelector } from './label-selector-schema.ts'
import { AUTHORITY_KINDS, identityDefaults, SERVICE_NAMES } from './mutual-identity.ts'
import { MAX_KIND_NAME } from './names.ts'
import { choice, DNS_SUBDOMAIN, dnsLabel, fits, object, text } from './schema.ts'
import { conditions, instantText, lastFailure, observedGeneration } from './status-schema.ts'

const authorityRef = object(
  'Which authority signs the certificate.',
  {
    kind: choice('The kind of the authority.', AUTHORITY_KINDS, { default: identityDefaults.authorityKind }),
    name: dnsLabel('The name of the authority.', 'the name of an authority', {
      maxLength: MAX_KIND_NAME,
      default: identityDefaults.authorityName,
    }),
  },
  { default: {}, atomic: true },
)

const certificate = object(
  'What the certificate is like.',
  {
    lifetime: duration(
      'From notBefore to notAfter, with the backdating in it. By default what the authority says, which also has narrower bounds.',
      { atLeast: '1m', atMost: '8760h', example: '24h' },
    ),
    keyType: choice('The type of the private key. A new key is made for each certificate.', KEY_TYPES, {
      default: identityDefaults.keyType,
    }),
    serviceNames: choice(
      'Auto: the certificate carries the DNS names of the Services of this namespace whose selector covers the pods. None: it carries no DNS names.',
      SERVICE_NAMES,
      { default: identityDefaults.serviceNames },
    ),
  },
  { default: {} },
)

const serviceAccountName = text(
  'The service account the certificate speaks for: spiffe://<trust domain>/ns/<namespace>/sa/<this>. By default the one the selected pods run under.',
  {
    maxLength: 253,
    rules: [
      {
        rule: fits('self', DNS_SUBDOMAIN),
        message: 'must be the name of a service account: lower case letters, digits, hyphens and dots, a letter or digit at both ends',
      },
    ],
  },
)

const spec = object(
  'What is asked for.',
  {
    podSelector: labelSelector(
      'The pods that get the identity, as in a NetworkPolicy: {} is every pod of the namespace. Completed and terminating pods do not count.',
    ),
    serviceAccountName,
    authorityRef,
    certificate,
  },
  { required: ['podSelector'] },
)

const status = object('What was observed. A cache: it is made again when lost.', {
  observedGeneration,
  conditions,
  spiffeID: text('The identity in the certificate: spiffe://<trust domain>/ns/<namespace>/sa/<service account>.', { maxLength: 2048 }),
  certificate: object(
    'The certificate in the Secret.',
    {
      serialNumber: text('Its serial number, in lower-case hexadecimal digits.', { maxLength: 64 }),
      notAfter: instantText('When it expires.'),
      renewAt: instantText('When a new one takes its place.'),
      issuedBy: text('Who signed it: kind, name and generation of the authority.', { maxLength: 512 }),
    },
    { required: ['serialNumber', 'notAfter', 'renewAt', 'issuedBy'] },
  ),
  lastFailure,
})

export const mutualIdentitySchema = { spec, status } as const

export const mutualIdentityDescription =
  'MutualIdentity gives the pods it selects a certificate of their own and the trust bundle to verify others with, as a Secret named <name>-mtls that is renewed in time.'
