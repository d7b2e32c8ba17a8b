import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'

import { kinds } from './kinds.ts'

it('every kind of finding stands in the handbook, as it is', () => {
  const page = readFileSync('docs/operate/doctor.md', 'utf8')
  for (const [kind, { severity, meaning }] of Object.entries(kinds)) {
    const row = `| \`${kind}\` | ${severity} | ${meaning} |`
    assert.ok(page.includes(row), row)
  }
})
