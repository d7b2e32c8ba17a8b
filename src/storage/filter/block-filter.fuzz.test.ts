import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkProbes } from './fixture/check-probes.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const PROBES = 200_000

test('no page that holds a text is left out', async () => {
  console.log(`seed ${testSeed}`)
  const { probes, leftOut, pages } = await checkProbes(testSeed, PROBES)
  assert.ok(probes >= PROBES)
  // hostile texts in tiny pages: a filter that leaves nothing out would pass otherwise
  assert.ok(leftOut > pages / 3, `${leftOut} of ${pages} pages were left out`)
})
