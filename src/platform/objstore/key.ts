/** Which names an object may have: such that no key can leave the store's root, on any file system and in any bucket. */
import { BadRequest } from '#/kernel/errors.ts'

export const keyMaxBytes = 1024
/** The longest file name of common file systems. */
const partMaxBytes = 255
/** Where the filesystem store keeps what is being written. No tenant id has a `~`, so no tenant can have this name. */
export const tempDirName = '.~tmp'

/** @throws BadRequest when `key` is not a valid key. */
export function checkKey(key: string): void {
  if (key === '') throw new BadRequest('object key is empty')
  if (Buffer.byteLength(key) > keyMaxBytes) {
    throw new BadRequest(`object key of ${Buffer.byteLength(key)} bytes exceeds the limit of ${keyMaxBytes}`)
  }
  const parts = key.split('/')
  for (const part of parts) checkPart(key, part)
  if (parts[0] === tempDirName) throw new BadRequest(`object key '${key}' begins with the reserved name ${tempDirName}`)
}

/** Splits a list prefix into the directory (with its `/`, or empty) and the start of a name. @throws BadRequest. */
export function splitPrefix(prefix: string): { readonly dir: string; readonly start: string } {
  const dir = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (dir !== '') checkKey(dir.slice(0, -1))
  return { dir, start: prefix.slice(dir.length) }
}

function checkPart(key: string, part: string): void {
  const bad = part === '' || part === '.' || part === '..'
  if (bad) throw new BadRequest(`object key '${key}' has the part '${part}'`)
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\u0000-\u001f\u007f\\]/.test(part))
    throw new BadRequest(`object key ${JSON.stringify(key)} has an unsafe character`)
  if (Buffer.byteLength(part) > partMaxBytes) {
    throw new BadRequest(`object key has a part of ${Buffer.byteLength(part)} bytes, the limit is ${partMaxBytes}`)
  }
}

/** Order of the UTF-8 bytes, in which stores list. JavaScript's own order differs beyond the basic plane. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0
  // eslint-disable-next-line no-control-regex -- plain ASCII, where both orders are the same
  const plain = /^[\u0000-\u007f]*$/
  if (plain.test(a) && plain.test(b)) return a < b ? -1 : 1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
