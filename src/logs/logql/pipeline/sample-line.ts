/**
 * A line such as those of one cut text (`storage/column/line-slots.ts`), as long as the text: what was cut out of the lines is digits
 * here. A parser that does not tell one digit from another finds in all these lines what it finds in this one.
 */
import { OPERAND } from '#/storage/column/line-slots-memory.ts'

export type SampleLine = {
  /** The line is `bytes[0, size)`; valid until the next one is made. */
  readonly bytes: Buffer
  readonly size: number
  /** What it was made of, byte for byte: below 9 where something was cut out. */
  readonly text: Buffer
}

/** A part of a line: bytes that are the same in all lines, or the `number`th number with `digits` digits; 0: as many as it needs. */
export type LinePiece = string | { readonly number: number; readonly digits: number }

const LOWEST_PLAIN = 9
const ESCAPED = 0
const NUMBER = 1
const PADDED_NUMBER = 2
const HEX = 3
const VALUE = 7
const FIRST_BYTES = 4096
/** A byte that is neither a blank nor ends a text, as all escaped ones. */
const CONTROL = 1
const COMMA = 0x2c
const DIGIT = 0x31
/** For digits of which the first may be a letter. */
const HEX_DIGIT = 0x61

/** What stands for the operations 0 to 7, and for the byte behind those that have one. */
const stands = [CONTROL, DIGIT, DIGIT, HEX_DIGIT, DIGIT, DIGIT, COMMA, HEX_DIGIT]

let memory = Buffer.allocUnsafeSlow(FIRST_BYTES)

/** Of the text `bytes[start, end)`, which ends with the operation that says so. */
export function sampleLineOf(bytes: Buffer, start: number, end: number): SampleLine {
  const size = end - start - 1
  if (size > memory.length) memory = Buffer.allocUnsafeSlow(2 * size)
  const out = memory
  for (let i = 0; i < size; i++) {
    const byte = bytes[start + i]!
    if (byte >= LOWEST_PLAIN) {
      out[i] = byte
      continue
    }
    out[i] = stands[byte]!
    if (hasOperand(byte)) out[++i] = stands[byte]!
  }
  return { bytes: out, size, text: bytes.subarray(start, end - 1) }
}

/** Whether something of `[start, end)` was cut out. */
export function hasGap({ text }: SampleLine, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text[at]! < LOWEST_PLAIN) return true
  return false
}

/** What `[start, end)` consists of; undefined when it has more than numbers and fixed bytes. */
export function piecesOf({ text }: SampleLine, start: number, end: number): LinePiece[] | undefined {
  const pieces: LinePiece[] = []
  let number = countNumbers(text, start)
  let from = start
  for (let at = start; at < end; at++) {
    const byte = text[at]!
    if (byte >= LOWEST_PLAIN) continue
    if (byte !== NUMBER && byte !== PADDED_NUMBER) return undefined
    if (at > from) pieces.push(text.toString('utf8', from, at))
    pieces.push({ number: number++, digits: byte === NUMBER ? 0 : text[at + 1]! - OPERAND })
    if (byte === PADDED_NUMBER) at++
    from = at + 1
  }
  if (end > from) pieces.push(text.toString('utf8', from, end))
  return pieces
}

function countNumbers(text: Buffer, end: number): number {
  let count = 0
  for (let at = 0; at < end; at++) if (text[at] === NUMBER || text[at] === PADDED_NUMBER) count++
  return count
}

function hasOperand(operation: number): boolean {
  return operation === ESCAPED || operation === PADDED_NUMBER || operation === HEX || operation === VALUE
}
