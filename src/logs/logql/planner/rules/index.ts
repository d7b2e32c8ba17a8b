/** The table of rules, in the order in which they are applied. */
import { deriveLineFilters } from './derive-line-filters.ts'
import { derivePatternTexts } from './derive-pattern-texts.ts'
import { dropIdleLineFilters } from './drop-idle-line-filters.ts'
import { dropImpliedLineFilters } from './drop-implied-line-filters.ts'
import { earlyLabelFilters } from './early-label-filters.ts'
import { moveLabelFilters } from './move-label-filters.ts'
import { orderLineFilters } from './order-line-filters.ts'
import type { Rule } from './rule.ts'

export const rules: readonly Rule[] = [
  dropIdleLineFilters,
  derivePatternTexts,
  deriveLineFilters,
  dropImpliedLineFilters,
  orderLineFilters,
  moveLabelFilters,
  earlyLabelFilters,
]
