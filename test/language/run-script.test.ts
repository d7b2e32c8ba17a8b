/** The runner of language scripts itself: right expectations pass, wrong ones fail, and scripts that cannot be read say where. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { readScript } from './read-script.ts'
import { failureText, runScript } from './run-script.ts'

enableLinearRegex()

const DATA = `# spec: the rule
load 10s
  {app="a"}
    one
    "two \\n lines"
    @90s5ns [trace_id="abc, \\"x\\" y" user="7"] three
  {app="b"}
    {"n":1}
    n=2

`

/** Failures as text, of evals that follow {@link DATA}. */
async function run(evals: string): Promise<string[]> {
  return (await runScript(readScript('x.logqltest', DATA + evals))).map(failureText)
}

const LOG = `eval log {app="a"}
  {app="a", trace_id="abc, \\"x\\" y", user="7"}
    90s5ns three
  {app="a"}
    0s one
    10s "two \\n lines"
`
const LIMITED = `eval log limit=2 backward from=-5s to=1m interval=10s {app=~".+"} |~ "one|two"
  {app="a"}
    10s "two \\n lines"
    0s one
`
const PARSED = `eval log {app="b"} | json
  {__error__="JSONParserErr", app="b"}
    10s n=2
  {app="b", n="1"}
    0s {"n":1}
`
const INSTANT = `eval instant at 20s sort_desc(sum by (app) (count_over_time({app=~"a|b"} != "one" [1m])))
  expect ordered
  {app="b"} 2
  {app="a"} 1.0000000001
`
const RANGE = `eval range from 0s to 40s step 20s count_over_time({app="a"}[15s])
  {app="a"} 1 1 _
`

test('what scripts expect rightly, passes', async () => {
  const scalar = 'eval instant at 0s 1 / 4\n  scalar 0.25\n'
  const refused = `eval log {app="a"
  expect fail regex: ^parse error at line 1, col \\d+: .*
eval log {app="a"
  expect fail msg: unexpected $end
eval instant at 0s {app="a"}
  expect fail log queries are not supported as an instant query type, please change your query to a range query type
`
  const empty = `eval log {app="none"}
eval log {app="none"}
  expect empty
clear
eval log {app="a"}
`
  assert.deepEqual(await run([LOG, LIMITED, PARSED, INSTANT, RANGE, scalar, refused, empty].join('\n')), [])
})

test('what scripts expect wrongly, fails', async () => {
  const wrong: readonly (readonly [string, string, string])[] = [
    [LOG, 'one', 'other'],
    [LOG, '0s one', '0s1ns one'],
    [LOG, 'user="7"', 'user="8"'],
    [LOG, '    0s one\n', ''],
    [LIMITED, 'limit=2', 'limit=1'],
    [LIMITED, 'backward ', ''],
    [LIMITED, 'from=-5s', 'from=5s'],
    [LIMITED, 'to=1m', 'to=10s'],
    [LIMITED, 'interval=10s', 'interval=11s'],
    [PARSED, 'app="b"}\n    10s', 'app="b", x=""}\n    10s'],
    [PARSED, 'JSONParserErr"', 'JSONParserErr", __error_details__=""'],
    [PARSED, 'JSONParserErr"', 'JSONParserErr", __error_details__="other"'],
    [INSTANT, '{app="b"} 2\n  {app="a"} 1.0000000001', '{app="a"} 1\n  {app="b"} 2'],
    [INSTANT, '1.0000000001', '1.00001'],
    [INSTANT, '  {app="b"} 2\n', ''],
    [INSTANT, '{app="b"} 2', '{app="b"} 2\n  {app="b"} 2'],
    [INSTANT, '{app="b"} 2', '{app="b"} NaN'],
    [INSTANT, 'expect ordered', 'expect warn some'],
    [RANGE, '1 1 _', '1 _ 1'],
    [RANGE, '1 1 _', '1 1'],
    ['eval log {app="none"}\n  expect empty', 'none', 'a'],
    ['eval instant at 0s 1\n  scalar 1', 'r 1', 'r 2'],
    ['eval instant at 0s 1\n  scalar 1', 'scalar 1', '{} 1'],
    ['eval log {app="none"}', 'none"}', 'none"'],
    ['eval log {}\n  expect fail msg: queries require', 'require', 'do not require'],
    ['eval log {}\n  expect fail regex: ^parse', '^parse', '^arse'],
    ['eval log {}\n  expect fail msg: queries', 'msg: ', ''],
    ['eval log {}\n  expect fail msg: queries', '{}', '{app="a"}'],
  ]
  for (const [right, from, to] of wrong) {
    assert.deepEqual(await run(right), [], right)
    assert.ok(right.includes(from), from)
    assert.equal((await run(right.replace(from, to))).length, 1, right.replace(from, to))
  }
})

