/**
 * Large bodies are worked on in memory that the next push uses again: many at a time, of all sizes, in both formats and some of them
 * refused, must not see each other's lines, nor metadata.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { encodePush, type PushEntry } from '#/logs/wire/encode-push.ts'
import { type EddaProcess, queryAll, startEdda } from './edda-process.ts'

const START_NS = 1_794_960_000_000_000_000n
const ROUNDS = 3
const AT_ONCE = 8
/** Bodies of 130 kB to 1 MB, as the lines hardly compress. */
const LEAST_ROWS = 2000

function linesOf(push: number): readonly (PushEntry & { readonly line: string })[] {
  const rows = LEAST_ROWS + push * 300
  return Array.from({ length: rows }, (_, row) => {
    const noise = createHash('sha256').update(`${push} ${row}`).digest('hex')
    return { timeNs: START_NS + BigInt(push * 100_000 + row), line: `push=${push} row=${row} noise=${noise}` }
  })
}

/** Every fourth as JSON, every seventh broken at its end. */
async function send(url: string, push: number): Promise<void> {
  const entries = linesOf(push)
  const isJson = push % 4 === 3
  const values = entries.map(({ timeNs, line }) => [String(timeNs), line, { push: String(push) }])
  const body = isJson
    ? Buffer.from(JSON.stringify({ streams: [{ stream: { app: 'large' }, values }] }))
    : Buffer.from(encodePush([{ labels: '{app="large"}', entries }]))
  assert.ok(body.length > 128 * 1024, `${body.length} bytes are large`)
  const headers = { 'Content-Type': isJson ? 'application/json' : 'application/x-protobuf' }
  const post = async (bytes: Uint8Array<ArrayBuffer>): Promise<number> => {
    const response = await fetch(`${url}/loki/api/v1/push`, { method: 'POST', headers, body: bytes })
    await response.text()
    return response.status
  }
  if (push % 7 === 6) assert.equal(await post(new Uint8Array(body.subarray(0, body.length - 5))), 400)
  assert.equal(await post(new Uint8Array(body)), 204)
}

test('large pushes at the same time keep their lines apart', { timeout: 120_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edda-large-pushes-'))
  let server: EddaProcess | undefined
  try {
    const flags = ['-limits-config.reject-old-samples=false', '-limits-config.ingestion-rate-mb=1000']
    server = await startEdda({ dataDir, flags: [...flags, '-limits-config.ingestion-burst-size-mb=1000'] })
    const { url } = server
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => send(url, round * AT_ONCE + i)))
    }
    for (let push = 0; push < ROUNDS * AT_ONCE; push++) {
      const from = START_NS + BigInt(push * 100_000)
      const found = await queryAll(url, '{app="large"}', { startNs: from, endNs: from + 100_000n })
      assert.deepEqual(
        found,
        linesOf(push).map(({ timeNs, line }) => [timeNs, line]),
        `push ${push}`,
      )
    }
  } finally {
    await server?.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
})
