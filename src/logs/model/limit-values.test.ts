import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  parseBlockedQueries,
  parseMap,
  parsePolicies,
  parseRetentionRules,
  parseTextLists,
  parseTime,
  parseTimes,
} from './limit-values.ts'
import { normalizeMetadataName } from './metadata-name.ts'
import { defaultOtlpConfig, parseOtlpConfig } from './otlp-rules.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { limits } from '#/logs/limits.ts'
import { defaultsOf, isOption, type Section } from '#/platform/config/option.ts'

test('retention rules', () => {
  const rules = parseRetentionRules([
    { selector: '{a="b"}', priority: 2, period: '48h' },
    { selector: '{c="d"}', period: '1w' },
  ])
  assert.deepEqual(rules, [
    { selector: '{a="b"}', priority: 2, periodMs: 172_800_000 },
    { selector: '{c="d"}', priority: 0, periodMs: 604_800_000 },
  ])
  assert.throws(
    () => parseRetentionRules([{ selector: '{a="b"}', period: '23h' }]),
    /^Error: retention period must be >= 24h was 23h$/,
  )
  const bad = [
    {},
    [1],
    [{ selector: 'a', period: '24h' }],
    [{ selector: '{}', period: 5 }],
    [{ selector: '{}', period: '24h', priority: 'x' }],
  ]
  for (const value of bad) assert.throws(() => parseRetentionRules(value))
})

test('policies, times, lists and maps', () => {
  assert.deepEqual(parsePolicies({ p: [{ selector: '{a="b"}', priority: 1 }] }), {
    p: [{ selector: '{a="b"}', priority: 1 }],
  })
  assert.throws(() => parsePolicies({ p: 'x' }))
  assert.deepEqual([parseTime(0), parseTime(''), parseTime(null), parseTime('0')], [0, 0, 0, 0])
  assert.equal(parseTime('2026-01-31T12:00:00Z'), Date.UTC(2026, 0, 31, 12))
  assert.equal(parseTime(new Date(5)), 5)
  assert.deepEqual(parseTimes({ a: '1970-01-01T00:00:01Z' }), { a: 1000 })
  for (const value of ['soon', 5, true]) assert.throws(() => parseTime(value), /expected a time/)
  assert.deepEqual(parseTextLists({ a: ['b', 'c'], d: null }), { a: ['b', 'c'], d: [] })
  assert.deepEqual([parseMap(null), parseMap({ a: 1 })], [{}, { a: 1 }])
  for (const value of ['x', [], 5]) assert.throws(() => parseMap(value), /expected a mapping/)
})

test('blocked queries', () => {
  const rules = parseBlockedQueries([
    { pattern: '.*x', regex: true, types: 'metric, filter' },
    { hash: 7, query_tags: { source: 'ui' } },
  ])
  assert.deepEqual(rules, [
    { pattern: '.*x', regex: true, hash: 0, types: ['metric', 'filter'], queryTags: {} },
    { pattern: '', regex: false, hash: 7, types: [], queryTags: { source: 'ui' } },
  ])
})

test('otlp_config', () => {
  assert.deepEqual(parseOtlpConfig(null), defaultOtlpConfig)
  assert.deepEqual(
    parseOtlpConfig({
      resource_attributes: {
        ignore_defaults: true,
        attributes_config: [{ action: 'index_label', attributes: ['a.b'] }],
      },
      scope_attributes: [{ action: 'drop', regex: 'x.*' }],
      severity_text_as_label: true,
    }),
    {
      resourceRules: [{ action: 'index_label', attributes: ['a.b'], regex: '' }],
      ignoreResourceDefaults: true,
      scopeRules: [{ action: 'drop', attributes: [], regex: 'x.*' }],
      logRules: [],
      severityTextAsLabel: true,
    },
  )
  const bad: readonly (readonly [unknown, RegExp])[] = [
    ['x', /otlp_config must be a mapping/],
    [{ log_attribute: [] }, /otlp_config has no field log_attribute, only/],
    [{ log_attributes: {} }, /log_attributes must be a list/],
    [
      { log_attributes: [{ action: 'keep', regex: 'x' }] },
      /action must be index_label, structured_metadata or drop, found "keep"/,
    ],
    [{ log_attributes: [{ action: 'drop' }] }, /exactly one of attributes or regex/],
    [{ log_attributes: [{ action: 'drop', attributes: ['a'], regex: 'x' }] }, /exactly one of attributes or regex/],
    [{ scope_attributes: [{ action: 'index_label', regex: 'x' }] }, /scope_attributes cannot have action index_label/],
    [{ severity_text_as_label: 'yes' }, /severity_text_as_label must be true or false/],
  ]
  for (const [value, message] of bad) assert.throws(() => parseOtlpConfig(value), message)
})

test('metadata names', () => {
  const table: readonly (readonly [string, string])[] = [
    ['trace_id', 'trace_id'],
    ['http.status-code', 'http_status_code'],
    ['a__b', 'a_b'],
    ['a...b', 'a_b'],
    ['1st', 'key_1st'],
    ['_x', '_x'],
    ['__x', '_x'],
    ['x_', 'x_'],
    ['__name__', '__name__'],
    ['__a.b__', '__a_b__'],
    ['größe', 'gr_e'],
  ]
  for (const [name, normal] of table) {
    assert.equal(normalizeMetadataName(name), normal, name)
    assert.equal(normalizeMetadataName(normal), normal, `${normal} again`)
  }
  for (const name of ['', '_', '__', '___', '.', '世界'])
    assert.throws(() => normalizeMetadataName(name), BadRequest, name)
})

test('every limit has a sentence, and its default survives being written and read', () => {
  const check = (section: Section, path: string): void => {
    for (const [key, value] of Object.entries(section)) {
      if (!isOption(value as never)) {
        check(value as Section, `${path}${key}.`)
        continue
      }
      const option = value as {
        doc: string
        default: unknown
        parse: (value: unknown) => unknown
        format: (value: unknown) => unknown
      }
      assert.match(option.doc, /^[A-Z].*\.$/, `${path}${key}`)
      const isStructured = typeof option.default === 'object' && !Array.isArray(option.default)
      if (!isStructured) assert.deepEqual(option.parse(option.format(option.default)), option.default, `${path}${key}`)
    }
  }
  check(limits as unknown as Section, '')
  const defaults = defaultsOf(limits)
  assert.equal(defaults.max_line_size, 262_144)
  assert.equal(defaults.reject_old_samples_max_age, 604_800_000)
  assert.equal(defaults.max_query_length, 721 * 3_600_000)
  assert.equal(defaults.block_ingestion_status_code, 260)
  assert.deepEqual(defaults.otlp_config, defaultOtlpConfig)
})
