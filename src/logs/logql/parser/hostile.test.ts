/**
 * Queries made to hurt, parsed and formatted in a fresh thread with a small stack: none takes long, none overflows it.
 * `parse-expr.bench.ts` prints what each takes in a process of its own.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { formatQuery } from '#/logs/logql/format/format-query.ts'
import { hostileQueries } from '#/logs/logql/testdata/hostile-queries.ts'
import { ParseError } from './parse-error.ts'
import { maxQueryBytes } from './parse-expr.ts'

/**
 * CPU time of the thread that a query may take: several times what it does take on a busy machine, far below what anything
 * quadratic would.
 */
const maxMs = 400

type Outcome = { readonly name: string; readonly ms: number; readonly failure: string | undefined }

function measure([name, query]: readonly [string, string]): Outcome {
  const before = process.threadCpuUsage()
  let failure: string | undefined
  try {
    formatQuery(query)
  } catch (error) {
    if (!(error instanceof ParseError)) failure = String(error)
  }
  const { user, system } = process.threadCpuUsage(before)
  return { name, ms: (user + system) / 1000, failure }
}

if (isMainThread) {
  test('the longest queries take little time and stack', async () => {
    for (const [name, query] of Object.entries(hostileQueries))
      assert.ok(Buffer.byteLength(query) <= maxQueryBytes, name)
    const worker = new Worker(new URL(import.meta.url), { resourceLimits: { stackSizeMb: 1 } })
    const outcomes = await new Promise<readonly Outcome[]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    assert.equal(outcomes.length, Object.keys(hostileQueries).length)
    const isBad = ({ ms, failure }: Outcome): boolean => failure !== undefined || ms > maxMs
    assert.deepEqual(outcomes.filter(isBad), [])
  })
} else parentPort?.postMessage(Object.entries(hostileQueries).map(measure))
