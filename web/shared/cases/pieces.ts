export interface Piece {
  text: string
  isMarked: boolean
}

/** The text in pieces, those that stand among `marked` told apart; of two that begin together the longer one. */
export function piecesOf(text: string, marked: readonly string[]): Piece[] {
  const words = marked.filter(Boolean).sort((one, other) => other.length - one.length)
  const pieces: Piece[] = []
  let plain = ''
  let at = 0
  while (at < text.length) {
    const word = words.find((one) => text.startsWith(one, at))
    if (word) {
      if (plain) pieces.push({ text: plain, isMarked: false })
      pieces.push({ text: word, isMarked: true })
      plain = ''
    } else plain += text[at]
    at += word?.length ?? 1
  }
  return plain ? [...pieces, { text: plain, isMarked: false }] : pieces
}
