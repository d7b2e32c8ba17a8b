/** One value by one directive of `printf`. */
import { quoteGo } from '#/kernel/go-quote.ts'
import { exactDigits, exponentText, fixedText, roundDigits, shortestDigits, type Digits } from './float-digits.ts'
import { isList, isMap, isTime, showValue, sortedKeys, typeName, type Value } from './values.ts'

export type Directive = {
  readonly verb: string
  readonly flags: ReadonlySet<string>
  readonly width: number | undefined
  readonly precision: number | undefined
}

export function formatValue(value: Value, directive: Directive): string {
  const { verb } = directive
  if (verb === 'T') return pad(typeName(value), directive)
  if (value === undefined) return verb === 'v' ? pad('<nil>', directive) : badVerb(value, verb)
  if (typeof value === 'bigint') return formatInt(value, directive) ?? badVerb(value, verb)
  if (typeof value === 'number') return formatFloat(value, directive) ?? badVerb(value, verb)
  if (typeof value === 'boolean')
    return verb === 't' || verb === 'v' ? pad(String(value), directive) : badVerb(value, verb)
  if (typeof value === 'string') return formatString(value, directive) ?? badVerb(value, verb)
  if (isTime(value)) return formatString(showValue(value), directive) ?? badVerb(value, verb)
  if (isList(value)) return `[${value.map((item) => formatValue(item, directive)).join(' ')}]`
  if (!isMap(value)) return badVerb(value, verb)
  const members = sortedKeys(value).map((key) => [key, value.get(key)].map((item) => formatValue(item, directive)))
  return `map[${members.map((pair) => pair.join(':')).join(' ')}]`
}

function badVerb(value: Value, verb: string): string {
  return value === undefined ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${showValue(value)})`
}

function pad(text: string, { flags, width = 0 }: Directive): string {
  if (text.length >= width && width <= 0) return text
  const missing = width - Array.from(text).length
  if (missing <= 0) return text
  if (flags.has('-')) return text + ' '.repeat(missing)
  return (flags.has('0') ? '0' : ' ').repeat(missing) + text
}

function formatString(value: string, directive: Directive): string | undefined {
  const { verb, flags, precision } = directive
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('')
  if (verb === 'v' && flags.has('#')) return pad(quoteGo(value), directive)
  if (verb === 's' || verb === 'v') return pad(cut, directive)
  if (verb === 'q') return pad(quote(cut, flags), directive)
  return verb === 'x' || verb === 'X' ? pad(hexText(value, directive), directive) : undefined
}

function quote(text: string, flags: ReadonlySet<string>): string {
  if (flags.has('#') && !/[`\p{Cc}\ufeff]/u.test(text.replaceAll('\t', ''))) return `\`${text}\``
  const quoted = quoteGo(text)
  return flags.has('+') ? quoted.replaceAll(/[^\0-\x7f]/gu, escapeRune) : quoted
}

function escapeRune(rune: string): string {
  const code = rune.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
}

/** The bytes in hexadecimal; blanks between them with the blank flag. */
function hexText(text: string, { verb, flags, precision }: Directive): string {
  const hex = Buffer.from(text).subarray(0, precision).toString('hex')
  const cased = verb === 'x' ? hex : hex.toUpperCase()
  if (cased === '') return ''
  const prefix = flags.has('#') ? `0${verb}` : ''
  return flags.has(' ') ? cased.replaceAll(/(..)(?=.)/g, `$1 ${prefix}`).replace(/^/, prefix) : prefix + cased
}

const bases: Readonly<Record<string, number>> = { v: 10, d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 }
const prefixes: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' }

