import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseCredentials } from './credential.ts'

const token = `$sha256$${'A'.repeat(43)}`
const password = `$scrypt$ln=14,r=8,p=5$${'A'.repeat(22)}$${'B'.repeat(43)}`
const user = { name: 'grafana', password, tenants: ['b', 'a', 'b'], permissions: ['read'] }

describe('parseCredentials', () => {
  it('reads users and tokens', () => {
    const [first, second, third] = parseCredentials([
      user,
      { name: 'promtail', token, tenants: '*', permissions: 'write, read' },
      { name: 'root', password, permissions: ['admin'] },
    ])
    assert.deepEqual([first?.name, first?.kind, first?.tenants], ['grafana', 'password', ['a', 'b']])
    assert.deepEqual(
      [second?.kind, second?.tenants, [...(second?.permissions ?? [])]],
      ['token', 'any', ['write', 'read']],
    )
    assert.deepEqual([third?.tenants, [...(third?.permissions ?? [])]], [[], ['admin']])
    assert.deepEqual(parseCredentials(undefined), [])
  })

  const wrong: readonly (readonly [unknown, string | RegExp])[] = [
    [{}, 'expected a list of credentials'],
    [['x'], 'credential 1: expected a map'],
    [[{ ...user, name: '' }], /^credential 1: it needs a name without space and colon/],
    [[{ ...user, name: 'a:b' }], /^credential 1: it needs a name/],
    [[user, { ...user, token }], /^credential grafana: it needs either `password` or `token`$/],
    [[{ name: 'x', permissions: ['admin'] }], /it needs either/],
    [[{ ...user, pasword: password }], /^credential grafana: unknown key pasword; keys are name, password/],
    [
      [{ ...user, password: 'hunter2' }],
      'credential grafana: password: it is not a hash that `edda hash-password` prints',
    ],
    [[{ ...user, password: token }], /a password is stored as \$scrypt\$/],
    [[{ name: 'x', token: password, tenants: '*', permissions: ['read'] }], /a token is stored as \$sha256\$/],
    [[{ ...user, tenants: [] }], /^credential grafana: read and write need `tenants`/],
    [[{ ...user, tenants: undefined }], /need `tenants`/],
    [[{ ...user, tenants: ['a/b'] }], /tenant ID 'a\/b' contains unsupported character '\/'/],
    [[{ ...user, tenants: ['..'] }], /tenant ID is '\.' or '\.\.'/],
    [[{ ...user, tenants: ['a|b'] }], /unsupported character '\|'/],
    [[{ ...user, tenants: ['a:x=y'] }], /has a colon/],
    [[{ ...user, tenants: [12] }], /expected texts, found 12; use quotes/],
    [[{ ...user, permissions: ['reed'] }], /permissions: "reed" is none of read, write, admin/],
    [[{ ...user, permissions: [] }], /permissions: expected a list/],
    [[user, user], 'credential grafana: there are two of this name'],
    [
      ['x', 'y'].map((name) => ({ name, token, tenants: '*', permissions: ['read'] })),
      'credentials x and y have the same token',
    ],
  ]
  for (const [data, message] of wrong) {
    it(`refuses: ${String(message)}`, () => {
      assert.throws(
        () => parseCredentials(data),
        (error: Error) => {
          if (typeof message === 'string') assert.equal(error.message, message)
          else assert.match(error.message, message)
          assert.ok(!error.message.includes('hunter2') && !error.message.includes('BBBB'))
          return true
        },
      )
    })
  }
})
