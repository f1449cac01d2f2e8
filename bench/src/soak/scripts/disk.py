def main():
    try:
        with open("/tmp/big", "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        return "full"
