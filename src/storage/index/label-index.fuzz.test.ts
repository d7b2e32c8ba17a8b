import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { codeLabels, firstPairOf, hashOfStream, haveSameLabels, valueOfPair, type CodedLabels } from './coded-labels.ts'
import { LabelIndexBuilder } from './label-index-builder.ts'
import { LabelIndexEncoder } from './label-index-format.ts'
import type { LabelMatcher, Labels } from './label-index.ts'
import { openLabelIndex } from './open-label-index.ts'
import type { SealedLabelIndex } from './open-label-index.ts'
import { shareTexts, sharedText } from './shared-texts.ts'
import { Corruption } from '#/kernel/errors.ts'
import { KeptParts, type MadePart } from '#/platform/memory/kept-parts.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'

const origin = { file: 'f', offset: 500 }
/** Any text that tells label sets apart does here. */
const textOf = (labels: Labels): string => JSON.stringify(labels)
const byUtf8 = (labels: readonly (readonly [string, string])[]): Labels =>
  [...labels].sort(([a], [b]) => compareUtf8(a, b))

function build(sets: readonly Labels[]): LabelIndexBuilder {
  const index = new LabelIndexBuilder()
  for (const labels of sets) index.add(textOf(labels), labels)
  return index
}

function seal(sets: readonly Labels[]): Uint8Array {
  const encoder = new LabelIndexEncoder()
  for (const labels of sets) encoder.add(labels)
  return encoder.finish()
}

const open = (bytes: Uint8Array): SealedLabelIndex => openLabelIndex(bytes, { origin, formatText: textOf })

const value = fc.oneof(fc.constantFrom('a', 'b', 'é', '😀', '\uffff'), fc.string({ minLength: 1, maxLength: 3 }))
const setsArbitrary = fc.uniqueArray(
  fc
    .dictionary(fc.constantFrom('app', 'pod', 'zone', 'ü', 'rare'), value)
    .map((labels) => byUtf8(Object.entries(labels))),
  { maxLength: 40, selector: textOf },
)
const matcherArbitrary = fc
  .record({
    name: fc.constantFrom('app', 'pod', 'zone', 'ü', 'rare', 'absent'),
    wanted: fc.oneof(value, fc.constant('')),
    isNegated: fc.boolean(),
  })
  .map(({ name, wanted, isNegated }): LabelMatcher => ({ name, matches: (given) => (given === wanted) !== isNegated }))

