// The schemas of ClusterMutualAuthority and MutualAuthority. Read by crd.ts only; the types, and what the fields mean to the code, stand in
// authority.ts.
// Only fields that do something: a field without effect is a lie.

import { KEY_TYPES } from '../pki/key-type.ts'
import { authorityDefaults, BUNDLE_POLICIES, GENERATION_STATES } from './authority.ts'
import { duration, whereDurations } from './duration-schema.ts'
import { labelSelector } from './label-selector-schema.ts'
import { choice, DNS_SUBDOMAIN, dnsLabel, fits, flag, list, object, type Rule, text, whole } from './schema.ts'
import { instantText, statusWith } from './status-schema.ts'

/** No leaf outlives a year: what cannot be renewed within it is not looked after at all. */
const LONGEST_LEAF = '8760h'
const SHORTEST_LEAF = '1m'

/**
 * A new root is announced everywhere before it signs (10 minutes: how long a mounted file may lag), and a sixth of the old root's lifetime
 * must leave room for that three times: 10m x 3 x 6 = 3h, and a little more.
 */
const SHORTEST_ROOT = '3h1m'
const LONGEST_ROOT = '87600h'

/** What parseTrustDomain reads; its length is bounded apart. */
const TRUST_DOMAIN = '[a-z0-9_-]+([.][a-z0-9_-]+)*'

const trustDomain = (standard: string) =>
  text(
    `The trust domain of all identities it signs: spiffe://<this>/... By default ${standard}. It can be neither changed nor set nor removed later.`,
    {
      maxLength: 255,
      rules: [
        {
          rule: fits('self', TRUST_DOMAIN),
          message:
            'must be a trust domain (SPIFFE-ID 2.1): lower case letters, digits, hyphens, underscores, and single dots between them; no scheme, port or path',
        },
      ],
    },
  )

const selfManaged = object("An own root, whose key is kept in the operator's namespace. What an authority is that names no back end.", {
  keyType: choice("The type of the CA's key.", KEY_TYPES, { default: authorityDefaults.keyType }),
  rootLifetime: duration('How long a root lasts.', {
    atLeast: SHORTEST_ROOT,
    atMost: LONGEST_ROOT,
    example: '2160h',
    default: authorityDefaults.rootLifetime,
  }),
})

const caSecret = (whose: string) =>
  object(
    'A CA that somebody else keeps as a Secret (tls.crt, tls.key, and ca.crt where the CA is not its own root). It is copied; a CA that replaces it waits until a rotation takes it over.',
    {
      name: text(`The name of the Secret in the operator's namespace${whose}.`, {
        maxLength: 253,
        minLength: 1,
        rules: [
          {
            rule: fits('self', DNS_SUBDOMAIN),
            message: 'must be the name of a Secret: lower case letters, digits, hyphens and dots, a letter or digit at both ends',
          },
        ],
      }),
    },
    { required: ['name'] },
  )

const leafBounds = { atLeast: SHORTEST_LEAF, atMost: LONGEST_LEAF, example: '24h' }

const minIsNotAboveLifetime: Rule = {
  rule: whereDurations(['self.lifetime', 'self.minLifetime'], 'duration(self.minLifetime) <= duration(self.lifetime)'),
  messageExpression:
    "'lifetime ' + self.lifetime + ' is below minLifetime ' + self.minLifetime + ': lower minLifetime (1m at least) or raise lifetime'",
  message: 'lifetime must not be below minLifetime: lower minLifetime or raise lifetime',
  fieldPath: '.lifetime',
}

const lifetimeIsNotAboveMax: Rule = {
  rule: whereDurations(['self.lifetime', 'self.maxLifetime'], 'duration(self.lifetime) <= duration(self.maxLifetime)'),
  messageExpression: "'lifetime ' + self.lifetime + ' is above maxLifetime ' + self.maxLifetime + ': raise maxLifetime or lower lifetime'",
  message: 'lifetime must not be above maxLifetime: raise maxLifetime or lower lifetime',
  fieldPath: '.lifetime',
}

const leaf = object(
  'What certificates may be like.',
  {
    lifetime: duration('How long a certificate lasts that asks for nothing else.', {
      ...leafBounds,
      default: authorityDefaults.leafLifetime,
    }),
    minLifetime: duration('The shortest lifetime a certificate may ask for.', {
      ...leafBounds,
      default: authorityDefaults.minLeafLifetime,
    }),
    maxLifetime: duration('The longest lifetime a certificate may ask for. By default a sixth of rootLifetime.', leafBounds),
    keyTypes: list('The key types a certificate may ask for. By default all.', choice('A key type.', KEY_TYPES), {
      minItems: 1,
      maxItems: KEY_TYPES.length,
    }),
  },
  { default: {}, rules: [minIsNotAboveLifetime, lifetimeIsNotAboveMax] },
)

const allowedDNSNames = list(
  'The extra DNS names (spec.certificate.dnsNames) that may be asked for: exact ones, or *. and a name for everything one label below it. By default none. Names of Services need not be listed.',
  text('A DNS name, or *. and a DNS name.', {
    maxLength: 253,
    rules: [
      {
        rule: fits('self', `([*][.])?${DNS_SUBDOMAIN}`),
        message:
          'must be a DNS name in lower case, or *. and a DNS name (which stands for exactly one label): web.example.org, *.example.org',
      },
    ],
  }),
  { maxItems: 256 },
)

const allowedNamespaces = list(
  'The namespaces whose identities it signs. By default all.',
  dnsLabel('The name of a namespace.', 'the name of a namespace', { maxLength: 63 }),
  { minItems: 1, maxItems: 1000 },
)

const shortServiceNames = (standard: boolean) =>
  flag(
    `Whether certificates carry the bare names of Services too. A bare name means another Service in each namespace. By default ${standard}.`,
    { default: standard },
  )

