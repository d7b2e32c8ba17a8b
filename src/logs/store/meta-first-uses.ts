/** Which names the metadata of a head's page has, found in one pass over bytes that are looked at once, however often they are asked for. */
import type { HeadPageColumns } from './log-page.ts'
import { MetaCursor } from './meta-cursor.ts'

/** The first use of a name that no row has. */
export const NEVER_USED = 0xffff_ffff

type Scan = { readonly cursor: MetaCursor; firstUses: Uint32Array; scannedTo: number }

/** By the bytes that a page writes to: a page that grew or is used again has others. */
const scans = new WeakMap<Uint8Array, Scan>()

/** For each of `metaNames` where in `meta` the first value of that name ends, {@link NEVER_USED} where no row so far has it. */
export function firstUsesOf({ meta, metaStart, metaNames, rowCount }: HeadPageColumns): Uint32Array {
  let scan = scans.get(meta)
  if (scan === undefined) {
    scan = { cursor: new MetaCursor(meta), firstUses: new Uint32Array(0), scannedTo: 0 }
    scans.set(meta, scan)
  }
  if (scan.firstUses.length < metaNames.length) {
    const grown = new Uint32Array(metaNames.length).fill(NEVER_USED)
    grown.set(scan.firstUses)
    scan.firstUses = grown
  }
  const end = metaStart[rowCount]!
  const { cursor, firstUses } = scan
  if (end > scan.scannedTo) {
    cursor.seek(scan.scannedTo, end)
    while (cursor.next()) if (firstUses[cursor.name] === NEVER_USED) firstUses[cursor.name] = cursor.valueEnd
    scan.scannedTo = end
  }
  return firstUses
}
