// Words that tell of danger to life. A hint for people: it decides nothing, and a text without them may be urgent as well.
const DANGERS = [
  '煤气泄漏', '燃气泄漏', '天然气泄漏', '漏气', '起火', '着火', '失火', '火灾', '冒烟', '爆炸', '坍塌', '垮塌', '倒塌', '塌方', '塌陷', '滑坡', '泥石流', '山体开裂', '决口', '溃坝', '洪水',
  '触电', '漏电', '电线掉', '电线断', '中毒', '溺水', '落水', '被困', '跳楼', '轻生', '自杀', '自残', '不想活', '家暴', '打人', '砍人', '持刀', '绑架', '拐卖', '走失', '昏迷', '没有呼吸', '高空坠物', '井盖丢失', '没有井盖', '狂犬',
] as const
/** Traditional letters of these words. */
const FOLDS: Record<string, string> = { 氣: '气', 災: '灾', 煙: '烟', 電: '电', 線: '线', 斷: '断', 殺: '杀', 殘: '残', 樓: '楼', 輕: '轻', 墜: '坠', 體: '体', 開: '开', 潰: '溃', 壩: '坝', 洩: '泄', 綁: '绑', 賣: '卖', 蓋: '盖', 沒: '没' }

/** The words as they stand in the text, each once, in their order. Of two that begin together the longer one. */
export function dangersIn(text: string): string[] {
  const plain = [...text].map((letter) => FOLDS[letter] ?? letter).join('')
  const found = DANGERS.flatMap((word) => {
    const at = plain.indexOf(word)
    return at < 0 ? [] : [{ at, word: text.slice(at, at + word.length) }]
  })
  return [...new Set(found.sort((one, other) => one.at - other.at || other.word.length - one.word.length).map((one) => one.word))]
}
