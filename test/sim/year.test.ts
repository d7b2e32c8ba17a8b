/** A quarter of a year of simulated days: objects, catalog and the work of a start do not grow. A whole year: ./year.long.test.ts. */
import { it } from 'node:test'

import { checkYear } from './check-year.ts'

it('a quarter of pushes, merges, retention, deletes and power cuts stays within bounds', async (t) => {
  const table = await checkYear(92, { hours: [9, 20], blocksPerHour: 3 })
  for (const line of table) t.diagnostic(line)
})
