/**
 * Runs every language script in `src/logs/logql/testdata`. `EDDA_SCRIPTS=json,ip node --test test/language/language.test.ts` runs those whose
 * name contains one of the words.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import test from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { readScript } from './read-script.ts'
import { failureText, runScript } from './run-script.ts'

enableLinearRegex()
// templates print times in the local zone
process.env['TZ'] = 'UTC'

const MIN_EVALS = 800
const MAX_SHOWN = 20

const folder = new URL('../../src/logs/logql/testdata/', import.meta.url)
const names = (await readdir(folder)).filter((name) => name.endsWith('.logqltest') && !name.startsWith('syntax'))
const words = (process.env['EDDA_SCRIPTS'] ?? '').split(',')
const counts = new Map<string, number>()

for (const name of names.filter((one) => words.some((word) => one.includes(word))).toSorted()) {
  test(name, async (t) => {
    const script = readScript(`src/logs/logql/testdata/${name}`, readFileSync(new URL(name, folder), 'utf8'))
    const broken = script.evals.filter((one) => one.broken !== undefined).length
    counts.set(name, script.evals.length)
    t.diagnostic(`${script.evals.length} evals${broken === 0 ? '' : `, ${broken} marked as broken`}`)
    assert.ok(script.evals.length > 0, 'a script without evals')
    const failures = await runScript(script)
    const more = failures.length > MAX_SHOWN ? [`… and ${failures.length - MAX_SHOWN} more`] : []
    const texts = [...failures.slice(0, MAX_SHOWN).map(failureText), ...more]
    assert.ok(
      failures.length === 0,
      `${failures.length} of ${script.evals.length} evals fail\n\n${texts.join('\n\n')}\n`,
    )
  })
}

test(`there are at least ${MIN_EVALS} evals`, { skip: words[0] !== '' }, (t) => {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
  t.diagnostic([...counts].map(([name, count]) => `${name} ${count}`).join(', '))
  t.diagnostic(`${total} evals in all`)
  assert.ok(total >= MIN_EVALS, `${total} evals`)
})
