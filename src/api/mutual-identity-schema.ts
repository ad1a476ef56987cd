// The schema of MutualIdentity. Read by crd.ts only; the types, and what the fields mean to the code, stand in mutual-identity.ts.
// Only fields that do something: a field without effect is a lie. What nobody wrote is not filled in (the projection knows the defaults): the API server
// pays for each field of an object at each of its writes, a quarter of a status.

import { KEY_TYPES } from '../pki/key-type.ts'
import { duration, whereDurations } from './duration-schema.ts'
import { labelSelector } from './label-selector-schema.ts'
import { FORMATS, identityDefaults, MOST_FORMER_AUTHORITIES, SERVICE_NAMES } from './mutual-identity.ts'
import { AUTHORITY_KINDS, MAX_KIND_NAME } from './names.ts'
import { choice, DNS_SUBDOMAIN, dnsLabel, fits, flag, list, object, type Rule, text, whole } from './schema.ts'
import { secretTemplate } from './secret-template-schema.ts'
import { instantText, statusWith } from './status-schema.ts'

const authorityKind = choice('The kind of the authority: one of the cluster, or one of the namespace of the identity.', AUTHORITY_KINDS, {
  default: identityDefaults.authorityKind,
})

const authorityRef = object(
  'Which authority signs the certificate. By default ClusterMutualAuthority default.',
  {
    kind: authorityKind,
    name: dnsLabel('The name of the authority.', 'the name of an authority', {
      maxLength: MAX_KIND_NAME,
      default: identityDefaults.authorityName,
    }),
  },
  { atomic: true },
)

/** Twentieths, because CEL has no fractions of durations. */
const renewBeforeFits: Rule = {
  rule: whereDurations(
    ['self.renewBefore', 'self.lifetime'],
    'duration(self.renewBefore).getSeconds() * 20 >= duration(self.lifetime).getSeconds() && duration(self.renewBefore).getSeconds() * 20 <= duration(self.lifetime).getSeconds() * 16',
  ),
  messageExpression:
    "'renewBefore ' + self.renewBefore + ' must be from 5 % to 80 % of lifetime ' + self.lifetime + ': too late leaves no time for another try, too early renews without end'",
  message: 'renewBefore must be from 5 % to 80 % of lifetime',
  fieldPath: '.renewBefore',
}

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'

const dnsName = text('A DNS name.', {
  maxLength: 253,
  rules: [
    {
      rule: fits('self', `${LABEL}([.]${LABEL})*`),
      message:
        'must be a DNS name without wildcard: labels of at most 63 lower case letters, digits and hyphens, a letter or digit at both ends, single dots between them',
    },
  ],
})

const certificate = object(
  'What the certificate is like.',
  {
    lifetime: duration(
      'From notBefore to notAfter, with the backdating in it. By default what the authority says, which also has narrower bounds.',
      { atLeast: '1m', atMost: '8760h', example: '24h' },
    ),
    renewBefore: duration(
      'How long before its end a certificate is renewed: 5 % to 80 % of the lifetime. By default drawn between 40 % and 50 %.',
      {
        atLeast: '3s',
        atMost: '7008h',
        example: '8h',
      },
    ),
    keyType: choice('The type of the private key. A new key is made for each certificate.', KEY_TYPES, {
      default: identityDefaults.keyType,
    }),
    serviceNames: choice(
      'Auto: the certificate carries the DNS names of the Services of this namespace whose selector covers the pods; where spec.serviceAccountName is set, of those alone that have no pods, or one that runs under it. None: it carries no names of Services.',
      SERVICE_NAMES,
      { default: identityDefaults.serviceNames },
    ),
    dnsNames: list('Extra DNS names, each of which the authority must allow (spec.policy.allowedDNSNames).', dnsName, { maxItems: 64 }),
  },
  { rules: [renewBeforeFits] },
)

const objectName = (description: string): ReturnType<typeof text> =>
  text(description, {
    maxLength: 253,
    minLength: 1,
    rules: [
      {
        rule: fits('self', DNS_SUBDOMAIN),
        message: 'must be the name of a Secret: lower case letters, digits, hyphens and dots, a letter or digit at both ends',
      },
    ],
  })

const delivery = object('How the certificate gets to the pods.', {
  secretName: objectName(
    'The name of the Secret. By default <name>-mtls. When it is changed, the new Secret comes first and the old one goes a day later, or when its certificate ends.',
  ),
  formats: list(
    'What the Secret holds besides tls.crt, tls.key and ca.crt. CombinedPEM: tls-combined.pem. SPIFFE: the file names of SPIFFE. PKCS12, JKS: keystore and truststore for Java. DER: key.der.',
    choice('A format.', FORMATS),
    { maxItems: FORMATS.length },
  ),
  keystorePasswordRef: object(
    'The password of the keystores, in a Secret of this namespace. By default "changeit", as Java has it. A changed password is taken with the next certificate.',
    {
      name: objectName('The name of the Secret.'),
      key: text('The key in its data.', {
        maxLength: 253,
        minLength: 1,
        rules: [
          { rule: fits('self', '[-._a-zA-Z0-9]+'), message: 'must be a key of a Secret: letters, digits, hyphens, underscores and dots' },
        ],
      }),
    },
    { required: ['name', 'key'], atomic: true },
  ),
  secretTemplate,
})

const trust = object('Whom the workload accepts besides the members of its own authority.', {
  additionalAuthorities: list(
    'Other authorities whose members it accepts: the Secret holds a file <trust domain>.spiffe-trust-bundle.x509.pem for each.',
    object(
      'An authority.',
      {
        kind: authorityKind,
        name: dnsLabel('The name of the authority.', 'the name of an authority', { maxLength: MAX_KIND_NAME }),
        pooled: flag(
          'Its anchors go into ca.crt as well, for programs that read one file: whoever holds any of these CAs is then believed for every name.',
          { default: false },
        ),
      },
      { required: ['name'] },
    ),
    { maxItems: 16, keys: ['kind', 'name'] },
  ),
})

const restart = object('For programs that read their files only at start.', {
  onRenewal: flag(
    'Rolls the Deployments, StatefulSets and DaemonSets whose pods are selected when the certificate was renewed: at most once an hour, and only those with the annotation mutualidentity.io/restart-on-renewal: "true". Takes a right that the operator has only where it was asked for.',
    { default: false },
  ),
})

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
    delivery,
    trust,
    restart,
  },
  { required: ['podSelector'] },
)

const status = statusWith({
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
  formerAuthorities: list(
    'The authorities that signed before and are still accepted, because what they signed may be in use: kind, name and until when at least. As the Secret says it too, for where that is made again.',
    text('Kind, name and instant.', { maxLength: 512 }),
    { maxItems: MOST_FORMER_AUTHORITIES },
  ),
  pods: object(
    'The running pods that podSelector selects; refreshed at most every half minute.',
    {
      selected: whole('How many there are.', 0),
      mismatched: whole('How many of them run under another service account than the certificate is for.', 0),
    },
    { required: ['selected', 'mismatched'] },
  ),
})

export const mutualIdentitySchema = { spec, status } as const

export const mutualIdentityDescription =
  'MutualIdentity gives the pods it selects a certificate of their own and the trust bundle to verify others with, as a Secret that is renewed in time.'
