// Makes text harmless for a terminal: names, messages and annotations come from whoever may write objects, and an escape sequence in one of them
// could move the cursor, rename the window or hide a line. Used on everything that is printed; colours of our own are added afterwards.

/**
 * Control characters (C0 with ESC, DEL, C1 with the one-byte CSI), line separators, what turns the direction of writing, and what is there but
 * cannot be seen (zero width, byte order mark, tags).
 */
const HARMFUL = /[\p{Cc}\p{Cs}\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** The text on one line, each harmful character as people write it: `\x1b`, `\u202e`, `\n`. */
export function printable(text: string): string {
  return text.replace(HARMFUL, escaped)
}

/** The same, line ends and tabs as they are: for texts of ours that have several lines. */
export function printableLines(text: string): string {
  return text.replace(HARMFUL, (character) => (character === '\n' || character === '\t' ? character : escaped(character)))
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (SHORT[character] !== undefined) return SHORT[character]
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`
}

/** The same characters as JSON and YAML spell them within double quotes. */
export function dataEscaped(text: string): string {
  return text.replace(HARMFUL, (character) =>
    character === '\n'
      ? character
      : [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )
}

/** Whether `dataEscaped` would change it: such a text must stand within double quotes. */
export function isHarmful(text: string): boolean {
  return dataEscaped(text) !== text
}
