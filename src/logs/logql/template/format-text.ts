/** Go's `Sprintf` for the values that templates have. */
import { fail, MAX_TEXT } from './arguments.ts'
import { formatValue, type Directive } from './format-value.ts'
import { showValue, typeName, type Value } from './values.ts'

/** Widest field and most digits; Go's own limit. */
const MAX_SIZE = 1_000_000
const flagSigns = new Set('#0+- ')

/** @throws TemplateFailure when the text gets too long. */
export function formatText(format: string, args: readonly Value[]): string {
  return new Formatter(format, args).run()
}

class Formatter {
  readonly #format: string
  readonly #args: readonly Value[]
  #at = 0
  #next = 0
  /** Arguments were chosen by number, so that none is left over. */
  #isReordered = false
  #output = ''

  constructor(format: string, args: readonly Value[]) {
    this.#format = format
    this.#args = args
  }

  run(): string {
    const format = this.#format
    while (this.#at < format.length) {
      const percent = format.indexOf('%', this.#at)
      this.#write(format.slice(this.#at, percent < 0 ? undefined : percent))
      if (percent < 0) break
      this.#at = percent + 1
      this.#directive()
    }
    if (!this.#isReordered && this.#next < this.#args.length) this.#write(this.#extra())
    return this.#output
  }

  #directive(): void {
    const flags = this.#flags()
    let isGoodIndex = this.#index()
    let width = this.#size()
    if (width === 'bad') this.#write('%!(BADWIDTH)')
    let precision: number | undefined
    if (typeof width === 'number' && width < 0) {
      flags.add('-')
      flags.delete('0')
      width = -width
    }
    if (this.#format[this.#at] === '.') {
      this.#at++
      isGoodIndex = this.#index() && isGoodIndex
      const size = this.#size() ?? 0
      if (size === 'bad' || size < 0) this.#write('%!(BADPREC)')
      else precision = size
    }
    isGoodIndex = this.#index() && isGoodIndex
    const code = this.#format.codePointAt(this.#at)
    if (code === undefined) return this.#write('%!(NOVERB)')
    const verb = String.fromCodePoint(code)
    this.#at += verb.length
    this.#apply({ verb, flags, width: width === 'bad' ? undefined : width, precision }, isGoodIndex)
  }

  #apply(directive: Directive, isGoodIndex: boolean): void {
    const { verb } = directive
    if (verb === '%') return this.#write('%')
    if (!isGoodIndex) return this.#write(`%!${verb}(BADINDEX)`)
    if (this.#next >= this.#args.length) return this.#write(`%!${verb}(MISSING)`)
    this.#write(formatValue(this.#args[this.#next++], directive))
  }

  #flags(): Set<string> {
    const flags = new Set<string>()
    for (let flag = this.#format[this.#at]; flag !== undefined && flagSigns.has(flag);) {
      if (flag === '-') flags.delete('0')
      if (flag !== '0' || !flags.has('-')) flags.add(flag)
      flag = this.#format[++this.#at]
    }
    return flags
  }

  /** `[3]`: the number of the next argument. @returns whether all is well. */
  #index(): boolean {
    if (this.#format[this.#at] !== '[') return true
    this.#isReordered = true
    const [whole, digits] = /^\[(\d+)\]/.exec(this.#format.slice(this.#at, this.#at + 12)) ?? []
    if (whole === undefined) {
      const end = this.#format.indexOf(']', this.#at)
      this.#at = end < 0 ? this.#at + 1 : end + 1
      return false
    }
    this.#at += whole.length
    const index = Number(digits) - 1
    if (index < 0 || index >= this.#args.length) return false
    this.#next = index
    return true
  }

  /** `12` or `*`; undefined when there is none. A number too large takes the rest of the format with it, as in Go. */
  #size(): number | 'bad' | undefined {
    if (this.#format[this.#at] === '*') {
      this.#at++
      const value = this.#args[this.#next++]
      const isGood = typeof value === 'bigint' && value <= MAX_SIZE && value >= -MAX_SIZE
      return isGood ? Number(value) : 'bad'
    }
    const [digits] = /^\d+/.exec(this.#format.slice(this.#at, this.#at + 10)) ?? []
    if (digits === undefined) return undefined
    this.#at += digits.length
    if (Number(digits) <= MAX_SIZE) return Number(digits)
    this.#at = this.#format.length
    return undefined
  }

  #extra(): string {
    const rest = this.#args.slice(this.#next)
    const texts = rest.map((arg) => (arg === undefined ? '<nil>' : `${typeName(arg)}=${showValue(arg)}`))
    return `%!(EXTRA ${texts.join(', ')})`
  }

  #write(text: string): void {
    this.#output += text
    if (this.#output.length > MAX_TEXT) fail(`text is longer than ${MAX_TEXT} characters`)
  }
}
