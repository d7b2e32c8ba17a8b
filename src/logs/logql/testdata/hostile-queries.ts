/**
 * Queries as long as they may be, made to hurt a parser: deep, wide, or long in one token. Each is parsed or refused; none may
 * take long or exhaust the stack.
 */
import { maxQueryBytes } from '#/logs/logql/parser/parse-expr.ts'

/** `head`, then as many times `piece` as fit, then `tail`. */
function filled(head: string, piece: string, tail = ''): string {
  const count = Math.floor((maxQueryBytes - Buffer.byteLength(head + tail)) / Buffer.byteLength(piece))
  return head + piece.repeat(count) + tail
}

/** The same with numbered pieces, so that no two are equal. */
function numbered(head: string, piece: (index: number) => string, tail = ''): string {
  const parts = [head]
  let room = maxQueryBytes - Buffer.byteLength(head + tail)
  for (let index = 0; ; index++) {
    const next = piece(index)
    room -= Buffer.byteLength(next)
    if (room < 0) return parts.join('') + tail
    parts.push(next)
  }
}

const log = '{a="b"}'
const rate = `rate(${log}[1m])`
/** A piece of each kind that fits some hundred times into the bounds on depth. */
const deep = (open: string, inner: string, close: string, depth = 200): string =>
  open.repeat(depth) + inner + close.repeat(depth)

/** Some of the categories and scripts that `\\p{…}` may name. */
const unicodeNames = (
  'C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs Adlam Ahom Arabic ' +
  'Armenian Balinese Bengali Bopomofo Braille Buginese Carian Chakma Cham Cherokee Coptic Cuneiform Cypriot Cyrillic Deseret ' +
  'Devanagari Elbasan Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Javanese ' +
  'Kannada Katakana Khmer Khojki Lao Latin Lepcha Limbu Linear_A Lisu Lycian Malayalam Mandaic Mongolian Myanmar Newa Nko Ogham ' +
  'Oriya Osage Osmanya Runic Samaritan Sharada Sinhala Sundanese Syriac Tagalog Tamil Telugu Thaana Thai Tibetan Tifinagh Vai Yi'
).split(' ')

