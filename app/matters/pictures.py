"""A photo once it is cleaned, and why one is refused. Pure; images.py decodes, in a process of its own."""

from dataclasses import dataclass

MAX_BYTES = 10 * 2**20

NOT_AN_IMAGE = "不是有效的照片，请重新拍摄或选择 JPEG、PNG、WebP、HEIC 格式的照片"
HEIC = "这张 HEIC 照片无法读取，请在相机设置中选“兼容性最佳”，或另存为 JPEG 后再上传"
TOO_MANY_PIXELS = "照片的像素过多，请缩小后再上传"
TOO_LABORIOUS = "照片过于复杂，无法处理，请另存为 JPEG 后再上传"


class ImageRefused(ValueError):
    """The bytes cannot be taken as a photo; the text tells people why."""


@dataclass(frozen=True, slots=True)
class Picture:
    jpeg: bytes
    width: int
    height: int
