import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixLeadingDigit, sanitizeNamePart } from '#/kernel/label-name.ts'
import { labelsOf, runAll } from './page-fixture.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
const check = { seed: testSeed, numRuns: 500 }

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'a.b', 'a_b', '1', '', ' x ', 'é', '"', '\\'),
  fc.string({ maxLength: 5 }),
)
const { object } = fc.letrec<{ value: Json; object: { readonly [key: string]: Json } }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme', maxLength: 6 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}))

/** What `| json` extracts, by the tree that was written. */
function expectedLabels(value: { readonly [key: string]: Json }): Record<string, string> {
  const labels: Record<string, string> = {}
  const walk = (object: { readonly [key: string]: Json }, prefix: string): void => {
    for (const [name, member] of Object.entries(object)) {
      const part = sanitizeNamePart(name)
      const full = part === '' ? prefix : prefix === '' ? part : `${prefix}_${part}`
      if (member === null || Array.isArray(member)) continue
      if (typeof member === 'object') walk(member as { readonly [key: string]: Json }, full)
      else if (part !== '') labels[fixLeadingDigit(full)] ??= String(member).replaceAll('\ufffd', ' ')
    }
  }
  walk(value, '')
  return labels
}

test(`documents give the labels that a walk over what was written gives (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(object, fc.constantFrom(0, 1, 2), (document, indent) => {
      const line = JSON.stringify(document, undefined, indent)
      const expected = expectedLabels(document)
      assert.deepEqual(labelsOf('| json', line, { stream: [] }), expected)
    }),
    check,
  )
})

test(`documents one after the other give what each gives alone (seed ${testSeed})`, () => {
  const documents = fc.array(fc.oneof(object, fc.constantFrom({ '': 1, a: 2 }, { a: 1, '': { a: 2 } })), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(documents, (several) => {
      const lines = [...several, ...several.toReversed()].map((document) => JSON.stringify(document))
      assert.deepEqual(
        runAll('| json', lines, { stream: [] }).map((outcome) => outcome?.labels),
        lines.map((line) => labelsOf('| json', line, { stream: [] })),
      )
    }),
    check,
  )
})

test(`wanted labels are those of the whole extraction (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(object, fc.nat(), (document, pick) => {
      const line = JSON.stringify(document)
      const all = labelsOf('| json', line, { stream: [] })!
      const names = Object.keys(all)
      const wanted = new Set(names.filter((_, i) => (pick >> (i % 31)) & 1))
      const expected = Object.fromEntries(Object.entries(all).filter(([name]) => wanted.has(name)))
      assert.deepEqual(labelsOf('| json', line, { stream: [], needed: wanted }), expected)
    }),
    check,
  )
})

test(`any bytes end in labels or an error, and cut documents never invent labels (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(object, fc.nat(), fc.uint8Array({ maxLength: 40 }), (document, cut, noise) => {
      const line = Buffer.from(JSON.stringify(document))
      const all = labelsOf('| json', { line }, { stream: [] })!
      const part = labelsOf('| json', { line: line.subarray(0, cut % line.length) }, { stream: [] })!
      const { __error__: error, __error_details__: details, ...labels } = part
      assert.equal(error, 'JSONParserErr')
      assert.ok(details)
      // a number may be cut
      for (const [name, value] of Object.entries(labels)) assert.ok(all[name]!.startsWith(value), name)
      labelsOf('| json', { line: Buffer.from(noise) }, { stream: [] })
    }),
    check,
  )
})
