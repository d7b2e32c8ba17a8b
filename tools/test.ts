/**
 * `npm test`: unit tests first, all in one process (seconds), then whole-process and simulation tests, each file in a process
 * of its own. Prints node's own reports; fails when either part fails.
 *
 *     node tools/test.ts                  what CI runs
 *     node tools/test.ts --long           and the `*.long.test.ts` files
 *     node tools/test.ts wal segment      only files whose path contains one of the words
 *     SEED=7 node tools/test.ts           tests of chance draw from this seed
 *
 * Without SEED the default run draws from one seed that never changes, so that what passes for one change passes for the next
 * unless the change breaks it; the long run draws a new one.
 */
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { globSync } from 'node:fs'

const unitGlobs = ['src/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts']
// tests of regular expressions, which together fill V8's space for code, so that they must not share a process with all others
const processGlobs = ['src/platform/regex/**/*.test.ts', 'test/**/*.test.ts']
const defaultSeed = 1
/** A part that runs longer than this hangs: most likely a test left a server, a timer or a worker behind. */
const maxPartMinutes = { default: 15, long: 120 }

type Selection = { readonly long: boolean; readonly words: readonly string[] }

function select(globs: readonly string[], { long, words }: Selection): string[] {
  return globSync(globs)
    .filter((path) => long || !path.endsWith('.long.test.ts'))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .toSorted()
}

async function runPart(
  title: string,
  files: readonly string[],
  flags: readonly string[],
  minutes: number,
): Promise<boolean> {
  if (files.length === 0) return true
  console.log(`\n▶ ${title}: ${files.length} files`)
  const child = spawn(process.execPath, ['--import', './tools/seed-tests.ts', '--test', ...flags, ...files], {
    stdio: 'inherit',
    env: { ...process.env, SEED: String(seed) },
  })
  const guard = setTimeout(() => {
    console.error(`✖ ${title} did not end within ${minutes} minutes; something keeps the process open`)
    child.kill('SIGKILL')
  }, minutes * 60_000)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...how) => resolve(how))
  })
  clearTimeout(guard)
  if (code !== 0) console.error(`✖ ${title} failed (${signal ?? `exit code ${code}`})`)
  return code === 0
}

const args = process.argv.slice(2)
const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--long')
if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; usage: node tools/test.ts [--long] [word of a path …]`)
  process.exit(2)
}
const selection: Selection = { long: args.includes('--long'), words: args.filter((arg) => arg !== '--long') }
const seed = process.env['SEED'] ?? (selection.long ? randomInt(1_000_000_000) : defaultSeed)
console.log(`tests of chance draw from SEED=${seed}`)
const minutes = selection.long ? maxPartMinutes.long : maxPartMinutes.default
const whole = select(processGlobs, selection)
const unit = select(unitGlobs, selection).filter((path) => !whole.includes(path))
if (unit.length + whole.length === 0) {
  console.error('no test file matches')
  process.exit(1)
}
const passed = [
  await runPart('unit tests', unit, ['--test-isolation=none', '--test-reporter=spec'], minutes),
  await runPart('whole-process tests', whole, ['--test-concurrency=2', '--test-reporter=spec'], minutes),
]
process.exitCode = passed.every(Boolean) ? 0 : 1
