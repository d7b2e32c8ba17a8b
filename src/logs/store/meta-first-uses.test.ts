import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { makeHeadPages } from './fixture/head-pages.ts'
import { openHeadPage } from './head-page.ts'
import { firstUsesOf } from './meta-first-uses.ts'

test('a head page has the same names with and without first uses, in whatever order its snapshots are asked', () => {
  const meta = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 3 })).map(Object.entries<string>)
  fc.assert(
    fc.property(fc.array(meta, { minLength: 1, maxLength: 20 }), fc.array(fc.nat(20)), (rows, counts) => {
      const plainRows = rows.map((pairs, i) => ({ labels: [], time: i, line: Buffer.of(i), meta: pairs }))
      const columns = makeHeadPages(plainRows, rows.length).pages[0]!
      for (const count of [...counts, rows.length]) {
        const page = { ...columns, rowCount: Math.min(count, rows.length) }
        const plain = openHeadPage(page).metaNames
        assert.deepEqual(openHeadPage({ ...page, metaFirstUses: firstUsesOf(page) }).metaNames, plain)
      }
    }),
  )
})
