import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { parseTenantId, tenantFrom, type TenantRules, tenantsOf } from './tenant-id.ts'

const rules: TenantRules = { isAuthEnabled: true, noAuthTenant: 'fake', isMultiTenantAllowed: true }
const from = (header: string | undefined, more: Partial<TenantRules> = {}): string =>
  tenantFrom(header === undefined ? {} : { 'x-scope-orgid': header }, { ...rules, ...more })

describe('tenantFrom', () => {
  it('wants an id', () => {
    for (const header of [undefined, '']) {
      assert.throws(() => from(header), { code: 'unauthorized', message: 'no org id' })
    }
  })

  it('ignores the header when auth is off', () => {
    assert.equal(from('a b|c', { isAuthEnabled: false }), 'fake')
    assert.equal(from(undefined, { isAuthEnabled: false, noAuthTenant: 'me' }), 'me')
  })

  it('takes ids and drops their metadata', () => {
    assert.equal(from("a-Z_0.9!*'()"), "a-Z_0.9!*'()")
    assert.equal(from('acme:region=eu:x=y'), 'acme')
    assert.equal(from('a'.repeat(150)).length, 150)
    assert.equal(from('...'), '...')
  })

  it('says what is wrong with others', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['a b', "tenant ID 'a b' contains unsupported character ' '"],
      ['a/b', "tenant ID 'a/b' contains unsupported character '/'"],
      ['../x', "tenant ID '../x' contains unsupported character '/'"],
      ['tänant', "tenant ID 'tänant' contains unsupported character 'ä'"],
      ['a, b', "tenant ID 'a, b' contains unsupported character ','"],
      ['a'.repeat(151), 'tenant ID is too long: max 150 characters'],
      ['.', "tenant ID is '.' or '..'"],
      ['..', "tenant ID is '.' or '..'"],
      ['..:x=y', "tenant ID is '.' or '..'"],
      [':x=y', 'tenant ID is empty'],
      ['a||b', 'tenant ID is empty'],
    ]
    for (const [header, message] of cases) assert.throws(() => from(header), { code: 'bad_request', message }, header)
  })

  it('sorts several and drops repeats, where several are allowed', () => {
    assert.equal(from('c|a:k=v|b|a'), 'a|b|c')
    assert.deepEqual(tenantsOf('a|b|c'), ['a', 'b', 'c'])
    assert.throws(() => from('a|b', { isMultiTenantAllowed: false }), { message: 'multiple org IDs present' })
    assert.equal(from('a|a', { isMultiTenantAllowed: false }), 'a')
    const many = Array.from({ length: 1001 }, (_, index) => String(index)).join('|')
    assert.throws(() => from(many), { code: 'bad_request' })
  })
})

describe('parseTenantId', () => {
  it('never lets a path through (property)', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
        let id = 'ok'
        try {
          id = parseTenantId(text)
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'bad_request')
        }
        assert.match(id, /^[a-zA-Z0-9!\-_.*'()]{1,150}$/)
        assert.ok(id !== '.' && id !== '..')
      }),
    )
  })
})
