/** Copies plain data out of memory that it shares with others, and says how much it holds: what a cache keeps is its own. */

/** What V8 needs for an object, an array or a string beside what is in it; an estimate. */
const OBJECT_BYTES = 40
const VIEW_BYTES = 160
const SLOT_BYTES = 8

export type OwnCopy<T> = { readonly copy: T; readonly bytes: number }

/** `value` is a tree of arrays, objects, texts, numbers and typed arrays. */
export function ownCopy<T>(value: T): OwnCopy<T> {
  if (typeof value === 'string') return { copy: value, bytes: OBJECT_BYTES + value.length }
  if (typeof value !== 'object' || value === null) return { copy: value, bytes: SLOT_BYTES }
  if (ArrayBuffer.isView(value)) {
    const copy = (value as unknown as Uint8Array).slice()
    return { copy: copy as T, bytes: VIEW_BYTES + copy.byteLength }
  }
  let bytes = OBJECT_BYTES
  const copyOf = (member: unknown): unknown => {
    const own = ownCopy(member)
    bytes += SLOT_BYTES + own.bytes
    return own.copy
  }
  const copy = Array.isArray(value)
    ? value.map(copyOf)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)]))
  return { copy: copy as T, bytes }
}