const selectorGoesWithPolicy: Rule = {
  rule: "(has(self.policy) && self.policy == 'Selector') == has(self.selector)",
  messageExpression:
    "'policy ' + self.policy + (self.policy == 'Selector' ? ' needs a selector' : ' takes no selector: leave it out, or set policy to Selector')",
  message: 'policy Selector needs a selector, the others take none',
}

const trustBundle = object(
  'Where the trust bundle goes.',
  {
    namespaces: object(
      'The namespaces that get the ConfigMap with the trust bundle. A copy that was made once is kept current wherever it is.',
      {
        policy: choice(
          'WithIdentities: where an identity names this authority, or accepts it. All: everywhere. Selector: where the labels of the namespace match, and where identities are.',
          BUNDLE_POLICIES,
          { default: authorityDefaults.bundleNamespaces },
        ),
        selector: labelSelector('The labels of the namespaces.'),
      },
      { default: {}, rules: [selectorGoesWithPolicy] },
    ),
  },
  { default: {} },
)

const trustDomainStays: Rule = {
  rule: 'has(self.trustDomain) == has(oldSelf.trustDomain) && (!has(self.trustDomain) || self.trustDomain == oldSelf.trustDomain)',
  messageExpression:
    "'trustDomain is immutable: it is ' + (has(oldSelf.trustDomain) ? oldSelf.trustDomain : 'not set') + ' and can be neither changed nor set nor removed; make another authority'",
  message: 'trustDomain is immutable: it can be neither changed nor set nor removed; make another authority',
  fieldPath: '.trustDomain',
}

const oneBackEnd: Rule = {
  rule: '!has(self.selfManaged) || !has(self.caSecret)',
  message: 'selfManaged and caSecret cannot both be given: an authority has one back end',
}

/** Whole seconds are exact enough: X.509 knows nothing finer. Of a CA that others keep the controller checks it. */
const withinASixth = (field: 'lifetime' | 'maxLifetime'): Rule => {
  const root = `(has(self.selfManaged) ? self.selfManaged.rootLifetime : '${authorityDefaults.rootLifetime}')`
  const known = 'has(self.caSecret) || (has(self.selfManaged) && !has(self.selfManaged.rootLifetime))'
  return {
    rule: `${known} || ${whereDurations([`self.leaf.${field}`], `duration(self.leaf.${field}).getSeconds() * 6 <= duration(${root}).getSeconds()`)}`,
    messageExpression: `'leaf.${field} ' + self.leaf.${field} + ' is more than a sixth of selfManaged.rootLifetime ' + ${root} + ', which a rotation of the root needs: lower the one or raise the other'`,
    message: `leaf.${field} must be at most a sixth of selfManaged.rootLifetime: lower the one or raise the other`,
    fieldPath: `.leaf.${field}`,
  }
}

const rules = [trustDomainStays, oneBackEnd, withinASixth('lifetime'), withinASixth('maxLifetime')]
const ABOUT = 'What the authority is and what it permits. {} is enough.'

const clusterSpec = object(
  ABOUT,
  {
    trustDomain: trustDomain("the operator's"),
    selfManaged,
    caSecret: caSecret(''),
    leaf,
    policy: object(
      'Who may use this authority, and for which names.',
      { allowedNamespaces, allowedDNSNames, shortServiceNames: shortServiceNames(false) },
      { default: {} },
    ),
    trustBundle,
  },
  { rules },
)

/** Its trust ends at its namespace: there is nobody else to allow, and nowhere else for the bundle to go. */
const namespacedSpec = object(
  ABOUT,
  {
    trustDomain: trustDomain("<namespace>.<the operator's>; another one only as the operator's flags allow"),
    selfManaged,
    caSecret: caSecret(', which an administrator allows by the annotation mutualidentity.io/allowed-authority: <namespace>/<name>'),
    leaf,
    policy: object(
      'For which names this authority may be used.',
      { allowedDNSNames, shortServiceNames: shortServiceNames(true) },
      { default: {} },
    ),
  },
  { rules },
)

const generation = object(
  'One CA key and its root.',
  {
    number: whole('Counts from 1.', 1),
    state: choice('Prepared: not signing yet. Active: signs. Retiring: no longer signs, still trusted.', GENERATION_STATES),
    fingerprint: text('SHA-256 of the root.', { maxLength: 128 }),
    subjectKeyID: text("The root's subject key identifier.", { maxLength: 128 }),
    notBefore: instantText('Since when the root is valid.'),
    notAfter: instantText('When the root expires.'),
  },
  { required: ['number', 'state', 'fingerprint', 'subjectKeyID', 'notBefore', 'notAfter'] },
)

const status = statusWith({
  trustDomain: text('The trust domain it speaks for, recorded with its first CA key.', { maxLength: 255 }),
  generations: list('Its CA keys.', generation, { maxItems: 64, keys: ['number'] }),
  trustBundle: object(
    'The published trust bundle.',
    { fingerprint: text('SHA-256 of its text.', { maxLength: 128 }), anchors: whole('How many roots it holds.', 0) },
    { required: ['fingerprint', 'anchors'] },
  ),
})

export const clusterMutualAuthoritySchema = { spec: clusterSpec, status } as const
export const mutualAuthoritySchema = { spec: namespacedSpec, status } as const

export const clusterMutualAuthorityDescription =
  'ClusterMutualAuthority signs the certificates of MutualIdentities: it keeps a CA, publishes its root to the namespaces that need it, and says which certificates may be asked for.'

export const mutualAuthorityDescription =
  'MutualAuthority is an authority for one namespace: a CA and a trust domain of its own, whose trust ends at the namespace.'
