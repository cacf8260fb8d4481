import { expect, test } from 'vitest'
import { piecesOf } from './pieces.ts'

const told = (text: string, marked: string[]) => piecesOf(text, marked).map((piece) => (piece.isMarked ? `[${piece.text}]` : piece.text)).join('')

test('each place of each word is marked', () => expect(told('没有自来水，自来水管坏了', ['自来水', '坏'])).toBe('没有[自来水]，[自来水]管[坏]了'))
test('the longer of two words is marked', () => expect(told('自来水', ['自来', '自来水'])).toBe('[自来水]'))
test('letters outside the basic plane stay whole', () => expect(told('𠮷野家𠮷', ['野家'])).toBe('𠮷[野家]𠮷'))
test('nothing to mark leaves the text', () => expect(told('没有水', ['', '电'])).toBe('没有水'))
test('an empty text has no pieces', () => expect(piecesOf('', ['水'])).toEqual([]))
