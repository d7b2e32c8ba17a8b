import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { PolicyTable } from './policies.ts'
import { PushStreams } from './push-streams.ts'
import { resolveStream, type StreamRules } from './resolve-stream.ts'
import { StreamCache } from './stream-cache.ts'
import { UsualStreams } from './usual-streams.ts'
import { limits as declarations, type Limits } from '#/logs/limits.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { WorkMemoryPool } from '#/platform/memory/work-memory.ts'
import { textsOf } from '#/storage/index/text-table.ts'

const defaults = defaultsOf(declarations) as Limits
const noPolicies = new PolicyTable({})

function rulesOf(limits: Partial<Limits> = {}, rules: Partial<StreamRules> = {}): StreamRules {
  const own = { ...defaults, ...limits }
  return { tenant: 't', limits: own, policies: noPolicies, backfillShard: undefined, policy: undefined, ...rules }
}

/** What `UsualStreams` makes of labels that stand between other bytes. */
function usualOf(
  usual: UsualStreams,
  text: string,
): { readonly text: string; readonly level: string | undefined; readonly policy: string } | undefined {
  const bytes = Buffer.from(`"}${text}x="}`)
  const stream = usual.resolve(bytes, 2, bytes.length - 4)
  if (stream === undefined) return undefined
  const { view, size, level, policy } = stream
  return { text: Buffer.from(view.buffer, view.byteOffset, size).toString('utf8'), level, policy }
}

const name = fc.constantFrom(
  'a',
  'app',
  'service',
  'service_name',
  'level',
  'zone',
  '__pattern__',
  'x9',
  'severity',
  'ö',
)
const value = fc.oneof(
  fc.constantFrom('checkout', 'ERROR', 'warn', 'a b', 'line\n', 'quo"te', 'back\\slash', 'ö', '\x7f', '', ' '),
  fc.string({ maxLength: 12 }),
)
const labels = fc.uniqueArray(fc.tuple(name, value), { selector: ([own]) => own, maxLength: 7 })
const text = fc.oneof(
  labels.map((all) => formatLabels(all)),
  labels.map((all) => `{${all.map(([own, its]) => `${own}=${JSON.stringify(its)}`).join(', ')}}`),
  labels.map((all) => `{${all.map(([own, its]) => `${own}="${its}"`).join(',')}}`),
  fc.string({ maxLength: 20 }),
)
const limits: fc.Arbitrary<Partial<Limits>> = fc.record(
  {
    max_label_names_per_series: fc.nat(5),
    max_label_name_length: fc.nat(8),
    max_label_value_length: fc.nat(8),
    discover_service_name: fc.constantFrom([], ['zone', 'app'], ['service_name']),
    log_level_fields: fc.constantFrom([], ['severity', 'level'], ['service_name']),
    enforced_labels: fc.constantFrom([], ['app'], ['service_name']),
    policy_enforced_labels: fc.constantFrom({}, { '': ['zone'] }, { gold: ['zone'] }),
  },
  { requiredKeys: [] },
)

test('a usual stream is what resolving its text gives', () => {
  fc.assert(
    fc.property(limits, fc.constantFrom(undefined, 'gold'), fc.array(text, { maxLength: 8 }), (own, policy, all) => {
      const rules = rulesOf(own, { policy })
      const usual = UsualStreams.under(rules)
      for (const one of all) {
        const found = usual && usualOf(usual, one)
        if (found === undefined) continue
        const { isInternal, refusal, ...resolved } = resolveStream(
          Buffer.from(one).toString('latin1'),
          'selector',
          rules,
        )
        assert.deepEqual(found, resolved)
        assert.ok(!isInternal && refusal === undefined)
      }
    }),
    { numRuns: 1000 },
  )
})

test('what clients send is usual', () => {
  const usual = UsualStreams.under(rulesOf())!
  assert.deepEqual(usualOf(usual, '{app="x", level="WARN", zone="a b"}'), {
    text: '{app="x", level="WARN", service_name="x", zone="a b"}',
    level: 'warn',
    policy: '',
  })
  assert.equal(usualOf(usual, '{a="1"}')?.text, '{a="1", service_name="unknown_service"}')
  assert.equal(usualOf(usual, '{a="1", service_name="y"}')?.text, '{a="1", service_name="y"}')
})

test('no stream is usual where labels choose a policy, or a push has labels of its own', () => {
  const policies = new PolicyTable({ gold: [{ selector: '{app="x"}', priority: 1 }] })
  assert.equal(UsualStreams.under(rulesOf({}, { policies })), undefined)
  assert.notEqual(UsualStreams.under(rulesOf({}, { policies, policy: 'gold' })), undefined)
  assert.equal(UsualStreams.under(rulesOf({}, { backfillShard: '1' })), undefined)
})

test('streams of a push get places in the order in which they are met, equal ones the same, whatever was there before', () => {
  const cache = new StreamCache(3000)
  const pool = new WorkMemoryPool(1e7)
  const rules = rulesOf({ discover_service_name: [] })
  const sent = fc.array(fc.tuple(fc.nat(400), fc.boolean()), { minLength: 1, maxLength: 700 })
  fc.assert(
    fc.property(sent, fc.boolean(), (all, isBackwards) => {
      const memory = pool.lease()
      const texts = all.map(([number, isPlain]) => (isPlain ? `{a="${number}", b="x"}` : `{b="x",a="${number}"}`))
      const bytes = Buffer.from(texts.join(''))
      const end = Uint32Array.from(
        texts,
        (
          (at) => (one: string) =>
            (at += one.length)
        )(0),
      )
      const start = Uint32Array.from(end, (to, i) => to - texts[i]!.length)
      const known = cache.tenant('t', '', [rules.limits])
      const columns = { streams: { length: texts.length, bytes, start, end }, syntax: 'selector' as const, memory }
      const streams = new PushStreams(columns, known, rules)
      const order = isBackwards ? [...texts.keys()].toReversed() : [...texts.keys()]
      const expected: string[] = []
      for (const raw of order) {
        const canonical = `{a="${all[raw]![0]}", b="x"}`
        if (!expected.includes(canonical)) expected.push(canonical)
        const place = streams.placeOf(streams.find(raw))
        assert.equal(place, expected.indexOf(canonical))
        if (place % 3 > 0) streams.keep(place)
      }
      assert.deepEqual(textsOf(streams.texts), expected)
      const rows = Uint32Array.from({ length: expected.length }, (_, i) => i).filter((place) => place % 3 > 0)
      const kept = expected.filter((_, place) => place % 3 > 0)
      const used = streams.used(rows, rows.length)
      assert.deepEqual(textsOf(used), kept)
      assert.deepEqual([...rows], [...kept.keys()])
      memory.release()
    }),
    { numRuns: 60 },
  )
})
