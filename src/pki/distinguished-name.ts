// Distinguished names as text for people (RFC 4514). Used by the reader of certificates only.
// Never parsed back and never compared: names are compared by their DER.

import { type Element, expectTag, readElement, readElements, readOid, TAG } from './der.ts'

/** RFC 4514 section 3. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
}

/** The text of a DER Name; empty for an empty one. */
export function nameText(der: Buffer): string {
  const relatives = readElements(readElement(der, TAG.sequence, 'a name').content, 'a name')
  return relatives
    .map((relative) =>
      readElements(expectTag(relative, TAG.set, 'a part of a name').content, 'a part of a name')
        .map(attributeText)
        .join('+'),
    )
    .reverse()
    .join(',')
}

function attributeText(attribute: Element): string {
  const [type, value] = readElements(expectTag(attribute, TAG.sequence, 'an attribute of a name').content, 'an attribute of a name')
  const oid = readOid(type, 'the type of an attribute of a name')
  const text = value && stringText(value)
  const shortName = SHORT_NAMES[oid]
  if (text === undefined || shortName === undefined) return `${oid}=#${value?.whole.toString('hex') ?? ''}`
  return `${shortName}=${escaped(text)}`
}

function stringText({ tag, content }: Element): string | undefined {
  if (tag === TAG.utf8String) return content.toString('utf8')
  if (tag === TAG.printableString || tag === TAG.ia5String || tag === TAG.teletexString) return content.toString('latin1')
  if (tag === TAG.bmpString && content.length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  return undefined
}

/** RFC 4514 section 2.4; control characters too, since this text gets into logs and terminals. */
function escaped(text: string): string {
  return text
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
    .replace(/\p{Cc}/gu, (character) => `\\${Buffer.from(character).toString('hex')}`)
}
