/** What a page must have to be read, one condition each. */
import { quoteGo } from '#/kernel/go-quote.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import type { LabelTerm, PageConditions, PageTerm } from './page-conditions.ts'

/** Longer lists are cut. */
const MAX_ALTERNATIVES = 8

export function explainPages({ terms, labels }: PageConditions): readonly string[] {
  return [...terms.map(termText), ...labels.map(labelText)]
}

function termText({ condition, unlessStreams, unlessMetadata }: PageTerm): string {
  const exceptions = [
    ...unlessStreams.map((name) => `a stream has the label ${name}`),
    ...unlessMetadata.map((name) => `the page has metadata ${name}`),
  ]
  return `${conditionText(condition)}${exceptions.length === 0 ? '' : `, unless ${exceptions.join(' or ')}`}`
}

function labelText({ name, filter, mayBeParsed }: LabelTerm): string {
  const exception = mayBeParsed ? ` or entries without ${name} as metadata` : ''
  return `a value for ${printStage({ kind: 'label_filter', filter, at: nowhere })}${exception}, unless a stream has the label ${name}`
}

function conditionText(condition: PageCondition): string {
  switch (condition.kind) {
    case 'text':
      return `${quoteGo(condition.text)}${condition.anyCase ? ' in any case' : ''} in a line`
    case 'value':
      return `metadata ${condition.name}=${quoteGo(condition.value)}`
    case 'any':
      return listText(condition.of, 'or')
    case 'all':
      return listText(condition.of, 'and')
  }
}

function listText(conditions: readonly PageCondition[], word: 'and' | 'or'): string {
  const shown = conditions.slice(0, MAX_ALTERNATIVES).map(conditionText)
  const rest = conditions.length - shown.length
  return `(${[...shown, ...(rest > 0 ? [`${rest} more`] : [])].join(` ${word} `)})`
}

/** The place of a stage that nobody wrote. */
const nowhere = { start: 0, end: 0 }
