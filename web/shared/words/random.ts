/** A random key of 32 hexadecimal digits. `crypto.randomUUID` is missing on pages served without https. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
