import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { chooseMerge, type MergePolicy } from './choose-merge.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import { formatBlockKey } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

const policy: MergePolicy = { targetBytes: 1000, targetStoredBytes: 500, maxInputs: 8, settleMs: 600_000 }
const DAY = 20_000
const hour = (hours: number, minutes = 0): number => DAY * 86_400_000 + hours * 3_600_000 + minutes * 60_000
let ids = 0

function block(options: { level?: number; hour?: number; bytes?: number; stored?: number } = {}): BlockMeta {
  const { level = 0, hour: ofHour = 0, bytes = 100, stored = bytes / 10 } = options
  const times = { minTime: ofHour * 3_600e9, maxTime: ofHour * 3_600e9 + 60e9 }
  const name = { tenant: 'a', signal: 'logs', day: DAY, level, ...times, ulid: makeUlid(++ids, Buffer.alloc(10)) }
  const counts = { rowCount: 1, streamCount: 1, pageCount: 1, rawBytes: bytes, sizeBytes: stored }
  return { key: formatBlockKey(name), tenant: 'a', day: DAY, level, ...times, ...counts, source: undefined }
}

/** What is left when merges are made until there is none; how many bytes they wrote. */
function mergeAll(
  blocks: readonly BlockMeta[],
  nowMs: number,
): { readonly blocks: BlockMeta[]; readonly written: number } {
  let left = [...blocks]
  let written = 0
  for (let merges = 0; ; merges++) {
    assert.ok(merges < 1000, 'merges come to an end')
    const choice = chooseMerge(left, policy, nowMs)
    if (choice === undefined) return { blocks: left, written }
    assert.ok(choice.inputs.length >= 2 && choice.inputs.length <= policy.maxInputs)
    const { inputs, level } = choice
    left = left.filter((one) => !inputs.includes(one))
    for (let rest = sum(inputs); rest > 0; rest -= policy.targetBytes) {
      const last = Math.max(...inputs.map(({ maxTime }) => Math.floor(maxTime / 3_600e9)))
      left.push(block({ level, hour: last, bytes: Math.min(rest, policy.targetBytes) }))
    }
    written += sum(inputs)
  }
}

const sum = (blocks: readonly BlockMeta[]): number => blocks.reduce((total, { rawBytes }) => total + rawBytes, 0)

describe('which blocks are merged', () => {
  it('those of an hour when it is over and has settled', () => {
    const blocks = [block({ hour: 5 }), block({ hour: 5 }), block({ hour: 6 }), block({ hour: 6 })]
    assert.equal(chooseMerge(blocks, policy, hour(6, 9)), undefined)
    const choice = chooseMerge(blocks, policy, hour(6, 10))
    assert.deepEqual(choice, { inputs: blocks.slice(0, 2), level: 1, reason: 'hour' })
  })

  it('the oldest first, not more than allowed', () => {
    const blocks = Array.from({ length: 11 }, () => block({ bytes: 5000 })).toReversed()
    assert.deepEqual(chooseMerge(blocks, policy, hour(2))?.inputs, blocks.toReversed().slice(0, 8))
  })

  it('a block alone, and blocks of an hour that were merged, wait for the end of the day', () => {
    const blocks = [block(), block({ level: 1, hour: 1 }), block({ level: 1, hour: 2 })]
    assert.equal(chooseMerge(blocks, policy, hour(24, 9)), undefined)
    const choice = chooseMerge(blocks, policy, hour(24, 10))
    assert.deepEqual([choice?.inputs.length, choice?.level, choice?.reason], [3, 2, 'day'])
  })

  it('not full ones, raw or stored', () => {
    const blocks = [block({ level: 1, bytes: 500 }), block({ level: 1, stored: 250 }), block({ level: 1 })]
    assert.equal(chooseMerge(blocks, policy, hour(30)), undefined)
  })

  it('late ones only when it pays', () => {
    const old = block({ level: 2, bytes: 400 })
    assert.equal(chooseMerge([old, block({ bytes: 100 })], policy, hour(30)), undefined)
    assert.equal(chooseMerge([old, block({ bytes: 140 })], policy, hour(30))?.inputs.length, 2)
  })

  it('many small ones in any case, but not with a large one', () => {
    const blocks = [block({ level: 2, bytes: 499 }), ...Array.from({ length: 7 }, () => block({ level: 1, bytes: 1 }))]
    assert.equal(
      chooseMerge(
        blocks.slice(0, 7).map((one) => ({ ...one, level: 2 })),
        policy,
        hour(30),
      ),
      undefined,
    )
    const settledOnes = blocks.map((one) => ({ ...one, level: 2 }))
    assert.deepEqual(chooseMerge(settledOnes, policy, hour(30))?.inputs, settledOnes.slice(1), 'without the large one')
    assert.equal(chooseMerge(blocks.slice(1), policy, hour(3)), undefined, 'while the day is not over, more of them')
  })

  it('those with rows to be erased, when nothing else takes them', () => {
    const full = block({ level: 2, bytes: 900 })
    const choice = chooseMerge([full], policy, hour(1), (one) => one === full)
    assert.deepEqual(choice, { inputs: [full], level: 2, reason: 'erase' })
  })
})

describe('a day', () => {
  it('with little data ends as one block, each byte written twice more', () => {
    let [left, written]: [BlockMeta[], number] = [[], 0]
    for (let at = 0; at < 24; at++) {
      const merged = mergeAll(
        [...left, ...Array.from({ length: 6 }, () => block({ hour: at, bytes: 2 }))],
        hour(at + 1, 10),
      )
      left = merged.blocks
      written += merged.written
    }
    assert.ok(left.length <= 24, `${left.length} blocks at its end`)
    const merged = mergeAll(left, hour(24, 10))
    assert.ok(merged.blocks.length <= 2, `${merged.blocks.length} blocks`)
    assert.ok(written + merged.written <= 288 * 3.2, `${written + merged.written} of 288 bytes`)
  })

  it('with much data has full blocks, each byte written once more', () => {
    const blocks = Array.from({ length: 24 * 20 }, (_, i) => block({ hour: i % 24, bytes: 300 }))
    const { blocks: left, written } = mergeAll(blocks, hour(24, 10))
    assert.ok(left.length <= (2 * sum(blocks)) / policy.targetBytes + policy.maxInputs, `${left.length} blocks`)
    assert.ok(written <= 2 * sum(blocks), `${written} of ${sum(blocks)} bytes`)
  })

  it('to which a little is added for long keeps few blocks, and little is written again', () => {
    let left = mergeAll([block({ level: 1, bytes: 450 }), block({ level: 1, bytes: 30 })], hour(30)).blocks
    let written = 0
    for (let i = 0; i < 400; i++) {
      const merged = mergeAll([...left, block({ hour: 5, bytes: 3 })], hour(30 + i))
      left = merged.blocks
      written += merged.written
      assert.ok(left.length < policy.maxInputs + 4, `${left.length} blocks`)
    }
    assert.ok(written <= 5 * 1200, `${written} bytes for 1200 that came`)
  })
})
