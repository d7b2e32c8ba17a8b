import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operate, operateScalars } from './operators.ts'
import { operateWithScalar } from './scalar-operation.ts'
import { setOf, textOf } from './set-fixture.ts'
import { combineSets, operateOnSets, type Matching, type VectorOperation } from './vector-matching.ts'

type Rows = Readonly<Record<string, string>>
const on = (labels: string[], group?: Matching['group']): Matching => ({ kind: 'on', labels, group })
const ignoring = (labels: string[], group?: Matching['group']): Matching => ({ kind: 'ignoring', labels, group })
const join = (left: Rows, right: Rows, options: Partial<VectorOperation> = {}) =>
  textOf(operateOnSets(setOf(left), setOf(right), { op: '+', returnBool: false, matching: undefined, ...options }))

test('division by zero is NaN, not infinity, and the remainder has the sign of the dividend', () => {
  assert(Number.isNaN(operateScalars('/', 1, 0)))
  assert(Number.isNaN(operateScalars('%', 1, 0)))
  assert.equal(operateScalars('%', -7, 3), -1)
  assert.equal(operateScalars('%', 5.5, 2), 1.5)
  assert.equal(operateScalars('^', 2, 0.5), Math.SQRT2)
  assert.equal(operateScalars('^', 1, NaN), 1)
  assert.equal(operateScalars('^', -1, Infinity), 1)
  assert.equal(operateScalars('>', 1, 2), 0)
  assert.equal(operateScalars('<=', 2, 2), 1)
  assert.equal(operate('!=', [NaN, NaN], { returnBool: false, kept: 7 }), 7)
})

test('a number meets each sample; comparisons keep the value of the series on either side', () => {
  const set = setOf({ 'a=1': '1 2 3' })
  const run = (op: '-' | '>' | '<' | '/', scalarSide: 'left' | 'right', returnBool = false) =>
    textOf(operateWithScalar(set, { op, scalar: 2, scalarSide, returnBool }))
  assert.deepEqual(run('-', 'right'), { 'a=1': '-1 0 1' })
  assert.deepEqual(run('-', 'left'), { 'a=1': '1 0 -1' })
  assert.deepEqual(run('>', 'right'), { 'a=1': '_ _ 3' })
  assert.deepEqual(run('>', 'left'), { 'a=1': '1 _ _' })
  assert.deepEqual(run('>', 'right', true), { 'a=1': '0 0 1' })
  assert.deepEqual(textOf(operateWithScalar(set, { op: '>', scalar: 9, scalarSide: 'right', returnBool: false })), {})
})

test('samples match on all labels, and without a partner they are dropped', () => {
  const left = { 'a=1': '1 2', 'a=2': '3 _' }
  assert.deepEqual(join(left, { 'a=1': '10 _', 'a=3': '5 5' }), { 'a=1': '11 _' })
  assert.deepEqual(join(left, { 'a=1': '0 5', 'a=2': '9 9' }, { op: '>' }), { 'a=1': '1 _' })
  assert.deepEqual(join(left, { 'a=1': '0 5', 'a=2': '9 9' }, { op: '>', returnBool: true }), {
    'a=1': '1 0',
    'a=2': '0 _',
  })
})

test('on and ignoring choose the labels that match and that remain', () => {
  assert.deepEqual(join({ 'a=1 b=x': '1' }, { 'a=1 b=y': '2' }, { matching: on(['a']) }), { 'a=1': '3' })
  assert.deepEqual(join({ 'a=1 b=x': '1' }, { 'a=1 b=y': '2' }, { matching: ignoring(['b']) }), { 'a=1': '3' })
  assert.deepEqual(join({ 'a=1 b=x': '1' }, { 'a=2 b=x': '2' }, { matching: on(['a']) }), {})
})

test('many to one must be asked for', () => {
  const many = { 'a=1 b=x': '1', 'a=1 b=y': '2' }
  const one = { 'a=1 c=z': '10' }
  assert.throws(
    () => join(many, one, { matching: on(['a']) }),
    /multiple matches for labels: many-to-one matching must be explicit \(group_left\/group_right\)/,
  )
  assert.deepEqual(join(many, one, { matching: on(['a'], { side: 'left', include: ['c'] }) }), {
    'a=1 b=x c=z': '11',
    'a=1 b=y c=z': '12',
  })
  assert.deepEqual(join(one, many, { op: '-', matching: on(['a'], { side: 'right', include: [] }) }), {
    'a=1 b=x': '9',
    'a=1 b=y': '8',
  })
  assert.deepEqual(join(one, many, { op: '>', matching: on(['a'], { side: 'right', include: [] }) }), {
    'a=1 b=x': '10',
    'a=1 b=y': '10',
  })
  assert.deepEqual(
    join({ 'a=1 c=old': '1' }, { 'a=1': '1' }, { matching: on(['a'], { side: 'left', include: ['c'] }) }),
    { 'a=1': '2' },
  )
})

test('the one side must be unique, at each step', () => {
  const twice = { 'a=1 b=x': '1 _', 'a=1 b=y': '2 _' }
  assert.throws(
    () => join({ 'a=1': '1 1' }, twice, { matching: on(['a']) }),
    /found duplicate series on the right hand-side;many-to-many matching not allowed: matching labels must be unique on one side/,
  )
  assert.throws(
    () => join(twice, { 'a=1': '1 1' }, { matching: on(['a'], { side: 'right', include: [] }) }),
    /duplicate series on the left hand-side/,
  )
  assert.deepEqual(join({ 'a=1': '1 1' }, { 'a=1 b=x': '1 _', 'a=1 b=y': '_ 2' }, { matching: on(['a']) }), {
    'a=1': '2 3',
  })
  assert.throws(
    () =>
      join(
        { 'a=1 b=x': '1', 'a=1 b=y': '2' },
        { 'a=1 b=z': '5' },
        { matching: on(['a'], { side: 'left', include: ['b'] }) },
      ),
    /multiple matches for labels: grouping labels must ensure unique matches/,
  )
})

test('set operators look at signatures and leave samples as they are', () => {
  const [left, right] = [setOf({ 'a=1': '1 2', 'a=2': '3 4' }), setOf({ 'a=1': '9 _', 'a=3': '_ 5' })]
  assert.deepEqual(textOf(combineSets(left, right, 'and', undefined)), { 'a=1': '1 _' })
  assert.deepEqual(textOf(combineSets(left, right, 'unless', undefined)), { 'a=1': '_ 2', 'a=2': '3 4' })
  assert.deepEqual(textOf(combineSets(left, right, 'or', undefined)), { 'a=1': '1 2', 'a=2': '3 4', 'a=3': '_ 5' })
  const vector = setOf({ '': '0 0' })
  assert.deepEqual(textOf(combineSets(setOf({ '': '_ 7' }), vector, 'or', undefined)), { '': '0 7' })
  assert.deepEqual(textOf(combineSets(left, right, 'and', on([]))), { 'a=1': '1 2', 'a=2': '3 4' })
})
