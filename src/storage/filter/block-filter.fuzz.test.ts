import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkProbes } from './fixture/check-probes.ts'

const PROBES = 200_000

test('no page that holds a text is left out', async () => {
  const seed = Number(process.env['EDDA_TEST_SEED'] ?? 1 + (Date.now() % 1_000_000))
  console.log(`seed ${seed}`)
  const { probes, leftOut, pages } = await checkProbes(seed, PROBES)
  assert.ok(probes >= PROBES)
  // hostile texts in tiny pages: a filter that leaves nothing out would pass otherwise
  assert.ok(leftOut > pages / 3, `${leftOut} of ${pages} pages were left out`)
})
