import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textLayouts, TextLayouts, type ReadSample } from './text-layouts.ts'

const END = 8
const NUMBER = 1

/** Finds everything, and counts how often it is asked. */
function counting(): { readonly read: ReadSample; readonly asked: () => number } {
  let asked = 0
  const read: ReadSample = ({ size }) => {
    asked++
    return { fields: [{ name: 'all', start: 0, end: size }] }
  }
  return { read, asked: () => asked }
}

function layoutOf(layouts: TextLayouts, text: string, hash = 7): ReturnType<TextLayouts['of']> {
  const bytes = Buffer.from([...Buffer.from(text), NUMBER, END])
  return layouts.of(bytes, { start: 0, end: bytes.length, hash }, () => Uint16Array.of(3))
}

test('a text is learned once, and told from others with its hash', () => {
  const { read, asked } = counting()
  const layouts = new TextLayouts(read)
  const first = layoutOf(layouts, 'a=')
  assert.notEqual(layoutOf(layouts, 'b='), first)
  assert.equal(layoutOf(layouts, 'a='), first)
  assert.equal(asked(), 2)
})

test('very long texts are left to the parser', () => {
  const { read, asked } = counting()
  assert.equal(layoutOf(new TextLayouts(read), 'x'.repeat(20_000)), null)
  assert.equal(asked(), 0)
})

test('texts that all have one hash cost a few looks each, however many they are', () => {
  const { read, asked } = counting()
  const layouts = new TextLayouts(read)
  for (let round = 0; round < 2; round++) for (let i = 0; i < 5000; i++) layoutOf(layouts, `text ${i}`)
  assert.equal(asked(), 10_000 - 64, 'what did not find a place is learned each time')
})

test('a thread keeps few parsers, those that were asked last', () => {
  const { read } = counting()
  const first = textLayouts('test 0', () => read)
  for (let i = 1; i < 4; i++) textLayouts(`test ${i}`, () => read)
  assert.equal(
    textLayouts('test 0', () => read),
    first,
  )
  for (let i = 4; i < 8; i++) textLayouts(`test ${i}`, () => read)
  assert.notEqual(
    textLayouts('test 0', () => read),
    first,
  )
})
