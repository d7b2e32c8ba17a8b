/**
 * The part of the template language that the generator writes: text, `{{ pipeline }}`, and `{{ if }} … {{ else }} … {{ end }}`
 * without another `if` inside. A pipeline is a field, a literal, or a function with its arguments, joined by `|`.
 */
import { seconds, toBytes, toDuration } from './conversions.ts'
import type { Fields } from './entry-state.ts'

export type TemplateInput = { readonly labels: Fields; readonly line: string; readonly timeNs: bigint }

/** `int` are whole numbers, `float` the others; they are written differently. */
type Value =
  | string
  | boolean
  | { readonly kind: 'int' | 'float'; readonly number: number }
  | { readonly timeNs: bigint }

/** The template cannot be executed for this entry. */
export class TemplateProblem extends Error {}

/** @throws TemplateProblem */
export function runTemplate(template: string, input: TemplateInput): string {
  let output = ''
  // inside `if`: whether its branch at hand is the one to write
  let isShown = true
  for (const [index, part] of template.split(/\{\{(.*?)\}\}/s).entries()) {
    const action = part.trim()
    if (index % 2 === 0) output += isShown ? part : ''
    else if (action.startsWith('if ')) isShown = isTruthy(evaluate(action.slice(3), input))
    else if (action === 'else') isShown = !isShown
    else if (action === 'end') isShown = true
    else if (isShown) output += print(evaluate(action, input))
  }
  return output
}

/** Labels that the template reads. */
export function templateLabels(template: string): string[] {
  const actions = template.split(/\{\{(.*?)\}\}/s).filter((_, index) => index % 2 === 1)
  return actions
    .flatMap((action) => tokens(action).filter((token) => token.startsWith('.')))
    .map((token) => token.slice(1))
}

function tokens(pipeline: string): string[] {
  return pipeline.match(/"(?:[^"\\]|\\.)*"|\||[^\s|]+/g) ?? []
}

function evaluate(pipeline: string, input: TemplateInput): Value {
  const commands: string[][] = [[]]
  for (const token of tokens(pipeline)) {
    if (token === '|') commands.push([])
    else commands.at(-1)!.push(token)
  }
  let piped: Value | undefined
  for (const [first = '', ...rest] of commands) {
    const given = rest.map((token) => operand(token, input))
    piped = isOperand(first)
      ? operand(first, input)
      : call(first, piped === undefined ? given : [...given, piped], input)
  }
  return piped ?? ''
}

const isOperand = (token: string): boolean => /^[."\d-]/.test(token)

function operand(token: string, { labels }: TemplateInput): Value {
  if (token.startsWith('.')) return labels[token.slice(1)] ?? ''
  return token.startsWith('"') ? (JSON.parse(token) as string) : int(Number(token))
}

const int = (number: number): Value => ({ kind: 'int', number })
const float = (number: number): Value => ({ kind: 'float', number })

function call(name: string, given: readonly Value[], input: TemplateInput): Value {
  const text = (at: number): string => asText(given[at])
  const count = (at: number): number => asInt(given[at])
  switch (name) {
    case '__line__':
      return input.line
    case '__timestamp__':
      return { timeNs: input.timeNs }
    case 'unixEpoch':
      return String(asTime(given[0]) / 1_000_000_000n)
    case 'unixEpochNanos':
      return String(asTime(given[0]))
    case 'ToUpper':
    case 'upper':
      return text(0).toUpperCase()
    case 'ToLower':
    case 'lower':
      return text(0).toLowerCase()
    case 'trunc':
      return bytesOf(text(1), count(0) < 0 ? { start: count(0) } : { end: count(0) })
    case 'replace':
      return text(2).replaceAll(text(0), () => text(1))
    case 'trimPrefix':
      return text(1).startsWith(text(0)) ? text(1).slice(text(0).length) : text(1)
    case 'trimSuffix':
      return text(1).endsWith(text(0)) ? text(1).slice(0, text(1).length - text(0).length) : text(1)
    case 'contains':
      return text(1).includes(text(0))
    case 'hasPrefix':
      return text(1).startsWith(text(0))
    case 'default':
      return isTruthy(given[1]!) ? given[1]! : given[0]!
    case 'alignLeft':
      return (
        Array.from(text(1)).slice(0, count(0)).join('') + ' '.repeat(Math.max(0, count(0) - Array.from(text(1)).length))
      )
    case 'alignRight':
      return (
        ' '.repeat(Math.max(0, count(0) - Array.from(text(1)).length)) + Array.from(text(1)).slice(-count(0)).join('')
      )
    case 'eq':
      return given.slice(1).some((other) => print(other) === print(given[0]!))
    case 'ne':
      return print(given[0]!) !== print(given[1]!)
    case 'not':
      return !isTruthy(given[0]!)
    case 'len':
      return int(Buffer.byteLength(text(0)))
    case 'add':
      return int(given.reduce((sum, value) => sum + asInt(value), 0))
    case 'div':
      if (count(1) === 0) throw new TemplateProblem('division by zero')
      return int(Math.trunc(count(0) / count(1)))
    case 'duration':
    case 'duration_seconds':
      return float(seconds(known(toDuration(text(0)))))
    case 'bytes':
      return float(known(toBytes(text(0))))
    case 'printf':
      return given.slice(1).reduce<string>((format, value) => format.replace(/%[sv]/, () => print(value)), text(0))
    default:
      throw new Error(`the reference does not know template function ${name}`)
  }
}

function bytesOf(text: string, { start = 0, end }: { readonly start?: number; readonly end?: number }): string {
  return Buffer.from(text).subarray(start, end).toString()
}

function known(value: number | undefined): number {
  if (value === undefined) throw new TemplateProblem('not a quantity')
  return value
}

function asText(value: Value | undefined): string {
  if (typeof value !== 'string') throw new TemplateProblem('not a text')
  return value
}

/** Texts that are no whole number count as 0. */
function asInt(value: Value | undefined): number {
  if (typeof value === 'object' && 'number' in value) return Math.trunc(value.number)
  if (typeof value !== 'string') return 0
  // a zero in front says that the digits are octal ones
  if (/^-?0[0-7]+$/.test(value)) return Number.parseInt(value, 8)
  return /^-?(0|[1-9]\d*)$/.test(value) ? Number(value) : 0
}

function asTime(value: Value | undefined): bigint {
  if (typeof value !== 'object' || !('timeNs' in value)) throw new TemplateProblem('not a time')
  return value.timeNs
}

function isTruthy(value: Value): boolean {
  return typeof value === 'object' && 'number' in value ? value.number !== 0 : Boolean(value)
}

function print(value: Value): string {
  if (typeof value !== 'object') return String(value)
  if ('timeNs' in value) throw new Error('the generator does not print times')
  if (value.kind === 'int') return String(value.number)
  // Go writes numbers below 0.0001 and from a million on with an exponent of at least two digits
  const [digits = '', exponent = '0'] = value.number.toExponential().split('e')
  const power = Number(exponent)
  if (value.number === 0 || (power >= -4 && power < goExponentFrom)) return String(value.number)
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
}

const goExponentFrom = 6
