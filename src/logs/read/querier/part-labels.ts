/** The labels that go to worker threads with the pages of a source. */
import { noCodedLabels, type CodedLabels } from '#/storage/index/coded-labels.ts'
import { setPositions } from '#/storage/index/label-index-builder.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'

/** All labels, which are kept for the next query, are not put together for fewer streams than one of so many. */
const FEW_STREAMS = 4

const known = new WeakMap<Uint8Array, CodedLabels>()

/** Names of labels of streams that a scan may look at; undefined: all. With 'none' it does not even know how many streams there are. */
export type WantedNames = ReadonlySet<string> | 'none' | undefined

/**
 * Labels of these names (undefined: all) of the streams that have a 1 in `streams` (undefined: all), and perhaps of others; made once
 * for these flags.
 */
export function partLabels(index: LabelIndex, streams: Uint8Array | undefined, names: WantedNames): CodedLabels {
  if (names === 'none') return noCodedLabels
  if (index.codedOf === undefined) return index.coded()
  if (names !== undefined) return index.codedOf({ names })
  if (streams === undefined) return index.coded()
  let labels = known.get(streams)
  if (labels === undefined) {
    const ordinals = setPositions(streams)
    const areFew = ordinals.length * FEW_STREAMS < index.count
    labels = areFew ? index.codedOf({ ordinals, keepsOrdinals: true }) : index.coded()
    known.set(streams, labels)
  }
  return labels
}
