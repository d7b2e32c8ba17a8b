/** When a group is evaluated: at multiples of its interval, moved by an offset that is the group's own and never changes. */
import { hash53 } from '#/kernel/hash64.ts'

export type GroupId = { readonly tenant: string; readonly namespace: string; readonly group: string }

/** Spreads groups over their interval; whole milliseconds. */
export function offsetOf({ tenant, namespace, group }: GroupId, intervalMs: number): number {
  return hash53(JSON.stringify([tenant, namespace, group])) % intervalMs
}

/** The first evaluation after `nowMs`. */
export function nextEvaluation(nowMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs + intervalMs
}

/** What follows on an evaluation: of times that passed while it ran, the last one counts and the others are missed. */
export function following(atMs: number, nowMs: number, intervalMs: number): { atMs: number; missed: number } {
  const passed = Math.max(1, Math.floor((nowMs - atMs) / intervalMs))
  return { atMs: atMs + passed * intervalMs, missed: passed - 1 }
}
