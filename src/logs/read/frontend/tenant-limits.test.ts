import assert from 'node:assert/strict'
import { test } from 'node:test'

import { limits as declared, type Limits } from '#/logs/limits.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { limitsOfTenants } from './tenant-limits.ts'

const defaults = defaultsOf(declared)
const byTenant: Record<string, Partial<Limits>> = {
  a: { max_query_series: 0, max_query_length: 5000, required_labels: ['app'], volume_enabled: true },
  b: { max_query_series: 70, max_query_length: 0, required_labels: ['env', 'app'], minimum_labels_number: 2 },
  c: { max_query_series: 30, volume_enabled: false, query_timeout: 1 },
  off: { max_query_parallelism: 0 },
}
const limitsOf = (tenant: string): Limits => ({ ...defaults, ...byTenant[tenant] })

test('one tenant has its own limits', () => {
  assert.deepEqual(limitsOfTenants('b', limitsOf), limitsOf('b'))
})

test('several tenants have the smallest positive value of each', () => {
  const both = limitsOfTenants('a|b', limitsOf)
  assert.equal(both.max_query_series, 70)
  assert.equal(both.max_query_length, 5000)
  assert.equal(limitsOfTenants('a|b|c', limitsOf).max_query_series, 30)
  assert.equal(limitsOfTenants('a|c', limitsOf).query_timeout, 1)
  assert.equal(limitsOfTenants('a|a2', limitsOf).max_query_lookback, 0)
})

test('what one tenant demands or forbids holds for all', () => {
  const all = limitsOfTenants('a|b|c', limitsOf)
  assert.deepEqual(all.required_labels, ['app', 'env'])
  assert.equal(all.minimum_labels_number, 2)
  assert.equal(all.volume_enabled, false)
  assert.equal(limitsOfTenants('a|b', limitsOf).volume_enabled, true)
  assert.equal(limitsOfTenants('a|off', limitsOf).max_query_parallelism, 0)
})
