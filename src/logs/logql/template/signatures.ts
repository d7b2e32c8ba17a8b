/**
 * The functions of templates by name, with what they take: the parser knows them from here without knowing how they work. A piped
 * value is the last argument.
 */
export type ParameterType = 'any' | 'string' | 'int' | 'float64' | 'time.Time'

export type Signature = {
  readonly fixed: readonly ParameterType[]
  /** Type of the arguments behind the fixed ones, of which there may be any number. */
  readonly variadic: ParameterType | undefined
}

/** Of `string int any...`, for instance. */
export function signature(text: string): Signature {
  const types = text === '' ? [] : text.split(' ')
  const last = types.at(-1) ?? ''
  const variadic = last.endsWith('...') ? (last.slice(0, -3) as ParameterType) : undefined
  return { fixed: (variadic === undefined ? types : types.slice(0, -1)) as ParameterType[], variadic }
}

const signatureTexts: Readonly<Record<string, string>> = {
  // built into the language
  and: 'any any...',
  or: 'any any...',
  not: 'any',
  len: 'any',
  index: 'any any...',
  slice: 'any any...',
  print: 'any...',
  printf: 'string any...',
  println: 'any...',
  html: 'any...',
  js: 'any...',
  urlquery: 'any...',
  call: 'any any...',
  eq: 'any any...',
  ne: 'any any',
  lt: 'any any',
  le: 'any any',
  gt: 'any any',
  ge: 'any any',
  // the entry
  __line__: '',
  __timestamp__: '',
  // text
  ToLower: 'string',
  ToUpper: 'string',
  Replace: 'string string string int',
  Trim: 'string string',
  TrimLeft: 'string string',
  TrimRight: 'string string',
  TrimPrefix: 'string string',
  TrimSuffix: 'string string',
  TrimSpace: 'string',
  lower: 'string',
  upper: 'string',
  title: 'string',
  replace: 'string string string',
  trim: 'string',
  trimAll: 'string string',
  trimPrefix: 'string string',
  trimSuffix: 'string string',
  trunc: 'int string',
  substr: 'int int string',
  contains: 'string string',
  hasPrefix: 'string string',
  hasSuffix: 'string string',
  indent: 'int string',
  nindent: 'int string',
  repeat: 'int string',
  alignLeft: 'int string',
  alignRight: 'int string',
  default: 'any any...',
  regexReplaceAll: 'string string string',
  regexReplaceAllLiteral: 'string string string',
  count: 'string string',
  urlencode: 'string',
  urldecode: 'string',
  b64enc: 'string',
  b64dec: 'string',
  fromJson: 'string',
  // numbers
  bytes: 'string',
  duration: 'string',
  duration_seconds: 'string',
  int: 'any',
  float64: 'any',
  add: 'any...',
  mul: 'any any...',
  sub: 'any any',
  div: 'any any',
  mod: 'any any',
  addf: 'any...',
  subf: 'any any...',
  mulf: 'any any...',
  divf: 'any any...',
  max: 'any any...',
  min: 'any any...',
  maxf: 'any any...',
  minf: 'any any...',
  ceil: 'any',
  floor: 'any',
  round: 'any int float64...',
  // time
  now: '',
  date: 'string any',
  toDate: 'string string',
  toDateInZone: 'string string string',
  unixEpoch: 'time.Time',
  unixEpochMillis: 'time.Time',
  unixEpochNanos: 'time.Time',
  unixToTime: 'string',
}

export const signatures: Readonly<Record<string, Signature>> = Object.fromEntries(
  Object.entries(signatureTexts).map(([name, text]) => [name, signature(text)]),
)