test('a builder and its sealed form answer as looking at every stream does', () => {
  fc.assert(
    fc.property(setsArbitrary, fc.array(matcherArbitrary, { maxLength: 3 }), (sets, matchers) => {
      const expected = sets.flatMap((labels, ordinal) => {
        const valueOf = (name: string): string => labels.find(([own]) => own === name)?.[1] ?? ''
        return matchers.every(({ name, matches }) => matches(valueOf(name))) ? [ordinal] : []
      })
      const chosen = expected.map((ordinal) => sets[ordinal]!)
      for (const index of [build(sets), open(seal(sets))]) {
        assert.equal(index.count, sets.length)
        const matched = index.match(matchers)
        assert.deepEqual([...matched], expected)
        for (const [ordinal, labels] of sets.entries()) {
          assert.deepEqual(index.labels(ordinal), labels)
          assert.equal(index.text(ordinal), textOf(labels))
        }
        for (const [ordinals, among] of [
          [matched, chosen],
          [undefined, sets],
        ] as const) {
          const names = [...new Set(among.flatMap((labels) => labels.map(([name]) => name)))].sort(compareUtf8)
          assert.deepEqual(index.names(ordinals), names)
          for (const wanted of [...names, 'absent']) {
            const values = among.flatMap((labels) =>
              labels.filter(([name]) => name === wanted).map((label) => label[1]),
            )
            assert.deepEqual(index.values(wanted, ordinals), [...new Set(values)].sort(compareUtf8))
          }
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('a builder keeps what it has: known texts keep their ordinal, and new ones are found', () => {
  const index = new LabelIndexBuilder()
  assert.equal(index.add('one', [['a', '1']]), 0)
  assert.equal(index.add('two', [['a', '2']]), 1)
  assert.equal(index.add('one', [['a', '1']]), 0)
  assert.equal(index.find('two'), 1)
  assert.equal(index.find('three'), undefined)
  assert.throws(() => index.text(2), /stream 2 is one of 2/)
})

test('a matcher is asked once per distinct value', () => {
  const sets = Array.from({ length: 1000 }, (_, i): Labels => [
    ['app', `a${i % 10}`],
    ['pod', `p${i}`],
  ])
  for (const index of [build(sets), open(seal(sets))]) {
    let asked = 0
    index.match([{ name: 'app', matches: () => (asked++, true) }])
    assert.ok(asked <= 11, `${asked} calls for 10 values and the empty one`)
  }
})

test('names that few streams have are stored sparse and found all the same', () => {
  const sets = Array.from({ length: 500 }, (_, i): Labels =>
    byUtf8([['app', 'x'], ...(i % 100 === 7 ? ([['rare', `r${i}`]] as const) : [])]),
  )
  const index = open(seal(sets))
  assert.deepEqual([...index.match([{ name: 'rare', matches: (text) => text !== '' }])], [7, 107, 207, 307, 407])
  assert.deepEqual(index.labels(107), [
    ['app', 'x'],
    ['rare', 'r107'],
  ])
  assert.deepEqual(index.values('rare', Uint32Array.of(1, 7, 8)), ['r7'])
})

test('texts in shared memory are those of the index', () => {
  const texts = shareTexts(build([[['a', 'ä']], [['b', '😀']]]))
  assert.equal(sharedText(texts, 0), textOf([['a', 'ä']]))
  assert.equal(sharedText(texts, 1), textOf([['b', '😀']]))
})

const codedOf = (coded: CodedLabels): Labels[] =>
  Array.from(coded.ends, (end, stream) =>
    Array.from(coded.pairs.subarray(firstPairOf(coded, stream), end), (pair) => [
      coded.names[coded.nameOfPair[pair]!]!,
      valueOfPair(coded, pair),
    ]),
  )

test('coded labels are those of the index, and equal labels have equal hashes wherever they are', () => {
  fc.assert(
    fc.property(setsArbitrary, (sets) => {
      const hashes = new Map<string, number>()
      const first = build(sets).coded()
      for (const coded of [
        build(sets).coded(),
        open(seal(sets)).coded(),
        codeLabels(sets.length, (i) => sets[i]!),
        build(sets.toReversed()).coded(),
      ]) {
        const labels = codedOf(coded)
        assert.deepEqual(labels.map(textOf).toSorted(), sets.map(textOf).toSorted())
        for (const [stream, set] of labels.entries()) {
          const hash = hashOfStream(coded, stream)
          assert.ok(Number.isSafeInteger(hash) && hash >= 0)
          assert.equal(hashes.get(textOf(set)) ?? hash, hash)
          for (const [other, others] of sets.entries()) {
            const isSame = haveSameLabels({ coded, stream }, { coded: first, stream: other })
            assert.equal(isSame, textOf(others) === textOf(set))
          }
          hashes.set(textOf(set), hash)
        }
      }
      assert.equal(new Set(hashes.values()).size, sets.length, 'so few sets have hashes of their own')
    }),
  )
})

test('coded labels are made again only when the index grew; what was handed out stays as it was', () => {
  const index = build([[['a', 'ä']], [['b', '😀']]])
  const first = index.coded()
  assert.equal(index.coded(), first)
  index.add('third', [['c', 'd']])
  index.add('fourth', [
    ['a', 'ä'],
    ['c', 'd'],
  ])
  assert.deepEqual(
    codedOf(index.coded()),
    [0, 1, 2, 3].map((ordinal) => index.labels(ordinal)),
  )
  assert.equal(first.ends.length, 2)
})

test('an encoder takes coded labels as it takes labels, and forgets names that no stream has', () => {
  fc.assert(
    fc.property(setsArbitrary, fc.func(fc.boolean()), (sets, isKept) => {
      const coded = build(sets).coded()
      const encoder = new LabelIndexEncoder()
      const kept = [...sets.keys()].filter(isKept)
      for (const stream of kept) encoder.addCoded(coded, stream)
      assert.deepEqual(encoder.finish(), seal(kept.map((stream) => sets[stream]!)))
    }),
  )
})

test('a matcher for one value finds what it would find by asking every value', () => {
  fc.assert(
    fc.property(setsArbitrary, fc.constantFrom('app', 'pod', 'absent'), value, (sets, name, equals) => {
      const matches = (text: string): boolean => text === equals
      for (const index of [build(sets), open(seal(sets))]) {
        assert.deepEqual(index.match([{ name, matches, equals }]), index.match([{ name, matches }]))
      }
    }),
  )
})

test('a damaged index answers or reports corruption, and never anything else', () => {
  const sets = Array.from({ length: 60 }, (_, i): Labels =>
    byUtf8([['app', `a${i % 4}`], ...(i % 20 === 3 ? ([['rare', `r${i}`]] as const) : [])]),
  )
  const good = seal(sets)
  for (let at = 0; at < good.length; at++) {
    for (const bit of [0, 3, 7]) {
      const bad = Buffer.from(good)
      bad[at]! ^= 1 << bit
      try {
        const index = open(bad)
        for (let ordinal = 0; ordinal < Math.min(index.count, 100); ordinal++) index.labels(ordinal)
        index.match([{ name: 'rare', matches: (text) => text === 'r3' }])
      } catch (error) {
        assert.ok(error instanceof Corruption, `byte ${at}: ${String(error)}`)
      }
    }
  }
})

test('labels of some streams and names are those of all, without the others', () => {
  fc.assert(
    fc.property(setsArbitrary, fc.func(fc.boolean()), fc.subarray(['app', 'pod', 'rare']), (sets, isKept, some) => {
      const index = open(seal(sets))
      const ordinals = Uint32Array.from([...sets.keys()].filter(isKept))
      const chosen = [...ordinals].map((ordinal) => sets[ordinal]!)
      assert.deepEqual(codedOf(index.codedOf({ ordinals })), chosen)
      const inPlace = sets.map((labels, ordinal) => (ordinals.includes(ordinal) ? labels : []))
      assert.deepEqual(codedOf(index.codedOf({ ordinals, keepsOrdinals: true })), inPlace)
      const names = new Set(some)
      const named = (labels: Labels): Labels => labels.filter(([name]) => names.has(name))
      assert.deepEqual(codedOf(index.codedOf({ names })), sets.map(named))
      const both = index.codedOf({ names, ordinals })
      assert.deepEqual(codedOf(both), chosen.map(named))
      const used = new Set(chosen.flatMap(named).map(([name, text]) => `${name}=${text}`))
      assert.equal(both.nameOfPair.length, used.size, 'values that nobody has are left out')
    }),
  )
})

test('a matcher that holds for all streams is answered without a look at who has which value', () => {
  const sets = Array.from({ length: 300 }, (_, i): Labels => [
    ['cluster', 'prod'],
    ['pod', `p${i}`],
  ])
  const made: string[] = []
  class Watched extends KeptParts {
    override get<T extends object>(name: string, make: () => MadePart<T>): T {
      made.push(name)
      return super.get(name, make)
    }
  }
  const index = openLabelIndex(seal(sets), { origin, formatText: textOf, parts: new Watched() })
  const isProd = { name: 'cluster', matches: (text: string) => text === 'prod', equals: 'prod' }
  const isOther = { name: 'cluster', matches: (text: string) => text !== 'none' }
  assert.equal(index.match([isProd, isOther]).length, 300)
  assert.equal(index.match([{ ...isProd, equals: 'none' }]).length, 0)
  assert.equal(index.match([{ name: 'absent', matches: (text) => text === '' }]).length, 300)
  assert.deepEqual(new Set(made), new Set(['values cluster']))
})
