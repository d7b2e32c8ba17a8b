/** Go's `printf` for the values that templates have. */
import { goExponent, isTime, printValue, quoteValue, TemplateFailure, typeName, type Value } from './values.ts'
import { MAX_TEXT } from './arguments.ts'

const directive = /%([-+# 0]*)(\*|\d*)(?:\.(\*|\d*))?([^])|%$/gu
/** Widest field. */
const MAX_WIDTH = 10_000

type Directive = {
  readonly flags: string
  readonly width: number
  /** Undefined when not given. */
  readonly precision: number | undefined
  readonly verb: string
}

export function formatText(format: string, args: readonly Value[]): string {
  let next = 0
  const size = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    return text === '*' ? Number(args[next++]) : Number(text)
  }
  const text = format.replaceAll(directive, (_, flags = '', widthText = '', precisionText, verb) => {
    if (verb === undefined) return '%!(NOVERB)'
    if (verb === '%') return '%'
    const width = size(widthText) ?? 0
    const precision = size(precisionText)
    if (next >= args.length) return `%!${verb}(MISSING)`
    if (!(Math.abs(width) <= MAX_WIDTH) || !((precision ?? 0) <= MAX_WIDTH)) return `%!${verb}(BADWIDTH)`
    return pad(formatOne(args[next++], { flags, width, precision, verb }), { flags, width, precision, verb })
  })
  if (text.length > MAX_TEXT) throw new TemplateFailure(`text is longer than ${MAX_TEXT} characters`)
  if (next >= args.length) return text
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((arg) => `${typeName(arg)}=${printValue(arg)}`)
    .join(', ')})`
}

function pad(text: string, { flags, width }: Directive): string {
  const missing = Math.abs(width) - Array.from(text).length
  if (missing <= 0) return text
  if (flags.includes('-') || width < 0) return text + ' '.repeat(missing)
  if (!flags.includes('0')) return ' '.repeat(missing) + text
  const sign = /^[+-]/.test(text) ? 1 : 0
  return text.slice(0, sign) + '0'.repeat(missing) + text.slice(sign)
}

function formatOne(value: Value, directive: Directive): string {
  const { verb, flags } = directive
  if (verb === 'T') return typeName(value)
  if (verb === 'v') return value === undefined ? '<nil>' : plus(value, printValue(value), flags)
  const text = formatTyped(value, directive)
  if (text !== undefined) return text
  return value === undefined ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${printValue(value)})`
}

function plus(value: Value, text: string, flags: string): string {
  const isNumber = typeof value === 'number' || typeof value === 'bigint'
  if (!isNumber || text.startsWith('-') || text.startsWith('+')) return text
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text
}

function formatTyped(value: Value, directive: Directive): string | undefined {
  if (typeof value === 'bigint') return formatInt(value, directive)
  if (typeof value === 'number') return formatFloat(value, directive)
  if (typeof value === 'boolean') return directive.verb === 't' ? String(value) : undefined
  if (typeof value === 'string') return formatString(value, directive)
  return directive.verb === 's' && (isTime(value) || value !== undefined) ? printValue(value) : undefined
}

function formatString(value: string, { verb, precision }: Directive): string | undefined {
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('')
  if (verb === 's') return cut
  if (verb === 'q') return quoteValue(cut)
  if (verb === 'x' || verb === 'X') {
    const hex = Buffer.from(cut).toString('hex')
    return verb === 'x' ? hex : hex.toUpperCase()
  }
  return undefined
}

const bases: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, x: 16, X: 16 }
const prefixes: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' }

function formatInt(value: bigint, { verb, flags, precision }: Directive): string | undefined {
  if (verb === 'c') return String.fromCodePoint(Math.min(0x10ffff, Math.max(0, Number(value))))
  if (verb === 'U') return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`
  if (verb === 'q') return `'${String.fromCodePoint(Math.min(0x10ffff, Math.max(0, Number(value))))}'`
  const base = Object.hasOwn(bases, verb) ? bases[verb] : undefined
  if (base === undefined) return undefined
  const digits = (value < 0n ? -value : value).toString(base).padStart(precision ?? 0, '0')
  const prefix = flags.includes('#') ? (prefixes[verb] ?? '') : ''
  const text = prefix + (verb === 'X' ? digits.toUpperCase() : digits)
  return plus(value, value < 0n ? `-${text}` : text, flags)
}

function formatFloat(value: number, { verb, flags, precision }: Directive): string | undefined {
  if (!Number.isFinite(value)) return printValue(value)
  const digits = Math.min(100, precision ?? 6)
  switch (verb) {
    case 'f':
    case 'F':
      return plus(value, value.toFixed(digits), flags)
    case 'e':
    case 'E': {
      const [mantissa = '', power = '0'] = value.toExponential(digits).split('e')
      const text = mantissa + goExponent(Number(power))
      return plus(value, verb === 'E' ? text.toUpperCase() : text, flags)
    }
    case 'g':
    case 'G':
      if (precision === undefined) return plus(value, printValue(value), flags)
      return plus(value, printValue(Number(value.toPrecision(Math.max(1, Math.min(100, precision))))), flags)
    default:
      return undefined
  }
}
