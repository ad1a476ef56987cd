// SPIFFE IDs (SPIFFE-ID section 2) and the form our workloads have: spiffe://<trust domain>/ns/<namespace>/sa/<service account>.
// Used by profiles and by whoever reads names out of a certificate. Nothing is decoded or normalised: equal IDs are equal strings.

import { messageOf, type OperatorError } from '../base/errors.ts'
import { refuse } from './refusal.ts'
import { parseTrustDomain, type TrustDomain } from './trust-domain.ts'

/** A valid SPIFFE ID; made only by the functions below. `path` is empty (the trust domain itself) or begins with a slash. */
export interface SpiffeId {
  readonly uri: string
  readonly trustDomain: TrustDomain
  readonly path: string
  readonly [brand]: true
}

declare const brand: unique symbol

const SCHEME = 'spiffe://'
/** SPIFFE-ID section 2.3: every implementation supports 2048 bytes, so nobody may use more. */
const MAX_LENGTH = 2048

/** RFC 1123 label, as the API server has it for namespaces. */
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
/** RFC 1123 subdomain, as the API server has it for service accounts. */
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** Reads a SPIFFE ID. Throws `SpiffeIdInvalid` (blocked), one message for each rule of the standard. */
export function parseSpiffeId(uri: string): SpiffeId {
  if (uri === '') throw invalid(uri, 'is empty', 'write spiffe://<trust domain>/<path>')
  if (uri.length > MAX_LENGTH) throw invalid(uri, `is longer than ${MAX_LENGTH} characters`, 'shorten the path')
  if (!uri.startsWith(SCHEME)) throw invalid(uri, `does not begin with ${SCHEME}`, 'write the scheme in lower case')
  if (uri.includes('?')) throw invalid(uri, 'holds a query', 'leave it out')
  if (uri.includes('#')) throw invalid(uri, 'holds a fragment', 'leave it out')
  const slash = uri.indexOf('/', SCHEME.length)
  const end = slash < 0 ? uri.length : slash
  const trustDomain = trustDomainOf(uri, uri.slice(SCHEME.length, end))
  const path = uri.slice(end)
  checkPath(uri, path)
  return make(trustDomain, path)
}

/**
 * The ID of a workload, from names that the API server has accepted; they are checked all the same, since an ID is a permission.
 * Throws `SpiffeIdInvalid` (blocked).
 */
export function workloadId(trustDomain: TrustDomain, namespace: string, serviceAccount: string): SpiffeId {
  const path = `/ns/${namespace}/sa/${serviceAccount}`
  const uri = `${SCHEME}${trustDomain}${path}`
  if (!isNamespace(namespace)) {
    throw invalid(uri, 'has a namespace that is none', 'use 1 to 63 lower case letters, digits and inner hyphens')
  }
  if (!isServiceAccount(serviceAccount)) {
    throw invalid(uri, 'has a service account that is none', 'use 1 to 253 lower case letters, digits, inner hyphens and dots')
  }
  return make(trustDomain, path)
}

/** A workload's ID taken apart. */
export interface WorkloadName {
  readonly id: SpiffeId
  readonly namespace: string
  readonly serviceAccount: string
}

/** Takes the ID of a workload apart; undefined for everything that workloadId cannot have made. */
export function parseWorkloadId(uri: string): WorkloadName | undefined {
  const [, name, namespace, serviceAccount] = /^spiffe:\/\/([^/]*)\/ns\/([^/]*)\/sa\/([^/]*)$/.exec(uri) ?? []
  if (name === undefined || namespace === undefined || serviceAccount === undefined) return undefined
  try {
    return { id: workloadId(parseTrustDomain(name), namespace, serviceAccount), namespace, serviceAccount }
  } catch {
    return undefined
  }
}

/** The ID of a trust domain itself, which its roots carry (X509-SVID section 3.2). */
export function trustDomainUri(trustDomain: TrustDomain): string {
  return `${SCHEME}${trustDomain}`
}

function make(trustDomain: TrustDomain, path: string): SpiffeId {
  return { uri: `${SCHEME}${trustDomain}${path}`, trustDomain, path } as SpiffeId
}

function trustDomainOf(uri: string, name: string): TrustDomain {
  if (name === '') throw invalid(uri, 'has no trust domain', 'write spiffe://<trust domain>/<path>')
  try {
    return parseTrustDomain(name)
  } catch (error) {
    throw invalid(uri, 'has a trust domain that is none', messageOf(error))
  }
}

/** SPIFFE-ID section 2.2. */
function checkPath(uri: string, path: string): void {
  if (path === '') return
  if (path.endsWith('/')) throw invalid(uri, 'ends with a slash', 'leave it out')
  for (const segment of path.slice(1).split('/')) {
    if (segment === '') throw invalid(uri, 'has an empty path segment', 'write one slash between segments')
    if (segment === '.' || segment === '..') throw invalid(uri, 'has a relative path segment', 'write the path out')
    if (segment.includes('%')) throw invalid(uri, 'holds percent-encoding', 'use characters that need none')
    if (!/^[A-Za-z0-9._-]+$/.test(segment)) {
      throw invalid(uri, 'has a path with a character that is not allowed', 'use letters, digits, dots, hyphens and underscores')
    }
  }
}

function isNamespace(text: string): boolean {
  return text.length <= 63 && LABEL.test(text)
}

function isServiceAccount(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN.test(text)
}

function invalid(value: string, rule: string, remedy: string): OperatorError {
  return refuse({ reason: 'SpiffeIdInvalid', what: 'SPIFFE ID', value, rule, remedy })
}
