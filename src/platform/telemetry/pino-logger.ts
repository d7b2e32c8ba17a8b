/**
 * The logger on pino: one line per event, `level= ts= caller= component= msg=` first, then the other fields, as logfmt or JSON.
 * The level can change while the process runs, for all loggers made from one root.
 */
import pino from 'pino'

import type { Clock } from '#/kernel/world.ts'
import { formatLogfmt } from './logfmt-line.ts'
import type { LogFields, Logger } from './logger.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'logfmt' | 'json'

export type LoggerOptions = {
  readonly clock: Clock
  readonly level: LogLevel
  readonly format: LogFormat
  /** Takes one line with its newline; stderr by default. */
  readonly write?: (line: string) => void
  /** Told the level of every line that is written; for a metric. */
  readonly onLine?: (level: LogLevel) => void
}

/** The root logger, whose level can be read and set. */
export type RootLogger = Logger & { level: LogLevel }

export function newLogger(options: LoggerOptions): RootLogger {
  const toStderr = options.write === undefined ? pino.destination({ fd: 2, sync: true }) : undefined
  const write = options.write ?? ((line: string): void => void toStderr?.write(line))
  const toLine = options.format === 'json' ? (line: string): string => line : formatLogfmt
  const root = pino(
    {
      level: 'debug',
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${formatTimestamp(options.clock.nowNs())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(toLine(line)) },
  )
  return new PinoLogger(root, { level: options.level, onLine: options.onLine })
}

/** What all loggers of one root have in common. */
type Shared = { level: LogLevel; readonly onLine: ((level: LogLevel) => void) | undefined }

class PinoLogger implements Logger {
  readonly #pino: pino.Logger
  readonly #shared: Shared

  constructor(target: pino.Logger, shared: Shared) {
    this.#pino = target
    this.#shared = shared
  }

  get level(): LogLevel {
    return this.#shared.level
  }

  set level(level: LogLevel) {
    this.#shared.level = level
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields)
  }

  with(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(plain(fields)), this.#shared)
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (logLevels.indexOf(level) < logLevels.indexOf(this.#shared.level)) return
    this.#shared.onLine?.(level)
    if (fields === undefined) this.#pino[level](message)
    else this.#pino[level](plain(fields), message)
  }
}

/** Names that the line itself has. */
const ownFields: ReadonlySet<string> = new Set(['level', 'ts', 'msg'])

/** Fields that JSON can hold: errors as their messages (with their causes), big integers as text. */
function plain(fields: LogFields): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    const field = ownFields.has(name) ? `field_${name}` : name
    if (value instanceof Error) found[field] = messageOf(value)
    else if (typeof value === 'bigint') found[field] = String(value)
    else found[field] = value
  }
  return found
}

/** The message of an error and of what caused it: `cannot write x: ENOSPC: no space left`. */
export function messageOf(error: Error): string {
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  const below = messageOf(cause)
  return error.message.includes(below) ? error.message : `${error.message}: ${below}`
}

/** RFC 3339 with nanoseconds, without trailing zeros: `2026-11-22T03:04:05.1234Z`. */
export function formatTimestamp(ns: bigint): string {
  const seconds = ns / 1_000_000_000n
  const fraction = String(ns % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return fraction === '' ? `${text}Z` : `${text}.${fraction}Z`
}
