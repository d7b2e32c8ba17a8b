/**
 * Fields of JSON and logfmt lines whose values tell lines apart. Words of messages stay in patterns as long as they do not vary
 * much; levels stay always; the values of all other fields are holes.
 */
const messageFields = [
  'msg',
  'message',
  'msg_',
  '_msg',
  'log',
  'content',
  'event',
  'err',
  'error',
  'Message',
  'Msg',
  '@message',
  'MESSAGE',
]
const levelFields = ['level', 'lvl', 'severity', 'LEVEL', 'Level', 'Severity', 'SEVERITY', 'severity_text', '@level']

export const OTHER_FIELD = 0
export const MESSAGE_FIELD = 1
export const LEVEL_FIELD = 2

export const HASH_SEED = 0x811c9dc5 | 0
export const HASH_PRIME = 0x01000193

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_SEED
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, HASH_PRIME)
  return hash
}

const SLOTS = 256
const hashes = new Int32Array(SLOTS)
const kinds = new Uint8Array(SLOTS)
for (const [names, kind] of [
  [messageFields, MESSAGE_FIELD],
  [levelFields, LEVEL_FIELD],
] as const) {
  for (const name of names) {
    const hash = hashBytes(Buffer.from(name), 0, Buffer.byteLength(name))
    let slot = slotOf(hash)
    while (kinds[slot] !== 0) slot = (slot + 1) % SLOTS
    hashes[slot] = hash
    kinds[slot] = kind
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (SLOTS - 1)
}

/** The kind of the field whose name has this {@link hashBytes}. */
export function fieldKind(hash: number): number {
  for (let slot = slotOf(hash); kinds[slot] !== 0; slot = (slot + 1) % SLOTS)
    if (hashes[slot] === hash) return kinds[slot]!
  return OTHER_FIELD
}
