/** Answers piece by piece and page by page, over a real socket, while heads become blocks. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { get, startEdda } from './edda-process.ts'

const root = join(import.meta.dirname, '../..')

type Frame = {
  readonly type: string
  readonly streams?: readonly {
    readonly stream: Record<string, string>
    readonly values: readonly [string, string][]
  }[]
  readonly cursor?: string
  readonly status?: number
  readonly error?: string
  readonly bytes_done?: number
  readonly bytes_total?: number
  readonly data?: { readonly resultType: string }
  readonly stats?: { readonly summary: { readonly totalEntriesReturned: number } }
}

type Page = {
  readonly data: { readonly result: NonNullable<Frame['streams']>; readonly cursor?: string; readonly stats: unknown }
}

/** The frames of an answer, one by one as they come. */
async function* frames(url: string, params: Readonly<Record<string, string>>): AsyncGenerator<Frame> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const address = `${url}/loki/api/v1/query_range?${new URLSearchParams(params)}`
    request(address, { headers: { accept: 'application/x-ndjson' } }, resolve)
      .once('error', reject)
      .end()
  })
  assert.equal(response.statusCode, 200)
  assert.equal(response.headers['content-type'], 'application/x-ndjson')
  let rest = ''
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as Frame
  }
  assert.equal(rest, '', 'each frame ends its line')
}

const linesOf = (streams: Frame['streams']): string[] =>
  (streams ?? []).flatMap(({ values }) => values.map(([, line]) => line))

async function push(url: string, streams: readonly { stream: Record<string, string>; values: [string, string][] }[]) {
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ streams }),
  })
  assert.equal(response.status, 204, await response.text())
}

test('thousands of lines of one nanosecond: frames, pages with flushes and pushes in between, export', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'edda-streaming-'))
  try {
    await using edda = await startEdda({ dataDir })
    const at = BigInt(Date.now() - 60_000) * 1_000_000n
    const of = (stream: number, from: number, to: number): [string, string][] =>
      Array.from({ length: to - from }, (_, i) => [String(at), `s${stream} line ${from + i}`])
    const both = (from: number, to: number) =>
      [1, 2, 3].map((stream) => ({ stream: { app: 'many', n: String(stream) }, values: of(stream, from, to) }))
    await push(edda.url, both(0, 2000))
    const range = { query: '{app="many"}', start: String(at - 1000n), end: String(at + 1000n) }

    const accept = 'application/x-ndjson'
    for (const [limit, cursor, status] of [
      ['5000', undefined, 200],
      ['5001', undefined, 400],
      ['5001', '', 200],
    ] as const) {
      const params = new URLSearchParams({ ...range, limit, ...(cursor === undefined ? {} : { cursor }) })
      const response = await fetch(`${edda.url}/loki/api/v1/query_range?${params}`, { headers: { accept } })
      const text = await response.text()
      assert.equal(response.status, status, text)
      if (status === 400) assert.match(text, /^max entries limit per query exceeded, limit > .* \(5001 > 5000\)/)
    }

    for (const direction of ['forward', 'backward']) {
      const received: Frame[] = []
      for await (const frame of frames(edda.url, { ...range, direction, limit: 'all' })) received.push(frame)
      const last = received.at(-1)
      assert.equal(last?.type, 'end')
      assert.equal(last.stats?.summary.totalEntriesReturned, 6000)
      assert.equal(
        received.some(({ cursor }) => cursor !== undefined),
        false,
      )
      const progress = received.filter(({ type }) => type === 'progress').at(-1)
      assert.equal(progress?.bytes_done, progress?.bytes_total)
      assert(progress!.bytes_total! > 60_000)
      assert.equal(new Set(received.flatMap(({ streams }) => linesOf(streams))).size, 6000)
    }

    for (const direction of ['forward', 'backward']) {
      const lines: string[] = []
      let cursor = ''
      for (let page = 0; ; page++) {
        const text = await get(edda.url, '/loki/api/v1/query_range', { ...range, direction, limit: '700', cursor })
        const { data } = JSON.parse(text) as Page
        lines.push(...linesOf(data.result))
        if (data.cursor === undefined) break
        cursor = data.cursor
        if (page === 1) assert.equal((await fetch(`${edda.url}/flush`, { method: 'POST' })).status, 204)
        if (page === 3)
          await push(
            edda.url,
            both(9000, 9003).map((one) => ({
              ...one,
              values: one.values.map(([t, line]) => [t, `${line} ${direction}`]),
            })),
          )
      }
      const first = lines.filter((line) => !/line 900\d/.test(line))
      assert.equal(first.length, 6000, `${direction}: no line is missing and none comes twice`)
      assert.equal(new Set(lines).size, lines.length)
    }
    const other = await fetch(
      `${edda.url}/loki/api/v1/query_range?${new URLSearchParams({ ...range, cursor: 'bm90IG9uZQ' })}`,
    )
    assert.equal(other.status, 400)
    assert.equal(await other.text(), 'the cursor is not valid; hand it back as it was answered')

    const file = join(dataDir, 'out.jsonl')
    const run = promisify(execFile)(process.execPath, [
      join(root, 'src/main.ts'),
      'export',
      '{app="many"}',
      '--addr',
      edda.url,
      '--from',
      range.start,
      '--to',
      range.end,
      '--output',
      file,
    ])
    const { stderr } = await run
    assert.match(stderr, /^edda: 6018 lines\n$/m)
    const exported = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.equal(new Set(exported).size, 6018)
    assert.deepEqual(Object.keys(JSON.parse(exported[0]!) as object), ['labels', 'line', 'timestamp'])

    const metric: Frame[] = []
    const query = 'sum(count_over_time({app="many"}[5m]))'
    for await (const frame of frames(edda.url, { query, start: range.start, end: range.end })) metric.push(frame)
    assert.deepEqual([...new Set(metric.map(({ type }) => type))], ['progress', 'result', 'end'])
    const refused = await fetch(`${edda.url}/loki/api/v1/query_range?query=%7B`, {
      headers: { accept: 'application/x-ndjson' },
    })
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /^parse error/)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})
