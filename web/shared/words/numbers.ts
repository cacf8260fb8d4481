/** "+8613800138000" as people here write it: "138 0013 8000"; numbers of landlines and hotlines without the country's code. */
export function shown(number: string): string {
  const plain = number.replace(/^\+86/, '')
  return /^1\d{10}$/.test(plain) ? `${plain.slice(0, 3)} ${plain.slice(3, 7)} ${plain.slice(7)}` : plain.replace(/^(?=[2-9]\d{7,})/, '0')
}
