import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chanceOf } from './fixture/check-probes.ts'
import { ReadCounter, encodePages, openEncoded, pagesOf } from './fixture/filter-pages.ts'
import type { PlainPage } from './fixture/filter-pages.ts'
import type { PageCondition } from './filter.ts'
import { MAX_WORDS, MAX_WORD_BYTES } from './scan-memory.ts'
import { Corruption } from '#/kernel/errors.ts'

const page = (...lines: readonly string[]): PlainPage => ({ lines: lines.map((line) => Buffer.from(line)) })
const text = (wanted: string, anyCase = false): PageCondition => ({ kind: 'text', text: wanted, anyCase })

async function find(pages: readonly PlainPage[], condition: PageCondition): Promise<number[]> {
  const filter = await openEncoded(encodePages(pages), pages.length)
  return pagesOf(await filter.pagesWith(condition), pages.length)
}

/** Distinct ids of `digits` hexadecimal digits. */
function ids(seed: number, count: number, digits: number): string[] {
  const below = chanceOf(seed)
  return Array.from({ length: count }, () => Array.from({ length: digits }, () => below(16).toString(16)).join(''))
}

test('words are found by whole and by part', async () => {
  const pages = [page('an Error occurred'), page('all good', 'no errors'), page('nothing_here')]
  assert.deepEqual(await find(pages, text('error')), [0, 1])
  assert.deepEqual(await find(pages, text(' error ')), [0])
  assert.deepEqual(await find(pages, text('rro')), [0, 1])
  assert.deepEqual(await find(pages, text('errors')), [1])
  assert.deepEqual(await find(pages, text('rror ')), [0])
  assert.deepEqual(await find(pages, text(' erro')), [0, 1])
  assert.deepEqual(await find(pages, text('quasar')), [])
  assert.deepEqual(await find(pages, text('hing_he')), [2])
  assert.deepEqual(await find(pages, text('all good')), [1])
  assert.deepEqual(await find(pages, text('good errors')), [1])
  assert.deepEqual(await find(pages, text('')), [0, 1, 2])
  assert.deepEqual(await find(pages, text(' = ')), [0, 1, 2])
})

test('a token does not go on from one line to the next', async () => {
  assert.deepEqual(await find([page('time', 'out'), page('timeout')], text('timeout')), [1])
})

test('ids are found by whole, by beginning and by end; where no token is longer also without separators', async () => {
  const [a, b] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7c7d1e1f3a2b4c6d8']
  const pages = [page(`trace=${a} x`), page(`trace=${b}`), page('v2 is up 12345678')]
  assert.deepEqual(await find(pages, text(a)), [0])
  assert.deepEqual(await find(pages, text(`=${a} `)), [0])
  assert.deepEqual(await find(pages, text(`=${b.slice(0, 10)}`)), [1])
  assert.deepEqual(await find(pages, text(`${b.slice(-9)} `)), [1])
  assert.deepEqual(await find(pages, text(a.toUpperCase(), true)), [0])
  assert.deepEqual(await find(pages, text(ids(1, 1, 32)[0]!)), [])
  // inside of an id: what is longer may hold it
  assert.deepEqual(await find(pages, text(a.slice(4, 20))), [0, 1])
  assert.deepEqual(await find(pages, text('12345678')), [0, 1, 2])
  assert.deepEqual(await find(pages, text(' 12345678')), [2])
  assert.deepEqual(await find(pages, text(' 123456')), [0, 1, 2])
})

test('letters that no id has are not looked for in ids', async () => {
  const pages = [page(...ids(2, 50, 32)), page('the quasar5 is bright'), page('a quasar')]
  assert.deepEqual(await find(pages, text('quasar')), [1, 2])
  assert.deepEqual(await find(pages, text('uasar5')), [1])
  // letters that ids have may be anywhere in a longer token
  assert.deepEqual(await find(pages, text('dead')), [0, 1])
})

test('in any case, two runes beyond ASCII are letters too', async () => {
  const pages = [page('stock'), page('ſtoc\u212a'), page('other ÅÄÖ')]
  assert.deepEqual(await find(pages, text('STOCK', true)), [0, 1])
  assert.deepEqual(await find(pages, text('ſtoc\u212a', true)), [0, 1])
  assert.deepEqual(await find(pages, text('stock')), [0])
  assert.deepEqual(await find(pages, text('toc', true)), [0, 1])
  assert.deepEqual(await find(pages, text('åäö other', true)), [2])
})

test('values of structured metadata are found by name and value', async () => {
  const pages: PlainPage[] = ids(3, 6, 32).map((id, i) => ({
    lines: [],
    values: { trace_id: [id, 'same'], level: [i % 2 === 0 ? 'info' : 'error', ''] },
  }))
  const value = (name: string, wanted: string): PageCondition => ({ kind: 'value', name, value: wanted })
  const [first, second] = ids(3, 2, 32) as [string, string]
  assert.deepEqual(await find(pages, value('trace_id', first)), [0])
  assert.deepEqual(await find(pages, value('span_id', first)), [])
  assert.deepEqual(await find(pages, value('trace_id', 'same')), [0, 1, 2, 3, 4, 5])
  assert.deepEqual(await find(pages, value('level', 'error')), [1, 3, 5])
  assert.deepEqual(await find(pages, value('level', 'Error')), [])
  // what was no UTF-8 may have become this
  assert.deepEqual(await find(pages, value('level', 'a\ufffd')), [0, 1, 2, 3, 4, 5])
  const both = [value('level', 'error'), value('trace_id', second)]
  assert.deepEqual(await find(pages, { kind: 'all', of: both }), [1])
  assert.deepEqual(
    await find(pages, { kind: 'any', of: [value('trace_id', first), value('trace_id', second)] }),
    [0, 1],
  )
  assert.deepEqual(await find(pages, { kind: 'any', of: [] }), [])
  assert.deepEqual(await find(pages, { kind: 'all', of: [] }), [0, 1, 2, 3, 4, 5])
})