function formatInt(value: bigint, directive: Directive): string | undefined {
  const { verb, flags, width, precision } = directive
  if (verb === 'c') return pad(runeText(value), directive)
  if (verb === 'q') return pad(quoteRune(runeText(value), flags), directive)
  if (verb === 'U') return pad(unicodeText(value, flags, precision), directive)
  const base = Object.hasOwn(bases, verb) ? bases[verb] : undefined
  if (base === undefined) return undefined
  const sign = value < 0n ? '-' : flags.has('+') ? '+' : flags.has(' ') ? ' ' : ''
  const size = (value < 0n ? -value : value).toString(base)
  // zeros fill the field between sign and digits, unless there is a precision
  const zeros = flags.has('0') && width !== undefined ? width - sign.length : 0
  const digits = precision === 0 && value === 0n ? '' : size.padStart(precision ?? zeros, '0')
  const prefix = (verb === 'O' ? '0o' : '') + (flags.has('#') ? (prefixes[verb] ?? '') : '')
  const text = sign + prefix + (verb === 'X' ? digits.toUpperCase() : digits)
  return pad(text, { ...directive, flags: new Set([...flags].filter((flag) => flag !== '0')) })
}

function runeText(value: bigint): string {
  const isRune = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn)
  return isRune ? String.fromCodePoint(Number(value)) : '\ufffd'
}

function quoteRune(rune: string, flags: ReadonlySet<string>): string {
  if (rune === "'") return "'\\''"
  const inner = rune === '"' ? '"' : quote(rune, new Set(flags.has('+') ? ['+'] : [])).slice(1, -1)
  return `'${inner}'`
}

function unicodeText(value: bigint, flags: ReadonlySet<string>, precision = 4): string {
  const text = `U+${BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(Math.max(4, precision), '0')}`
  return flags.has('#') ? `${text} '${runeText(value)}'` : text
}

function formatFloat(value: number, directive: Directive): string | undefined {
  const { flags, width } = directive
  const isNegative = value < 0 || Object.is(value, -0)
  const body = Number.isFinite(value) ? floatText(Math.abs(value), directive) : Number.isNaN(value) ? 'NaN' : 'Inf'
  if (body === undefined || !/^[vbeEfFgGxX]$/.test(directive.verb)) return undefined
  const isPlus = flags.has('+') || body === 'Inf'
  const sign = isNegative ? '-' : isPlus && (body !== 'NaN' || flags.has('+')) ? '+' : flags.has(' ') ? ' ' : ''
  const isFilled = flags.has('0') && Number.isFinite(value) && width !== undefined
  if (isFilled) return sign + body.padStart(width - sign.length, '0')
  return pad(sign + body, { ...directive, flags: new Set([...flags].filter((flag) => flag !== '0')) })
}

/** A value that is neither negative nor infinite. */
function floatText(value: number, { verb, precision }: Directive): string | undefined {
  switch (verb) {
    case 'f':
    case 'F': {
      const places = precision ?? 6
      const digits = exactDigits(value)
      return fixedText(roundDigits(digits, digits.point + places), places)
    }
    case 'e':
    case 'E': {
      const text = exponentText(roundDigits(exactDigits(value), (precision ?? 6) + 1), precision ?? 6)
      return verb === 'E' ? text.toUpperCase() : text
    }
    case 'v':
    case 'g':
    case 'G': {
      const text = generalText(value, precision)
      return verb === 'G' ? text.toUpperCase() : text
    }
    default:
      return undefined
  }
}

/** With an exponent when it is below -4 or not below the precision. */
function generalText(value: number, precision: number | undefined): string {
  const most = precision === 0 ? 1 : precision
  const all: Digits = most === undefined ? shortestDigits(value) : roundDigits(exactDigits(value), most)
  const count = all.digits.length
  let limit = most ?? 6
  if (most !== undefined && limit > count && count >= all.point) limit = count
  const exponent = count === 0 ? 0 : all.point - 1
  if (exponent < -4 || exponent >= Math.max(limit, count === 0 ? 1 : 0))
    return exponentText(all, Math.max(count, 1) - 1)
  return fixedText(all, Math.max(count - all.point, 0))
}
