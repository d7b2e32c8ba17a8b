import assert from 'node:assert/strict'
import { test } from 'node:test'

import { limits, type Limits } from '#/logs/limits.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { checkBlocked, queryHash, queryType } from './blocked-queries.ts'
import { checkEntries, checkExpr, checkLength, clampToLookback } from './check-limits.ts'

const limitsWith = (values: Partial<Limits>): Limits => ({ ...defaultsOf(limits), ...values })
const hour = 3_600_000_000_000n

test('entries: the limit itself is allowed, one more is not, 0 is no limit', () => {
  checkEntries(5000, limitsWith({}))
  assert.throws(() => checkEntries(5001, limitsWith({})), {
    message: 'max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)',
  })
  checkEntries(1_000_000, limitsWith({ max_entries_limit_per_query: 0 }))
})

test('lookback: the start moves silently, a range wholly behind it is nothing', () => {
  const now = 100n * hour
  const some = limitsWith({ max_query_lookback: 3_600_000 })
  assert.deepEqual(clampToLookback({ startNs: 0n, endNs: now }, some, now), { startNs: 99n * hour, endNs: now })
  assert.deepEqual(clampToLookback({ startNs: now - 1n, endNs: now }, some, now), { startNs: now - 1n, endNs: now })
  assert.equal(clampToLookback({ startNs: 0n, endNs: 98n * hour }, some, now), undefined)
  assert.deepEqual(clampToLookback({ startNs: 0n, endNs: 1n }, limitsWith({}), now), { startNs: 0n, endNs: 1n })
})

test('length: text with both durations', () => {
  checkLength({ startNs: 0n, endNs: 721n * hour }, limitsWith({}))
  assert.throws(() => checkLength({ startNs: 0n, endNs: 722n * hour }, limitsWith({})), {
    message: 'the query time range exceeds the limit (query length: 722h0m0s, limit: 30d1h)',
  })
})

test('selectors and ranges are checked wherever they stand in the query', () => {
  const query = '1 + sum(label_replace(rate({app="a"}[2h]), "x", "$1", "app", "(.*)"))'
  const check = (values: Partial<Limits>): void => checkExpr(parseExpr(query), limitsWith(values))
  check({})
  assert.throws(() => check({ max_query_range: 3_600_000 }), { message: '[interval] value exceeds limit: [2h] > [1h]' })
  assert.throws(() => check({ required_labels: ['app', 'env'] }), {
    message: 'stream selector is missing required matchers [env], labels present in the query were [app]',
  })
  assert.throws(() => check({ minimum_labels_number: 2 }), {
    message:
      'stream selector has less label matchers than required: (present: [app], number_present: 1, required_number_label_matchers: 2)',
  })
  const two = parseExpr('{a="b", c="d"}')
  assert.throws(() => checkExpr(two, limitsWith({ max_streams_matchers_per_query: 1 })), {
    message: 'max streams matchers per query exceeded, matchers-count > limit (2 > 1)',
  })
})

test('selectors of queries behind in are checked, behind unwrap too', () => {
  const inner = 'id in ({env="x"} | id in ({app="z"} | keep id) | keep id)'
  const required = limitsWith({ required_labels: ['app'] })
  for (const query of [
    `{app="a"} | ${inner}`,
    `{app="a"} | x="1" or (y="2" and ${inner})`,
    `rate({app="a"} | unwrap x | ${inner} [1m])`,
  ]) {
    assert.throws(() => checkExpr(parseExpr(query), required), {
      message: 'stream selector is missing required matchers [app], labels present in the query were [env]',
    })
    checkExpr(parseExpr(query.replaceAll('env', 'app')), required)
  }
})

test('blocked queries: the first rule that fits decides, also when its types do not', () => {
  const blocks = (rules: readonly unknown[], query: string): boolean => {
    const some = limitsWith({ blocked_queries: limits.blocked_queries.parse(rules) })
    try {
      checkBlocked(query, queryType(parseExpr(query)), some)
      return false
    } catch (error) {
      assert.equal((error as Error).message, 'query blocked by policy')
      return true
    }
  }
  const query = '{app="a"} |= "x"'
  assert.equal(blocks([], query), false)
  assert.equal(blocks([{ pattern: query }], query), true)
  assert.equal(blocks([{ pattern: '.*app="a".*', regex: true }], query), true)
  assert.equal(blocks([{ hash: queryHash(query) }], query), true)
  assert.equal(blocks([{ hash: queryHash(query) + 1 }], query), false)
  assert.equal(blocks([{ pattern: query, types: 'metric' }, { pattern: query }], query), false)
  assert.equal(blocks([{ pattern: query, types: 'filter' }], query), true)
})

test('types of queries, and the hash of their text', () => {
  assert.equal(queryType(parseExpr('{a="b"}')), 'limited')
  assert.equal(queryType(parseExpr('{a="b"} | json')), 'limited')
  assert.equal(queryType(parseExpr('{a="b"} | json | x="1"')), 'filter')
  assert.equal(queryType(parseExpr('vector(1)')), 'metric')
  // FNV-1, 32 bits: offset basis for nothing, and a published value
  assert.equal(queryHash(''), 0x811c9dc5)
  assert.equal(queryHash('foobar'), 0x31f0b262)
})
