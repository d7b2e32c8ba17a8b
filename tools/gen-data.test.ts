import assert from 'node:assert/strict'
import { test } from 'node:test'

import { countedWords, LogGenerator } from './gen-data.ts'

const options = {
  seed: 5,
  streams: 250,
  startNs: 1_700_000_000_000_000_000n,
  spanNs: 86_400_000_000_000n,
  lines: 20_000,
}

test('the same seed makes the same lines, another one others', () => {
  const take = (seed: number): string[] => {
    const generator = new LogGenerator({ ...options, seed })
    return Array.from({ length: 200 }, () =>
      JSON.stringify(generator.next(), (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
    )
  }
  assert.deepEqual(take(5), take(5))
  assert.notDeepEqual(take(5), take(6))
})

test('the truth is what counting the lines gives', () => {
  const generator = new LogGenerator(options)
  const lines = Array.from({ length: options.lines }, () => generator.next())
  const { truth } = generator
  assert.equal(truth.lines, lines.length)
  assert.equal(
    truth.bytes,
    lines.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0),
  )
  for (const word of countedWords) {
    assert.equal(truth.linesWith[word], lines.filter(({ text }) => text.includes(word)).length, word)
  }
  const failed = lines.filter(({ stream, text }) => stream.app === 'payments' && JSON.parse(text).status === 503)
  assert.equal(truth.paymentsByStatus['503'], failed.length)
  assert.equal(truth.linesByApp['edge'], lines.filter(({ text }) => / HTTP\/1\.1" \d{3} /.test(text)).length)
  const found = lines.filter(({ metadata }) => metadata.some(([, value]) => value === truth.traceId))
  assert.equal(truth.traceIdLines, found.length)
})

test('realistic: no line breaks, all streams, 24 hours, rising times, some metadata', () => {
  const generator = new LogGenerator(options)
  const lines = Array.from({ length: options.lines }, () => generator.next())
  assert.ok(lines.every(({ text }) => text.length > 20 && !text.includes('\n')))
  assert.ok(new Set(lines.map(({ stream }) => stream.text)).size > 240)
  assert.equal(new Set(generator.streams.map(({ text }) => text)).size, 250)
  const end = options.startNs + options.spanNs
  assert.ok(lines.every(({ timeNs }) => timeNs >= options.startNs && timeNs < end))
  assert.ok(lines.at(-1)!.timeNs > end - 60_000_000_000n)
  const names = new Set(lines.flatMap(({ metadata }) => metadata.map(([name]) => name)))
  assert.deepEqual([...names].toSorted(), ['span_id', 'trace_id', 'user_id'])
})
