/**
 * Upper bounds for the totals of any number of keys, in memory of one size: keys fall into buckets by hash, and a bucket has the rows
 * of all its keys. Keys of wanted buckets are counted one by one instead. Whoever looks for the keys with the most rows wants those
 * that seem to be among them, and knows by the other buckets that nothing was missed (see #/logs/read/querier/heavy-keys.ts).
 *
 * Jobs that run at the same time count in memory of their own. A job that fails and is run again counts twice: bounds are too high
 * then, never too low.
 */
const BUCKET_BITS = 16
export const SKETCH_BUCKETS = 2 ** BUCKET_BITS
const BITMAP_BYTES = SKETCH_BUCKETS / 8

export type KeySketch = {
  /** A bit for each bucket, low bits first: set when its keys are to be counted one by one. */
  readonly wanted: Uint8Array<SharedArrayBuffer>
  /** The rows of buckets that are not wanted. Undefined when these are not asked for. */
  readonly rows: Uint32Array<SharedArrayBuffer> | undefined
}

/** Memory for so many jobs at the same time. */
export function sketchBytes(jobs: number): number {
  return BITMAP_BYTES + jobs * SKETCH_BUCKETS * 4
}

/** In `memory` of {@link sketchBytes}, one for each job: no bucket is wanted, and all are empty. They share what is wanted. */
export function emptySketches(memory: SharedArrayBuffer, jobs: number): readonly KeySketch[] {
  const wanted = new Uint8Array(memory, 0, BITMAP_BYTES).fill(0)
  return Array.from({ length: jobs }, (_, job) => {
    const rows = new Uint32Array(memory, BITMAP_BYTES + job * SKETCH_BUCKETS * 4, SKETCH_BUCKETS).fill(0)
    return { wanted, rows }
  })
}

/** The bucket of a key with this hash (see `hashOfKey`). */
export function sketchBucket(hash: number): number {
  return hash >>> (32 - BUCKET_BITS)
}

export function isWanted(wanted: Uint8Array, bucket: number): boolean {
  return ((wanted[bucket >>> 3]! >>> (bucket & 7)) & 1) === 1
}
