import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupedErrors } from './grouped-errors.ts'
import { PolicyTable } from './policies.ts'
import type { ResolvedStream } from './resolve-stream.ts'
import { StreamCache } from './stream-cache.ts'
import { TokenBucket } from './token-bucket.ts'
import { BadRequest } from '#/kernel/errors.ts'

function resolved(text: string): ResolvedStream {
  return { text, refusal: undefined, level: undefined, policy: '', isInternal: false }
}

test('a bucket starts full, fills at its rate and never beyond its burst', () => {
  const bucket = new TokenBucket()
  const limit = { rate: 100, burst: 200 }
  assert.ok(!bucket.take(201, limit, 0), 'more than the burst never passes')
  assert.ok(bucket.take(200, limit, 0))
  assert.ok(!bucket.take(1, limit, 0))
  assert.ok(bucket.take(50, limit, 500))
  assert.ok(!bucket.take(1, limit, 400), 'a clock that goes back fills nothing')
  assert.ok(bucket.take(200, limit, 1e9))
  assert.ok(!bucket.take(1, limit, 1e9))
  assert.ok(bucket.take(1, { rate: 1e6, burst: 1e6 }, 1e9 + 1), 'a new rate counts at once')
})

test('one error is bare, several are counted', () => {
  const errors = new GroupedErrors()
  assert.ok(errors.isEmpty)
  errors.add('a')
  assert.equal(errors.toString(), 'a')
  errors.add('a')
  assert.equal(errors.toString(), '2 errors like: a')
  errors.add('b')
  assert.equal(errors.toString(), '2 errors like: a; 1 errors like: b')
  errors.count()
  assert.equal(errors.toString(), '2 errors like: a; 1 errors like: b; 1 more errors')
})

test('the policy of the highest priority wins', () => {
  const table = new PolicyTable({
    low: [{ selector: '{app=~".*"}', priority: 1 }],
    high: [
      { selector: '{app="x", env!="dev"}', priority: 5 },
      { selector: '{team!~"a|b", app="y"}', priority: 7 },
    ],
  })
  assert.equal(table.policyOf([['app', 'x']]), 'high')
  assert.equal(
    table.policyOf([
      ['app', 'x'],
      ['env', 'dev'],
    ]),
    'low',
  )
  assert.equal(
    table.policyOf([
      ['app', 'y'],
      ['team', 'a'],
    ]),
    'low',
  )
  assert.equal(
    table.policyOf([
      ['app', 'y'],
      ['team', 'ab'],
    ]),
    'high',
  )
  assert.equal(new PolicyTable({}).policyOf([['app', 'x']]), '')
  assert.throws(() => new PolicyTable({ bad: [{ selector: '{app=', priority: 1 }] }), BadRequest)
})

test('the cache keeps what is asked for and forgets the rest', () => {
  const cache = new StreamCache(2000)
  const rules: readonly unknown[] = [{}]
  const streams = cache.tenant('t', rules)
  streams.set('hot', resolved('{a="hot"}'))
  streams.set('cold', resolved('{a="cold"}'))
  for (let index = 0; index < 50; index++) {
    assert.equal(cache.tenant('t', rules).get('hot')?.text, '{a="hot"}', `${index}`)
    cache.tenant('t', rules).set(`other ${index}`, resolved('{a="other"}'))
  }
  assert.equal(cache.tenant('t', rules).get('cold'), undefined)
  assert.equal(cache.tenant('t', [{}]).get('hot'), undefined, 'other rules, other streams')
  assert.equal(cache.tenant('u', rules).get('hot'), undefined, 'other tenants, other streams')
})
