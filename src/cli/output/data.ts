// Answers for programs: JSON and YAML of plain values. Pure. What could drive a terminal is escaped here too, in the spelling of the format.

import { Document, isScalar, visit } from 'yaml'
import { dataEscaped, isHarmful } from './printable.ts'

export type DataFormat = 'json' | 'yaml'

/** The value with a final newline. Instants are left as they are: callers hand in text. */
export function dataText(format: DataFormat, value: unknown): string {
  return format === 'json' ? `${dataEscaped(JSON.stringify(value, undefined, 2))}\n` : yamlText(value)
}

function yamlText(value: unknown): string {
  // As JSON would have it: no undefined fields, no objects with methods, no aliases.
  const document = new Document(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_key, node) {
      if (isScalar(node) && typeof node.value === 'string' && mustBeQuoted(node.value)) node.type = 'QUOTE_DOUBLE'
    },
  })
  return dataEscaped(document.toString({ lineWidth: 0 }))
}

/** What is to be escaped, and lines: the library writes a block of blanks that it does not read again. */
const mustBeQuoted = (text: string): boolean => isHarmful(text) || text.includes('\n')
