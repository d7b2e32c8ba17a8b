import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupedErrors } from './grouped-errors.ts'
import { PolicyTable } from './policies.ts'
import type { ResolvedStream } from './resolve-stream.ts'
import { StreamCache, type TenantStreams } from './stream-cache.ts'
import { hashTexts, textAt } from '#/storage/index/text-table.ts'
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

/** The cached stream of `sent`, as text. */
function cached(streams: TenantStreams, sent: string): string | undefined {
  const { hash, view, length } = bytesOf(sent)
  const known = streams.find(hash, view, 0, length)
  return known < 0 ? undefined : (streams.traitsOf(known).text ?? textAt(streams.texts, streams.textOf(known)))
}

function remember(streams: TenantStreams, sent: string, stream: ResolvedStream): void {
  const { hash, view, length } = bytesOf(sent)
  streams.add(hash, view, [0, length], stream)
}

function bytesOf(text: string): { readonly hash: number; readonly view: DataView; readonly length: number } {
  const { view, hashes, ends } = hashTexts([text])
  return { hash: hashes[0]!, view, length: ends[0]! }
}

test('the cache keeps what is asked for and forgets the rest', () => {
  const cache = new StreamCache(2000)
  const rules: readonly unknown[] = [{}]
  const streams = cache.tenant('t', '', rules)
  remember(streams, 'hot', resolved('{a="hot"}'))
  remember(streams, 'cold', resolved('{a="cold"}'))
  for (let index = 0; index < 50; index++) {
    assert.equal(cached(cache.tenant('t', '', rules), 'hot'), '{a="hot"}', `${index}`)
    remember(cache.tenant('t', '', rules), `other ${index}`, resolved('{a="other"}'))
  }
  assert.equal(cached(cache.tenant('t', '', rules), 'cold'), undefined)
  assert.equal(cached(cache.tenant('t', 'json', rules), 'hot'), undefined, 'sent in another way')
  assert.equal(cached(cache.tenant('t', '', [{}]), 'hot'), undefined, 'other rules, other streams')
  assert.equal(cached(cache.tenant('u', '', rules), 'hot'), undefined, 'other tenants, other streams')
})

test('streams in the cache share traits, but for refused ones', () => {
  const streams = new StreamCache(1e6).tenant('t', '', [])
  const traits = [
    resolved('{a="1"}'),
    resolved('{a="2"}'),
    { ...resolved('{a="3"}'), level: 'error' },
    { ...resolved('{a="4"}'), refusal: { reason: 'r', message: 'm' } },
    { ...resolved('{a="5"}'), refusal: { reason: 'r', message: 'm' } },
  ].map((stream, index) => {
    const { hash, view, length } = bytesOf(String(index))
    return streams.traitsOf(streams.add(hash, view, [0, length], stream))
  })
  assert.equal(new Set(traits).size, 4)
  assert.equal(traits[0], traits[1])
  assert.deepEqual(
    ['0', '1', '2', '3', '4'].map((sent) => cached(streams, sent)),
    ['{a="1"}', '{a="2"}', '{a="3"}', '{a="4"}', '{a="5"}'],
  )
})
