import { test } from 'node:test'

import { checkProbes } from './fixture/check-probes.ts'

const PROBES = 10_000_000
const PROBES_PER_SEED = 500_000

test('no page that holds a text is left out, ten million times', async () => {
  const first = Number(process.env['EDDA_TEST_SEED'] ?? 1 + (Date.now() % 1_000_000))
  console.log(`seeds from ${first}`)
  for (let i = 0; i < PROBES / PROBES_PER_SEED; i++) await checkProbes(first + i, PROBES_PER_SEED)
})
