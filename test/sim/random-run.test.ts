import { it } from 'node:test'

import { runRandomly } from './random-run.ts'

const seed = Number(process.env['SIM_SEED'] ?? Date.now() % 2 ** 31)

it(`random lives of an ingester (from SIM_SEED=${seed})`, async () => {
  for (let run = 0; run < 10; run++) await runRandomly(seed + run)
})
