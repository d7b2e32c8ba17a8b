/**
 * A small assembler for WebAssembly: functions over one imported memory, written in the folded form of the standard's text
 * format, become a module. It knows what the kernels of this repository use, no more.
 *
 *     (func $twice (param $x i32) (result i32) (i32.mul (local.get $x) (i32.const 2)))
 *
 * Each function is exported under its name. `(block $l …)` and `(loop $l …)` have no values, `(if cond (then …) (else …))` neither;
 * comments begin with two semicolons.
 */
import { assert } from './assert.ts'

type Node = string | readonly Node[]
/** Positions of functions, and of the parameters and locals of the one that is compiled. */
type Names = { readonly calls: ReadonlyMap<string, number>; readonly locals: ReadonlyMap<string, number> }

/** Opcodes without an immediate operand. */
const plain: Readonly<Record<string, readonly number[]>> = {
  return: [0x0f],
  select: [0x1b],
  'i32.eqz': [0x45],
  'i32.eq': [0x46],
  'i32.ne': [0x47],
  'i32.lt_u': [0x49],
  'i32.gt_u': [0x4b],
  'i32.le_u': [0x4d],
  'i32.ge_u': [0x4f],
  'i64.eqz': [0x50],
  'i64.eq': [0x51],
  'i64.ne': [0x52],
  'i32.ctz': [0x68],
  'i32.add': [0x6a],
  'i32.sub': [0x6b],
  'i32.mul': [0x6c],
  'i32.div_u': [0x6e],
  'i32.rem_u': [0x70],
  'i32.and': [0x71],
  'i32.or': [0x72],
  'i32.xor': [0x73],
  'i32.shl': [0x74],
  'i32.shr_u': [0x76],
  'i64.ctz': [0x7a],
  'i64.add': [0x7c],
  'i64.sub': [0x7d],
  'i64.mul': [0x7e],
  'i64.and': [0x83],
  'i64.or': [0x84],
  'i64.xor': [0x85],
  'i64.shl': [0x86],
  'i64.shr_u': [0x88],
  'i32.wrap_i64': [0xa7],
  'i64.extend_i32_u': [0xad],
  'f64.lt': [0x63],
  'f64.abs': [0x99],
  'f64.mul': [0xa2],
  'f64.convert_i64_s': [0xb9],
  'memory.fill': [0xfc, 0x0b, 0x00],
  'i8x16.swizzle': [0xfd, 0x0e],
  'i8x16.splat': [0xfd, 0x0f],
  'i32x4.splat': [0xfd, 0x11],
  'f64x2.splat': [0xfd, 0x14],
  'i8x16.eq': [0xfd, 0x23],
  'i8x16.lt_u': [0xfd, 0x26],
  'f64x2.lt': [0xfd, 0x49],
  'f64x2.ge': [0xfd, 0x4c],
  'v128.and': [0xfd, 0x4e],
  'v128.or': [0xfd, 0x50],
  'i8x16.bitmask': [0xfd, 0x64],
  'i8x16.shr_u': [0xfd, 0x6d],
  'i8x16.sub': [0xfd, 0x71],
  'f64x2.ceil': [0xfd, 0x74],
  'i32x4.add': [0xfd, 0xae, 0x01],
  'i32x4.sub': [0xfd, 0xb1, 0x01],
  'f64x2.sub': [0xfd, 0xf1, 0x01],
  'f64x2.div': [0xfd, 0xf3, 0x01],
  'i32x4.trunc_sat_f64x2_u_zero': [0xfd, 0xfd, 0x01],
}
/** Opcodes that load and store: alignment is a hint and always 1 byte. */
const memory: Readonly<Record<string, readonly number[]>> = {
  'i32.load': [0x28],
  'i64.load': [0x29],
  'i32.load8_u': [0x2d],
  'i32.load16_u': [0x2f],
  'i32.store': [0x36],
  'i64.store': [0x37],
  'i32.store8': [0x3a],
  'i32.store16': [0x3b],
  'v128.load': [0xfd, 0x00],
  'v128.store': [0xfd, 0x0b],
  'f64.store': [0x39],
  'v128.load64_zero': [0xfd, 0x5d],
}
const locals: Readonly<Record<string, number>> = { 'local.get': 0x20, 'local.set': 0x21, 'local.tee': 0x22 }
const types: Readonly<Record<string, number>> = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b }
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const END = 0x0b
const NO_VALUE = 0x40

