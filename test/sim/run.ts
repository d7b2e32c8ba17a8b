/**
 * Long random runs of the ingester in the simulated world: `npm run sim -- --seed=7 --seconds=60`. Without a seed it begins
 * with the time and goes on with the next one; a failing run prints its seed and what it did.
 */
import { parseArgs } from 'node:util'

import { runRandomly } from './random-run.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string', default: '60' } } })
const endMs = Date.now() + Number(values.seconds) * 1000
let seed = Number(values.seed ?? Date.now() % 2 ** 31)
let runs = 0
let operations = 0

do {
  try {
    operations += await runRandomly(seed)
  } catch (error) {
    console.error(`seed ${seed} fails; repeat with: npm run sim -- --seed=${seed} --seconds=0`)
    console.error(error)
    process.exit(1)
  }
  runs++
  seed++
} while (Date.now() < endMs)
console.log(`${runs} runs up to seed ${seed - 1}, ${operations} disk operations: every entry found once`)
