/**
 * Integers held in float64 (|value| < 2^52), as differences to the value before: made for times, which mostly ascend.
 *
 *     column: power u8 (values are multiples of 10^power) · group*
 *     group (128 values): least difference svarint · width u8 · exceptions u8 · (position u8, difference svarint)* ·
 *                         low words packed with min(width, 32) bits · high words packed with width - 32 bits
 *
 * The packed number is difference - least. A step back, as between the runs of two streams, would widen its whole group; it
 * becomes an exception instead where that is smaller, and packs as 0.
 */
import { bitWidth, packBits, packedBytes, unpackBits } from './bit-pack.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const GROUP = 128
const TWO_32 = 2 ** 32
/** Values that are exact after any difference of two. */
const MAX_MAGNITUDE = 2 ** 52
const MAX_WIDTH = 53
/** About what an exception costs. */
const EXCEPTION_BYTES = 7
/** Times come in ns, µs, ms or s; powers of ten are tried in these steps. */
const POWERS = [9, 6, 3] as const

const differences = new Float64Array(GROUP)
const low = new Uint32Array(GROUP)
const high = new Uint32Array(GROUP)

export function encodeDeltaF64(values: Float64Array, out: ByteWriter): void {
  const power = commonPower(values)
  const scale = 10 ** power
  out.u8(power)
  let before = 0
  for (let from = 0; from < values.length; from += GROUP) {
    const count = Math.min(GROUP, values.length - from)
    for (let i = 0; i < count; i++) {
      const value = values[from + i]! / scale
      differences[i] = value - before
      before = value
    }
    encodeGroup(count, out)
  }
}

export function decodeDeltaF64(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count)
  const power = reader.u8()
  if (power > 9) throw reader.corruption(`power of ten ${power} exceeds 9`)
  const scale = 10 ** power
  let value = 0
  for (let from = 0; from < count; from += GROUP) {
    const size = Math.min(GROUP, count - from)
    decodeGroup(reader, size)
    for (let i = 0; i < size; i++) {
      value += differences[i]!
      values[from + i] = value * scale
    }
    if (!(Math.abs(value) * scale < MAX_MAGNITUDE)) throw reader.corruption(`value ${value * scale} beyond 2^52`)
  }
  return values
}

/** Fills `differences[0, count)`. */
function decodeGroup(reader: ByteReader, count: number): void {
  const least = reader.svarint()
  const width = reader.u8()
  if (width > MAX_WIDTH) throw reader.corruption(`bit width ${width} exceeds ${MAX_WIDTH}`)
  const exceptionCount = reader.u8()
  const positions: number[] = []
  const steps: number[] = []
  for (let i = 0; i < exceptionCount; i++) {
    const position = reader.u8()
    if (position >= count) throw reader.corruption(`exception at ${position} of ${count} values`)
    positions.push(position)
    steps.push(reader.svarint())
  }
  const lowWidth = Math.min(width, 32)
  unpackBits(reader.bytes(packedBytes(count, lowWidth)), lowWidth, low, { at: 0, count })
  if (width > 32) {
    unpackBits(reader.bytes(packedBytes(count, width - 32)), width - 32, high, { at: 0, count })
    for (let i = 0; i < count; i++) differences[i] = least + high[i]! * TWO_32 + low[i]!
  } else {
    for (let i = 0; i < count; i++) differences[i] = least + low[i]!
  }
  for (const [i, position] of positions.entries()) differences[position] = steps[i]!
}

/** Encodes `differences[0, count)`. */
function encodeGroup(count: number, out: ByteWriter): void {
  let least = differences[0]!
  let greatest = least
  let negatives = 0
  let leastForward = Infinity
  for (let i = 0; i < count; i++) {
    const difference = differences[i]!
    if (difference < least) least = difference
    if (difference > greatest) greatest = difference
    if (difference < 0) negatives++
    else if (difference < leastForward) leastForward = difference
  }
  const width = wideBits(greatest - least)
  const forwardWidth = negatives === count ? MAX_WIDTH : wideBits(greatest - leastForward)
  const saved = ((width - forwardWidth) * count) / 8
  if (negatives === 0 || saved <= negatives * EXCEPTION_BYTES) {
    out.svarint(least)
    out.u8(width)
    out.u8(0)
    putWords(count, least, width, out)
    return
  }
  out.svarint(leastForward)
  out.u8(forwardWidth)
  out.u8(negatives)
  for (let i = 0; i < count; i++) {
    if (differences[i]! >= 0) continue
    out.u8(i)
    out.svarint(differences[i]!)
    differences[i] = leastForward
  }
  putWords(count, leastForward, forwardWidth, out)
}

function putWords(count: number, least: number, width: number, out: ByteWriter): void {
  for (let i = 0; i < count; i++) {
    const rest = differences[i]! - least
    low[i] = rest
    high[i] = rest / TWO_32
  }
  packBits(low, count, Math.min(width, 32), out)
  if (width > 32) packBits(high, count, width - 32, out)
}

function wideBits(max: number): number {
  return max < TWO_32 ? bitWidth(max) : 32 + bitWidth(Math.floor(max / TWO_32))
}

function commonPower(values: Float64Array): number {
  for (const power of POWERS) {
    const scale = 10 ** power
    let i = 0
    while (i < values.length && values[i]! % scale === 0) i++
    if (i === values.length) return power
  }
  return 0
}
