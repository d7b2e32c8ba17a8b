import { test } from 'node:test'

import { checkProbes } from './fixture/check-probes.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const PROBES = 10_000_000
const PROBES_PER_SEED = 500_000

test('no page that holds a text is left out, ten million times', async () => {
  console.log(`seeds from ${testSeed}`)
  for (let i = 0; i < PROBES / PROBES_PER_SEED; i++) await checkProbes(testSeed + i, PROBES_PER_SEED)
})
