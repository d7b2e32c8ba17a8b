/**
 * Numbers of the column encodings as they are stored; docs/formats/block-v1.md describes each. The high bit says that the
 * encoded bytes went through zstd.
 */
export const ENCODING_PACKED_U32 = 1
export const ENCODING_DELTA_F64 = 2
export const ENCODING_RUNS_U32 = 3
export const ENCODING_BYTES = 4
export const ENCODING_CONSTANT_TEXT = 5
export const ENCODING_DICTIONARY_TEXT = 6
export const ENCODING_NUMBER_TEXT = 7
export const ENCODING_PLAIN_TEXT = 8
export const ENCODING_SPARSE_TEXT = 9
export const ENCODING_HEX_TEXT = 10
export const ENCODING_LINE_SLOTS = 11
export const ENCODING_LINE_TEMPLATES = 12
export const ENCODING_ZSTD_FLAG = 0x80

const names: Readonly<Record<number, string>> = {
  [ENCODING_PACKED_U32]: 'packed-u32',
  [ENCODING_DELTA_F64]: 'delta-f64',
  [ENCODING_RUNS_U32]: 'runs-u32',
  [ENCODING_BYTES]: 'bytes',
  [ENCODING_CONSTANT_TEXT]: 'constant-text',
  [ENCODING_DICTIONARY_TEXT]: 'dictionary-text',
  [ENCODING_NUMBER_TEXT]: 'number-text',
  [ENCODING_PLAIN_TEXT]: 'plain-text',
  [ENCODING_SPARSE_TEXT]: 'sparse-text',
  [ENCODING_HEX_TEXT]: 'hex-text',
  [ENCODING_LINE_SLOTS]: 'line-slots',
  [ENCODING_LINE_TEMPLATES]: 'line-templates',
}

/** Whether lines are stored without what varies in them. */
export function isCutLines(encoding: number): boolean {
  return encoding === ENCODING_LINE_SLOTS || encoding === ENCODING_LINE_TEMPLATES
}

/** For people: `delta-f64`, `bytes+zstd`. */
export function encodingName(encoding: number): string {
  const base = encoding & ~ENCODING_ZSTD_FLAG
  return (names[base] ?? `unknown-${base}`) + ((encoding & ENCODING_ZSTD_FLAG) === 0 ? '' : '+zstd')
}