test('a failure names place, rule and query and shows the difference and the answer in script form', async () => {
  const [text] = await run(LOG.replace('one', 'other'))
  const shown = `x.logqltest:11
# spec: the rule
eval log {app="a"}
differs from heads (- expected, + got):
-    0s other
   {app="a", trace_id="abc, \\"x\\" y", user="7"}
     1m30.000000005s three
   {app="a"}
+    0s one
     10s "two \\n lines"
the answer:
  {app="a", trace_id="abc, \\"x\\" y", user="7"}
    1m30.000000005s three
  {app="a"}
    0s one
    10s "two \\n lines"`
  assert.equal(text, shown)
})

test('what is marked as broken must fail', async () => {
  assert.deepEqual(await run(`# broken: the engine is wrong\n${LOG.replace('one', 'other')}`), [])
  const [text] = await run(`# broken: the engine is wrong\n${LOG}`)
  assert.match(text ?? '', /:12\n[^]*is marked as broken \(the engine is wrong\) but passes/)
})

test('the second replica of repeated entries adds nothing', async () => {
  const repeated = 'clear\nload 1s repeated\n  {app="r"}\n    x\n    @0s x2\n    y\n'
  const evals = `eval log {app="r"}
  {app="r"}
    0s x
    0s x2
    2s y

eval instant at 10s count_over_time({app="r"}[1m])
  {app="r"} 3
`
  assert.deepEqual(await run(`${repeated}\n${evals}`), [])
})

test('a script that cannot be read says where', () => {
  const malformed: readonly (readonly [string, RegExp])[] = [
    ['eval log {app="a"}', /^s:1: no "# spec:" line/],
    ['# spec:', /^s:1: # spec: without a text/],
    ['# spec: x\n\nevaluate {}', /^s:3: unknown command evaluate/],
    ['  {app="a"}', /^s:1: an indented line belongs to no command/],
    ['clear\n\n  x', /^s:3: an indented line/],
    ['clear all', /^s:1: clear takes nothing/],
    ['load', /^s:1: expected an offset/],
    ['load 5x\n  {a="b"}', /^s:1: expected an offset such as 1m30s, not "5x"/],
    ['load 5s', /^s:1: load without streams/],
    ['load 5s twice\n  {a="b"}', /^s:1: unknown option of load: twice/],
    ['load 5s\n  {a="b"}\n     x\n y', /^s:4: expected the labels/],
    ['load 5s\n  a="b"', /^s:2: expected labels in braces/],
    ['load 5s\n  {a="b",c="d"}', /^s:2: unexpected ",c=/],
    ['load 5s\n  {a="b", a="c"}', /^s:2: a label name twice/],
    ['load 5s\n  {a="b}', /^s:2: unexpected "\\"b}" at column 4/],
    ['load 5s\n  {a="b"} x', /^s:2: unexpected " x" behind labels/],
    ['load 5s\n  {a="b"}\n    "x" y', /^s:3: a line that begins with a quote/],
    ['load 5s\n  {a="b"}\n    x ', /^s:3: an empty line or one with outer blanks/],
    ['load 5s\n  {a="b"}\n    @5 x', /^s:3: expected an offset/],
    ['load 5s\n  {a="b"}\n    [x="1" y] z', /^s:3: unexpected/],
    ['load 5s\n\t{a="b"}', /^s:2: a tab/],
    ['# spec: x\neval some {}', /^s:2: unknown kind of eval: some/],
    ['# spec: x\neval instant {}', /^s:2: expected eval instant at/],
    ['# spec: x\neval range from 1s step 2s {}', /^s:2: expected eval range from/],
    ['# spec: x\neval range from 1s to 2s step 0s {}', /^s:2: a step is positive/],
    ['# spec: x\neval log limit=a {}', /^s:2: limit is not an integer: a/],
    ['# spec: x\neval log {}\n  {a="b"}', /^s:2: a stream without entries/],
    ['# spec: x\neval log {}\n  {a="b"}\n    x y', /^s:4: expected an offset/],
    ['# spec: x\neval log {}\n  expect surprise', /^s:3: unknown expectation surprise/],
    ['# spec: x\neval log {}\n  expect ordered', /^s:3: unknown expectation ordered/],
    ['# spec: x\neval log {}\n  expect fail', /^s:3: expect fail without a message/],
    ['# spec: x\neval log {}\n  expect empty\n  {}\n    0s x', /^s:2: results beside/],
    ['# spec: x\neval instant at 0s 1\n  {}', /^s:3: expected {labels} and values/],
    ['# spec: x\neval instant at 0s 1\n  {} 1 2', /^s:3: expected one value/],
    ['# spec: x\neval instant at 0s 1\n  {} _', /^s:3: expected one value/],
    ['# spec: x\neval instant at 0s 1\n  {} 1s', /^s:3: expected a value, not "1s"/],
    ['# spec: x\neval instant at 0s 1\n  scalar 1\n  {} 1', /^s:2: results beside a scalar/],
    ['# broken: x\n\nclear', /^s:1: "# broken:" does not stand directly above an eval/],
    ['# broken: x', /^s:1: "# broken:" does not stand/],
  ]
  for (const [script, problem] of malformed) {
    assert.throws(() => readScript('s', script), { name: 'ScriptError', message: problem }, script)
  }
})
