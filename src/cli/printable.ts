/** Words of an image are somebody else's: nothing in them may speak to the terminal or break a line. */

/** The text with control characters as `\xNN`. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
