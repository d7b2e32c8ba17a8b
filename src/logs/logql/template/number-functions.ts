/** Template functions on numbers: whole ones are Go's int64, the others float64. */
import { goDurationFault, goSeconds, parseGoDuration } from '#/kernel/duration.ts'
import { parseHumanBytes } from '#/kernel/go-number.ts'
import { castFloat, castInt, fail } from './arguments.ts'
import {
  addDecimals,
  divideDecimals,
  fromDecimal,
  multiplyDecimals,
  negateDecimal,
  toDecimal,
  type Decimal,
} from './decimal.ts'
import type { TemplateFunction } from './functions.ts'
import type { Value } from './values.ts'

export const numberFunctions: Readonly<Record<string, TemplateFunction>> = {
  bytes: ([s]) => toBytes(s),
  duration: ([s]) => toSeconds(s),
  duration_seconds: ([s]) => toSeconds(s),
  int: ([value]) => castInt(value),
  float64: ([value]) => castFloat(value),
  add: (args) => wrap(args.reduce<bigint>((sum, value) => sum + castInt(value), 0n)),
  mul: (args) => args.reduce<bigint>((product, value) => wrap(product * castInt(value)), 1n),
  sub: ([left, right]) => wrap(castInt(left) - castInt(right)),
  div: ([left, right]) => wrap(castInt(left) / divisor(castInt(right))),
  mod: ([left, right]) => castInt(left) % divisor(castInt(right)),
  addf: (args) => foldDecimals([0, ...args], addDecimals),
  subf: (args) => foldDecimals(args, (left, right) => addDecimals(left, negateDecimal(right))),
  mulf: (args) => foldDecimals(args, multiplyDecimals),
  divf: (args) => foldDecimals(args, divide),
  max: (args) => args.map(castInt).reduce((most, value) => (value > most ? value : most)),
  min: (args) => args.map(castInt).reduce((least, value) => (value < least ? value : least)),
  maxf: (args) => args.map(castFloat).reduce((most, value) => Math.max(most, value)),
  minf: (args) => args.map(castFloat).reduce((least, value) => Math.min(least, value)),
  ceil: ([value]) => Math.ceil(castFloat(value)),
  floor: ([value]) => Math.floor(castFloat(value)),
  round: ([value, places, roundOn = 0.5]) => round(castFloat(value), Number(places), roundOn),
}

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

function divisor(value: bigint): bigint {
  if (value === 0n) fail('runtime error: integer divide by zero')
  return value
}

function foldDecimals(args: readonly Value[], step: (left: Decimal, right: Decimal) => Decimal): number {
  const values = args.map(castFloat)
  const bad = values.find((value) => !Number.isFinite(value))
  if (bad !== undefined) fail(`Cannot create a Decimal from ${bad}`)
  return fromDecimal(values.map(toDecimal).reduce((left, right) => step(left, right)))
}

function divide(left: Decimal, right: Decimal): Decimal {
  if (right.units === 0n) fail('decimal division by 0')
  return divideDecimals(left, right)
}

function round(value: number, places: number, roundOn: number): number {
  const scale = 10 ** places
  const scaled = value * scale
  const fraction = scaled - Math.trunc(scaled)
  return (fraction >= roundOn ? Math.ceil(scaled) : Math.floor(scaled)) / scale
}

function toBytes(text: string): number {
  const value = parseHumanBytes(text)
  if (typeof value === 'string') return fail(value)
  return value
}

function toSeconds(text: string): number {
  const ns = parseGoDuration(text)
  if (ns === undefined) return fail(goDurationFault(text))
  return goSeconds(ns)
}
