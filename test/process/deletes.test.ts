/** Delete requests and retention in a real process: hidden at once, erased from every block and from the write-ahead log. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { startEdda, type EddaProcess } from './edda-process.ts'
import { until } from './until.ts'

type Json = any // eslint-disable-line @typescript-eslint/no-explicit-any

const nowMs = Date.now()
const secret = 'zebra-7f3a9c-password'

describe('delete requests', () => {
  let dataDir = ''
  let edda: EddaProcess
  const flags = [
    '-compactor.delete-request-cancel-period=0s',
    '-compactor.retention-delete-delay=0s',
    '-compactor.apply-retention-interval=1h',
    '-compactor.compaction-interval=1h',
  ]

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'edda-deletes-'))
    edda = await startEdda({ dataDir, flags })
  })
  after(async () => {
    await edda[Symbol.asyncDispose]()
    await rm(dataDir, { recursive: true })
  })

  const ask = async (path: string, method = 'GET'): Promise<Response> => fetch(edda.url + path, { method })
  const json = async (path: string): Promise<Json> => (await ask(path)).json()
  const push = async (app: string, lines: readonly string[], ageMs: number): Promise<void> => {
    const values = lines.map((line, i) => [`${nowMs - ageMs + i}000000`, line])
    const body = JSON.stringify({ streams: [{ stream: { app }, values }] })
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(`${edda.url}/loki/api/v1/push`, { method: 'POST', headers, body })
    assert.equal(reply.status, 204, await reply.text())
  }
  const seconds = (ms: number): number => Math.floor(ms / 1000)
  const range = `start=${seconds(nowMs) - 7200}&end=${seconds(nowMs) + 60}`
  const lines = async (query: string): Promise<string[]> => {
    const { data } = await json(`/loki/api/v1/query_range?${range}&limit=5000&query=${encodeURIComponent(query)}`)
    return data.result.flatMap(({ values }: Json) => values.map(([, line]: [string, string]) => line)).sort()
  }

  test('hide lines at once, and erase them from blocks and the log', async () => {
    const mixed = (from: string): string[] => [`${from} one`, `${from} ${secret}`, `${from} three`]
    await push('shop', mixed('block'), 3_600_000)
    await push('other', mixed('block'), 3_600_000)
    await push('gone', ['all of it'], 3_600_000)
    assert.equal((await ask('/flush', 'POST')).status, 204)
    await push('shop', mixed('head'), 60_000)
    await push('other', mixed('head'), 60_000)
    assert.equal((await lines('{app=~".+"}')).length, 13)

    const remove = async (query: string): Promise<string> => {
      const params = `query=${encodeURIComponent(query)}&start=${seconds(nowMs) - 7200}`
      const reply = await ask(`/loki/api/v1/delete?${params}`, 'POST')
      assert.equal(reply.status, 204, await reply.text())
      return reply.headers.get('x-delete-request-id')!
    }
    const id = await remove(`{app="shop"} |= "${secret}"`)
    assert.match(id, /^[0-9a-f]{8}$/)
    await remove('{app="gone"}')
    const left = ['block one', 'block three', 'head one', 'head three']
    assert.deepEqual(await lines('{app="shop"}'), left)
    assert.equal((await lines('{app="other"}')).length, 6)
    const count = await json(
      `/loki/api/v1/query?query=${encodeURIComponent('sum by (app) (count_over_time({app=~".+"}[2h]))')}&time=${seconds(nowMs) + 60}`,
    )
    const counts = count.data.result.map(({ metric, value }: Json) => [metric.app, value[1]])
    assert.deepEqual(counts.sort(), [
      ['other', '6'],
      ['shop', '4'],
    ])
    assert.deepEqual((await json(`/loki/api/v1/label/app/values?${range}`)).data, ['other', 'shop'])

    const [first] = await json('/loki/api/v1/delete')
    assert.deepEqual([first.request_id, first.status, first.state], [id, 'received', 'masked'])
    await until(
      async () => {
        assert.equal((await ask('/edda/api/v1/compactor', 'POST')).status, 200)
        const list = await json('/loki/api/v1/delete')
        return list.every(({ status }: Json) => status === 'processed') ? true : undefined
      },
      { limitMs: 60_000, describe: () => edda.log.slice(-20).join('\n') },
    )
    const [erased, whole] = await json('/loki/api/v1/delete')
    assert.deepEqual([erased.state, erased.erased_lines, whole.erased_lines], ['erased', 2, 1])
    assert(erased.erased_bytes > 2 * secret.length)
    assert.deepEqual(await lines('{app="shop"}'), left)
    assert.equal((await lines('{app="other"}')).length, 6)
    const stored = await storedLines(dataDir)
    assert.equal(stored.length, 10)
    assert.deepEqual(
      stored.filter((line) => line === `block ${secret}`),
      [`block ${secret}`],
    )
    for (const file of await filesUnder(dataDir)) {
      if (file.includes('/wal/')) assert(!(await readFile(file)).includes(secret), `${file} has the line`)
    }
    const late = await ask(`/loki/api/v1/delete?request_id=${id}`, 'DELETE')
    assert.equal(late.status, 400)
  })

  test('can be cancelled while they hide', async () => {
    const reply = await ask(
      `/loki/api/v1/delete?query=${encodeURIComponent('{app="other"}')}&start=${seconds(nowMs) - 7200}`,
      'PUT',
    )
    assert.equal(reply.status, 204)
    assert.deepEqual(await lines('{app="other"}'), [])
    const id = reply.headers.get('x-delete-request-id')
    const refused = await ask(`/loki/api/v1/delete?request_id=${id}`, 'DELETE')
    assert.equal(refused.status, 400)
    assert.match(await refused.text(), /^Cancellation of partially completed delete request .* the deadline of 0s /)
    assert.equal((await ask(`/loki/api/v1/delete?request_id=${id}&force=true`, 'DELETE')).status, 204)
    assert.equal((await lines('{app="other"}')).length, 6)
  })

  test('stand beside retention, which tells what it would remove', async () => {
    const { isEnabled, tenants } = await json('/edda/api/v1/retention')
    assert.equal(isEnabled, true)
    assert.deepEqual(tenants[0].rules, [
      { rule: 'retention_period', periodMs: 0, blocks: 0, bytes: 0, blocksInPart: 0 },
    ])
    assert.ok(tenants[0].blocks > 0 && tenants[0].storedBytes > 0)
  })

  test('say what is wrong with them', async () => {
    const start = seconds(nowMs) - 7200
    const query = encodeURIComponent('{app="a"} |= "x"')
    for (const [params, message] of [
      ['', 'query not set'],
      ['query={', /^invalid query expression/],
      [`query=${query}`, 'start time not set'],
      [`query=${query}&start=12`, 'invalid start time: require unix seconds or RFC3339 format'],
      [`query=${query}&start=${start}&end=x`, 'invalid end time: require unix seconds or RFC3339 format'],
      [`query=${query}&start=${start}&end=${start + 90_000}`, 'deletes in the future are not allowed'],
      [`query=${query}&start=${start}&end=${start}`, "start time can't be greater than or equal to end time"],
      [`query=${query}&start=${start}&max_interval=1x`, "invalid max_interval: valid time units are 's', 'm', 'h'"],
      [`query=${query}&start=${start}&max_interval=25h`, "max_interval can't be greater than 24h0m0s"],
      [
        `query=${query}&start=${start}&end=${start + 60}&max_interval=1h`,
        "max_interval can't be greater than the interval to be deleted (1m0s)",
      ],
    ] as const) {
      const reply = await ask(`/loki/api/v1/delete?${params}`, 'POST')
      assert.equal(reply.status, 400)
      const text = (await reply.text()).trim()
      if (typeof message === 'string') assert.equal(text, message)
      else assert.match(text, message)
    }
    const unknown = await ask('/loki/api/v1/delete?request_id=00000000', 'DELETE')
    assert.equal(unknown.status, 404)
    assert.equal((await unknown.text()).trim(), 'could not find delete request with given id')
  })
})

async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

/** Lines of all blocks that lie in the directory, whether they count or not. */
async function storedLines(dataDir: string): Promise<string[]> {
  const files = (await filesUnder(dataDir)).filter((file) => file.endsWith('.edda'))
  const lines: string[] = []
  for (const file of files) {
    const root = file.split('/').slice(0, -4).join('/')
    const { disk, random } = realWorld()
    const store = await FilesystemStore.open({ disk, random, root })
    const key = file.slice(root.length + 1)
    const head = await store.head(key)
    const block = await openLogBlock(store, { key, sizeBytes: head!.sizeBytes })
    const columns = { lengths: true, lines: true, meta: 'all' as const }
    for (const bytes of await block.readPages([...block.pages.keys()], columns, undefined)) {
      const page = decodeBlockPage(bytes)
      for (let row = 0; row < page.rowCount; row++) {
        lines.push(page.lines.toString('utf8', page.lineStart[row]!, page.lineStart[row + 1]!))
      }
      page.release()
    }
  }
  return lines
}
