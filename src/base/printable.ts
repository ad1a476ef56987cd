// Text of others as it may be shown and stored: tenants write annotations, statuses and certificates, and what they say is told to other people.
// Used by whoever reads or writes statuses, events and pages. Pure.

/**
 * Control characters but tab and line ends; line and paragraph separators, which YAML takes for line ends and loses the blanks beside them (an apply
 * body is read as YAML); what YAML refuses; and marks that turn the direction of the text after them.
 */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

/** The text with a replacement character for each that is not to be printed, and for halves of pairs. */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, '\ufffd')
}
