import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Profile, type ProfileName, profileOf, profiles } from './data-profiles.ts'
import { countedWords, foldedWord, largestUsers, quantileOf } from './data-truth.ts'
import { type GeneratedLine, LogGenerator } from './gen-data.ts'
import { formats } from './log-formats.ts'

const options = {
  seed: 5,
  startNs: 1_700_000_000_000_000_000n,
  spanNs: 86_400_000_000_000n,
  lines: 20_000,
}
const names = Object.keys(profiles) as ProfileName[]

type Made = { readonly generator: LogGenerator; readonly lines: readonly GeneratedLine[] }

function make(profile: Profile, count = options.lines, more = {}): Made {
  const generator = new LogGenerator({
    ...options,
    profile,
    streams: Math.min(profile.streams, 500),
    lines: count,
    ...more,
  })
  return { generator, lines: Array.from({ length: count }, () => generator.next()) }
}

const plain = (lines: readonly GeneratedLine[]): string =>
  JSON.stringify(lines, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

for (const name of names) {
  test(`${name}: the same seed makes the same lines, another one others`, () => {
    const take = (seed: number): string => plain(make(profiles[name], 200, { seed }).lines)
    assert.equal(take(5), take(5))
    assert.notEqual(take(5), take(6))
  })

  test(`${name}: the truth is what counting the lines gives`, () => {
    const { generator, lines } = make(profiles[name], name === 'W' ? 1_500 : options.lines)
    const { truth } = generator
    const count = (holds: (line: GeneratedLine) => boolean): number => lines.filter(holds).length
    assert.equal(truth.lines, lines.length)
    assert.equal(
      truth.bytes,
      lines.reduce((sum, { text }) => sum + Buffer.from(text).length, 0),
    )
    for (const word of countedWords) {
      assert.equal(
        truth.linesWith[word],
        count(({ text }) => text.includes(word)),
        word,
      )
    }
    assert.equal(
      truth.linesWithFolded,
      count(({ text }) => text.toLowerCase().includes(foldedWord)),
    )
    assert.equal(
      truth.identityDenied,
      count(({ stream, text }) => stream.text.includes('namespace="identity"') && text.includes('denied')),
    )
    assert.equal(
      truth.traceIdLines,
      count(({ metadata }) => metadata.some(([, value]) => value === truth.traceId)),
    )
    for (const [app, ofApp] of Map.groupBy(lines, ({ stream }) => stream.app)) {
      assert.equal(truth.linesByApp[app], ofApp.length)
      assert.equal(truth.streamsByApp[app], new Set(ofApp.map(({ stream }) => stream.text)).size)
    }
    for (const level of ['debug', 'info', 'warn', 'error']) {
      assert.equal(
        truth.linesByLevel[level] ?? 0,
        count((line) => line.level === level),
      )
    }
  })

  test(`${name}: the largest users are those of a plain count`, () => {
    const { generator, lines } = make(profiles[name], 2_000)
    const counts = new Map<string, number>()
    for (const { metadata } of lines) {
      const user = metadata.find(([label]) => label === 'user_id')?.[1] ?? ''
      counts.set(user, (counts.get(user) ?? 0) + 1)
    }
    const expected = [...counts.values()].toSorted((a, b) => b - a).slice(0, 5)
    assert.deepEqual(largestUsers(generator.truth, 5), expected)
  })
}

for (const name of ['S', 'W'] as const) {
  test(`${name}: status and latency are those in the JSON of the line`, () => {
    const { generator, lines } = make(profiles[name], name === 'W' ? 500 : options.lines)
    const parsed = lines
      .filter(({ stream }) => stream.app === 'payments')
      .map(({ text }) => JSON.parse(text) as { status: number; latency_ms: number })
    const { truth } = generator
    assert.deepEqual(
      truth.paymentsLatencyMs,
      parsed.map((line) => line.latency_ms),
    )
    assert.equal(truth.paymentsByStatus['503'] ?? 0, parsed.filter(({ status }) => status === 503).length)
    assert.ok((truth.paymentsByStatus['503'] ?? 0) > 0)
  })
}

test('a quantile lies between its neighbours by distance', () => {
  assert.equal(quantileOf([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(quantileOf([10, 20, 30], 0.99), 29.8)
  assert.equal(quantileOf([7], 0.99), 7)
})

test('realistic: 13 formats, no line breaks, all streams, 24 hours, rising times, some metadata', () => {
  assert.equal(Object.keys(formats).length, 13)
  assert.deepEqual(new Set(profiles.S.apps.map(({ format }) => format)), new Set(Object.keys(formats)))
  const { generator, lines } = make(profiles.S, options.lines, { streams: 250 })
  assert.ok(lines.every(({ text }) => text.length > 20 && !text.includes('\n')))
  assert.ok(new Set(lines.map(({ stream }) => stream.text)).size > 240)
  assert.equal(new Set(generator.streams.map(({ text }) => text)).size, 250)
  const end = options.startNs + options.spanNs
  assert.ok(lines.every(({ timeNs }) => timeNs > options.startNs && timeNs < end))
  assert.ok(lines.at(-1)!.timeNs > end - 60_000_000_000n)
  const labels = new Set(lines.flatMap(({ metadata }) => metadata.map(([name]) => name)))
  assert.deepEqual([...labels].toSorted(), ['span_id', 'trace_id', 'user_id'])
})

test('a trace is a few lines of several services close to each other, also the one that is asked for', () => {
  const { generator, lines } = make(profiles.S)
  const traced = lines.filter(({ traceId }) => traceId !== undefined)
  const traces = Map.groupBy(traced, ({ traceId }) => traceId!)
  assert.ok(traced.length / traces.size > 4 && traced.length / traces.size < 16)
  const watched = traces.get(generator.truth.traceId) ?? []
  assert.equal(watched.length, 12)
  assert.ok(new Set(watched.map(({ stream }) => stream.app)).size > 1)
  const first = lines.indexOf(watched[0]!)
  assert.ok(lines.indexOf(watched.at(-1)!) - first < 500)
})

test('the lines of other data sets are as their name says', () => {
  assert.ok(make(profiles.K, 100).lines.every(({ metadata }) => metadata.some(([name]) => name === 'node')))
  assert.ok(make(profiles.W, 50).lines.every(({ text }) => Object.keys(JSON.parse(text) as object).length === 200))
  const { lines } = make(profiles.N, 50)
  assert.ok(lines.every(({ text }) => /^[A-Za-z0-9+/]{200}$/.test(text)))
  assert.equal(new LogGenerator({ ...options, profile: profiles.H }).streams.length, 100_000)
  assert.throws(() => profileOf('Z'), /no data set Z; there are S, K, H, W, N/)
})

test('with the seed of its streams, a generator makes other lines of the same streams', () => {
  const base = make(profiles.S, 100)
  const other = make(profiles.S, 100, { seed: 6, streamSeed: 5 })
  assert.deepEqual(other.generator.streams, base.generator.streams)
  assert.notEqual(plain(other.lines), plain(base.lines))
})

for (const { name, bytesPerLine } of names.map((key) => ({ name: key, ...profiles[key] }))) {
  test(`${name}: a line is on average as long as the profile says, or a little longer`, () => {
    const count = name === 'W' ? 1_000 : 10_000
    const average = make(profiles[name], count).generator.truth.bytes / count
    assert.ok(average >= bytesPerLine && average < bytesPerLine * 1.05, `${average} against ${bytesPerLine}`)
  })
}
