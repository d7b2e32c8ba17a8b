/** As ./year.test.ts, for a whole year. docs/operate/compaction.md has its figures. */
import { it } from 'node:test'

import { checkYear } from './check-year.ts'

it('a year of pushes, merges, retention, deletes and power cuts stays within bounds', async (t) => {
  const table = await checkYear(365, { hours: [9, 20], blocksPerHour: 3 })
  for (const line of table) t.diagnostic(line)
})
