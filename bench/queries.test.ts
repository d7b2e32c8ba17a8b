import assert from 'node:assert/strict'
import { test } from 'node:test'

import { profiles } from '../tools/data-profiles.ts'
import { LogGenerator } from '../tools/gen-data.ts'
import { barOf, figureInfos, mustOfFigure } from './bar.ts'
import { type Asked, queries } from './queries.ts'
import { verdictOn } from './query-run.ts'

const window = { startNs: 1_700_000_000_000_000_000n, endNs: 1_700_086_400_000_000_000n }
const generator = new LogGenerator({
  seed: 1,
  profile: profiles.S,
  startNs: window.startNs,
  spanNs: window.endNs - window.startNs,
  lines: 3_000,
})
for (let line = 0; line < 3_000; line++) generator.next()
const asked = (variant: number): Asked => ({ truth: generator.truth, window, variant })
const queryOf = (name: string) => queries.find((query) => query.name.startsWith(name))!

test('every query has another text for another variant, and the same for the same', () => {
  for (const query of queries) {
    assert.equal(query.path(asked(2)), query.path(asked(2)), query.name)
    assert.notEqual(query.path(asked(2)), query.path(asked(3)), query.name)
  }
  assert.equal(new Set(queries.map(({ name }) => name)).size, queries.length)
})

test('the data have what every query asks for', () => {
  for (const { name, applies, expected } of queries) {
    assert.ok(applies?.(generator.truth) ?? true, name)
    if (name.startsWith('absent')) assert.equal(expected(generator.truth), 0)
    else if (!name.startsWith('word in 0.01')) assert.ok(expected(generator.truth), name)
  }
})

test('a wrong answer, an error and no JSON at all are failures that say what came', () => {
  const equal = (found: string | number, expected: string | number): boolean => found === expected
  const verdict = (text: string): string => verdictOn(queryOf('bytes by application'), text, generator.truth, equal)
  const answer = (...values: string[]): string =>
    JSON.stringify({ data: { result: values.map((value) => ({ metric: {}, value: [1, value] })) } })
  const { bytes } = generator.truth
  assert.equal(verdict(answer('100', String(bytes - 100))), `ok, ${bytes}`)
  assert.equal(verdict(answer('100')), `FAILED: 100, not ${bytes}`)
  assert.equal(verdict('Error: 500: internal error'), 'FAILED: Error: 500: internal error')
  assert.match(verdict('{"data":{}}'), /^FAILED: /)
})

test('the bar for scans goes with the size of the data; that for indexes does not fall', () => {
  assert.deepEqual(barOf(queryOf('count of a word'), 'S', 250, 300), { ms: 400, of: 'cpu' })
  assert.deepEqual(barOf(queryOf('count of a word'), 'S', 250, 1200), { ms: 1600, of: 'cpu' })
  assert.deepEqual(barOf(queryOf('absent UUID'), 'S', 250, 300), { ms: 12, of: 'cpu' })
  assert.deepEqual(barOf(queryOf('absent UUID'), 'S', 250, 1200), { ms: 24, of: 'cpu' })
  assert.deepEqual(barOf(queryOf('names of labels'), 'H', 100_000, 100), { ms: 50, of: 'wall' })
  assert.equal(barOf(queryOf('names of labels'), 'S', 250, 600), undefined)
  assert.equal(barOf(queryOf('absent UUID'), 'N', 20, 300), undefined)
})

test('more files are allowed for more data, not more memory', () => {
  const info = (id: string) => figureInfos.find((one) => one.id === id)!
  assert.equal(mustOfFigure(info('files'), 'S', 1200, 600), 120)
  assert.equal(mustOfFigure(info('files'), 'S', 100, 600), 60)
  assert.equal(mustOfFigure(info('peakMemoryMb'), 'K', 1200, 600), 450)
  assert.equal(mustOfFigure(info('peakMemoryMb'), 'W', 300, 300), undefined)
})
