/** Live tails of a real process: nothing is lost and nothing comes twice while others push, and how they end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { WebSocket } from 'ws'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { type EddaProcess, get, startEdda } from './edda-process.ts'
import { until } from './until.ts'

type Frame = {
  readonly streams: readonly { readonly stream: Record<string, string>; readonly values: [string, string][] }[]
  readonly dropped_entries?: readonly unknown[]
}

/** A tail that remembers everything. */
class Reader {
  readonly socket: WebSocket
  readonly lines: string[] = []
  readonly times: bigint[] = []
  dropped = 0
  end: readonly [number, string] | undefined

  constructor(url: string, params: Readonly<Record<string, string>>, tenant: string) {
    const path = `/loki/api/v1/tail?${new URLSearchParams(params)}`
    this.socket = new WebSocket(url.replace('http', 'ws') + path, { headers: { 'x-scope-orgid': tenant } })
    this.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame
      for (const { values } of frame.streams) {
        for (const [ns, line] of values) {
          this.lines.push(line)
          this.times.push(BigInt(ns))
        }
      }
      this.dropped += frame.dropped_entries?.length ?? 0
    })
    this.socket.on('close', (code, reason) => (this.end = [code, reason.toString()]))
  }
}

describe('live tails', () => {
  let dir: string
  let server: EddaProcess
  let time = BigInt(Date.now()) * 1_000_000n

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-tail-'))
    server = await startEdda({
      dataDir: dir,
      flags: ['-auth.enabled=true', '-limits-config.max-concurrent-tail-requests=0'],
    })
  })
  after(async () => {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  async function push(lines: readonly string[], tenant = 'a', labels = '{app="tail"}'): Promise<Uint8Array> {
    time = time > BigInt(Date.now()) * 1_000_000n ? time : BigInt(Date.now()) * 1_000_000n
    const body = encodePush([{ labels, entries: lines.map((line) => ({ timeNs: ++time, line })) }])
    await send(body, tenant)
    return body
  }

  async function send(body: Uint8Array, tenant = 'a'): Promise<void> {
    const response = await fetch(`${server.url}/loki/api/v1/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-protobuf', 'X-Scope-OrgID': tenant },
      body: new Uint8Array(body),
    })
    assert.equal(response.status, 204, await response.text())
  }

  test(
    'tails that begin while others push get each line once, in the order of time',
    { timeout: 180_000 },
    async () => {
      const sent: string[] = []
      let isOver = false
      const writer = async (name: string): Promise<void> => {
        // the history of a tail has 5000 lines at most
        for (let batch = 0; !isOver && sent.length < 4500; batch++) {
          const lines = Array.from({ length: 10 }, (_, i) => `${name} ${batch} ${i}`)
          sent.push(...lines)
          await new Promise((resolve) => setTimeout(resolve, 2))
          const body = await push(lines, 'a', `{app="seam", writer="${name}"}`)
          if (name !== 'w1') continue
          // a client that did not hear the answer sends again: nobody may see that (heads drop it, as long as they are not flushed)
          if (batch % 10 === 3) await send(body)
          if (batch % 10 === 7) {
            await fetch(`${server.url}/flush/tenant`, { method: 'POST', headers: { 'X-Scope-OrgID': 'a' } })
          }
        }
      }
      const writing = Promise.all(['w1', 'w2', 'w3'].map(writer))
      const readers: Reader[] = []
      for (let i = 0; i < 20; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50))
        readers.push(new Reader(server.url, { query: '{app="seam"}', limit: '5000' }, 'a'))
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
      isOver = true
      await writing
      const expected = sent.toSorted()
      assert.ok(expected.length < 5000, `${expected.length} lines fit the limit`)
      for (const [nth, reader] of readers.entries()) {
        await until(async () => (reader.lines.length >= expected.length ? true : undefined), {
          limitMs: 60_000,
          describe: () => `reader ${nth} has ${reader.lines.length} of ${expected.length}, dropped ${reader.dropped}`,
        })
        assert.deepEqual(reader.lines.toSorted(), expected, `reader ${nth}`)
        assert.equal(reader.dropped, 0)
      }
      // what was stored before a tail began comes in order
      await push(['one more'], 'a', '{app="seam", writer="w1"}')
      const late = new Reader(server.url, { query: '{app="seam"}', limit: '5000' }, 'a')
      await until(async () => (late.lines.length > expected.length ? true : undefined), {
        limitMs: 60_000,
        describe: () => `${late.lines.length} lines`,
      })
      assert.deepEqual(
        late.times,
        late.times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
      )
      for (const { socket } of [...readers, late]) socket.close()
    },
  )

  test('a tenant sees its own lines only', async () => {
    const [a, b] = [
      new Reader(server.url, { query: '{app="own"}' }, 'a'),
      new Reader(server.url, { query: '{app="own"}' }, 'b'),
    ]
    await Promise.all([once(a.socket, 'open'), once(b.socket, 'open')])
    await push(['of a'], 'a', '{app="own"}')
    await push(['of b'], 'b', '{app="own"}')
    await until(async () => (a.lines.length + b.lines.length >= 2 ? true : undefined), {
      limitMs: 60_000,
      describe: () => '',
    })
    assert.deepEqual([a.lines, b.lines], [['of a'], ['of b']])
    a.socket.close()
    b.socket.close()
  })

  test('are counted, and end with 1001 when the process stops', async () => {
    const reader = new Reader(server.url, { query: '{app="end"}' }, 'a')
    await once(reader.socket, 'open')
    await push(['x'], 'a', '{app="end"}')
    await until(async () => (reader.lines.length > 0 ? true : undefined), { limitMs: 60_000, describe: () => '' })
    const metrics = await get(server.url, '/metrics')
    assert.match(metrics, /^loki_querier_tail_active [1-9]/m)
    assert.match(metrics, /^loki_querier_tail_active_streams [1-9]/m)
    assert.match(metrics, /^edda_tail_dropped_entries_total 0$/m)
    assert.match(
      metrics,
      /loki_request_duration_seconds_count\{method="GET",route="loki_api_v1_tail",status_code="101",ws="true"\}/,
    )
    const startMs = Date.now()
    assert.equal(await server.stop(), 0)
    assert.ok(Date.now() - startMs < 25_000)
    assert.deepEqual(reader.end, [1001, 'server is stopping'])
  })
})
