/** Random templates, in the part of the language that the reference knows. */
import type { Chance } from './chance.ts'
import { labels } from './random-data.ts'

export function randomTemplate(chance: Chance): string {
  const field = (): string => `.${chance.pick(labels)}`
  const part = (): string =>
    chance.weighted([
      [3, () => chance.pick(['x', ' ', '=', 'n=', 'é', '-'])],
      [4, () => `{{${field()}}}`],
      [3, () => `{{ ${field()} | ${chance.pick(textFunctions)} }}`],
      [1.5, () => `{{ ${chance.pick(textFunctions)} ${field()} }}`],
      [1, () => `{{ __line__ }}`],
      [0.5, () => `{{ __timestamp__ | ${chance.pick(['unixEpoch', 'unixEpochNanos'])} }}`],
      [1, () => `{{ if ${field()} }}yes{{ else }}no ${field()}{{ end }}`],
      [
        1,
        () =>
          `{{ if ${chance.pick(['eq', 'ne'])} ${field()} "${chance.pick(['200', 'u1', 'info', ''])}" }}a{{${field()}}}{{ end }}`,
      ],
      [0.7, () => `{{ ${field()} | ${chance.pick(['contains "a"', 'hasPrefix "2"'])} | not }}`],
      [0.7, () => `{{ duration .latency }}`],
      [0.5, () => `{{ .size | bytes }}`],
      [0.5, () => `{{ add ${chance.int(1, 3)} .status }}`],
      [0.5, () => `{{ div 10 .c }}`],
      [0.5, () => `{{ printf "%s/%v" ${field()} ${field()} }}`],
      [0.5, () => `{{ len ${field()} }}`],
    ])
  return chance.some(chance.int(1, 3), part).join('')
}

const textFunctions = [
  'ToUpper',
  'ToLower',
  'upper',
  'lower',
  'trunc 2',
  'trunc -2',
  'replace "a" "bb"',
  'trimPrefix "u"',
  'trimSuffix "s"',
  'default "none"',
  'alignLeft 4',
  'alignRight 3',
]
