/**
 * The functions of rule templates: those that Go and LogQL have, and Prometheus' own. `query` and what works on its answer are
 * not among them: a template must not start queries beyond those of its rule.
 */
import { isIP } from 'node:net'

import { parsePrometheusDuration } from '#/kernel/duration.ts'
import { parseGoFloat } from '#/kernel/go-number.ts'
import { fail } from '#/logs/logql/template/arguments.ts'
import { queryEscape } from '#/logs/logql/template/builtin-functions.ts'
import { functions as entryFunctions, type TemplateFunction } from '#/logs/logql/template/functions.ts'
import { type Signature, signature, signatures as entrySignatures } from '#/logs/logql/template/signatures.ts'
import { showValue, type Time, typeName, type Value } from '#/logs/logql/template/values.ts'
import { fourDigits, humanize, humanize1024, humanizeDuration, humanizePercentage } from './humanize.ts'

type Known = { readonly takes: string; readonly run: TemplateFunction }

const onNumber = (format: (value: number) => string): Known => ({
  takes: 'any',
  run: ([value]) => format(toFloat(value)),
})
const onText = (change: (text: string) => string): Known => ({ takes: 'string', run: ([text]) => change(text) })

const known: Readonly<Record<string, Known>> = {
  humanize: onNumber(humanize),
  humanize1024: onNumber(humanize1024),
  humanizeDuration: onNumber(humanizeDuration),
  humanizePercentage: onNumber(humanizePercentage),
  humanizeTimestamp: onNumber((value) => (Number.isFinite(value) ? showValue(timeOf(value)) : fourDigits(value))),
  toTime: { takes: 'any', run: ([value]) => timeOf(toFloat(value)) },
  parseDuration: { takes: 'string', run: ([text]) => secondsOf(text) },
  toUpper: onText((text) => text.toUpperCase()),
  toLower: onText((text) => text.toLowerCase()),
  stripPort: onText((text) => splitPort(text)?.host ?? text),
  stripDomain: onText(stripDomain),
  safeHtml: onText((text) => text),
  urlQueryEscape: onText(queryEscape),
  match: {
    takes: 'string string',
    run: ([pattern, text], context) => Number(callEntry('count', [pattern, text], context)) > 0,
  },
  reReplaceAll: {
    takes: 'string string string',
    run: ([pattern, replacement, text], context) => callEntry('regexReplaceAll', [pattern, text, replacement], context),
  },
  args: { takes: 'any...', run: (values) => new Map(values.map((value, index) => [`arg${index}`, value as Value])) },
}

export const ruleSignatures: Readonly<Record<string, Signature>> = {
  ...entrySignatures,
  ...Object.fromEntries(Object.entries(known).map(([name, { takes }]) => [name, signature(takes)])),
}

export const ruleFunctions: Readonly<Record<string, TemplateFunction>> = {
  ...entryFunctions,
  ...Object.fromEntries(Object.entries(known).map(([name, { run }]) => [name, run])),
}

function callEntry(name: string, args: readonly Value[], context: Parameters<TemplateFunction>[1]): Value {
  return entryFunctions[name]?.(args, context)
}

function toFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') return fail(`can't convert ${typeName(value)} to float`)
  const number = parseGoFloat(value)
  return typeof number === 'number' ? number : fail(number)
}

/** Seconds since the epoch. */
function timeOf(seconds: number): Time {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 9e15) return fail(`${seconds} cannot be converted to a time`)
  // Prometheus' times have milliseconds
  const ns = BigInt(Math.trunc((seconds * 1e9) / 1e6)) * 1_000_000n
  return { kind: 'time', ns, zone: 'UTC' }
}

function secondsOf(text: string): number {
  const ns = parsePrometheusDuration(text)
  return ns === undefined ? fail(`not a valid duration string: ${JSON.stringify(text)}`) : ns / 1e9
}

/** `host:port`, `[::1]:9090`; undefined when there is no port. */
function splitPort(text: string): { readonly host: string; readonly port: string } | undefined {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text)
  return match === null ? undefined : { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' }
}

function stripDomain(text: string): string {
  const parts = splitPort(text)
  const host = parts?.host ?? text
  if (isIP(host) !== 0) return text
  const [name = ''] = host.split('.', 1)
  return parts === undefined || parts.port === '' ? name : `${name}:${parts.port}`
}