export const hostileQueries: Readonly<Record<string, string>> = {
  // deep
  'open parentheses': filled('', '('),
  'deepest parentheses': filled(`${deep('(', rate, ')')} or vector(1) `, '# \n'),
  'calls that never close': filled('', 'sum('),
  'range calls that never close': filled('', 'rate('),
  'label filters that never close': filled(`${log} | `, '('),
  'label filters of parentheses': filled(`${log} | a=1`, ` and ${deep('(', 'b=2 or c=3', ')', 150)}`),
  'nested comma filters': filled(`${log} | a=1`, ' or b=2, c=3'),
  'subqueries that never end': filled(`${log} | `, 'a in ({b="c"} | '),
  'power chain': filled('', '2^', '1'),
  'power chain of vectors': filled('', 'vector(1)^', 'vector(1)'),
  'unary signs': filled('', '-'),
  'unary signs before numbers': filled('vector(1) ', '- -1'),
  'label_replace that never closes': filled('', 'label_replace('),
  // wide
  matchers: filled('{a="b"', ',c="d"', '}'),
  'regex matchers': numbered('{a="b"', (i) => `,c=~"d${i}.*"`, '}'),
  'equal regex matchers': filled('{a="b"', ',c=~"(x|y)+"', '}'),
  stages: filled(log, '|json'),
  'line filters': filled(log, '|="a"'),
  'line regexes': numbered(log, (i) => `|~"x${i}[a-z]+"`),
  'pattern filters': filled(log, '|>"<_>a"'),
  'ip filters': filled(log, '|=ip("1.1.1.1")'),
  'regexp stages': filled(log, '|regexp"(?P<a>.)"'),
  'pattern stages': filled(log, '|pattern"<a>"'),
  'template stages': filled(log, '|line_format"{{.a}}"'),
  'template stages, all different': numbered(log, (i) => `|line_format"{{.a${i}|lower}}"`),
  'label templates': numbered(`${log}|label_format `, (i) => `${i === 0 ? '' : ','}a${i}="{{.b}}"`),
  'label renames': numbered(`${log}|label_format `, (i) => `${i === 0 ? '' : ','}a${i}=b`),
  'one label formatted twice': numbered(`${log}|label_format z=y,z=x`, (i) => `,a${i}=b`),
  'json expressions': filled(`${log}|json a`, ',b="c.d[0]"'),
  'logfmt expressions': filled(`${log}|logfmt a`, ',b="c"'),
  'dropped labels': filled(`${log}|drop a`, ',b'),
  'kept regexes': filled(`${log}|keep a`, ',b=~"c+"'),
  'label filter stages': filled(log, '|a>5'),
  'or chain of a line filter': filled(`${log}|="a"`, 'or"b"'),
  'or chain of regexes': filled(`${log}|~"a"`, 'or"b.c"'),
  'or chain of labels': filled(`${log}|a=1`, ' or b=2'),
  'and chain of labels': filled(`${log}|a=1`, ' and b=2'),
  'comma chain of labels': filled(`${log}|a=1`, ',b=2'),
  'blank chain of labels': filled(`${log}|a=1`, ' b=2'),
  'mixed chain of labels': filled(`${log}|a=1`, ' or b=~"c.*" and d!=1h'),
  subqueries: filled(`${log}|z=1`, ' or a in ({b="c"}|keep d)'),
  'bad subquery at the end': filled(`${log}|z=1`, ' or a in ({b="c"}|keep d)', ' or a in ({b="c"})'),
  'distinct labels': filled(`${log}|distinct a`, ',b'),
  'by-list': filled('sum by(a', ',b', `)(${rate})`),
  'on-list': filled('vector(1)+on(a', ',b', ')vector(1)'),
  'unwrap filters': filled(`sum_over_time(${log}|unwrap x`, '|y>1', '[1m])'),
  'sum of numbers': filled('', '1+', '1'),
  'sum of vectors': filled('', 'vector(1)+', 'vector(1)'),
  'or of vectors': filled('', 'vector(1)or ', 'vector(1)'),
  'sum of rates': filled('', `${rate}+`, rate),
  'the most operators': `${rate}${`+rate({a="b",c="${'d'.repeat(90)}"}[1m])`.repeat(1000)}`,
  'the most operators of one kind each': `${rate}${`+${rate}*${rate}or ${rate}`.repeat(333)}`,
  'the longest power chain': `${`vector(1)^`.repeat(200)}rate({a="b",c="${'d'.repeat(120_000)}"}[1m])`,
  'the deepest calls': `${'sum('.repeat(200)}rate({a="b",c="${'d'.repeat(120_000)}"}[1m])${')'.repeat(200)}`,
  comparisons: filled('', '1>bool ', '1'),
  // one long token
  text: filled(`${log}|="`, 'x', '"'),
  'text of escapes': filled(`${log}|="`, '\\n', '"'),
  'text of byte escapes': filled(`${log}|="`, '\\xc3\\xa9', '"'),
  'text of byte escapes apart': filled(`${log}|="`, '\\x41 ', '"'),
  'text that never ends': filled(`${log}|="`, '\\"'),
  'raw text': filled(`${log}|=\``, '\r"', '`'),
  characters: filled("'", 'x', "'"),
  'emoji text': filled(`${log}|="`, '\u{1f600}', '"'),
  word: filled('{', 'a', '="b"}'),
  'foreign word': filled('{', 'ü', '="b"}'),
  number: filled('', '1'),
  fraction: filled('.', '1'),
  'number with exponent': filled('1e', '1'),
  duration: filled(`${log}|a>`, '1h'),
  size: filled(`${log}|a>`, '1', 'KB'),
  range: filled(`rate(${log}[`, '1h', '])'),
  'range of digits': filled(`rate(${log}[`, '1', 'h])'),
  blanks: filled('', ' \n', log),
  comments: filled('', '/**/', log),
  'line comments': filled('', '#\n', log),
  'range brackets': filled(`rate(${log}`, '['),
  'range brackets that close': filled(`rate(${log}`, '[', ']'),
  'words before blanks': filled('rate', '\n', 'x'),
  'function words': filled('', 'rate '),
  'numbers that fall apart': filled('', '1.5.'),
  // within the languages of stages
  'regex of alternatives': numbered(`${log}|~"a`, (i) => `|x${i}`, '"'),
  'regex of letters': filled(`${log}|~"`, 'ab', '"'),
  'regex of groups': filled(`${log}|~"`, '(a)', '"'),
  'regex of open groups': filled(`${log}|~"`, '(', '"'),
  'regex of nested groups': `${log}|~"${deep('(', 'a', ')', 60_000)}"`,
  'regex of nested repeats': `${log}|~"${deep('(?:', 'a', '+)', 999)}"`,
  'regex of classes': filled(`${log}|~"`, '[a-z]', '"'),
  'one regex class': numbered(`${log}|~"[`, (i) => String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000)), ']"'),
  'regex of Unicode classes': filled(`${log}|~"`, '\\\\pL', '"'),
  'caseless Unicode classes': filled(`${log}|~"(?i)`, '\\\\pL', '"'),
  'one class of Unicode classes': filled(`${log}|~"[`, '\\\\pL', ']"'),
  'caseless class of Unicode classes': filled(`${log}|~"(?i)[`, '\\\\pL\\\\PN', ']"'),
  'every Unicode class': `${log}|~"${unicodeNames.map((name) => `\\\\p{${name}}`).join('')}"`,
  'every caseless Unicode class': `${log}|~"(?i)${unicodeNames.map((name) => `\\\\p{${name}}`).join('')}"`,
  'caseless negated classes': filled(`${log}|~"(?i)`, '[^é]', '"'),
  'caseless wide classes': numbered(
    `${log}|~"(?i)`,
    (i) => `[${String.fromCodePoint(0x100 + (i % 64))}-\u{1e940}]`,
    '"',
  ),
  'caseless wide matchers': numbered(log, (i) => `|~"(?i)[${String.fromCodePoint(0x100 + (i % 64))}-\u{1e940}]"`),
  'regex of stars': filled(`${log}|~"`, 'a*', '"'),
  'regex of counted repeats': filled(`${log}|~"`, 'a{2}', '"'),
  'regex of stars, then stars': filled(`${log}|~"a`, '*', '"'),
  'regex of open counts': filled(`${log}|~"`, 'a{', '"'),
  'regex of names': numbered(`${log}|regexp"`, (i) => `(?P<a${i}>x)`, '"'),
  'regex with one name twice': numbered(`${log}|regexp"(?P<z>x)(?P<z>x)`, (i) => `(?P<a${i}>x)`, '"'),
  'regex of flags': filled(`${log}|~"`, '(?i)', '"'),
  'regex of quotes': filled(`${log}|~"`, '\\\\Qa\\\\E', '"'),
  'caseless regex': filled(`${log}|~"(?i)`, 'k', '"'),
  'matcher of alternatives': numbered('{a=~"x', (i) => `|b${i}`, '"}'),
  'matcher that may be empty': filled('{a=~"', 'b*', '"}'),
  'pattern of captures': numbered(`${log}|pattern"`, (i) => `<a${i}> `, '"'),
  'pattern with one name twice': numbered(`${log}|pattern"`, (i) => `<a${i}> `, '<a0>"'),
  'pattern of blanks': filled(`${log}|>"`, '<_> ', '"'),
  'pattern of brackets': filled(`${log}|pattern"<a>`, '<', '"'),
  'template of fields': filled(`${log}|line_format"`, '{{.a}}', '"'),
  'template of pipes': filled(`${log}|line_format"{{.a`, '|lower', '}}"'),
  'template of parentheses': filled(`${log}|line_format"{{`, '(', '}}"'),
  'template of blocks': filled(`${log}|line_format"`, '{{if .a}}', '"'),
  'template of else': filled(`${log}|line_format"{{if .a}}`, '{{else if .b}}', '{{end}}"'),
  'template of definitions': numbered(`${log}|line_format"`, (i) => `{{define \\"t${i}\\"}}{{end}}`, '"'),
  'template of variables': numbered(`${log}|line_format"`, (i) => `{{$a${i}:=1}}`, '"'),
  'template of braces': filled(`${log}|line_format"`, '{', '"'),
  'template of comments': filled(`${log}|line_format"`, '{{/**/}}', '"'),
  'template of text': filled(`${log}|line_format"`, 'x', '"'),
  'template of paths': filled(`${log}|line_format"{{`, '.a', '}}"'),
  'template of numbers': filled(`${log}|line_format"{{`, '1', '}}"'),
  'json path': filled(`${log}|json a="b`, '.c', '"'),
  'json path of members': filled(`${log}|json a="`, '[\\"b\\"]', '"'),
  'ip pattern': filled(`${log}|=ip("`, '1.', '")'),
  'ip pattern of colons': filled(`${log}|=ip("`, ':', '")'),
}
