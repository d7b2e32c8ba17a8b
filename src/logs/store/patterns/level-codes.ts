/** Small numbers for the values of `detected_level`. */
import { MAX_LEVELS } from './pattern-counts.ts'
import { ByteDictionary, DICTIONARY_FULL } from '#/kernel/byte-dictionary.ts'

export const LEVEL_NAME = 'detected_level'
/** The level of lines that have none, or one more than there is room for. */
const UNKNOWN = 'unknown'
const MAX_LEVELS_BYTES = 4096

export class LevelCodes {
  readonly #levels = new ByteDictionary({ maxCount: MAX_LEVELS, maxBytes: MAX_LEVELS_BYTES })

  constructor() {
    this.#levels.codeOf(Buffer.from(UNKNOWN), 0, UNKNOWN.length)
  }

  /** 0 for no level. */
  codeOf(bytes: Uint8Array, start: number, end: number): number {
    const code = this.#levels.codeOf(bytes, start, end)
    return code === DICTIONARY_FULL ? 0 : code
  }

  /** By code. */
  texts(): string[] {
    return Array.from({ length: this.#levels.count }, (_, code) => this.#levels.valueAt(code).toString())
  }
}
