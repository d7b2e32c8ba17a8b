/** Labels of the streams that a file's lines go to. Later stages of the pipeline (parsers, relabelling) join here. */
import { formatLabels } from '#/logs/model/labels.ts'

/** Canonical text of the static labels and `filename`; a static label of that name wins. */
export function labelsOfFile(path: string, labels: Readonly<Record<string, string>>): string {
  return formatLabels(Object.entries({ filename: path, ...labels }).filter(([, value]) => value !== ''))
}
