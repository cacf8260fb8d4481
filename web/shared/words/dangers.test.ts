import { expect, test } from 'vitest'
import { dangersIn } from './dangers.ts'

test('words of danger are told in their order', () => expect(dangersIn('后面的山滑坡，房子快要倒塌了')).toEqual(['滑坡', '倒塌']))
test('Traditional letters are read, and shown as they were written', () => expect(dangersIn('有人說要跳樓')).toEqual(['跳樓']))
test('a word that is there twice is told once', () => expect(dangersIn('漏电，又漏电')).toEqual(['漏电']))
test('a letter of two code units does not move the words', () => expect(dangersIn('𠮷野家门口触电')).toEqual(['触电']))
test('a broken pipe is no danger to life', () => expect(dangersIn('水管爆裂，三天没有水')).toEqual([]))
