/**
 * The section `words`: what a reader holds of the filters in memory. Stored as bytes that are sealed as a whole:
 *
 *     pages uvarint · groups uvarint · probes u8
 *     per page: bytes of its slice packed-u32 · flags packed-u32 · lengths 0 to 31 packed-u32 · lengths 32 to 63 packed-u32
 *     words uvarint · bytes of their text uvarint · text: 0x0a before each word and at the end · per word a bit for each page
 */
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { MAX_GROUPS, MAX_PROBES, MAX_SLICE_BYTES, groupBytesOf } from './bloom.ts'
import type { BloomShape } from './bloom.ts'
import type { BlockWords } from './block-words.ts'
import { FLAG_UNFILTERED } from './page-facts.ts'
import type { PageFacts } from './page-facts.ts'
import { MAX_WORDS, MAX_WORDS_BYTES } from './scan-memory.ts'
import { ENCODING_BYTES } from '#/storage/column/encoding.ts'
import { decodePackedU32, encodePackedU32 } from '#/storage/column/packed-u32.ts'
import { sealColumn, unsealColumn } from '#/storage/column/sealed.ts'

/** Stands before and behind each word, and in none. */
export const WORD_SEPARATOR = 0x0a

/** The section as it is read. */
export type FilterWords = {
  readonly shape: BloomShape
  readonly flags: Uint32Array
  readonly lowLengths: Uint32Array
  readonly highLengths: Uint32Array
  /** Every word with a separator on both sides. */
  readonly text: Buffer
  /** Position in `text` of the separator before each word. */
  readonly wordStarts: Uint32Array
  /** For each word a row of `rowBytes` with a bit per page. */
  readonly bits: Uint8Array
  readonly rowBytes: number
}

export function encodeWords(
  shape: BloomShape,
  facts: readonly PageFacts[],
  words: Pick<BlockWords, 'count' | 'texts' | 'pageBits'>,
): Uint8Array {
  const out = new ByteWriter(64 * 1024)
  out.uvarint(facts.length)
  out.uvarint(shape.groups)
  out.u8(shape.probes)
  encodePackedU32(shape.sliceBytes, out)
  for (const fact of ['flags', 'lowLengths', 'highLengths'] as const) {
    encodePackedU32(
      Uint32Array.from(facts, (page) => page[fact]),
      out,
    )
  }
  const text = words.texts(WORD_SEPARATOR)
  out.uvarint(words.count)
  out.uvarint(text.length)
  out.bytes(text)
  out.bytes(words.pageBits(rowBytesOf(facts.length)))
  const { encoding, bytes } = sealColumn(ENCODING_BYTES, out.written)
  const section = new Uint8Array(bytes.length + 1)
  section[0] = encoding
  section.set(bytes, 1)
  return section
}

/** What must fit: the pages of the block and the size of its section `bloom`. */
export type ExpectedFilter = { readonly pageCount: number; readonly bloomBytes: number }

/** @throws Corruption at `origin`. The checksum has been verified. */
export function decodeWords(
  section: Uint8Array,
  origin: ByteOrigin,
  { pageCount, bloomBytes }: ExpectedFilter,
): FilterWords {
  const raw = unsealColumn(section[0] ?? 0, section.subarray(1), origin)
  const reader = new ByteReader(raw, origin)
  const pages = reader.uvarint()
  if (pages !== pageCount) throw reader.corruption(`filters of ${pages} pages in a block of ${pageCount}`)
  const groups = reader.count(MAX_GROUPS, 'groups')
  const probes = reader.u8()
  if (groups === 0) throw reader.corruption('filters without a group')
  if (probes === 0 || probes > MAX_PROBES) throw reader.corruption(`${probes} probes, 1 to ${MAX_PROBES} are known`)
  const sliceBytes = decodePackedU32(reader, pages)
  for (const size of sliceBytes) {
    if (size > MAX_SLICE_BYTES) throw reader.corruption(`a slice of ${size} bytes exceeds ${MAX_SLICE_BYTES}`)
  }
  const shape = { groups, probes, sliceBytes }
  const expected = groups * groupBytesOf(shape)
  if (expected !== bloomBytes)
    throw reader.corruption(`bloom filters of ${expected} bytes in a section of ${bloomBytes}`)
  const [flags, lowLengths, highLengths] = [0, 1, 2].map(() => decodePackedU32(reader, pages)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  const words = reader.count(MAX_WORDS, 'words')
  const text = ownCopy(reader.bytes(reader.count(MAX_WORDS_BYTES + MAX_WORDS + 1, 'bytes of words')))
  const rowBytes = rowBytesOf(pages)
  const bits = ownCopy(reader.bytes(words * rowBytes))
  reader.end()
  const wordStarts = startsOf(text, words, reader)
  return { shape, flags, lowLengths, highLengths, text, wordStarts, bits, rowBytes }
}

/** For people. */
export type FilterSummary = {
  readonly words: number
  /** A text is looked up by a read of so many bytes. */
  readonly groupBytes: number
  /** Pages with more keys than a filter takes. */
  readonly unfilteredPages: number
}

export function summarizeWords({ shape, flags, wordStarts }: FilterWords): FilterSummary {
  const unfilteredPages = flags.filter((pageFlags) => (pageFlags & FLAG_UNFILTERED) !== 0).length
  return { words: wordStarts.length, groupBytes: groupBytesOf(shape), unfilteredPages }
}

/** Bytes that hold one bit per page. */
function rowBytesOf(pageCount: number): number {
  return (pageCount + 7) >>> 3
}

/** Not a part of what was decompressed, which would stay as a whole. */
function ownCopy(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

function startsOf(text: Buffer, words: number, reader: ByteReader): Uint32Array {
  const starts = new Uint32Array(words)
  let at = 0
  for (let word = 0; word < words; word++) {
    if (text[at] !== WORD_SEPARATOR) throw reader.corruption(`word ${word} begins where no word does`)
    starts[word] = at
    at = text.indexOf(WORD_SEPARATOR, at + 1)
    if (at < 0) throw reader.corruption(`there are ${word} words of ${words}`)
  }
  if (at !== text.length - 1 || text[at] !== WORD_SEPARATOR)
    throw reader.corruption('the words do not end with a separator')
  return starts
}