test('words beyond the limits of the table are kept with the ids', async () => {
  const below = chanceOf(4)
  const many = Array.from({ length: MAX_WORDS + 2000 }, () =>
    Array.from({ length: 10 }, () => 'ghijklmnopqrstuvwxyz'[below(20)]).join(''),
  )
  const long = 'q'.repeat(MAX_WORD_BYTES + 1)
  const pages = [page('early'), page(`a ${many.join(' ')} z`), page('late_comer', `end ${long}`), page('early 12 bird')]
  for (const one of [0, 1, 500, many.length - 1]) {
    assert.ok((await find(pages, text(many[one]!))).includes(1))
    assert.ok((await find(pages, text(many[one]!.slice(2, 7)))).includes(1))
  }
  assert.deepEqual(await find(pages, text('late_comer')), [2])
  assert.deepEqual(await find(pages, text(long)), [2])
  assert.deepEqual(await find(pages, text(`end ${long}`)), [2])
  assert.deepEqual(await find(pages, text(` ${many.at(-1)!}`)), [1])
  assert.deepEqual(await find(pages, text(long.slice(3))), [2])
  assert.deepEqual(await find(pages, text('early')), [0, 1, 3])
  // page 1 has more grams than are kept, so that parts of its longer tokens are not known
  assert.deepEqual(await find(pages, text('ate_com')), [1, 2])
})

test('a page with more ids than a filter takes is never left out', async () => {
  const pages = [page(...ids(5, 70_000, 20)), page('id 123456')]
  assert.deepEqual(await find(pages, text('no such word')), [0])
  assert.deepEqual(await find(pages, text(' 123456')), [0, 1])
})

test('texts that hash alike cost a limited number of steps', async () => {
  // the low words of these keys are alike, the others differ by multiples of 2^24
  const lines = Array.from(
    { length: 200 },
    (_, i) => `${String.fromCharCode(97 + (i % 26), 97 + ((i / 26) | 0))}0000001`,
  )
  assert.deepEqual(await find([page(...lines)], text(` ${lines[7]!}`)), [0])
})

test('a question reads a few kilobytes', async () => {
  const pages = Array.from({ length: 10 }, (_, i) => page(...ids(10 + i, 4000, 32)))
  const counter = new ReadCounter()
  const encoded = encodePages(pages)
  const filter = await openEncoded(encoded, pages.length, counter)
  const absent = await filter.pagesWith(text('e1b7c3d4-0f3a-4a5b-9c8d-1a2b3c4d5e6f'))
  assert.ok(pagesOf(absent, 10).length <= 1)
  assert.ok(counter.reads <= 2, `${counter.reads} reads`)
  assert.ok(counter.bytes <= encoded.bloom.length / 4, `${counter.bytes} of ${encoded.bloom.length} bytes`)
  counter.reads = 0
  await filter.pagesWith(text('quasar'))
  assert.ok(counter.reads <= 1)
  assert.ok(filter.memoryBytes < 64 * 1024)
})

test('a flipped byte is found when it is read', async () => {
  const pages = [page('one 12345678', 'two'), page('three 87654321')]
  const good = encodePages(pages)
  const wanted: PageCondition = { kind: 'text', text: ' 12345678', anyCase: false }
  assert.deepEqual(pagesOf(await (await openEncoded(good, 2)).pagesWith(wanted), 2), [0])
  for (let at = 0; at < good.bloom.length; at++) {
    const bloom = Uint8Array.from(good.bloom)
    bloom[at]! ^= 1 << (at & 7)
    const filter = await openEncoded({ words: good.words, bloom }, 2)
    await assert.rejects(filter.pagesWith(wanted), Corruption)
  }
})

test('words that are not what was written are refused, even with a checksum that matches', async () => {
  const pages = [page('one 12345678', 'two'), page('three 87654321')]
  const good = encodePages(pages)
  for (let at = 0; at < good.words.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const words = Uint8Array.from(good.words)
      words[at]! ^= 1 << bit
      try {
        await (await openEncoded({ words, bloom: good.bloom }, 2)).pagesWith(text('tw'))
      } catch (error) {
        assert.ok(error instanceof Corruption, String(error))
      }
    }
  }
  await assert.rejects(openEncoded(good, 3), Corruption)
  await assert.rejects(openEncoded({ words: good.words, bloom: good.bloom.subarray(1) }, 2), Corruption)
  await assert.rejects(openEncoded({ words: good.words.subarray(0, 9), bloom: good.bloom }, 2), Corruption)
})

test('filters of an unknown version, or half of them, are none', async () => {
  const { openBlockFilter } = await import('./open-filter.ts')
  const section = { version: 1, offset: 0, sizeBytes: 0, crc32: 0 }
  const source = { pageCount: 1, read: () => Promise.reject(new Error('read')), file: 'block' }
  assert.equal(await openBlockFilter({ words: section, bloom: undefined }, source), undefined)
  assert.equal(await openBlockFilter({ words: undefined, bloom: section }, source), undefined)
  assert.equal(await openBlockFilter({ words: { ...section, version: 2 }, bloom: section }, source), undefined)
})