const PAGE_BYTES = 64 * 1024

export type WasmFunction = (...args: readonly number[]) => number

export type WasmKernel = { readonly memory: ArrayBuffer; readonly functions: Readonly<Record<string, WasmFunction>> }

/** What is used of the engine's interface, which Node's types do not declare. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, WasmFunction> }
}

/** The functions of `text` over a memory of their own, which begins as zeros and never grows. */
export function assembleWasm(text: string, memoryBytes: number): WasmKernel {
  const own = new WebAssembly.Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes(text)), { env: { memory: own } })
  return { memory: own.buffer, functions: exports }
}

/** One thing after the other in a kernel's memory, each on a multiple of 64. */
export function layoutMemory<Name extends string>(sizes: Record<Name, number>): Readonly<Record<Name, number>> {
  const positions: Partial<Record<Name, number>> = {}
  let next = 0
  for (const name of Object.keys(sizes) as Name[]) {
    positions[name] = next
    next += Math.ceil(sizes[name] / 64) * 64
  }
  return positions as Readonly<Record<Name, number>>
}

function wasmBytes(text: string): Uint8Array<ArrayBuffer> {
  const nodes = parse(text) as readonly (readonly Node[])[]
  const calls = new Map(nodes.map(([, $name], i) => [$name as string, i]))
  const functions = nodes.map((node) => compile(node, calls))
  const indexes = functions.map((_, i) => i)
  return Uint8Array.from([
    ...MAGIC,
    ...section(
      1,
      functions.map(({ type }) => type),
    ),
    ...section(2, [[...name('env'), ...name('memory'), 0x02, 0x00, ...unsigned(1)]]),
    ...section(
      3,
      indexes.map((i) => unsigned(i)),
    ),
    ...section(
      7,
      functions.map((one, i) => [...name(one.name), 0x00, ...unsigned(i)]),
    ),
    ...section(
      10,
      functions.map(({ body }) => [...unsigned(body.length), ...body]),
    ),
  ])
}

function parse(text: string): Node[] {
  const stack: Node[][] = [[]]
  for (const [token] of text.replaceAll(/;;.*/g, '').matchAll(/[()]|[^\s()]+/g)) {
    if (token === '(') stack.push([])
    else if (token === ')') {
      const done = stack.pop()!
      stack.at(-1)!.push(done)
    } else stack.at(-1)!.push(token)
  }
  assert(stack.length === 1, 'parentheses of the kernel match')
  return stack[0]!
}

function compile(
  [, $name, ...parts]: readonly Node[],
  calls: ReadonlyMap<string, number>,
): { name: string; type: number[]; body: number[] } {
  const parameters: [string, number][] = []
  const variables: [string, number][] = []
  const results: number[] = []
  const code: Node[] = []
  for (const part of parts as readonly (readonly Node[])[]) {
    const [kind, first, second] = part as readonly string[]
    if (kind === 'param') parameters.push([first!, types[second!]!])
    else if (kind === 'local') variables.push([first!, types[second!]!])
    else if (kind === 'result') results.push(types[first!]!)
    else code.push(part)
  }
  const names = { calls, locals: new Map([...parameters, ...variables].map(([one], i) => [one, i])) }
  const body = code.flatMap((node) => instruction(node as readonly Node[], names, []))
  const parameterTypes = parameters.map(([, type]) => type)
  return {
    name: ($name as string).slice(1),
    type: [0x60, ...vector(parameterTypes.map((one) => [one])), ...vector(results.map((one) => [one]))],
    body: [...vector(variables.map(([, type]) => [1, type])), ...body, END],
  }
}

