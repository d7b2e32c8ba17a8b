/** Log levels, as `detected_level` names them. */
export const levelNames = ['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'critical', 'fatal'] as const

/** Position in {@link levelNames}; 0 is unknown. */
export type LevelCode = number

const UNKNOWN = 0
const TRACE = 1
const DEBUG = 2
const INFO = 3
const WARN = 4
const ERROR = 5
const CRITICAL = 6
const FATAL = 7

/** Words for a level, in lower case. */
const words: readonly (readonly [string, LevelCode])[] = [
  ['trace', TRACE],
  ['trc', TRACE],
  ['debug', DEBUG],
  ['dbg', DEBUG],
  ['info', INFO],
  ['inf', INFO],
  ['information', INFO],
  ['warn', WARN],
  ['wrn', WARN],
  ['warning', WARN],
  ['error', ERROR],
  ['err', ERROR],
  ['critical', CRITICAL],
  ['fatal', FATAL],
]
const codeOfWord: ReadonlyMap<string, LevelCode> = new Map(words)
/** The words by their length, as bytes: `wordsByLength[5]` has trace, debug, error and fatal. */
const wordsByLength: readonly (readonly { readonly bytes: Uint8Array; readonly code: LevelCode }[])[] = Array.from(
  { length: 12 },
  (_, length) =>
    words.filter(([word]) => word.length === length).map(([word, code]) => ({ bytes: Buffer.from(word), code })),
)

/** The level that a value in a known place names; any other value is kept as it is. */
export function normalizeLevel(value: string): string {
  const code = codeOfWord.get(value.toLowerCase())
  return code === undefined ? value : (levelNames[code] ?? value)
}

/** The level that `bytes[start, end)` names in any case; 0 when it names none. */
export function levelOfWord(bytes: Uint8Array, start: number, end: number): LevelCode {
  const candidates = wordsByLength[end - start]
  if (candidates === undefined) return UNKNOWN
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index]!
    if (equalsFolded(bytes, start, candidate.bytes)) return candidate.code
  }
  return UNKNOWN
}

/** Whether `word`, in lower case, stands at `start` in any case. The caller has seen to the length. */
export function equalsFolded(bytes: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let index = 0; index < word.length; index++) {
    const byte = bytes[start + index]!
    if (byte !== word[index]! && (byte | 0x20) !== word[index]!) return false
  }
  return true
}

/** The level of OTLP's severity number, given as decimal text. */
export function levelOfSeverityNumber(text: string): string {
  if (!/^[+-]?\d+$/.test(text)) return 'info'
  const number = Number(text)
  if (number < 1 || number > 24) return 'unknown'
  const bySeverity = ['trace', 'debug', 'info', 'warn', 'error', 'fatal']
  return bySeverity[Math.floor((number - 1) / 4)] ?? 'unknown'
}
