/** Numbers and sizes in label values, as Go's `strconv.ParseFloat` and the humanize library read them. */

/** A value, or why there is none, in the words of `__error_details__`. */
export type Conversion = number | string

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
const hexadecimal = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?\d+)$/i
const special = /^[+-]?(?:inf|infinity)$|^nan$/i

export function parseGoFloat(text: string): Conversion {
  if (decimal.test(text)) {
    const value = Number(text)
    return Number.isFinite(value) ? value : `strconv.ParseFloat: parsing ${JSON.stringify(text)}: value out of range`
  }
  if (special.test(text)) return /nan/i.test(text) ? Number.NaN : text.startsWith('-') ? -Infinity : Infinity
  const hex = hexadecimal.exec(text)
  if (hex && hex[2]! + hex[3]! !== '') {
    const digits = Number.parseInt(hex[2]! + hex[3]!, 16)
    return (hex[1] === '-' ? -1 : 1) * digits * 2 ** (Number(hex[4]) - 4 * hex[3]!.length)
  }
  return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`
}

const powers = ['', 'k', 'm', 'g', 't', 'p', 'e']
const unitSizes: ReadonlyMap<string, number> = new Map(
  powers.flatMap((letter, power) => [
    [letter, 1000 ** power] as const,
    [`${letter}b`, 1000 ** power] as const,
    ...(power === 0 ? [] : [[`${letter}i`, 1024 ** power] as const, [`${letter}ib`, 1024 ** power] as const]),
  ]),
)

/** `42 MB`, `1,024KiB`, `7`: whole bytes; 1 kB = 1000, 1 KiB = 1024. */
export function parseHumanBytes(text: string): Conversion {
  const [, digits = '', rest = ''] = /^([\d.,]*)([^]*)$/.exec(text) ?? []
  const amount = parseGoFloat(digits.replaceAll(',', ''))
  if (typeof amount === 'string') return amount
  const unit = rest.trim().toLowerCase()
  const size = unitSizes.get(unit)
  return size === undefined ? `unhandled size name: ${unit}` : Math.floor(amount * size)
}