/** `labels`: of the blocks around, the innermost first. */
function instruction(node: readonly Node[], names: Names, labels: readonly Node[]): number[] {
  const [op, ...rest] = node as readonly [string, ...Node[]]
  const operands = (nodes: readonly Node[]): number[] =>
    nodes.flatMap((one) => instruction(one as readonly Node[], names, labels))
  if (plain[op] !== undefined) return [...operands(rest), ...plain[op]]
  if (memory[op] !== undefined) {
    const offset = typeof rest[0] === 'string' ? Number(rest[0].slice('offset='.length)) : 0
    return [...operands(rest.filter((one) => typeof one !== 'string')), ...memory[op], 0, ...unsigned(offset)]
  }
  if (locals[op] !== undefined) {
    const index = names.locals.get(rest[0] as string)
    assert(index !== undefined, `kernel knows local ${String(rest[0])}`)
    return [...operands(rest.slice(1)), locals[op], ...unsigned(index)]
  }
  switch (op) {
    case 'i32.const':
      return [0x41, ...signed(BigInt(rest[0] as string))]
    case 'i64.const':
      return [0x42, ...signed(BigInt.asIntN(64, BigInt(rest[0] as string)))]
    case 'v128.const':
      return [0xfd, 0x0c, ...rest.map(Number)]
    case 'i8x16.shuffle':
      return [...operands(rest.slice(16)), 0xfd, 0x0d, ...rest.slice(0, 16).map(Number)]
    case 'block':
    case 'loop': {
      const inner = rest.slice(1).flatMap((one) => instruction(one as readonly Node[], names, [rest[0]!, ...labels]))
      return [op === 'block' ? 0x02 : 0x03, NO_VALUE, ...inner, END]
    }
    case 'call': {
      const index = names.calls.get(rest[0] as string)
      assert(index !== undefined, `kernel knows function ${String(rest[0])}`)
      return [...operands(rest.slice(1)), 0x10, ...unsigned(index)]
    }
    case 'br':
      return [0x0c, ...depth(labels, rest[0]!)]
    case 'br_if':
      return [...operands(rest.slice(1)), 0x0d, ...depth(labels, rest[0]!)]
    case 'br_table': {
      const targets = rest.filter((one) => typeof one === 'string').map((one) => depth(labels, one))
      return [...operands(rest.slice(-1)), 0x0e, ...vector(targets.slice(0, -1)), ...targets.at(-1)!]
    }
    case 'if':
      return conditional(rest as readonly (readonly Node[])[], names, labels)
    default:
      throw new Error(`kernel uses unknown instruction ${op}`)
  }
}

function conditional(
  [condition, whenTrue, whenFalse]: readonly (readonly Node[])[],
  names: Names,
  labels: readonly Node[],
): number[] {
  const branch = (nodes: readonly Node[]): number[] =>
    nodes.slice(1).flatMap((one) => instruction(one as readonly Node[], names, ['', ...labels]))
  const otherwise = whenFalse === undefined ? [] : [0x05, ...branch(whenFalse)]
  return [...instruction(condition!, names, labels), 0x04, NO_VALUE, ...branch(whenTrue!), ...otherwise, END]
}

function depth(labels: readonly Node[], label: Node): number[] {
  const found = labels.indexOf(label)
  assert(found >= 0, `kernel knows label ${String(label)}`)
  return unsigned(found)
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const content = vector(items)
  return [id, ...unsigned(content.length), ...content]
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()]
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Buffer.from(text)]
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
}

function signed(value: bigint): number[] {
  const rest = value >> 7n
  const low = Number(value & 127n)
  const isLast = (rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0)
  return isLast ? [low] : [low | 128, ...signed(rest)]
}
