# A child in a session of its own, which holds every descriptor open.
import os
import time


def main():
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
    return "gone"
