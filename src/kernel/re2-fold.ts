/**
 * Simple case folding of Unicode, as RE2's `(?i)` uses it: every rune has an orbit of runes that are equal to it but for
 * case. ASCII is answered from rules; the table for the rest is made from the runtime's own case mappings on first use.
 */
import { textOfRunes } from './rune-text.ts'

const LONG_S = 0x17f
const KELVIN = 0x212a
const DOTLESS_I = 0x131
/** No rune beyond has a case. */
const LAST_CASED = 0x1ffff

let orbits: ReadonlyMap<number, readonly number[]> | undefined
let spans: OrbitSpans | undefined

/** The other members of the orbit of `rune`; empty when it has no case. */
export function foldOrbit(rune: number): readonly number[] {
  if (rune >= 0x80) return (orbits ??= buildOrbits()).get(rune) ?? []
  const lower = rune | 0x20
  if (lower < 0x61 || lower > 0x7a) return []
  const other = rune ^ 0x20
  if (lower === 0x6b) return [other, KELVIN]
  return lower === 0x73 ? [other, LONG_S] : [other]
}

/** Whether no rune of `text` has a case, so that folding changes nothing. */
export function isCaseless(text: string): boolean {
  for (const char of text) if (foldOrbit(char.codePointAt(0)!).length > 0) return false
  return true
}

/** Adds to the normalised `ranges` (pairs lo, hi) the orbits of everything in them. The result is not normalised. */
export function foldRanges(ranges: readonly number[]): number[] {
  const folded = [...ranges]
  for (let i = 0; i < ranges.length; i += 2) {
    const hi = ranges[i + 1]!
    for (let rune = ranges[i]!; rune <= hi && rune < 0x80; rune++) {
      for (const other of foldOrbit(rune)) folded.push(other, other)
    }
    if (hi >= 0x80) foldBeyondAscii(Math.max(ranges[i]!, 0x80), hi, folded)
  }
  return folded
}

/** More runes than this are compared with all orbits at once. */
const narrow = 64

/** Adds the orbit members that lie outside of the range, of orbits that have members inside. */
function foldBeyondAscii(lo: number, hi: number, folded: number[]): void {
  if (hi - lo < narrow) {
    for (let rune = lo; rune <= hi; rune++) for (const other of foldOrbit(rune)) folded.push(other, other)
    return
  }
  const { members, first, last } = (spans ??= orbitSpans())
  for (let i = 0; i < first.length; i++) {
    const least = first[i]!
    const greatest = last[i]!
    // apart from the range, or all inside of it
    if (least < lo ? greatest < lo : greatest <= hi || least > hi) continue
    const orbit = members[i]!
    if (!orbit.some((rune) => rune >= lo && rune <= hi)) continue
    for (const rune of orbit) if (rune < lo || rune > hi) folded.push(rune, rune)
  }
}

/** Each orbit with its least and its greatest member. */
type OrbitSpans = {
  readonly members: readonly (readonly number[])[]
  readonly first: Int32Array
  readonly last: Int32Array
}

function orbitSpans(): OrbitSpans {
  const members: number[][] = []
  for (const [rune, others] of (orbits ??= buildOrbits())) {
    if (others.every((other) => other > rune)) members.push([rune, ...others].sort((a, b) => a - b))
  }
  const first = Int32Array.from(members, (orbit) => orbit[0]!)
  return { members, first, last: Int32Array.from(members, (orbit) => orbit.at(-1)!) }
}

/** Groups runes that a one-rune case mapping connects. The dotless i maps to I but does not fold with it. */
function buildOrbits(): ReadonlyMap<number, readonly number[]> {
  const groupOf = new Map<number, Set<number>>()
  const connect = (a: number, text: string): void => {
    const b = text.codePointAt(0)!
    if (a === b || text.length !== (b > 0xffff ? 2 : 1)) return
    const left = groupOf.get(a) ?? new Set([a])
    for (const member of groupOf.get(b) ?? [b]) left.add(member)
    for (const member of left) groupOf.set(member, left)
  }
  for (const [text] of textOfRunes(0x41, LAST_CASED).matchAll(/\p{Changes_When_Casemapped}/gu)) {
    const rune = text.codePointAt(0)!
    if (rune === DOTLESS_I) continue
    connect(rune, text.toLowerCase())
    connect(rune, text.toUpperCase())
  }
  const result = new Map<number, readonly number[]>()
  for (const [rune, group] of groupOf) {
    result.set(
      rune,
      [...group].filter((member) => member !== rune),
    )
  }
  return result
}

/** `text` in lower case, with runes that fold to ASCII as ASCII; undefined when a rune has no ASCII in its orbit. */
export function asciiFold(text: string): string | undefined {
  let folded = ''
  for (const char of text) {
    const rune = char.codePointAt(0)!
    const ascii = rune < 0x80 ? rune : foldOrbit(rune).find((member) => member < 0x80)
    if (ascii === undefined) return undefined
    folded += String.fromCharCode(ascii).toLowerCase()
  }
  return folded
}
