/** The replacement of `label_replace`: text with references to groups, in Go's syntax. */
import type { Regex, RegexMatch } from '#/platform/regex/compile.ts'

/**
 * `$1`, `${1}`, `$name` and `${name}` become the text of the group, or nothing when there is no such group; `$$` is a dollar.
 * A name without braces is as long as it can be: `$1x` is the group `1x`. Any other dollar ends the text's meaning and stays.
 */
export function expandTemplate(template: string, regex: Pick<Regex, 'groupNames'>, match: RegexMatch): string {
  return template.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, plain?: string, braced?: string) => {
    if (dollar !== undefined) return '$'
    const name = plain ?? braced ?? ''
    if (/^\d+$/.test(name)) return match.groups[Number(name)] ?? ''
    const group = regex.groupNames.indexOf(name)
    return group < 0 ? '' : (match.groups[group + 1] ?? '')
  })
}
