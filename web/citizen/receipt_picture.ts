/** The receipt as a PNG of 750 × 560 pixels. */
export async function drawReceipt(number: string, code: string, unit: string, title: string): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = 750
  canvas.height = 560
  const pen = canvas.getContext('2d')
  if (!pen) throw new Error('no canvas')
  const font = '"PingFang SC", "Noto Sans CJK SC", sans-serif'
  const write = (words: string, size: number, top: number, colour = '#17211f', weight = 400) => {
    pen.font = `${weight} ${size}px ${font}`
    pen.fillStyle = colour
    pen.fillText(words, 48, top, 654)
  }
  pen.fillStyle = '#fff'
  pen.fillRect(0, 0, 750, 560)
  pen.fillStyle = '#0b6663'
  pen.fillRect(0, 0, 750, 96)
  write(`${unit} 受理回执`, 34, 62, '#fff', 600)
  write('事件编号', 26, 170, '#4c5a58')
  write(number, 44, 226, '#17211f', 600)
  write('查询码', 26, 300, '#4c5a58')
  write(code, 44, 356, '#17211f', 600)
  write(title, 28, 430)
  write('凭编号和查询码可以随时查办理进度。', 26, 500, '#4c5a58')
  return new Promise((done, failed) => {
    canvas.toBlob((made) => (made ? done(made) : failed(new Error('no picture'))), 'image/png')
  })
}
