/** Opens a block: its end in one read, and one more when the index is larger than that. */
import { decodeFooter, decodeTrailer, hex } from './footer.ts'
import type { Footer, Section } from './footer.ts'
import {
  BLOCK_MAGIC,
  RUNS_VERSION,
  SECTION_LABELS,
  SECTION_PAGES,
  SECTION_RUNS,
  SECTION_VERSION,
  TAIL_BYTES,
  TRAILER_BYTES,
  sectionName,
} from './format.ts'
import { decodePageDirectory } from './page-directory.ts'
import { openRunTable } from './run-table.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { crc32 } from '#/kernel/crc32.ts'
import { Corruption } from '#/kernel/errors.ts'
import type { KeptParts } from '#/platform/memory/kept-parts.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockPage, StreamRuns } from '#/storage/block/contents.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export type BlockObject = { readonly store: ObjectStore; readonly key: string; readonly sizeBytes: number }

/** What the footer tells, and the bytes that were read with it: `[offset, sizeBytes)` of the object. */
export type BlockTail = {
  readonly footer: Footer
  readonly meta: BlockMeta
  readonly bytes: Buffer
  readonly offset: number
}

export type OpenedBlock = {
  readonly meta: BlockMeta
  readonly sections: readonly Section[]
  readonly pages: readonly BlockPage[]
  readonly runs: StreamRuns
  /** Bytes of memory of these, without what `parts` keep. */
  readonly runBytes: number
  /** An encoded label index, checksum verified. */
  readonly labels: { readonly bytes: Buffer; readonly origin: ByteOrigin }
}

/** @throws Corruption naming the key when the end is not that of a block. */
export async function readTail(object: BlockObject, signal: AbortSignal | undefined): Promise<BlockTail> {
  const { store, key, sizeBytes } = object
  if (sizeBytes < TRAILER_BYTES + BLOCK_MAGIC.length) {
    throw new Corruption({ file: key, offset: 0 }, `${sizeBytes} bytes are too few for a block`)
  }
  let offset = Math.max(0, sizeBytes - TAIL_BYTES)
  let bytes = Buffer.allocUnsafeSlow(sizeBytes - offset)
  await store.readInto(key, offset, bytes, signal)
  const trailerOffset = sizeBytes - TRAILER_BYTES
  const trailer = decodeTrailer(bytes.subarray(-TRAILER_BYTES), { file: key, offset: trailerOffset }, sizeBytes)
  const footerOffset = trailerOffset - trailer.footerBytes
  if (footerOffset < offset) {
    bytes = await readBefore(object, { from: footerOffset, known: bytes, knownFrom: offset }, signal)
    offset = footerOffset
  }
  const footerBytes = bytes.subarray(footerOffset - offset, trailerOffset - offset)
  const footer = decodeFooter(footerBytes, { file: key, offset: footerOffset }, trailer)
  return { footer, meta: { ...footer.meta, key, sizeBytes }, bytes, offset }
}

export type OpenOptions = {
  /** Keeps what is decoded of the index; by default as long as the block is open. */
  readonly parts?: KeptParts | undefined
  readonly signal?: AbortSignal | undefined
}

/** Reads the index, and decodes the part of it that every question needs. */
export async function readIndex(
  object: BlockObject,
  tail: BlockTail,
  { parts, signal }: OpenOptions,
): Promise<OpenedBlock> {
  const { footer, meta } = tail
  const needed = [SECTION_LABELS, SECTION_PAGES, SECTION_RUNS].map((type) => findSection(footer, type, object.key))
  const from = Math.min(...needed.map((section) => section.offset))
  const held =
    from >= tail.offset
      ? { bytes: tail.bytes, offset: tail.offset }
      : { bytes: await readBefore(object, { from, known: tail.bytes, knownFrom: tail.offset }, signal), offset: from }
  const [labels, pagesPart, runsPart] = needed.map((section) => sliceSection(held, section, object.key)) as [
    SectionBytes,
    SectionBytes,
    SectionBytes,
  ]
  const pages = decodePageDirectory(pagesPart.bytes, pagesPart.origin, { start: BLOCK_MAGIC.length, end: from })
  const { version } = needed[2]!
  // copies, so that the index does not keep everything else that was read with it
  const ownRuns = Buffer.from(runsPart.bytes)
  const runs = openRunTable(ownRuns, runsPart.origin, { version, pages, streamCount: meta.streamCount, parts })
  const ownLabels = { bytes: Buffer.from(labels.bytes), origin: labels.origin }
  return { meta, sections: footer.sections, pages, runs, labels: ownLabels, runBytes: ownRuns.length }
}

type SectionBytes = { readonly bytes: Buffer; readonly origin: ByteOrigin }

function findSection(footer: Footer, type: number, key: string): Section {
  const lastVersion = type === SECTION_RUNS ? RUNS_VERSION : SECTION_VERSION
  const section = footer.sections.find(
    (candidate) => candidate.type === type && candidate.version >= SECTION_VERSION && candidate.version <= lastVersion,
  )
  if (section !== undefined) return section
  const other = footer.sections.find((candidate) => candidate.type === type)
  const what = other === undefined ? 'is missing' : `has version ${other.version}, ${lastVersion} is known`
  throw new Corruption({ file: key, offset: other?.offset ?? 0 }, `section ${sectionName(type)} ${what}`)
}

function sliceSection(
  held: { readonly bytes: Buffer; readonly offset: number },
  section: Section,
  key: string,
): SectionBytes {
  const start = section.offset - held.offset
  const bytes = held.bytes.subarray(start, start + section.sizeBytes)
  checkSection(bytes, section, key)
  return { bytes, origin: { file: key, offset: section.offset } }
}

/** @throws Corruption when `bytes` are not those of the section. */
export function checkSection(bytes: Uint8Array, section: Section, key: string): void {
  const found = crc32(bytes)
  if (found === section.crc32) return
  throw new Corruption(
    { file: key, offset: section.offset },
    `checksum of section ${sectionName(section.type)} is ${hex(found)}, expected ${hex(section.crc32)}`,
  )
}

/** `[from, end)` of the object, of which `known` is the end. */
async function readBefore(
  { store, key }: BlockObject,
  { from, known, knownFrom }: { readonly from: number; readonly known: Buffer; readonly knownFrom: number },
  signal: AbortSignal | undefined,
): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.allocUnsafeSlow(knownFrom - from + known.length)
  await store.readInto(key, from, bytes.subarray(0, knownFrom - from), signal)
  known.copy(bytes, knownFrom - from)
  return bytes
}
