import { it } from 'node:test'

import { runRandomly } from './random-run.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

it(`random lives of an ingester (from SEED=${testSeed})`, async () => {
  for (let run = 0; run < 10; run++) await runRandomly(testSeed + run)
})
