import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ResultEntry } from '#/logs/wire/query.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { FieldTable } from './field-table.ts'
import { jsonPaths } from './json-paths.ts'

const stream: Labels = [['app', 'web']]

function entry(line: string, more: Partial<ResultEntry> = {}): ResultEntry {
  return { timeNs: 0n, line: Buffer.from(line), structuredMetadata: [], parsed: [], ...more }
}

function tableOf(entries: readonly ResultEntry[], maxFields = 100, queryParsers: readonly string[] = []): FieldTable {
  const table = new FieldTable({ maxFields, queryParsers })
  for (const one of entries) table.add(one, stream)
  return table
}

const plain = (table: FieldTable): unknown =>
  table.fields().map(({ label, type, cardinality, parsers, jsonPath }) => [label, type, cardinality, parsers, jsonPath])

test('the type is that of the value seen last, the cardinality counts different values', () => {
  const lines = ['n=1', 'n=2', 'n=2', 'n=x'].map((line) => entry(line))
  assert.deepEqual(plain(tableOf(lines)), [['n', 'string', 3, ['logfmt'], undefined]])
  assert.deepEqual(plain(tableOf(lines.toReversed())), [['n', 'int', 3, ['logfmt'], undefined]])
})

test('a line is read as JSON when it is an object, else as logfmt as far as that goes', () => {
  assert.deepEqual(plain(tableOf([entry('{"a":{"b":1,"c d":[1]},"e":null,"f":""}')])), [
    ['a_b', 'int', 1, ['json'], ['a', 'b']],
    ['f', 'string', 1, ['json'], ['f']],
  ])
  // broken JSON leaves nothing behind
  assert.deepEqual(plain(tableOf([entry('{"a":1,"b":')])), [])
  assert.deepEqual(plain(tableOf([entry('ok=1 "broken" good="a b" empty= word')])), [
    ['good', 'string', 1, ['logfmt'], undefined],
    ['ok', 'int', 1, ['logfmt'], undefined],
  ])
  assert.deepEqual(plain(tableOf([entry(''), entry('\u0000\ufffd'), entry('[1,2]'), entry('"text"')])), [])
})

test('metadata has no parser; labels of the query have its parsers; errors are no fields', () => {
  const one = entry('status=500', {
    structuredMetadata: [['trace', 't1']],
    parsed: [
      ['__error__', 'JSONParserErr'],
      ['__error_details__', 'x'],
      ['extra', '1s'],
    ],
  })
  const expected = (parsers: readonly string[]): unknown => [
    ['extra', 'duration', 1, parsers, undefined],
    ['status', 'int', 1, ['logfmt'], undefined],
    ['trace', 'string', 1, [], undefined],
  ]
  assert.deepEqual(plain(tableOf([one])), expected([]))
  assert.deepEqual(plain(tableOf([one], 100, ['json'])), expected(['json']))
})

test('a field that is called like a label or metadata of the entry is called _extracted', () => {
  const one = entry('{"app":"x","trace":{"id":1}}', { structuredMetadata: [['trace_id', 'xyz']] })
  assert.deepEqual(plain(tableOf([one])), [
    ['app_extracted', 'string', 1, ['json'], ['app']],
    ['trace_id', 'string', 1, [], undefined],
    ['trace_id_extracted', 'int', 1, ['json'], ['trace', 'id']],
  ])
})

test('fields beyond the limit are not kept', () => {
  const many = Array.from({ length: 50 }, (_, i) => entry(`f${i}=1 g=2`))
  assert.equal(tableOf(many, 10).fields().length, 10)
})

test('paths: names as the parser makes them, bounded depth, nothing for what is no object', () => {
  const paths = jsonPaths('{"1a":1,"b.c":{"":2,"d":{"e":true}},"__proto__":{"x":1},"f":[{"g":1}],"h":null}')
  assert.deepEqual(
    [...paths],
    [
      ['_1a', ['1a']],
      ['b_c_d_e', ['b.c', 'd', 'e']],
      ['__proto___x', ['__proto__', 'x']],
    ],
  )
  assert.equal(jsonPaths('[1]').size, 0)
  assert.equal(jsonPaths('{"a":').size, 0)
  const deep = '{"a":'.repeat(5000) + '1' + '}'.repeat(5000)
  assert.equal(jsonPaths(deep).size, 0)
})
