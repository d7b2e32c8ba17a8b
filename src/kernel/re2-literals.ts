/**
 * What plain searches can do for a regular expression: texts of which a matching line must contain one, and expressions
 * that are nothing but such texts. Everything here is about unanchored search in a line.
 */
import { childrenOf, isAssertion, type Re2Node } from './re2-node.ts'

/** At least one of `texts` occurs; `fold`: but for case. */
export type Literals = { readonly texts: readonly string[]; readonly fold: boolean }

/** Alternatives beyond this are not worth a search each. */
export const MAX_LITERALS = 16
/** A class of at most this many runes counts as alternatives. */
const MAX_CLASS_RUNES = 4

/**
 * `exact`: the node matches these texts and nothing else (undefined: not known). `required`: each match contains one of them
 * (undefined: nothing is known).
 */
type Info = { readonly exact: Literals | undefined; readonly required: Literals | undefined }
const nothing: Info = { exact: undefined, required: undefined }
/** What stands before the first node. */
const start: Literals = { texts: [''], fold: false }

/** The texts that a search for the expression is equal to a search for; an empty text matches every line. */
export function pureLiterals(root: Re2Node): Literals | undefined {
  return infoOf(trimAny(root)).exact
}

/** Sets of texts: each match contains one of each set. None of the texts is empty. */
export function everyRequired(node: Re2Node): readonly Literals[] {
  if (node.op === 'capture') return everyRequired(node.sub)
  if (node.op === 'repeat' && node.min > 0) return everyRequired(node.sub)
  if (node.op === 'concat') return requiredOfConcat(node)
  return [requiredLiterals(node)].filter((one) => one !== undefined)
}

/** Neighbours that are exact count together, as in {@link concatInfo}. */
function requiredOfConcat(node: Re2Node): readonly Literals[] {
  const found: Literals[] = []
  let run = start
  for (const sub of childrenOf(node)) {
    if (isAssertion(sub)) continue
    const { exact } = infoOf(sub)
    const longer = exact && multiply(run, exact)
    if (longer) {
      run = longer
      continue
    }
    found.push(run)
    if (exact === undefined) found.push(...everyRequired(sub))
    run = exact ?? start
  }
  return [...found, run].filter((one) => shortest(one) > 0)
}

/** All texts that the expression as a whole matches; undefined when that is not known. */
export function exactLiterals(root: Re2Node): Literals | undefined {
  return infoOf(root).exact
}

/** The best texts of which each match contains one; none of them is empty. */
export function requiredLiterals(root: Re2Node): Literals | undefined {
  const { exact, required } = infoOf(root)
  return best(exact, required)
}

/** Takes `.*` off both ends, as it changes nothing in a search: a match with it begins or ends elsewhere, that is all. */
function trimAny(node: Re2Node): Re2Node {
  if (node.op === 'capture') return trimAny(node.sub)
  if (isAnyRepeat(node)) return { op: 'empty' }
  if (node.op !== 'concat') return node
  let from = 0
  let to = node.subs.length
  while (from < to && isAnyRepeat(node.subs[from]!)) from++
  while (from < to && isAnyRepeat(node.subs[to - 1]!)) to--
  return from === to ? { op: 'empty' } : { op: 'concat', subs: node.subs.slice(from, to) }
}

function isAnyRepeat(node: Re2Node): boolean {
  if (node.op === 'capture') return isAnyRepeat(node.sub)
  return node.op === 'repeat' && node.sub.op === 'any' && node.min === 0 && node.max === Infinity
}

function infoOf(node: Re2Node): Info {
  if (node.op === 'empty') return { exact: { texts: [''], fold: false }, required: undefined }
  if (node.op === 'literal') return { exact: { texts: [node.text], fold: node.fold }, required: undefined }
  if (node.op === 'class') return { exact: classTexts(node.ranges), required: undefined }
  if (node.op === 'capture') return infoOf(node.sub)
  if (node.op === 'repeat') return repeatInfo(node)
  if (node.op === 'concat') return concatInfo(node)
  return node.op === 'alternate' ? alternateInfo(node) : nothing
}

function classTexts(ranges: readonly number[]): Literals | undefined {
  const texts: string[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i + 1]! - ranges[i]! >= MAX_CLASS_RUNES) return undefined
    for (let rune = ranges[i]!; rune <= ranges[i + 1]!; rune++) texts.push(String.fromCodePoint(rune))
  }
  return texts.length === 0 || texts.length > MAX_CLASS_RUNES ? undefined : { texts, fold: false }
}

function repeatInfo(node: Re2Node & { readonly op: 'repeat' }): Info {
  if (node.min === 0) return nothing
  const sub = infoOf(node.sub)
  if (node.min === 1 && node.max === 1) return sub
  return { exact: undefined, required: best(sub.exact, sub.required) }
}

function alternateInfo(node: Re2Node): Info {
  const infos = childrenOf(node).map(infoOf)
  const exact = union(infos.map((info) => info.exact))
  return { exact, required: exact ? undefined : union(infos.map((info) => best(info.exact, info.required))) }
}

function union(sets: readonly (Literals | undefined)[]): Literals | undefined {
  const texts = new Set<string>()
  let fold: boolean | undefined
  for (const set of sets) {
    if (!set) return undefined
    fold ??= set.fold
    if (set.fold !== fold) return undefined
    for (const text of set.texts) texts.add(text)
  }
  return texts.size > MAX_LITERALS ? undefined : { texts: [...texts], fold: fold ?? false }
}

/** Neighbours that are exact are multiplied out into longer texts; the best run is what the whole requires. */
function concatInfo(node: Re2Node): Info {
  let run = start
  let isExact = true
  let required: Literals | undefined
  for (const sub of childrenOf(node)) {
    // an assertion takes no text: what stands around it is still adjacent
    if (isAssertion(sub)) {
      isExact = false
      continue
    }
    const info = infoOf(sub)
    const longer = info.exact && multiply(run, info.exact)
    if (longer) {
      run = longer
      continue
    }
    isExact = false
    required = best(best(required, run), best(info.exact, info.required))
    run = info.exact ?? start
  }
  return isExact ? { exact: run, required: undefined } : { exact: undefined, required: best(required, run) }
}

function multiply(left: Literals, right: Literals): Literals | undefined {
  if (left.texts.length * right.texts.length > MAX_LITERALS) return undefined
  const isStart = left.texts.length === 1 && left.texts[0] === ''
  if (!isStart && left.fold !== right.fold) return undefined
  return { texts: left.texts.flatMap((head) => right.texts.map((tail) => head + tail)), fold: right.fold }
}

/** The set whose shortest text is longer; fewer texts when equal. Sets with an empty text say nothing. */
function best(left: Literals | undefined, right: Literals | undefined): Literals | undefined {
  if (!left || shortest(left) === 0) return right && shortest(right) > 0 ? right : undefined
  if (!right || shortest(right) === 0) return left
  const difference = shortest(left) - shortest(right) || right.texts.length - left.texts.length
  return difference >= 0 ? left : right
}

function shortest({ texts }: Literals): number {
  return texts.reduce((least, text) => Math.min(least, text.length), Infinity)
}
