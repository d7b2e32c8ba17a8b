/** `pino-loki` and `winston-loki`, as they come from npm, into a real process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'

import { pino } from 'pino'
import { pinoLoki } from 'pino-loki'
import winston from 'winston'
import LokiTransport from 'winston-loki'

import { untilTrue } from '../process/until.ts'
import { CompatServer } from './compat-server.ts'

const headers = { 'X-Scope-OrgID': 'acme' }

describe('loggers for Node', () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('loggers')
  })
  after(() => server?.[Symbol.asyncDispose]())

  for (const batching of [false, { interval: 0.1 }] as const) {
    const name = batching === false ? 'one by one' : 'in batches'
    test(`pino-loki, ${name}: lines, labels, levels, metadata, and what close flushes`, async () => {
      const app = batching === false ? 'pino-single' : 'pino-batch'
      const transport = pinoLoki({
        host: server.url,
        headers,
        batching,
        labels: { app },
        propsToLabels: ['module'],
      })
      const logger = pino({ level: 'debug', base: { hostname: 'web-1', pid: 7 } }, transport)
      for (let i = 0; i < 200; i++) {
        logger.info(
          { module: i % 2 === 0 ? 'even' : 'odd', meta: { trace_id: `t${i}`, n: i, deep: { a: 1 } } },
          `hello ${i}`,
        )
      }
      logger.error({ module: 'even', err: new Error('no "luck"\nat all') }, 'failed')
      transport.end()
      await once(transport, 'close')
      const rows = await server.untilRows(`{app="${app}"}`, 201)
      assert.equal(rows.length, 201)
      const seventh = rows.find(({ metadata }) => metadata['trace_id'] === 't7')!
      assert.deepEqual(seventh.labels, {
        app,
        hostname: 'web-1',
        level: 'info',
        module: 'odd',
        service_name: app,
      })
      assert.deepEqual(seventh.metadata, { deep: '{"a":1}', detected_level: 'info', n: '7', trace_id: 't7' })
      const { msg, pid, time } = JSON.parse(seventh.line) as { msg: string; pid: number; time: number }
      assert.deepEqual([msg, pid, seventh.ns], ['hello 7', 7, BigInt(time) * 1_000_000n])
      const failed = (await server.rows(`{app="${app}", level="error"} | json | err_message =~ "no \\"luck\\".*"`))
        .length
      assert.equal(failed, 1)
    })
  }

  test('pino-loki: what it prints of a refusal, and that it goes on after the server was away', async (t) => {
    const printed: string[] = []
    t.mock.method(console, 'error', (...words: unknown[]) => void printed.push(words.map(String).join(' ')))
    const transport = pinoLoki({ host: server.url, headers, batching: { interval: 0.1 }, labels: { app: 'pino-away' } })
    const logger = pino({ base: null, timestamp: () => `,"time":${Date.now()}` }, transport)
    logger.info('fine')
    await server.untilRows('{app="pino-away"}', 1)
    await server.stop()
    logger.info('lost: this client keeps nothing that failed')
    const failed = (text: string): boolean => text.includes('ECONNREFUSED') || text.includes('fetch failed')
    await untilTrue(
      () => printed.some(failed),
      () => printed.join('\n'),
    )
    await server.startAgain()
    logger.info('after')
    transport.end()
    await once(transport, 'close')
    const rows = await server.untilRows('{app="pino-away"}', 2)
    assert.deepEqual(
      rows.map(({ line }) => (JSON.parse(line) as { msg: string }).msg),
      ['fine', 'after'],
    )
    const bad = pinoLoki({ host: server.url, headers, batching: false, labels: { 'not a label': 'x' } })
    pino({ base: null }, bad).info('x')
    bad.end()
    await once(bad, 'close')
    const refusal = /^Got error when trying to send log to loki\n.*not a label/s
    await untilTrue(
      () => refusal.test(printed.at(-1)!),
      () => printed.join('\n'),
    )
  })

  for (const json of [true, false]) {
    test(`winston-loki, ${json ? 'JSON' : 'protobuf'}: lines, labels, metadata, flush and close`, async () => {
      const app = `winston-${json ? 'json' : 'protobuf'}`
      const transport = new LokiTransport({
        host: server.url,
        headers,
        json,
        interval: 0.1,
        gracefulShutdown: false,
        labels: { app },
      })
      const logger = winston.createLogger({ level: 'debug', transports: [transport] })
      for (let i = 0; i < 200; i++) logger.log(i % 2 === 0 ? 'info' : 'warn', `hello "${i}" ☃`, { requestId: `r${i}` })
      await transport.flush()
      assert.equal((await server.rows(`{app="${app}"}`)).length, 200)
      logger.error('at last')
      await new Promise((resolve) => setImmediate(resolve))
      await transport.close()
      const rows = await server.rows(`{app="${app}"}`)
      assert.equal(rows.length, 201)
      const seventh = rows.find(({ line }) => line.includes('"7" ☃'))!
      assert.deepEqual(seventh.labels, { app, level: 'warn', service_name: app })
      const metadata = { detected_level: 'warn', ...(json ? { level_extracted: 'warn', requestId: 'r7' } : {}) }
      assert.deepEqual(seventh.metadata, metadata)
    })

    test(`winston-loki, ${json ? 'JSON' : 'protobuf'}: what failed while the server was away is sent again`, async () => {
      const app = `winston-away-${json ? 'json' : 'protobuf'}`
      const errors: unknown[] = []
      const transport = new LokiTransport({
        host: server.url,
        headers,
        json,
        interval: 0.1,
        gracefulShutdown: false,
        labels: { app },
        onConnectionError: (error) => errors.push(error),
      })
      // a minute otherwise
      ;(transport as unknown as { batcher: { circuitBreakerInterval: number } }).batcher.circuitBreakerInterval = 200
      const logger = winston.createLogger({ transports: [transport] })
      logger.info('before')
      await server.untilRows(`{app="${app}"}`, 1)
      await server.stop()
      logger.info('meanwhile')
      await untilTrue(
        () => errors.length > 0,
        () => 'no failure',
      )
      await server.startAgain()
      const rows = await server.untilRows(`{app="${app}"}`, 2)
      assert.deepEqual(
        rows.map(({ line }) => line.trimEnd().split(' ')[0]),
        ['before', 'meanwhile'],
      )
      await transport.close()
    })
  }
})
