import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Clock } from '#/kernel/world.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { formatLogfmt } from './logfmt-line.ts'
import { formatTimestamp, newLogger, type LogLevel, type LoggerOptions, type RootLogger } from './pino-logger.ts'

const clock: Clock = { ...realWorld().clock, nowNs: () => 1_790_000_000_123_456_000n }
const ts = '2026-09-21T14:13:20.123456Z'

function capture(options: Partial<LoggerOptions> = {}): { logger: RootLogger; lines: string[] } {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  return { logger: newLogger({ clock, level: 'info', format: 'logfmt', write, ...options }), lines }
}

describe('pino logger', () => {
  it('writes logfmt with the known fields first', () => {
    const { logger, lines } = capture()
    logger.with({ tenant: 't', component: 'ingester' }).info('a block is written', { rows: 3, caller: 'x.ts:1' })
    assert.deepEqual(lines, [
      `level=info ts=${ts} caller=x.ts:1 component=ingester msg="a block is written" tenant=t rows=3\n`,
    ])
  })

  it('writes JSON', () => {
    const { logger, lines } = capture({ format: 'json' })
    logger.error('bad', { n: 1n, nested: { a: [1] } })
    assert.equal(lines.length, 1)
    assert.ok(lines[0]?.endsWith('\n'))
    assert.deepEqual(JSON.parse(lines[0] ?? ''), { level: 'error', ts, n: '1', nested: { a: [1] }, msg: 'bad' })
  })

  it('keeps quiet below its level, which can change for loggers made before', () => {
    const { logger, lines } = capture({ level: 'warn' })
    const child = logger.with({ a: 1 })
    child.info('no')
    logger.debug('no')
    child.warn('yes')
    logger.level = 'debug'
    assert.equal(logger.level, 'debug')
    child.debug('also')
    logger.level = 'error'
    child.warn('no')
    const messages = lines.map((line) => / msg=(\S+)/.exec(line)?.[1])
    assert.deepEqual(messages, ['yes', 'also'])
  })

  it('shows errors with what caused them', () => {
    const { logger, lines } = capture()
    const cause = new Error('no space left')
    logger.warn('flush failed', {
      err: new Error('cannot write', { cause }),
      other: new Error('x: no space left', { cause }),
    })
    assert.match(lines[0] ?? '', / err="cannot write: no space left" other="x: no space left"\n$/)
  })

  it('does not let fields pass for its own', () => {
    const { logger, lines } = capture({ format: 'json' })
    logger.info('real', { msg: 'fake', level: 'fake', ts: 'fake' })
    const line = lines[0] ?? ''
    assert.equal(line.match(/"msg"/g)?.length, 1)
    const found = JSON.parse(line) as Record<string, unknown>
    assert.deepEqual([found['msg'], found['level'], found['ts']], ['real', 'info', ts])
  })

  it('cannot be made to write two lines or to break', () => {
    const { logger, lines } = capture()
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    logger.info('one\nlevel=error msg=fake', { 'a b=': 'x\r\ny"', circle, nothing: undefined, nil: null })
    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.match(/\n/g)?.length, 1)
    assert.match(lines[0] ?? '', /msg="one\\nlevel=error msg=fake" a_b_="x\\r\\ny\\"" /)
  })

  it('tells the level of what it writes', () => {
    const levels: LogLevel[] = []
    const { logger } = capture({ onLine: (level) => void levels.push(level) })
    logger.debug('no')
    logger.info('yes')
    logger.with({}).error('yes')
    assert.deepEqual(levels, ['info', 'error'])
  })
})

describe('formatLogfmt', () => {
  it('quotes what needs it', () => {
    const text = formatLogfmt('{"a":"","b":"x y","c":"k=v","d":"\\\\","e":true,"f":null,"g":"ümlaut","h":{"i":1}}')
    assert.equal(text, 'a="" b="x y" c="k=v" d="\\\\" e=true f=null g=ümlaut h="{\\"i\\":1}"\n')
  })
})

describe('formatTimestamp', () => {
  it('keeps nanoseconds and drops zeros', () => {
    assert.equal(formatTimestamp(0n), '1970-01-01T00:00:00Z')
    assert.equal(formatTimestamp(1_000_000_001n), '1970-01-01T00:00:01.000000001Z')
    assert.equal(formatTimestamp(1_500_000_000n), '1970-01-01T00:00:01.5Z')
  })
})
