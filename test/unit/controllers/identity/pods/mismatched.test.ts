// Pods that run under another account than the one that the spec names: the certificate is not for them, and that is said.

import { describe, expect, it } from '@jest/globals'
import { planIdentity } from '../../../../../src/controllers/identity/plan.ts'
import { identityOf, NOW, servedFacts } from '../../../../support/identity-facts.ts'

const named = (...observedAccounts: string[]) =>
  planIdentity(
    { ...servedFacts({ identity: identityOf({ spec: { ...identityOf().spec, serviceAccountName: 'payments' } }) }), observedAccounts },
    NOW,
  ).readiness

describe('an identity that names its account', () => {
  it('says that some of its pods run under another one, and stays ready', () => {
    expect(named('orders', 'payments')).toMatchObject({
      state: 'ready',
      reason: 'PodsMismatched',
      message: expect.stringContaining('another service account than payments'),
    })
  })

  it.each([[['payments']], [[]]])('says nothing where its pods run under %j', (accounts) => {
    expect(named(...accounts).reason).toBe('Current')
  })
})
