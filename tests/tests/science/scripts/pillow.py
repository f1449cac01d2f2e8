from PIL import Image, ImageDraw, ImageFilter, ImageFont


def main():
    image = Image.new("RGB", (64, 32), "white")
    ImageDraw.Draw(image).rectangle([8, 8, 24, 24], fill=(255, 0, 0))
    ImageDraw.Draw(image).text((30, 10), "text", fill="black", font=ImageFont.load_default())
    for kind in ("png", "jpeg", "webp", "gif"):
        image.save(f"image.{kind}", kind)
    small = image.filter(ImageFilter.GaussianBlur(1)).resize((16, 8))
    return {
        "size": small.size,
        "pixel": Image.open("image.png").getpixel((10, 10)),
        "kinds": [Image.open(f"image.{kind}").format for kind in ("jpeg", "webp", "gif")],
    }
