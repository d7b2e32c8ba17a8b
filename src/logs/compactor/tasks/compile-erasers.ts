/** Makes erasers of the orders of deletes and retention. */
import { rowEraser } from '#/logs/compactor/deletes/row-eraser.ts'
import type { CompileErasers } from '#/logs/compactor/merge/erase.ts'

export const compileErasers: CompileErasers = (orders) => orders.map((order) => rowEraser(order))
