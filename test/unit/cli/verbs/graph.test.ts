// graph in a cluster in memory, with two authorities and a switch that waits for a peer.

import { beforeAll, describe, expect, it } from '@jest/globals'
import { forbidding, runInWorld } from '../../../support/cli-run.ts'
import { authority, identity, openShop, respec } from '../../../support/scenario/cast.ts'
import { createWorld, type World } from '../../../support/scenario/world.ts'

let world: World
beforeAll(async () => {
  world = createWorld()
  await openShop(world)
  await world.start()
  await authority(world, 'edge', { trustDomain: 'edge.example.org' })
  await identity(world, 'payments', { trust: { additionalAuthorities: [{ name: 'edge', pooled: true }] } })
  await identity(world, 'orders')
  await identity(world, 'lost', { authorityRef: { name: 'nowhere' } })
  await world.settle()
  await respec(world, 'payments', { authorityRef: { name: 'edge' } })
  await world.settle()
})

describe('the tree', () => {
  it('shows trust domains, authorities, whom they signed for, what Secrets hold, and the switch with whom it waits for', async () => {
    const { out, errors, code } = await runInWorld(world, ['graph'])
    expect([errors, code]).toEqual(['', 0])
    const lines = out.split('\n')
    expect(lines[0]).toBe('trust domain cluster.local')
    expect(lines[1]).toBe('└─ ClusterMutualAuthority default (ready; default/1 (active))')
    expect(out).toMatch(/^ {3}├─ shop\/orders {2}spiffe:\/\/cluster.local\/ns\/shop\/sa\/orders$/m)
    expect(out).toMatch(/^ {3}│ {2}└─ Secret orders-mtls: ca.crt holds default\/1$/m)
    expect(out).toMatch(/^ {3}└─ shop\/payments {2}spiffe:\/\/cluster.local/m)
    expect(out).toMatch(/Secret payments-mtls: ca.crt holds .*default\/1/m)
    expect(out).toMatch(/accepts in advance edge$/m)
    expect(out).toMatch(/switching to edge, waits for orders$/m)
    expect(out).toMatch(/^trust domain edge.example.org$/m)
    expect(out).toMatch(
      /^trust domain unknown\n└─ ClusterMutualAuthority nowhere \(not found, or not to be read; anchors unknown\)\n {3}└─ shop\/lost {2}no certificate yet$/m,
    )
  })

  it('under few rights says what is unknown, and draws the rest from what was reported', async () => {
    const { out } = await runInWorld(world, ['graph'], forbidding('secrets', 'configmaps', 'pods', 'services'))
    expect(out).toMatch(/Secret orders-mtls: unknown$/m)
    expect(out).toMatch(/shop\/payments {2}spiffe:\/\/cluster.local/m)
    expect(out).toMatch(/switching to edge$/m)
  })

  it('cannot be drawn where identities may not be read', async () => {
    expect(await runInWorld(world, ['graph', '-A'], forbidding('mutualidentities'))).toMatchObject({ code: 1, out: '' })
  })
})

describe('the other drawings', () => {
  it('for Graphviz has a node for each, and an edge for each acceptance', async () => {
    const { out } = await runInWorld(world, ['graph', '-A', '-o', 'dot'])
    expect(out).toMatch(/^digraph mutual \{$/m)
    expect(out).toMatch(/"identity shop\/orders" -> "authority default" \[style=solid, label="signed by"\];/)
    expect(out).toMatch(
      /"identity shop\/payments" -> "authority edge" \[color="#b26a00", penwidth=2, label="switching to edge, waits for orders"\];/,
    )
    expect(out.match(/subgraph/g)).toHaveLength(3)
  })

  it('as SVG is well formed, without scripts, and has a line for each acceptance', async () => {
    const { out } = await runInWorld(world, ['graph', '-o', 'svg'])
    const opened = [...out.matchAll(/<(\w+)(?:\s[^>]*)?(?<!\/)>/g)].map(([, tag]) => tag)
    const closed = [...out.matchAll(/<\/(\w+)>/g)].map(([, tag]) => tag)
    expect(opened.sort()).toEqual(closed.sort())
    expect(out.match(/<path /g)).toHaveLength(4)
    expect(out).not.toMatch(/<script|href|NaN|undefined/)
    expect(out).toMatch(/<svg [^>]*width="\d+" height="\d+"/)
  })

  it('as data names the same', async () => {
    const { out } = await runInWorld(world, ['graph', '-o', 'json'])
    expect(JSON.parse(out)).toMatchObject({
      identities: [
        { key: 'shop/lost', signedBy: 'nowhere' },
        { key: 'shop/orders', signedBy: 'default', holds: { 'ca.crt': ['default/1'] } },
        { key: 'shop/payments', signedBy: 'default', switching: { to: 'edge', waitsFor: ['orders'] } },
      ],
    })
  })
})
