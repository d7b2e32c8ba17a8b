/**
 * Declarations of options. One entry, e.g. `max_line_size: bytes('256KB', 'Longest log line that is accepted.')`, gives the
 * YAML key, the flag, the environment variable, the default, the type, the check and the row in the reference.
 *
 * A section is a record of options and sections; its keys are the YAML keys.
 */
import { formatByteSize, parseByteSize } from '#/kernel/byte-size.ts'
import { formatPrometheusDuration, parseDuration } from '#/kernel/duration.ts'

export type Option<T> = {
  readonly option: true
  /** Word for the type in the reference: `duration`, `size`, `int` … */
  readonly type: string
  readonly default: T
  readonly doc: string
  /** Reads a YAML value or the text of a flag or variable. @throws Error with the reason, without the option's name. */
  readonly parse: (value: unknown) => T
  /** The value as YAML would have it. */
  format(value: T): unknown
  /** Never shown: not in `/config`, not in messages. */
  readonly isSecret?: true
  /** The text of a flag or variable is YAML, and `parse` gets the data. */
  readonly isStructured?: true
}

export type Section = { readonly [key: string]: Option<never> | Option<unknown> | Section }

/** The typed values of a section. */
export type ValuesOf<S> = S extends Option<infer T> ? T : { readonly [K in keyof S]: ValuesOf<S[K]> }

function wrong(expected: string, value: unknown): never {
  throw new Error(`expected ${expected}, found ${JSON.stringify(value)}`)
}

/** A size in bytes; values are numbers of bytes. */
export function bytes(defaultText: string, doc: string): Option<number> {
  const parse = (value: unknown): number =>
    (typeof value === 'number' && value >= 0 ? value : typeof value === 'string' ? parseByteSize(value) : undefined) ??
    wrong('a size such as 256KB', value)
  return { option: true, type: 'size', default: parse(defaultText), doc, parse, format: formatByteSize }
}

/** A duration; values are milliseconds. */
export function duration(defaultText: string, doc: string): Option<number> {
  const parse = (value: unknown): number => {
    if (value === 0) return 0
    const ns = typeof value === 'string' ? parseDuration(value) : undefined
    return ns === undefined ? wrong('a duration such as 30s or 1h30m', value) : ns / 1e6
  }
  return {
    option: true,
    type: 'duration',
    default: parse(defaultText),
    doc,
    parse,
    format: (ms) => formatPrometheusDuration(ms * 1e6),
  }
}

export function int(defaultValue: number, doc: string): Option<number> {
  const parse = (value: unknown): number => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : wrong('a whole number', value)
  }
  return { option: true, type: 'int', default: defaultValue, doc, parse, format: (value) => value }
}

export function float(defaultValue: number, doc: string): Option<number> {
  const parse = (value: unknown): number => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : wrong('a number', value)
  }
  return { option: true, type: 'float', default: defaultValue, doc, parse, format: (value) => value }
}

export function bool(defaultValue: boolean, doc: string): Option<boolean> {
  const parse = (value: unknown): boolean => {
    // YAML 1.1, in which Loki's files are written, has more words for it
    if (value === true || ['true', '1', '', 'yes', 'on'].includes(value as string)) return true
    if (value === false || ['false', '0', 'no', 'off'].includes(value as string)) return false
    return wrong('true or false', value)
  }
  return { option: true, type: 'bool', default: defaultValue, doc, parse, format: (value) => value }
}

export function text(defaultValue: string, doc: string): Option<string> {
  const parse = (value: unknown): string =>
    typeof value === 'string'
      ? value
      : typeof value === 'number'
        ? String(value)
        : value === null
          ? ''
          : wrong('a text', value)
  return { option: true, type: 'string', default: defaultValue, doc, parse, format: (value) => value }
}

/** A text that is never shown. */
export function secret(doc: string): Option<string> {
  return { ...text('', doc), type: 'secret', isSecret: true }
}

export function choice<const C extends readonly string[]>(
  choices: C,
  defaultValue: C[number],
  doc: string,
): Option<C[number]> {
  const parse = (value: unknown): C[number] =>
    choices.find((one) => one === value) ?? wrong(`one of ${choices.join(', ')}`, value)
  return { option: true, type: choices.join(' | '), default: defaultValue, doc, parse, format: (value) => value }
}

/** A list of texts; on the command line and in variables separated by commas. */
export function texts(defaultValue: readonly string[], doc: string): Option<readonly string[]> {
  const parse = (value: unknown): readonly string[] => {
    if (typeof value === 'string') return value === '' ? [] : value.split(',').map((one) => one.trim())
    if (value === null) return []
    return Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? value
      : wrong('a list of texts', value)
  }
  return { option: true, type: 'list', default: defaultValue, doc, parse, format: (value) => value }
}

/** A structured value with a parser of its own, e.g. `otlp_config`; the parser gets plain YAML data. */
export function custom<T>(type: string, defaultValue: T, doc: string, parse: (value: unknown) => T): Option<T> {
  return { option: true, type, default: defaultValue, doc, parse, format: (value) => value, isStructured: true }
}

export function isOption(value: Option<unknown> | Section): value is Option<unknown> {
  return (value as { readonly option?: unknown }).option === true
}

/** The defaults of a section. */
export function defaultsOf<S extends Section>(section: S): ValuesOf<S> {
  const entries = Object.entries(section).map(([key, value]) => [
    key,
    isOption(value as Option<unknown> | Section) ? (value as Option<unknown>).default : defaultsOf(value as Section),
  ])
  return Object.fromEntries(entries) as ValuesOf<S>
}
