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
import { bitWidth, packBits, packedBytes, unpackFrom } from './bit-pack.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const GROUP = 128
const TWO_32 = 2 ** 32
/** Values that are exact after any difference of two. */
export const MAX_MAGNITUDE = 2 ** 52
const MAX_WIDTH = 53
/** About what an exception costs. */
const EXCEPTION_BYTES = 7
export const MAX_POWER = 9
/** Times come in ns, µs, ms or s; powers of ten are tried in these steps. */
const POWERS = [MAX_POWER, 6, 3] as const

const differences = new Float64Array(GROUP)
const low = new Uint32Array(GROUP)
const high = new Uint32Array(GROUP)
/** The value decoded last, before scaling: a typed array keeps it a float64 where a variable might become a boxed number. */
const current = new Float64Array(1)

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
  if (power > MAX_POWER) throw reader.corruption(`power of ten ${power} exceeds ${MAX_POWER}`)
  const scale = 10 ** power
  current[0] = 0
  for (let from = 0; from < count; from += GROUP) {
    const size = Math.min(GROUP, count - from)
    decodeGroup(reader, size)
    addUp(values, from, size, scale)
    const value = current[0]! * scale
    if (!(Math.abs(value) < MAX_MAGNITUDE)) throw reader.corruption(`value ${value} beyond 2^52`)
  }
  return values
}

/** Passes over the same. */
export function skipDeltaF64(reader: ByteReader, count: number): void {
  reader.skip(1)
  for (let left = count; left > 0; left -= GROUP) {
    const size = Math.min(GROUP, left)
    reader.svarint()
    const width = reader.u8()
    if (width > MAX_WIDTH) throw reader.corruption(`bit width ${width} exceeds ${MAX_WIDTH}`)
    decodeExceptions(reader, size)
    reader.skip(packedBytes(size, Math.min(width, 32)))
    if (width > 32) reader.skip(packedBytes(size, width - 32))
  }
}

/** Values of a group from their differences to the ones before. */
function addUp(values: Float64Array, from: number, count: number, scale: number): void {
  let value = current[0]!
  for (let i = 0; i < count; i++) {
    value += differences[i]!
    values[from + i] = value * scale
  }
  current[0] = value
}

/** Fills `differences[0, count)`. */
function decodeGroup(reader: ByteReader, count: number): void {
  const least = reader.svarint()
  const width = reader.u8()
  if (width > MAX_WIDTH) throw reader.corruption(`bit width ${width} exceeds ${MAX_WIDTH}`)
  const exceptions = decodeExceptions(reader, count)
  const lowWidth = Math.min(width, 32)
  unpackGroup(reader, lowWidth, low, count)
  if (width > 32) {
    unpackGroup(reader, width - 32, high, count)
    for (let i = 0; i < count; i++) differences[i] = least + high[i]! * TWO_32 + low[i]!
  } else {
    for (let i = 0; i < count; i++) differences[i] = least + low[i]!
  }
  if (exceptions !== undefined) for (const [position, step] of exceptions) differences[position] = step
}

function unpackGroup(reader: ByteReader, width: number, target: Uint32Array, count: number): void {
  const start = reader.skip(packedBytes(count, width))
  unpackFrom(reader.view, { start, width, least: 0 }, target, { at: 0, count })
}

/** Positions and differences; undefined when there are none, as mostly. */
function decodeExceptions(reader: ByteReader, count: number): (readonly [number, number])[] | undefined {
  const exceptionCount = reader.u8()
  if (exceptionCount === 0) return undefined
  const exceptions: (readonly [number, number])[] = []
  for (let i = 0; i < exceptionCount; i++) {
    const position = reader.u8()
    if (position >= count) throw reader.corruption(`exception at ${position} of ${count} values`)
    exceptions.push([position, reader.svarint()])
  }
  return exceptions
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
