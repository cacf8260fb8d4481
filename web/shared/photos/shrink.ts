// A photo made small on the phone before anything else happens to it: 2G carries 50 kbit a second.
export const LONGEST_SIDE = 1600
const QUALITY = 0.82
/** More pixels than any phone's camera makes: decoding them would freeze the page. */
const LARGEST_FILE = 60 * 1024 * 1024

export class NotAPicture extends Error {
  constructor() {
    super('这不是能打开的照片。请换一张，或直接拍照。')
  }
}

/** JPEG bytes, turned upright, with the longer side at most 1600 pixels. Throws NotAPicture. */
export async function shrink(file: File): Promise<{ bytes: ArrayBuffer; type: string }> {
  if (!file.size || file.size > LARGEST_FILE) throw new NotAPicture()
  const picture = await decode(file)
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  const context = canvas.getContext('2d')
  if (!context) throw new NotAPicture()
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  if ('close' in picture) picture.close()
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
  canvas.width = canvas.height = 0
  if (!blob) throw new NotAPicture()
  return { bytes: await blob.arrayBuffer(), type: 'image/jpeg' }
}

async function decode(file: File): Promise<ImageBitmap | HTMLImageElement> {
  if ('createImageBitmap' in window) {
    try {
      return await createImageBitmap(file, { imageOrientation: 'from-image' })
    } catch {
      // Older Safari knows no options; an <img> turns the picture by itself.
    }
  }
  const address = URL.createObjectURL(file)
  try {
    const image = new Image()
    image.src = address
    await image.decode()
    return image
  } catch {
    throw new NotAPicture()
  } finally {
    URL.revokeObjectURL(address)
  }
}
