import assert from 'node:assert/strict'
import test from 'node:test'
import { lineFilterPatternProblem, parseLinePattern, parserPatternProblem } from './line-pattern.ts'

test('a pattern is literals and captures in turn', () => {
  assert.deepEqual(parseLinePattern('<ip> - <_> "<method>"'), [
    { kind: 'capture', name: 'ip' },
    { kind: 'literal', text: ' - ' },
    { kind: 'capture', name: undefined },
    { kind: 'literal', text: ' "' },
    { kind: 'capture', name: 'method' },
    { kind: 'literal', text: '"' },
  ])
  assert.deepEqual(parseLinePattern(''), [])
  assert.deepEqual(parseLinePattern('a < b > <1> <a-b> <>'), [{ kind: 'literal', text: 'a < b > <1> <a-b> <>' }])
})

test('line filters know no names, the parser needs one', () => {
  assert.equal(lineFilterPatternProblem(''), undefined)
  assert.equal(lineFilterPatternProblem('<_> done'), undefined)
  assert.equal(lineFilterPatternProblem('no capture'), undefined)
  assert.equal(lineFilterPatternProblem('<a>'), 'named captures are not allowed')
  assert.match(lineFilterPatternProblem('<_><_>') ?? '', /^invalid expression: /)
  assert.equal(parserPatternProblem('<a> <_>'), undefined)
  assert.equal(parserPatternProblem('<_>'), 'at least one capture is required')
  assert.equal(parserPatternProblem(''), 'at least one capture is required')
  assert.match(parserPatternProblem('<_><a>') ?? '', /^invalid expression: /)
  assert.equal(parserPatternProblem('<a> <b> <a>'), 'duplicate capture name (a)')
})
