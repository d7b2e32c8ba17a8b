import assert from 'node:assert/strict'
import test from 'node:test'
import { JsonPathError, parseJsonPath } from './json-path.ts'

test('paths of member names and indexes', () => {
  const cases: [string, (string | number)[]][] = [
    ['field', ['field']],
    ['a.b', ['a', 'b']],
    ['a[0]', ['a', 0]],
    ['a[ 12 ].b', ['a', 12, 'b']],
    ['["key with . or space"]', ['key with . or space']],
    ['a["b"][1].c', ['a', 'b', 1, 'c']],
    ['["\\"q\\" \\u00e9"]', ['"q" é']],
    ['[0]', [0]],
    ['user-agent', ['user-agent']],
    ['größe', ['größe']],
    ['_a1.$b', ['_a1', '$b']],
  ]
  for (const [text, path] of cases) assert.deepEqual(parseJsonPath(text), path, text)
})

test('what is no path', () => {
  const cases: Record<string, string> = {
    '': 'syntax error: unexpected $end',
    'a.': 'syntax error: unexpected $end at character 3',
    '.a': "syntax error: unexpected '.' at character 1",
    'a..b': "syntax error: unexpected '.' at character 3",
    'a[': "syntax error: unexpected '[' at character 2",
    'a[x]': "syntax error: unexpected '[' at character 2",
    'a[-1]': "syntax error: unexpected '[' at character 2",
    'a]': "syntax error: unexpected ']' at character 2",
    'a b': "syntax error: unexpected ' ' at character 2",
    '1a': "syntax error: unexpected '1' at character 1",
    'a["b': "syntax error: unexpected '[' at character 2",
    'a["\\q"]': 'invalid member name at character 2',
    'a[99999999999999999999]': 'array index 99999999999999999999 is out of range',
  }
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(() => parseJsonPath(text), new JsonPathError(message), text)
  }
})
