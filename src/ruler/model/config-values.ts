/** Values of structured options, each with what is wrong with it. All throw an Error naming the key. */
import { parsePrometheusDuration } from '#/kernel/duration.ts'

export type Data = Readonly<Record<string, unknown>>

export function checkKeys(data: Data, known: readonly string[], where: string): void {
  const unknown = Object.keys(data).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new Error(`${where}: unknown key ${unknown}, known are ${known.join(', ')}`)
}

export function mapOf(value: unknown, where: string): Data {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Data
  throw new Error(`${where}: expected a map`)
}

export function textsOf(value: unknown, where: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(mapOf(value, where)).map(([key, one]) => [key, textOf(one, `${where}.${key}`)]),
  )
}

export function textOf(value: unknown, where: string): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw new Error(`${where}: expected a text`)
}

export function countOf(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`${where}: expected a positive whole number`)
}

export function msOf(value: unknown, where: string): number {
  const ns = typeof value === 'string' ? parsePrometheusDuration(value) : undefined
  if (ns === undefined) throw new Error(`${where}: expected a duration such as 30s`)
  return ns / 1e6
}
